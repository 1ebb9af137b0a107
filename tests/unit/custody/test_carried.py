"""What travels with a mass: shares within bounds, mixtures, attributes per what they are stated.

Source: docs/ledger.md, "Origins" and "Attributes".
"""

import pytest

from custody import carried
from custody.carried import ATTRIBUTE_MAX, MARK, OTHER_ORIGIN, UNKNOWN_ORIGIN, Part, origin_key
from custody.held import Carried
from custody.ids import BETWEEN
from custody.records import AttributeAmount, MetalOrigin, OriginShare, Share

A, B = origin_key("site", "A"), origin_key("site", "B")


def of(origins: dict[str, float], **more: dict[str, dict[str, float]]) -> Carried:
    return Carried(origins, more.get("metals", {}), more.get("shares", {}), {})


def many(count: int, share: float | None = None) -> dict[str, float]:
    """As many origins as that, of equal share, three characters each."""
    return {f"{no:03}": share or 1.0 / count for no in range(count)}


# Shares within bounds


def test_what_is_missing_to_one_is_unknown() -> None:
    assert carried.completed({A: 0.25}) == {A: 0.25, UNKNOWN_ORIGIN: 0.75}
    assert carried.completed({A: 0.25, UNKNOWN_ORIGIN: 0.25}) == {A: 0.25, UNKNOWN_ORIGIN: 0.75}
    assert carried.completed({}) == {UNKNOWN_ORIGIN: 1.0}


def test_last_bits_are_not_unknown() -> None:
    assert carried.completed({A: 0.9999999995}) == {A: 0.9999999995}
    assert carried.completed({A: 1.0}) == {A: 1.0}


def test_a_completed_share_lies_within_0_to_1() -> None:
    assert carried.completed({A: -1e-17, B: 1.0 + 1e-15}) == {A: 0.0, B: 1.0}


def test_completed_origins_are_in_order() -> None:
    assert list(carried.completed({B: 0.5, A: 0.5})) == [A, B]


def test_256_origins_are_kept_as_they_are() -> None:
    assert carried.capped(many(256)) == many(256)


def test_of_257_origins_255_are_kept_and_two_are_joined() -> None:
    found = carried.capped(many(257))
    assert len(found) == 256
    assert found[OTHER_ORIGIN] == pytest.approx(2 / 257)
    assert set(many(257)) - set(found) == {"255", "256"}
    assert list(found) == sorted(found)
    assert carried.capped(dict(reversed(many(257).items()))) == found


def test_the_smallest_are_joined_with_what_was_joined_before() -> None:
    shares = many(256, 0.003) | {"000": 0.001, OTHER_ORIGIN: 0.2}
    found = carried.capped(shares)
    assert "000" not in found
    assert found[OTHER_ORIGIN] == pytest.approx(0.2 + 0.001 + 0.003)
    assert sum(found.values()) == pytest.approx(sum(shares.values()))


def test_shares_fit_in_the_bytes_they_may_take() -> None:
    """Ten of 27 bytes: all in 270; in 269 as many as leave room for the others (24 + 6 bytes)."""
    shares = many(10)
    assert carried.size_of(shares) == 270
    assert carried.capped(shares, 270) == shares
    found = carried.capped(shares, 269)
    assert len(found) == 9
    assert found[OTHER_ORIGIN] == pytest.approx(0.2)
    assert carried.size_of(found) <= 269
    # Room for the others and eight to the byte, and one byte less than that.
    assert len(carried.capped(shares, 24 + 6 + 8 * 27)) == 9
    assert len(carried.capped(shares, 24 + 6 + 8 * 27 - 1)) == 8


def test_a_size_counts_bytes_and_not_characters() -> None:
    assert carried.size_of({"é": 1.0}) == 26
    everything = Carried({"a": 1.0}, {"Cu": {"bc": 1.0}}, {"s": {"def": 1.0}}, {"ghij": 1})
    assert carried.bytes_of(everything) == 4 * 24 + 10


# Mixtures


def test_a_mixture_has_the_weighted_means() -> None:
    assert carried.mixed([(3.0, {A: 1.0}), (1.0, {B: 0.5})]) == {A: 0.75, B: 0.125}


def test_a_mixture_of_nothing_has_no_shares() -> None:
    assert carried.mixed([(0.0, {A: 1.0})]) == {}
    assert carried.mixed([]) == {}


def test_a_mean_of_ones_is_one() -> None:
    """Sums of rounded products pass one by a last bit."""
    weights = (0.1, 0.2, 0.3, 0.7, 1e-17, 123.456)
    assert carried.mixed([(w, {A: 1.0 + 1e-16}) for w in weights]) == {A: 1.0}
    assert carried.mixed([(1.0, {A: 1.1})]) == {A: 1.0}


