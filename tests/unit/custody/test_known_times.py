"""When postings become known: never before what they rest on.

Source: docs/ledger.md, "When a posting is known"; the law is tests/property/test_two_times.py.
"""

from dataclasses import replace
from typing import TypeVar

import pytest

from custody.events import LotFact, Micros
from tests.support.facts import MINUTE, Maker
from tests.support.world import World

F = TypeVar("F", bound=LotFact)


def recorded(fact: F, minutes: int) -> F:
    """The fact, recorded so many minutes after it happened."""
    return replace(fact, recorded_at=Micros(fact.occurred_at + minutes * MINUTE))


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
