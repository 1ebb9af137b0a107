"""Certificates without an exchange: the highest stage, laboratories that agree, and their mean.

Source: docs/ledger.md, "What is known of a lot's material".
"""

import math

import pytest

from custody import exchange
from custody.estimate import Estimate
from custody.events import Micros
from custody.exchange import FINAL, NO_CONTRACT, PROVISIONAL, Word
from tests.support.certificates import certificate, names, said


def test_nobody_who_gives_the_analyte_says_nothing() -> None:
    silver = certificate("S", FINAL, 0.1, analyte="Ag")
    assert exchange.word("Au", [silver], NO_CONTRACT, {}) is None
    assert exchange.word("Au", [], NO_CONTRACT, {}) is None


def test_a_certificate_without_the_analyte_does_not_raise_the_stage() -> None:
    silver = certificate("S", FINAL, 0.1, analyte="Ag")
    assert names(said(certificate("A", PROVISIONAL, 0.84), silver)) == {"A": 1.0}


def test_weights_are_one_by_u_squared() -> None:
    """u 0.0001 and 0.0002: 4 to 1."""
    one, two = certificate("A", FINAL, 0.8400), certificate("B", FINAL, 0.8402, minute=1)
    estimates = {"A": Estimate(0.84, (1e-4 / 0.84) ** 2, {}), "B": Estimate(0.8402, 0.0, {})}
    estimates["B"] = Estimate(0.8402, 0.0, {"LAB-B": 2e-4 / 0.8402})
    found = exchange.word("Au", [one, two], NO_CONTRACT, estimates)
    assert found is not None
    assert names(found) == pytest.approx({"A": 0.8, "B": 0.2})
    assert found.newest is two


@pytest.mark.parametrize(
    ("labs", "chi2"), [(2, 10.828), (3, 13.816), (4, 16.266)], ids=["2", "3", "4"]
)
def test_laboratories_agree_up_to_the_999_quantile_of_chi_square(labs: int, chi2: float) -> None:
    """One is apart by d: q = (1 - 1/n) d2/u2. Quantiles as any table of chi-square prints them."""
    for q, agree in ((chi2 - 0.01, True), (chi2 + 0.01, False)):
        apart = 1e-4 * math.sqrt(q * labs / (labs - 1))
        others = [certificate(f"L{no}", FINAL, 0.84, minute=no) for no in range(labs - 1)]
        found = said(*others, certificate("last", FINAL, 0.84 + apart, minute=99))
        assert (exchange.findings({"Au": found}) == []) is agree
        assert len(found.weights) == (labs if agree else 1)


def test_a_disagreement_names_the_laboratories_oldest_first_and_books_the_newest() -> None:
    one = certificate("A", FINAL, 0.84, lab="LAB-A")
    two = certificate("B", FINAL, 0.842, lab="LAB-B", minute=1)
    found = said(one, two)
    assert names(found) == {"B": 1.0}
    assert [finding.detail for finding in exchange.findings({"Au": found})] == [
        (
            "laboratories do not agree: Au: LAB-A 84.0000%, LAB-B 84.2000% (chi-square 200.0); "
            "the newest is booked"
        )
    ]


def test_of_one_laboratory_the_newest_alone_counts() -> None:
    old = certificate("old", FINAL, 0.80, lab="L")
    new = certificate("new", FINAL, 0.84, lab="L", minute=1)
    found = said(old, new)
    assert (names(found), found.compared) == ({"new": 1.0}, None)


def test_results_on_another_basis_than_the_newest_are_left_out() -> None:
    wet = certificate("wet", FINAL, 0.80, dry=False)
    two = certificate("A", FINAL, 0.84, minute=1), certificate("B", FINAL, 0.84, minute=2)
    assert names(said(wet, *two)) == pytest.approx({"A": 0.5, "B": 0.5})


def test_laboratories_that_claim_no_error_are_not_averaged() -> None:
    """A weight 1/u2 of nothing: the newest counts and nobody is accused."""
    one, two = certificate("A", FINAL, 0.84), certificate("B", FINAL, 0.85, minute=1)
    found = said(one, two, u=0.0)
    assert (names(found), found.compared) == ({"B": 1.0}, None)


def test_the_newest_that_speaks_is_the_last_in_canonical_order() -> None:
    late = certificate("a", FINAL, 0.84, minute=5)
    early = certificate("z", FINAL, 0.84, minute=1)
    assert Word(((late, 0.5), (early, 0.5))).newest is late
    same = late._replace(event_id="b")
    assert Word(((same, 0.5), (late, 0.5))).newest is same
    known_later = late._replace(known=Micros(6), event_id="A")
    assert Word(((known_later, 0.5), (same, 0.5))).newest is known_later


# The mean and how well it is known


def test_one_certificate_is_its_own_estimate() -> None:
    one = certificate("A", FINAL, 0.84)
    mine = Estimate(0.84, 1e-8, {"LAB-A": 1e-4})
    assert exchange.combined(Word(((one, 1.0),)), {"A": mine}) is mine


def test_a_mean_is_known_as_the_sum_of_its_weighted_errors() -> None:
    """Random parts in quadrature, those of one source linearly; all relative to the mean.

    0.5 x 0.8 + 0.5 x 0.4 = 0.6: shares 2/3 and 1/3. Random: 4/9 x 9e-6 + 1/9 x 9e-6 = 5e-6.
    """
    one, two = certificate("A", FINAL, 0.8), certificate("B", FINAL, 0.4)
    estimates = {
        "A": Estimate(0.8, 9e-6, {"METHOD": 3e-3, "LAB-A": 6e-3}),
        "B": Estimate(0.4, 9e-6, {"METHOD": 3e-3}),
    }
    mean = exchange.combined(Word(((one, 0.5), (two, 0.5))), estimates)
    assert mean.value == pytest.approx(0.6)
    assert mean.var == pytest.approx(5e-6)
    assert mean.parts == pytest.approx({"METHOD": 3e-3, "LAB-A": 4e-3})


def test_a_mean_of_nothing_is_exactly_nothing() -> None:
    one, two = certificate("A", FINAL, 0.0), certificate("B", FINAL, 0.0)
    nothing = Estimate(0.0, 1.0, {"LAB": 1.0})
    found = exchange.combined(Word(((one, 0.5), (two, 0.5))), {"A": nothing, "B": nothing})
    assert found == Estimate(0.0, 0.0, {})
