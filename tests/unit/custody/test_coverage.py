"""The four elements: evidence is as good as its weakest link, and gaps have names."""

from dataclasses import replace

import pytest

from custody.coverage import (
    Element,
    Evidence,
    LotEvidence,
    Movement,
    ProcessEvidence,
    Use,
    covered,
    elements,
    gaps,
    on_the_way,
    origin_split,
)
from custody.events import Micros
from custody.genealogy import DRY, Edge, Graph, Way, reach

BOTH = Movement("W-1", frozenset({"ticket"}), frozenset({"other ticket"}))
ONE = Movement("W-2", frozenset({"ticket"}), frozenset({"ticket"}))
ON_THE_ROAD = Movement("W-3", frozenset({"ticket"}), frozenset())
SAID_TWICE = {Evidence.CONFIRMED: 1.0}
WHOLE = LotEvidence(
    origins=SAID_TWICE, weighed=True, assayed=True, custodian=True, movements=(BOTH,)
)


def blend() -> tuple[Graph, Way]:
    graph = Graph()
    graph.add(
        [
            Edge("lot/A", "process/P", 30, 30, {"Cu": 1}),
            Edge("lot/B", "process/P", 10, 10, {"Cu": 9}),
            Edge("process/P", "lot/X", 40, 40, {"Cu": 10}),
        ]
    )
    return graph, reach("lot/X", graph.parents, 10)


def asked(
    lots: dict[str, LotEvidence], *, closed: bool = True, quantity: str = DRY
) -> dict[str, tuple[dict[str, float], list[str]]]:
    """What each element says of X: shares that are not nothing, and the gaps."""
    graph, way = blend()
    known = {f"lot/{name}": LotEvidence() for name in "ABX"}
    known |= {f"lot/{name}": evidence for name, evidence in lots.items()}
    found = {}
    for element in elements(way, known, {"process/P": ProcessEvidence(closed=closed)}):
        split = covered(graph, way, element, quantity)
        assert sum(split.values()) == pytest.approx(1.0)
        shares = {one.name: round(share, 9) for one, share in split.items() if share}
        found[element.name] = (shares, [gap.text for gap in gaps(graph, way, element, quantity)])
    return found


def test_a_lot_whose_whole_way_both_sides_confirm_is_confirmed_throughout() -> None:
    assert asked(dict.fromkeys("ABX", WHOLE)) == {
        name: ({"CONFIRMED": 1.0}, [])
        for name in ("origin", "geographic_path", "chain_of_custody", "physical_evolution")
    }


def test_a_movement_without_receipt_uncovers_what_travelled_in_it() -> None:
    lost = LotEvidence(
        origins=SAID_TWICE, weighed=True, assayed=True, custodian=True, movements=(ON_THE_ROAD,)
    )
    found = asked({"A": WHOLE, "X": WHOLE, "B": lost})
    assert found["geographic_path"] == (
        {"NONE": 0.25, "CONFIRMED": 0.75}, ["movement W-3 has no receipt"],
    )  # fmt: skip
    assert found["chain_of_custody"][0] == {"NONE": 0.25, "CONFIRMED": 0.75}
    of_copper = asked({"A": WHOLE, "X": WHOLE, "B": lost}, quantity="Cu")
    assert of_copper["geographic_path"][0] == {"NONE": 0.9, "CONFIRMED": 0.1}


def test_one_scale_for_both_ends_is_a_measurement_not_a_confirmation() -> None:
    single = LotEvidence(
        origins=SAID_TWICE, weighed=True, assayed=True, custodian=True, movements=(ONE,)
    )
    found = asked({"A": WHOLE, "B": WHOLE, "X": single})
    assert found["geographic_path"] == ({"MEASURED": 1.0}, [])


def test_an_unknown_origin_is_named_with_its_share() -> None:
    half = LotEvidence(origins={Evidence.MEASURED: 0.6}, weighed=True, assayed=True, custodian=True)
    found = asked({"A": half, "B": WHOLE, "X": WHOLE})
    assert found["origin"] == (
        {"NONE": 0.3, "MEASURED": 0.45, "CONFIRMED": 0.25},
        ["40.0 % of the origin of lot A unknown"],
    )  # fmt: skip


def test_a_process_without_close_uncovers_all_that_went_through() -> None:
    found = asked(dict.fromkeys("ABX", WHOLE), closed=False)
    assert found["physical_evolution"] == ({"NONE": 1.0}, ["process P has no close"])
    assert found["origin"][0] == {"CONFIRMED": 1.0}


def test_what_only_a_paper_says_is_declared_and_the_nearest_gap_comes_first() -> None:
    found = asked({})
    assert found["origin"][0] == {"NONE": 1.0}
    assert found["geographic_path"] == ({"DECLARED": 1.0}, [])
    assert found["chain_of_custody"][1] == [
        "lot X names no custodian", "lot A names no custodian", "lot B names no custodian",
    ]  # fmt: skip
    assert found["physical_evolution"][0] == {"DECLARED": 1.0}
    assert found["physical_evolution"][1][0] == "lot X has no weighing and no assay"