def test_origins_of_a_metal_are_weighted_by_that_metal() -> None:
    """2 t with 1 kg from A and 2 t with 3 kg from B: half of the mass, a quarter of the metal."""
    parts = [(2.0, {"Cu": 1}, of({A: 1.0})), (2.0, {"Cu": 3}, of({B: 1.0}))]
    found = carried.mixture(parts)
    assert found.origins == {A: 0.5, B: 0.5}
    assert found.metal_origins == {"Cu": {A: 0.25, B: 0.75}}


def test_a_metals_own_origins_speak_before_those_of_the_mass() -> None:
    parts = [
        (1.0, {"Cu": 1}, of({A: 1.0}, metals={"Cu": {B: 1.0}})),
        (1.0, {"Cu": 1}, of({A: 1.0})),
    ]
    assert carried.mixture(parts).metal_origins == {"Cu": {A: 0.5, B: 0.5}}


def test_metal_that_is_owed_weighs_nothing() -> None:
    parts = [(1.0, {"Cu": -5}, of({A: 1.0})), (1.0, {"Cu": 5}, of({B: 1.0}))]
    assert carried.mixture(parts).metal_origins == {"Cu": {A: 0.0, B: 1.0}}


def test_metal_origins_that_are_those_of_the_mass_are_not_said_but_mixed_on() -> None:
    parts = [(1.0, {"Cu": 1}, of({A: 1.0})), (1.0, {"Cu": 1}, of({B: 1.0}))]
    assert carried.mixture(parts).metal_origins == {}
    assert carried.blended(parts).metal_origins == {"Cu": {A: 0.5, B: 0.5}}


def test_a_metal_nobody_knows_the_origins_of_says_none() -> None:
    parts = [(1.0, {"Cu": 0}, of({A: 1.0}))]
    assert carried.blended(parts).metal_origins == {"Cu": {}}
    assert carried.mixture(parts).metal_origins == {}


def test_who_says_nothing_of_a_dimension_thins_it_out() -> None:
    parts: list[Part] = [(1.0, {}, of({}, shares={"recycled": {"yes": 1.0}})), (3.0, {}, of({}))]
    assert carried.mixture(parts).shares == {"recycled": {"yes": 0.25}}


def test_attributes_add_up() -> None:
    parts: list[Part] = [
        (1.0, {}, Carried({}, {}, {}, {"@b": 1, "@a": 2})),
        (0.0, {}, Carried({}, {}, {}, {"@a": 40})),
    ]
    found = carried.mixture(parts).attributes
    assert list(found.items()) == [("@a", 42), ("@b", 1)]


def test_many_metals_of_many_origins_divide_their_room_evenly() -> None:
    """Three of 250 origins of 27 bytes would be 20,250; each gets 5,333, 197 origins and others."""
    own = {name: many(250) for name in ("Ag", "Au", "Cu")}
    parts = [(1.0, dict.fromkeys(own, 1), of({A: 1.0}, metals=own))]
    found = carried.blended(parts).metal_origins
    assert {name: len(shares) for name, shares in found.items()} == dict.fromkeys(own, 197)
    two = {name: many(250) for name in ("Au", "Cu")}
    parts = [(1.0, dict.fromkeys(two, 1), of({A: 1.0}, metals=two))]
    assert carried.blended(parts).metal_origins == two


def test_room_that_is_just_enough_is_not_divided() -> None:
    """250 origins of 27 bytes and 250 of 37 are 16,000."""
    long = {f"{no:013}": 1 / 250 for no in range(250)}
    own = {"Au": many(250), "Cu": long}
    parts = [(1.0, dict.fromkeys(own, 1), of({A: 1.0}, metals=own))]
    assert carried.blended(parts).metal_origins == own


def test_shares_differ_by_key_or_by_more_than_last_bits() -> None:
    assert carried.differ({A: 1.0}, {B: 1.0})
    assert carried.differ({A: 0.5}, {A: 0.5 + 2e-9})
    assert not carried.differ({A: 0.5}, {A: 0.5 + 5e-10})
    assert not carried.differ({A: 0.0}, {A: 1e-9})
    assert carried.differ({A: 0.5, B: 0.5}, {A: 0.5, B: 0.4})


def test_shares_that_are_handed_on_have_twelve_digits() -> None:
    third = 1.0 / 3.0
    found = carried.rounded(Carried({A: third}, {"Cu": {A: third}}, {"s": {"x": third}}, {"@a": 1}))
    short = 0.333333333333
    assert found == Carried({A: short}, {"Cu": {A: short}}, {"s": {"x": short}}, {"@a": 1})


# Attributes


