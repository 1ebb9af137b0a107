"""From a lot's rows to what the mixture detector is told.

Source: docs/detection/mixture.md, "What it is told".
"""

import math
from dataclasses import replace

import pytest

from custody.detect.lot_asked import AS_IS, Asked, asked_of, way
from custody.events import LotFact, ReferenceSet
from custody.lot_book import LotBook
from custody.lot_rows import LotRow
from custody.reference import References
from tests.support.facts import Maker
from tests.support.instruments import reference
from tests.support.world import World


def book(*records: LotFact | ReferenceSet) -> tuple[LotBook, References]:
    world = World()
    world.tell(*records)
    row = world.rows["lot/L-1"]
    assert isinstance(row, LotRow)
    return LotBook("L-1", row, world.rows), References(world.rows)


def told(*records: LotFact | ReferenceSet) -> Asked:
    found = asked_of(*book(*records))
    assert found is not None
    return found


def trip(m: Maker, ends: tuple[str, str], minute: float, name: str) -> list[LotFact]:
    return [
        m.weighing(ends[0], minute, "dispatch", 45_000, 15_000, movement_id=name),
        m.weighing(ends[1], minute + 60, "receipt", 44_900, 15_000, movement_id=name),
    ]


def test_a_lot_nobody_measured_is_not_judged() -> None:
    assert asked_of(*book(Maker().lot("MINE", 0, {"Cu": 0.02}))) is None


def test_the_way_is_the_line_of_trips_and_a_lone_site_where_nothing_moved() -> None:
    m = Maker()
    there = [*trip(m, ("MINE", "DEPOT"), 0, "A"), *trip(m, ("DEPOT", "PORT"), 200, "B")]
    assert way(book(*there)[0]) == ("MINE", "DEPOT", "PORT")
    assert way(book(m.shot("MINE", 0, {"Cu": 0.02}))[0]) == ("MINE",)


def test_of_a_divided_lot_the_longest_line_counts_and_of_equal_ones_the_last_begun() -> None:
    m = Maker()
    divided = [*trip(m, ("MINE", "DEPOT"), 0, "A"), *trip(m, ("MINE", "MILL"), 300, "B")]
    assert way(book(*divided)[0]) == ("MINE", "MILL")
    longer = [*divided, *trip(m, ("DEPOT", "PORT"), 400, "C")]
    assert way(book(*longer)[0]) == ("MINE", "DEPOT", "PORT")


def test_a_ring_ends_where_it_would_meet_itself() -> None:
    m = Maker()
    ring = [*trip(m, ("MINE", "DEPOT"), 0, "A"), *trip(m, ("DEPOT", "MINE"), 200, "B")]
    assert sorted(way(book(*ring)[0])) == ["DEPOT", "MINE"]


def test_each_trip_along_the_way_is_a_part_with_both_its_ends() -> None:
    m = Maker()
    facts = [*trip(m, ("MINE", "PORT"), 0, "A"), *trip(m, ("MINE", "PORT"), 10, "B")]
    found = told(*facts, m.weighing("MINE", 30, "dispatch", 45_000, 15_000, movement_id="C"))
    assert [(one.part, one.station) for one in found.readings.weighings] == [
        ("000", "MINE"), ("000", "PORT"), ("001", "MINE"), ("001", "PORT"),
    ]  # fmt: skip
    assert list(found.trips.values()) == ["A", "B"]
    first = found.readings.weighings[0]
    assert first.net == 30_000_000
    assert 0.0 < first.u_rel < 0.01
    assert (first.scale, first.scale_u_rel > 0.0) == ("WB-MINE", True)


def test_a_routes_loss_and_drying_are_those_of_its_leg() -> None:
    leg = {"from": "MINE", "to": "PORT", "expected_loss": 0.01, "drying": 0.004, "drying_u": 0.002}
    route = reference("route", "MINE-PORT", {"legs": [leg]})
    found = told(route, *trip(Maker(), ("MINE", "PORT"), 0, "A"))
    [one] = found.thought.legs
    assert one.loss == pytest.approx(math.log(0.99))
    assert (one.drying, one.drying_u) == (0.004, 0.002)