def test_what_lies_beyond_the_depth_is_not_covered() -> None:
    graph, _ = blend()
    graph.add([Edge("process/Q", "lot/A", 30, 30, {})])
    way = reach("lot/X", graph.parents, 2)
    element = Element("origin", first={f"lot/{n}": {Evidence.DECLARED: 1.0} for n in "AB"})
    assert covered(graph, way, element, DRY)[Evidence.NONE] == pytest.approx(0.75)


def test_weighings_that_agree_confirm_the_way_and_not_where_the_ore_was_mined() -> None:
    said_once = {Evidence.DECLARED: 1.0}
    lot = LotEvidence(said_once, weighed=True, assayed=True, custodian=True, movements=(BOTH,))
    found = asked({"A": lot, "B": lot, "X": WHOLE})
    assert found["origin"] == ({"DECLARED": 1.0}, [])
    assert found["geographic_path"] == ({"CONFIRMED": 1.0}, [])


def split(
    named: dict[str, float],
    weighed: dict[str, float] | None = None,
    said: dict[str, float] | None = None,
) -> dict[str, object]:
    """Where evidence is something, by name."""
    found = origin_split(named, weighed or {}, said or {})
    return {one.name: pytest.approx(share) for one, share in found.items() if share}


def test_an_origin_that_only_its_declaration_names_is_declared() -> None:
    assert split({"M": 1.0}) == {"DECLARED": 1.0}
    assert split({"M": 1.0}, {"DEPOT": 1.0}, {"OTHER": 1.0}) == {"DECLARED": 1.0}


def test_a_first_weighing_at_the_declared_site_measures_as_much_as_it_weighed() -> None:
    assert split({"M": 1.0}, {"M": 1.0}) == {"MEASURED": 1.0}
    assert split({"M": 1.0}, {"M": 0.25, "DEPOT": 0.75}) == {"MEASURED": 0.25, "DECLARED": 0.75}
    assert split({"M": 0.6, "N": 0.4}, {"M": 1.0}) == {"MEASURED": 0.6, "DECLARED": 0.4}


def test_the_word_of_another_party_confirms_as_much_as_it_says() -> None:
    assert split({"M": 1.0}, {"M": 1.0}, {"M": 1.0}) == {"CONFIRMED": 1.0}
    assert split({"M": 1.0}, {"M": 1.0}, {"M": 0.7}) == {"CONFIRMED": 0.7, "MEASURED": 0.3}
    assert split({"M": 0.5}, {}, {"M": 0.9}) == {"CONFIRMED": 0.5}


def trip(name: str, ends: tuple[str | None, str | None], *at: int | None) -> Movement:
    """A movement by its ends and when it left and came."""
    left, came = (None if one is None else Micros(one) for one in at)
    facts = frozenset({name + "<"}), frozenset() if came is None else frozenset({name + ">"})
    return Movement(name, *facts, start=ends[0], end=ends[1], left_at=left, came_at=came)


def test_a_use_is_walked_back_over_every_trip_that_led_there_by_then() -> None:
    first, second = trip("1", ("PIT", "MINE"), 1, 2), trip("2", ("MINE", "MILL"), 3, 4)
    later, unseen = trip("3", ("PIT", "MINE"), 5, 6), trip("4", ("MINE", "MILL"), 3, None)
    aside, ring = trip("5", ("MILL", "PORT"), 4, 5), trip("6", ("MILL", "MINE"), 2, 3)
    every = (first, second, later, unseen, aside, ring)
    assert on_the_way(every, [Use("MILL", Micros(4))]) == (first, second, unseen, ring)
    assert on_the_way(every, [Use("PORT", Micros(9))]) == (first, second, unseen, aside, ring)
    assert on_the_way(every, []) == ()


def test_a_trip_that_came_after_its_use_counts_where_none_came_before() -> None:
    slow, only_in = trip("1", ("MINE", "MILL"), 1, 9), trip("2", ("MINE", "MILL"), None, 3)
    assert on_the_way([slow], [Use("MILL", Micros(4))]) == (slow,)
    assert on_the_way([slow, only_in], [Use("MILL", Micros(4))]) == (only_in,)


def test_an_end_that_nobody_names_may_be_anywhere_but_where_it_began() -> None:
    somewhere = trip("1", ("MINE", None), 1, None)
    assert on_the_way([somewhere], [Use("MILL", Micros(4))]) == (somewhere,)
    assert on_the_way([somewhere], [Use("MINE", Micros(4))]) == ()
    sold = replace(somewhere, sold=True)
    assert on_the_way([sold], [Use("MILL", Micros(4))]) == ()
    from_anywhere = trip("2", (None, "MILL"), None, 3)
    assert on_the_way([from_anywhere], [Use("MILL", Micros(4))]) == (from_anywhere,)
