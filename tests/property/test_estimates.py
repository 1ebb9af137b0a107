"""Sums of uncertainties: what is said of them is never better than what is known."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.estimate import (
    NOTHING,
    OTHER,
    OWN,
    SOURCES_MAX,
    Estimate,
    absolute,
    add,
    over,
    relative,
    said,
    sigma,
    times,
    total,
)
from custody.records import Part

SOURCES = [f"WB-{no:02}" for no in range(24)]
amounts = st.floats(-1e9, 1e9).map(lambda u: 0.0 if abs(u) < 1e-6 else u)
parts = st.dictionaries(st.sampled_from([*SOURCES, OTHER]), amounts, max_size=24)
estimates = st.builds(Estimate, amounts, amounts.map(abs), parts)
signs = st.sampled_from([1.0, -1.0])


def read_back(estimate: Estimate) -> Estimate:
    u_random, written = said(estimate)
    return Estimate(estimate.value, u_random**2, {part.source: part.u for part in written})


def summed(terms: list[tuple[Estimate, float]]) -> Estimate:
    found = NOTHING
    for estimate, sign in terms:
        found = add(found, estimate, sign)
    return found


def at_least(found: Estimate, true: Estimate) -> bool:
    return sigma(found) >= sigma(true) * (1 - 1e-9)


@given(st.lists(st.tuples(estimates, signs), min_size=1, max_size=6))
def test_sums_and_differences_of_records_are_never_better_known_than_of_the_estimates(
    terms: list[tuple[Estimate, float]],
) -> None:
    records = [(read_back(estimate), sign) for estimate, sign in terms]
    assert at_least(summed(records), summed(terms))
    if all(sign > 0 for _, sign in terms):
        assert at_least(total([record for record, _ in records]), summed(terms))


@given(st.lists(st.tuples(st.lists(st.tuples(estimates, signs), max_size=4), signs), max_size=4))
def test_nor_are_records_of_records(
    groups: list[tuple[list[tuple[Estimate, float]], float]],
) -> None:
    true = summed([(summed(terms), sign) for terms, sign in groups])
    inner = [
        (read_back(summed([(read_back(e), s) for e, s in terms])), sign) for terms, sign in groups
    ]
    assert at_least(summed(inner), true)


@given(estimates)
def test_what_is_said_has_few_sources_each_once_and_a_rest_without_sign(estimate: Estimate) -> None:
    _, written = said(estimate)
    names = [part.source for part in written]
    assert names == sorted(set(names))
    assert len(set(names) - {OTHER}) <= SOURCES_MAX
    assert all(part.u > 0.0 if part.source == OTHER else part.u for part in written)


@given(estimates, st.randoms(use_true_random=False))
def test_what_is_said_does_not_depend_on_the_order_of_sources(
    estimate: Estimate, rng: object
) -> None:
    shuffled = list(estimate.parts.items())
    rng.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis's random.Random
    assert said(estimate._replace(parts=dict(shuffled))) == said(estimate)


def test_of_many_sources_the_largest_keep_their_names_and_the_rest_adds_up() -> None:
    named = {f"S-{no:02}": float(no) for no in range(1, SOURCES_MAX + 4)}
    _, written = said(Estimate(0.0, 0.0, named))
    found = {part.source: part.u for part in written}
    assert found.pop(OTHER) == 1.0 + 2.0 + 3.0
    assert found == {name: u for name, u in named.items() if u > 3.0}


def test_exactly_sixteen_sources_all_keep_their_names() -> None:
    named = {f"S-{no:02}": 1.0 for no in range(SOURCES_MAX)}
    assert [part.source for part in said(Estimate(0.0, 0.0, named))[1]] == sorted(named)


def test_of_equal_sources_the_first_in_the_alphabet_keep_their_names() -> None:
    named = {f"S-{no:02}": 2.0 for no in reversed(range(SOURCES_MAX + 2))}
    _, written = said(Estimate(0.0, 0.0, named))
    assert [part.source for part in written[:-1]] == [f"S-{no:02}" for no in range(SOURCES_MAX)]
    assert written[-1] == Part(source=OTHER, u=4.0)


def test_the_rest_of_an_earlier_record_is_no_seventeenth_source_and_is_said_once() -> None:
    named = {f"S-{no:02}": 5.0 for no in range(SOURCES_MAX + 1)} | {OTHER: 9.0}
    _, written = said(Estimate(0.0, 0.0, named))
    assert [part.u for part in written if part.source == OTHER] == [14.0]


def test_two_rests_never_cancel() -> None:
    """Each stands for sources nobody knows any more; their difference is not better known."""
    first, second = Estimate(10.0, 0.0, {OTHER: 3.0}), Estimate(8.0, 0.0, {OTHER: 2.0})
    assert sigma(add(first, second, -1.0)) == sigma(add(first, second)) == 5.0
    assert sigma(add(add(first, second, -1.0), second)) == 7.0
    assert sigma(total([first, second])) == 5.0
    product = absolute(times(relative(first), relative(second)))
    assert sigma(product) == pytest.approx(80.0 * (3.0 / 10.0 + 2.0 / 8.0))


def test_a_rest_may_hold_what_another_record_names() -> None:
    """3 of one bridge by name and 4 of perhaps the same one: at worst 7, not 5."""
    assert sigma(Estimate(0.0, 0.0, {"WB-1": 3.0, OTHER: 4.0})) == 7.0
    assert sigma(Estimate(0.0, 24.0 * 24.0, {"WB-1": 3.0, OTHER: -4.0})) == 25.0


def test_named_sources_cancel_in_a_difference_and_add_in_a_sum() -> None:
    first, second = Estimate(10.0, 1.0, {"WB-1": 3.0}), Estimate(8.0, 1.0, {"WB-1": 3.0})
    assert sigma(add(first, second, -1.0)) == pytest.approx(math.sqrt(2.0))
    assert sigma(add(first, second)) == pytest.approx(math.sqrt(2.0 + 36.0))


def test_what_left_over_another_scale_is_said_with_its_sign() -> None:
    """What is left and what left over WB-2 are together the 30 t of WB-1, known as those are."""
    gone = Estimate(20.0, 0.0, {"WB-2": 4.0})
    rest = add(Estimate(30.0, 0.0, {"WB-1": 3.0}), gone, -1.0)
    assert said(rest)[1] == (Part(source="WB-1", u=3.0), Part(source="WB-2", u=-4.0))
    turned = (Part(source="WB-1", u=-6.0), Part(source="WB-2", u=8.0))
    assert said(rest, -2.0)[1] == turned
    assert sigma(add(read_back(rest), read_back(gone))) == 3.0


def test_beyond_sixteen_sources_the_largest_keep_their_names_whatever_their_sign() -> None:
    named = {f"S-{no:02}": -float(no) for no in range(1, SOURCES_MAX + 4)}
    _, written = said(Estimate(0.0, 0.0, named))
    found = {part.source: part.u for part in written}
    assert found.pop(OTHER) == 1.0 + 2.0 + 3.0
    assert found == {name: u for name, u in named.items() if u < -3.0}


def test_a_lots_own_quantity_counts_as_random_once_it_is_said() -> None:
    assert said(Estimate(1.0, 9.0, {OWN + "moisture": 4.0})) == (5.0, ())


factors = st.builds(
    Estimate,
    st.floats(0.1, 1e9),
    st.floats(1e-12, 1e-2),
    st.dictionaries(st.sampled_from(SOURCES), st.floats(-0.1, 0.1).map(lambda u: round(u, 6))),
)


@given(factors, factors)
def test_a_product_without_one_factor_is_the_other(first: Estimate, second: Estimate) -> None:
    found = over(times(first, second), second)
    assert found.value == pytest.approx(first.value)
    # What is a hundred-thousandth of the product is not told from its rounding.
    product = times(first, second)
    assert found.var == pytest.approx(first.var, abs=1.1e-5 * product.var)
    for source in SOURCES:
        part = found.parts.get(source, 0.0)
        least = 1.1e-5 * abs(product.parts.get(source, 0.0))
        assert part == pytest.approx(first.parts.get(source, 0.0), abs=least + 1e-12)


def test_what_is_the_same_but_for_its_rounding_leaves_nothing() -> None:
    dry = Estimate(0.9, 4e-6, {"WB": 0.001, OTHER: 0.002})
    wet = Estimate(1.0, 4.00001e-6, {"WB": 0.001000001, OTHER: 0.002})
    assert over(dry, wet) == Estimate(0.9, 0.0, {})


def test_of_a_factor_that_is_known_worse_the_named_part_has_the_other_sign() -> None:
    dry = Estimate(0.9, 1e-6, {"LAB": 0.003, OTHER: 0.001})
    wet = Estimate(0.0, 4e-6, {"WB": 0.001, OTHER: 0.003})
    assert over(dry, wet) == Estimate(0.0, 0.0, {"LAB": 0.003, "WB": -0.001, OTHER: 0.002})