@pytest.mark.parametrize(
    ("per", "micros"),
    [
        ("total", 2_500_000),
        ("t_wet", 25_000_000),
        ("t_dry", 20_000_000),
        ("t_Cu", 7_500),
    ],
)
def test_an_amount_is_per_what_it_is_stated(per: str, micros: int) -> None:
    """2.5 units per tonne of 10 t wet, 8 t dry, 3 kg Cu: grams times units per tonne are micros."""
    assert carried.micro(2.5, per, (10_000_000, 8_000_000, {"Cu": 3_000_000})) == micros


def test_an_amount_per_a_metal_that_is_not_there_is_none() -> None:
    assert carried.micro(1e6, "t_Zn", (1, 1, {"Cu": 1})) == 0


def test_an_amount_nobody_meant_is_none() -> None:
    limit = round(ATTRIBUTE_MAX * 1e6)
    for sign in (1, -1):
        assert carried.micro(sign * ATTRIBUTE_MAX, "total", (0, 0, {})) == sign * limit
        beyond = sign * ATTRIBUTE_MAX * (1.0 + 1e-7)
        assert carried.micro(beyond, "total", (0, 0, {})) == 0


def test_amounts_divide_into_metals_and_attributes() -> None:
    amounts = {"Cu": 5, MARK + "a": 7}
    assert carried.metals_of(amounts) == {"Cu": 5}
    assert carried.attributes_of(amounts) == {MARK + "a": 7}
    assert carried.with_attributes(of({A: 1.0}), amounts) == Carried({A: 1.0}, {}, {}, {"@a": 7})


def test_an_attributes_parts_cannot_run_into_each_other() -> None:
    key = carried.attribute_key(f"a{BETWEEN}b", "kg", "measured")
    said = carried.said_attributes({"Cu": 3, key: 5})
    assert [(one.name, one.unit, one.quality) for one in said] == [("a b", "kg", "measured")]
    assert said[0].value_micro == 5


def test_an_origin_stated_twice_counts_as_the_sum() -> None:
    assert carried.origins_of([("site", "A", 0.25), ("site", "A", 0.5)]) == {A: 0.75}


# What is said is heard


def test_what_is_said_is_complete_and_in_order_and_heard_again() -> None:
    key = carried.attribute_key("CO2e", "kg", "measured")
    whole = Carried(
        {B: 0.5, A: 0.25},
        {"Cu": {A: 1.0}},
        {"stage/mined": {"PE": 0.5, "CL": 0.5}, "recycled": {"yes": 1.0 + 1e-15}},
        {key: 7},
    )
    origins, metals, shares = carried.said(whole)
    assert origins == (
        OriginShare(level="site", id="A", share=0.25),
        OriginShare(level="site", id="B", share=0.5),
        OriginShare(level="unknown", id="", share=0.25),
    )
    assert metals == (MetalOrigin(analyte="Cu", level="site", id="A", share=1.0),)
    assert shares == (
        Share(dimension="recycled", label="yes", share=1.0),
        Share(dimension="stage/mined", label="CL", share=0.5),
        Share(dimension="stage/mined", label="PE", share=0.5),
    )
    attributes = carried.said_attributes(whole.attributes)
    assert attributes == (
        AttributeAmount(name="CO2e", unit="kg", quality="measured", value_micro=7),
    )
    assert carried.heard(origins, metals, shares, attributes) == Carried(
        {A: 0.25, B: 0.5, UNKNOWN_ORIGIN: 0.25},
        {"Cu": {A: 1.0}},
        {"recycled": {"yes": 1.0}, "stage/mined": {"CL": 0.5, "PE": 0.5}},
        {key: 7},
    )


def test_a_compensation_says_the_attributes_with_the_other_sign() -> None:
    key = carried.attribute_key("CO2e", "kg", "measured")
    assert [one.value_micro for one in carried.said_attributes({key: 7}, -1)] == [-7]


def test_shares_that_differ_in_nine_digits_have_other_marks_and_none_has_0() -> None:
    one = carried.said(Carried({A: 1.0}, {}, {}, {}))
    other = carried.said(Carried({A: 0.5}, {"Cu": {B: 1.0}}, {"s": {"x": 1.0}}, {}))
    several = [one, other, other._replace(metal_origins=()), other._replace(shares=())]
    assert len({carried.mark_of(said) for said in several}) == 4
    assert carried.mark_of(carried.Said((), (), ())) == 0
    nearly = carried.said(Carried({A: 0.5 + 1e-11, B: 0.5 - 1e-11}, {}, {}, {}))
    assert carried.mark_of(nearly) == carried.mark_of(
        carried.said(Carried({A: 0.5, B: 0.5}, {}, {}, {}))
    )
