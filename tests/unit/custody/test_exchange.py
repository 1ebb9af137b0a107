"""The exchange of assays: which of the parties' certificates speak for a lot.

The worked example is a lot of gold-base dore under the splitting limits that a refinery publishes
(Golden Ophir, "Assaying": 0.05 % for gold and 0.20 % for silver; within them the arithmetic mean is
final) and the three clauses of published contracts on what an umpire's result leads to
(docs/ledger.md, "Exchange of assays"). The results of the parties are ours.
"""

import pytest

from custody import exchange
from custody.events import LotFact
from custody.exchange import (
    EXCHANGED,
    FINAL,
    PROVISIONAL,
    UMPIRE,
    Contract,
    UmpireRule,
    Word,
)
from custody.lot_rows import Certificate
from custody.reduce import STAGES
from custody.rows import Finding
from tests.support.certificates import certificate, names, relative, said
from tests.support.facts import Maker, corrected
from tests.support.instruments import reference
from tests.support.world import World

LIMITS = {"Au": 0.0005, "Ag": 0.002}
"""Splitting limits of gold-base dore, fractions."""


def parties(s: float | None, b: float | None, u: float | None = None) -> tuple[Certificate, ...]:
    """Certificates of an exchange in the order in which they are made."""
    made = (("seller", EXCHANGED, s), ("buyer", EXCHANGED, b), ("umpire", UMPIRE, u))
    return tuple(
        certificate(party, stage, value, party=party, minute=no)
        for no, (party, stage, value) in enumerate(made)
        if value is not None
    )


def rules(found: Word) -> list[str]:
    return [finding.rule for finding in exchange.findings({"Au": found})]


def contract(rule: UmpireRule = UmpireRule.UMPIRE) -> Contract:
    return Contract(LIMITS, rule)


# The worked example: dore of about 84 % gold


def settled(found: Word) -> float:
    """The book value, percent of gold."""
    value = exchange.combined(found, relative([one for one, _ in found.weights])).value
    return round(100 * value, 10)


@pytest.mark.parametrize(
    ("rule", "u", "book"),
    [
        # Seller 84.12 %, buyer 84.02 %: 0.10 % apart, the limit is 0.05 %.
        (UmpireRule.UMPIRE, 0.8405, 84.05),
        (UmpireRule.UMPIRE, 0.8420, 84.20),
        # 84.05 is 0.03 from the buyer's and 0.07 from the seller's: (84.05 + 84.02) / 2.
        (UmpireRule.MEAN_WITH_NEARER, 0.8405, 84.035),
        (UmpireRule.MEAN_WITH_NEARER, 0.8420, 84.16),
        # Between the parties the umpire's own; above the seller's; below the buyer's.
        (UmpireRule.BETWEEN_OR_NEARER, 0.8405, 84.05),
        (UmpireRule.BETWEEN_OR_NEARER, 0.8420, 84.12),
        (UmpireRule.BETWEEN_OR_NEARER, 0.8390, 84.02),
    ],
)
def test_dore_beyond_the_limit_is_settled_as_the_contract_says_of_the_umpire(
    rule: UmpireRule, u: float, book: float
) -> None:
    found = said(*parties(0.8412, 0.8402, u), contract=contract(rule))
    assert settled(found) == book
    assert rules(found) == []


def test_dore_within_the_limit_is_settled_at_the_mean_and_no_umpire_is_heard() -> None:
    """84.12 and 84.08 %: 0.04 % apart; an umpire's 84.50 % was not asked for."""
    for certificates in (parties(0.8412, 0.8408), parties(0.8412, 0.8408, 0.845)):
        found = said(*certificates, contract=contract())
        assert settled(found) == 84.10
        assert rules(found) == []


def test_results_exactly_the_limit_apart_are_within_it_whatever_the_last_bit() -> None:
    """84.13 less 84.08 % is 0.05 % and a little: floats do not call an umpire."""
    seller, buyer = 0.8413, 0.8408
    assert seller - buyer > LIMITS["Au"]
    assert rules(said(*parties(seller, buyer), contract=contract())) == []
    assert rules(said(*parties(seller, 0.840799), contract=contract())) == ["umpire_due"]


def test_beyond_the_limit_the_mean_stands_until_the_umpire_who_is_due() -> None:
    found = said(*parties(0.8412, 0.8402), contract=contract())
    assert settled(found) == 84.07
    assert exchange.findings({"Au": found}) == [
        Finding("umpire_due", "Au", "Au: seller 84.1200%, buyer 84.0200%, limit 0.0500%")
    ]


