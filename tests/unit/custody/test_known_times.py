"""When postings become known: never before what they rest on.

Source: docs/ledger.md, "When a posting is known"; the law is tests/property/test_two_times.py.
"""

from dataclasses import replace
from typing import TypeVar

import pytest

from custody.events import LotFact, Micros
from tests.support.asof import sums
from tests.support.facts import MINUTE, Maker, corrected
from tests.support.world import World

F = TypeVar("F", bound=LotFact)


def at_minute(fact: LotFact, minutes: int) -> Micros:
    """So many minutes after a fact happened."""
    return Micros(fact.occurred_at + minutes * MINUTE)


def recorded(fact: F, minutes: int) -> F:
    """The fact, recorded so many minutes after it happened."""
    return replace(fact, recorded_at=Micros(fact.occurred_at + minutes * MINUTE))


def test_what_a_chunk_said_is_not_taken_back_before_it_said_it() -> None:
    """A correction recorded within the chunk's hour comes after it, from another gateway."""
    maker, world = Maker(), World()
    one = recorded(maker.weighing("MINE", 0, "dispatch", 45_000, 15_000, movement_id="M-1"), 1)
    other = recorded(maker.weighing("MINE", 0, "dispatch", 46_000, 15_000, movement_id="M-2"), 60)
    mended = replace(corrected(one, "mended", net_g=29_000_000), recorded_at=at_minute(one, 30))
    world.tell(one, other, together=True)
    world.tell(mended)
    for minutes in range(0, 90, 10):
        held = sums(world.transfers, at_minute(one, 90), at_minute(one, minutes))
        assert held.get(("lot/L-1/MINE", "wet"), 0) == (0 if minutes < 60 else 60_000_000)


def test_what_came_before_is_known_before_what_comes_from_an_outbox() -> None:
    """Papers recorded at minute 30 come after a weighing that was recorded at minute 60."""
    maker, world = Maker(), World()
    one = recorded(maker.weighing("MINE", 0, "dispatch", 45_000, 15_000, movement_id="M-1"), 1)
    other = recorded(maker.weighing("MINE", 0, "dispatch", 46_000, 15_000, movement_id="M-2"), 60)
    left = recorded(maker.move("dispatch", "MINE", 0, ("MINE", "PORT"), movement_id="M-1"), 30)
    world.tell(one, other)
    world.tell(left)
    held = [
        sums(world.transfers, at_minute(one, 90), at_minute(one, minutes)) for minutes in (40, 60)
    ]
    assert held[0]["lot/L-1/MINE", "wet"] == 30_000_000
    assert held[1]["lot/L-1/MINE", "wet"] == 31_000_000


def test_an_input_is_not_known_before_what_a_process_handed_over_with_its_lot() -> None:
    """It was recorded first, in an hour without network, and goes in by what came out."""
    ore, world = Maker("A"), World()
    out = recorded(
        Maker("P-1").side("PLANT", 20, "output", "P-1", output_lot_id="X", mass_dry_g=9_000_000),
        90,
    )
    world.tell(
        ore.weighing("PLANT", 0, "stock", 45_000, 15_000, movement_id=None),
        ore.assay("PLANT", 5, {"Cu": (0.02, None)}, (0.0, None)),
        ore.side("PLANT", 10, "input", "P-1"),
        out,
        recorded(Maker("X").side("PLANT", 30, "input", "P-2"), 1),
    )
    fed = [t for t in world.transfers if t.kind == "process_input" and t.lot_id == "X"]
    assert [t.known_at for t in fed] == [out.recorded_at]


@pytest.mark.parametrize("together", [False, True])
def test_a_weighing_does_not_hold_what_was_declared_later_before_it_was(*, together: bool) -> None:
    """The declaration is of before the weighing, and was recorded half an hour after it."""
    maker, world = Maker(), World()
    declared = recorded(maker.lot("MINE", 0, {"Cu": 0.02}), 40)
    world.tell(maker.weighing("MINE", 10, "dispatch", 45_000, 15_000), declared, together=together)
    holding = [t for t in world.transfers if any(m.value_mg for m in t.metals)]
    assert {t.known_at for t in holding} == {declared.recorded_at}


def test_what_goes_into_a_process_is_not_known_before_the_certificate_it_goes_in_by() -> None:
    """The input comes last in a chunk of its own, and was recorded first."""
    maker, world = Maker(), World()
    certificate = recorded(maker.assay("PLANT", 5, {"Cu": (0.02, None)}, (0.1, None)), 60)
    facts: list[LotFact] = [
        maker.weighing("PLANT", 0, "stock", 45_000, 15_000, movement_id=None),
        certificate,
        maker.side("PLANT", 10, "input", "P-1"),
    ]
    world.tell(*facts)
    [fed] = [t for t in world.transfers if t.kind == "process_input"]
    assert fed.known_at == certificate.recorded_at


def test_what_an_output_was_measured_to_be_is_not_known_before_its_certificate() -> None:
    """The lot has its certificate when the process says, as known before, what it handed over."""
    maker, world = Maker("X"), World()
    certificate = maker.assay("PLANT", 300, {"Cu": (0.03, None)}, (0.0, None))
    ore = Maker("A")
    world.tell(
        certificate,
        ore.weighing("PLANT", 0, "stock", 45_000, 15_000, movement_id=None),
        ore.assay("PLANT", 5, {"Cu": (0.02, None)}, (0.0, None)),
        ore.side("PLANT", 10, "input", "P-1"),
        Maker("P-1").side("PLANT", 20, "output", "P-1", output_lot_id="X", mass_dry_g=9_000_000),
    )
    [measured] = [t for t in world.transfers if t.kind == "measured"]
    assert measured.known_at == certificate.recorded_at