def test_of_a_lot_that_nobody_declared_no_moisture_is_thought() -> None:
    m = Maker()
    weighed = trip(m, ("MINE", "PORT"), 0, "A")
    wide = told(*weighed).thought.dry_share[1]
    assert wide > 1.0
    assert told(m.lot("MINE", 0, {}, form="other"), *weighed).thought.dry_share[1] == wide
    assert told(m.lot("MINE", 0, {}, form="ore"), *weighed).thought.dry_share[1] < 0.05


def test_shots_are_readings_of_their_own_without_what_they_did_not_see() -> None:
    m = Maker()
    found = told(m.shot("MINE", 0, {"Cu": 0.02}), m.shot("MINE", 1, {"Cu": 0.0, "Co": 0.0009}))
    assert [dict(shot.fractions) for shot in found.readings.shots] == [{"Cu": 0.02}, {"Co": 0.0009}]
    assert found.thought.analytes == ("Co", "Cu")
    [(device, xrf)] = found.thought.xrf
    assert device == found.readings.shots[0].device
    assert xrf.matrix_rel == pytest.approx(0.08)


def test_of_a_laboratory_at_a_site_the_newest_of_the_highest_stage_speaks() -> None:
    m = Maker()
    found = told(
        m.assay("PORT", 1, {"Cu": (0.021, None)}, stage="final", lab_id="A"),
        m.assay("PORT", 2, {"Cu": (0.020, None)}, stage="provisional", lab_id="A"),
        m.assay("PORT", 3, {"Cu": (0.022, None)}, stage="provisional", lab_id="B"),
    )
    said = {(one.laboratory, one.fractions["Cu"]) for one in found.readings.assays}
    assert said == {("A", 0.021), ("B", 0.022)}


def test_a_later_certificate_of_grades_leaves_the_moisture_of_an_earlier_one_standing() -> None:
    m = Maker()
    dry = m.assay("PORT", 1, {}, moisture=(0.05, None), lab_id="A")
    found = told(dry, m.assay("PORT", 2, {"Cu": (0.02, None)}, lab_id="A"))
    assert [one.fraction for one in found.readings.moistures] == [0.05]
    assert [dict(one.fractions) for one in found.readings.assays] == [{"Cu": 0.02}]


def test_grades_of_one_certificate_on_both_bases_are_two_readings_and_u_is_kept() -> None:
    m = Maker()
    grades: dict[str, tuple[float, float | None]] = {"Cu": (0.02, None), "Co": (0.001, None)}
    first, second = m.assay("PORT", 1, grades).results
    found = told(m.assay("PORT", 1, grades, results=(first, replace(second, basis="as_is"))))
    dry, wet = found.readings.assays
    assert (dry.dry, wet.dry) == (True, False)
    assert wet.event_id == dry.event_id + AS_IS
    for one in (dry, wet):
        [u] = one.u_rel.values()
        assert math.hypot(u, one.laboratory_u_rel) == pytest.approx(0.02, rel=0.3)


def test_the_origin_is_the_one_site_declared_if_its_lots_are_known() -> None:
    m = Maker()
    facts: list[LotFact] = [m.lot("MINE", 0, {"Cu": 0.02}), m.shot("MINE", 1, {"Cu": 0.02})]
    assert told(*facts).thought.origin is None
    known = {
        "analytes": ["Cu", "Zn"],
        "ln_mean": [-4.0, -7.0],
        "ln_covariance": [[0.1, 0], [0, 0.1]],
    }
    found = told(reference("fingerprint", "MINE", known), *facts)
    assert found.thought.origin == "MINE"
    assert found.thought.analytes == ("Cu", "Zn")
    assert [name for name, _ in found.thought.library] == ["MINE"]