def test_the_metal_in_the_books_follows_the_exchange_step_by_step() -> None:
    """100 kg of dore without water: each stage is a transfer, corrections name what they replace.

    Provisional 84.50 %, seller 84.12 %, then the buyer's 84.02 %: mean 84.07 % and an umpire is
    due; umpire 84.05 %, nearer to the buyer: mean 84.035 %; final 84.04 %.
    """
    maker, world = Maker(), World()
    body = {"splitting_limit": LIMITS, "umpire_rule": "mean_with_nearer"}
    world.tell(reference("contract", "C-1", body))
    world.tell(
        maker.lot("PORT", 0, {"Au": 0.85}, contract_id="C-1", form="metal", commodity="gold"),
        maker.weighing("PORT", 1, "stock", 1_100, 1_000, movement_id=None),
        maker.assay("PORT", 2, {"Au": (0.845, 0.0001)}, (0.0, 0.0)),
    )

    def stage(minute: int, stage: str, party: str, fraction: float) -> LotFact:
        grades: dict[str, tuple[float, float | None]] = {"Au": (fraction, 0.0001)}
        lab = f"LAB-{party}"
        return maker.assay("PORT", minute, grades, stage=stage, party=party, lab_id=lab)

    def metal_g() -> float:
        return world.sums()["lot/L-1/PORT"]["Au"] / 1000

    assert metal_g() == 84_500
    steps = [
        (stage(10, "exchanged", "seller", 0.8412), 84_120),
        (stage(11, "exchanged", "buyer", 0.8402), 84_070),
        (stage(20, "umpire", "umpire", 0.8405), 84_035),
        (stage(30, "final", "seller", 0.8404), 84_040),
    ]
    due = [False, True, False, False]
    for (fact, grams), is_due in zip(steps, due, strict=True):
        before = len(world.transfers)
        world.tell(fact)
        assert metal_g() == grams
        assert {t.kind for t in world.transfers[before:]} == {"measurement"}
        live = {a.rule for a in world.alerts.values() if a.state == "open"}
        assert ("umpire_due" in live) is is_due
    assert world.findings.count("umpire_due") == 1
    # The final certificate withdrawn: what the umpire led to stands again.
    final = steps[-1][0]
    world.tell(corrected(final, "withdrawn", void=True))
    assert metal_g() == 84_035


@pytest.mark.parametrize("u", [0.8412, 0.8402])
def test_an_umpire_who_agrees_with_a_party_lies_between(u: float) -> None:
    found = said(*parties(0.8412, 0.8402, u), contract=contract(UmpireRule.BETWEEN_OR_NEARER))
    assert names(found) == {"umpire": 1.0}


# The rule, case by case


def test_ranks_of_stages_are_those_of_reduced_facts() -> None:
    ranks = dict(zip(STAGES, (PROVISIONAL, EXCHANGED, UMPIRE, FINAL), strict=True))
    assert ranks == STAGES


def test_an_umpire_as_far_from_both_is_nearer_to_the_seller() -> None:
    """Quarters, so that both distances are the same float."""
    found = said(*parties(0.25, 0.75, 0.5), contract=contract(UmpireRule.MEAN_WITH_NEARER))
    assert names(found) == {"umpire": 0.5, "seller": 0.5}


@pytest.mark.parametrize("present", ["seller", "buyer"])
def test_who_alone_has_exchanged_is_conclusive(present: str) -> None:
    results = (0.8412, None) if present == "seller" else (None, 0.8412)
    provisional = certificate("early", PROVISIONAL, 0.85)
    found = said(provisional, *parties(*results), contract=contract())
    assert names(found) == {present: 1.0}
    assert rules(found) == []


def test_a_plants_own_and_older_results_do_not_join_who_alone_has_exchanged() -> None:
    old = certificate("old", EXCHANGED, 0.8411, lab="OTHER")
    plant = certificate("plant", EXCHANGED, 0.8413, party="plant", minute=9)
    seller = certificate("seller", EXCHANGED, 0.8412, minute=1)
    assert names(said(old, seller, plant, contract=contract())) == {"seller": 1.0}


@pytest.mark.parametrize("rule", UmpireRule)
@pytest.mark.parametrize("sides", [(0.8412, None), (None, 0.8412), (None, None)])
def test_of_one_party_that_exchanged_alone_and_an_umpire_the_umpire_speaks(
    sides: tuple[float | None, float | None], rule: UmpireRule
) -> None:
    """Whatever the rule: there is no nearer of two."""
    found = said(*parties(*sides, 0.8405), contract=contract(rule))
    assert (names(found), rules(found)) == ({"umpire": 1.0}, [])


def test_of_one_party_and_several_umpires_those_who_agree_are_averaged() -> None:
    second = certificate("umpire-2", UMPIRE, 0.8406, party="umpire", minute=8)
    found = said(*parties(0.8412, None, 0.8405), second, contract=contract())
    assert names(found) == pytest.approx({"umpire": 0.5, "umpire-2": 0.5})


def test_an_umpire_alone_speaks() -> None:
    assert names(said(*parties(None, None, 0.8405), contract=contract())) == {"umpire": 1.0}


def test_a_final_result_ends_the_exchange() -> None:
    final = certificate("last", FINAL, 0.9, minute=9)
    assert names(said(*parties(0.8412, 0.8402, 0.8405), final, contract=contract())) == {
        "last": 1.0
    }


def test_before_the_exchange_a_limit_says_nothing() -> None:
    """Two provisional results under a contract are averaged like any."""
    one, two = certificate("A", PROVISIONAL, 0.8410), certificate("B", PROVISIONAL, 0.8411)
    assert names(said(one, two, contract=contract())) == pytest.approx({"A": 0.5, "B": 0.5})


def test_without_a_limit_for_the_analyte_exchanged_results_are_averaged_where_they_agree() -> None:
    """10 u apart they do not agree and the newest counts; the contract names silver only."""
    silver = Contract({"Ag": 0.002}, UmpireRule.UMPIRE)
    found = said(*parties(0.8412, 0.8402), contract=silver)
    assert (names(found), rules(found)) == ({"buyer": 1.0}, ["certificates_disagree"])


def test_laboratories_that_differ_are_one_finding_at_one_in_a_thousand_over_all_analytes() -> None:
    """q 12.5 passes the limit of one test, 10.8; of ten tests that share it the limit is 15.1."""
    differ = said(certificate("A", FINAL, 0.840), certificate("B", FINAL, 0.842), u=0.0004)
    assert rules(differ) == ["certificates_disagree"]
    agree = said(certificate("A", FINAL, 0.840), certificate("B", FINAL, 0.840), u=0.0004)
    nine = {f"X{no}": agree for no in range(9)}
    assert exchange.findings(nine | {"Au": differ}) == []
    [found] = exchange.findings({"Ag": differ, "Au": differ})
    assert found.about == "certificates"
    assert found.detail.count("chi-square 12.5") == 2
    # What is booked is decided analyte by analyte.
    assert names(differ) == {"B": 1.0}


def test_a_limit_of_nothing_calls_an_umpire_for_any_difference() -> None:
    strict = Contract({"Au": 0.0}, UmpireRule.UMPIRE)
    assert rules(said(*parties(0.8412, 0.8411), contract=strict)) == ["umpire_due"]
    assert rules(said(*parties(0.8412, 0.8412), contract=strict)) == []


def test_of_each_side_the_newest_exchanged_result_counts() -> None:
    again = certificate("seller-2", EXCHANGED, 0.8404, minute=5)
    found = said(*parties(0.8412, 0.8402), again, contract=contract())
    assert names(found) == {"seller-2": 0.5, "buyer": 0.5}


def test_of_several_umpires_the_newest_counts() -> None:
    second = certificate("umpire-2", UMPIRE, 0.8407, party="umpire", minute=8)
    found = said(*parties(0.8412, 0.8402, 0.8405), second, contract=contract())
    assert names(found) == {"umpire-2": 1.0}


def test_a_plants_own_exchanged_result_is_no_side_of_the_exchange() -> None:
    plant = certificate("plant", EXCHANGED, 0.9, party="plant", minute=9)
    assert names(said(*parties(0.8412, 0.8408), plant, contract=contract())) == {
        "seller": 0.5,
        "buyer": 0.5,
    }
    assert names(said(plant, contract=contract())) == {"plant": 1.0}


def test_a_buyers_result_on_another_basis_is_not_exchanged() -> None:
    seller = certificate("seller", EXCHANGED, 0.8412)
    buyer = certificate("buyer", EXCHANGED, 0.8402, party="buyer", dry=False, minute=1)
    assert names(said(seller, buyer, contract=contract())) == {"seller": 1.0}
    umpire = certificate("umpire", UMPIRE, 0.8405, party="umpire", minute=2)
    assert names(said(seller, buyer, umpire, contract=contract())) == {"umpire": 1.0}


def test_an_umpires_result_on_another_basis_leaves_the_umpire_due() -> None:
    other = certificate("umpire", UMPIRE, 0.8405, party="umpire", dry=False, minute=2)
    found = said(*parties(0.8412, 0.8402), other, contract=contract())
    assert (names(found), rules(found)) == ({"seller": 0.5, "buyer": 0.5}, ["umpire_due"])
