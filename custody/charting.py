"""What a lot tells the charts of what measured it: one word of each, when its facts have settled.

A lot asks the clock for it when its tests may say something new, and tells what has changed since
it told last. So a truck that is weighed, shot, sealed and received in two hours is one word, and
the last word follows from the facts alone.

Source:
    docs/detection/charts.md
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby

from custody import deadlines
from custody.deadlines import Due, DueRow
from custody.detect.lot_asked import Asked, Measured
from custody.detect.lot_facts import MASS
from custody.detect.lot_model import detector
from custody.detect.lot_visits import First
from custody.detect.residuals import Residual, Subject, residuals
from custody.events import Micros
from custody.fold import Row
from custody.heard import OF
from custody.ids import mark_of
from custody.ledger import Clock
from custody.records import Residual as Said
from custody.records import ResidualFigure

CHARTS = "charts"
"""What a lot waits for, among what is due."""

SETTLED_US = 7_200_000_000
"""How long after its newest fact a lot tells; what is sent later than that is told at once."""

DIGITS = 6
"""Decimals of a logarithm that are told."""

FIGURES_MAX = 200
"""Quantities of an instrument that are told, the first by name."""


@dataclass(slots=True)
class ChartedRow:
    """What a lot has told: by instrument or way a mark of its figures."""

    told: dict[str, int] = field(default_factory=dict)


def waits(owner: str, last: int, clock: Clock) -> dict[str, DueRow]:
    """Return the row by which a lot waits for its facts to settle.

    Args:
        owner: Row key of the lot.
        last: Time of its newest fact; a clock that runs ahead makes no lot wait.
        clock: This step's records.
    """
    at = Micros(min(last, clock.newest) + SETTLED_US)
    return {deadlines.key_of(Due(at, "", CHARTS, clock.cause), owner): DueRow(clock.cause)}


def news(
    lot_id: str, asked: Asked | None, before: Row | None, clock: Clock
) -> tuple[list[Said], dict[str, ChartedRow]]:
    """Return what a lot has to tell, and the row of what it then has told, where that is new.

    Args:
        lot_id: The lot.
        asked: What its tests are asked; None where nothing was measured.
        before: The row ``charted/<lot>``.
        clock: This step's records.
    """
    row = before if isinstance(before, ChartedRow) else ChartedRow()
    now = {} if asked is None else _by_thing(_said_of(asked), asked.measured)
    said: list[Said] = []
    told: dict[str, int] = {}
    for (kind, name), figures in now.items():
        assert asked is not None
        thing, first = f"{kind}/{name}", asked.measured.first[kind, name]
        ways = tuple(sorted(asked.measured.ways.get(name, ())))
        figured = [
            (f.quantity, f.value, f.u, f.u_shared, f.explained, f.occurred_at, f.ways)
            + ((f.rivals, f.rival_parts) if f.rivals else ())
            for f in figures
        ]
        told[thing] = mark_of(repr((first.event_id, first.at, ways, figured)))
        if row.told.get(thing) != told[thing]:
            said.append(_word(lot_id, thing, first, clock, ways, figures))
    gone = First(clock.newest, clock.cause)
    said.extend([_word(lot_id, thing, gone, clock) for thing in row.told if thing not in told])
    return said, {} if told == row.told else {f"charted/{lot_id}": ChartedRow(told)}


def _said_of(asked: Asked) -> dict[Subject, Residual]:
    judge = detector(asked.thought)
    return residuals(judge, judge.layout(asked.readings), asked.suspected)


def _by_thing(
    found: Mapping[Subject, Residual], measured: Measured
) -> dict[tuple[str, str], tuple[ResidualFigure, ...]]:
    named = sorted(found.items())
    return {
        of: tuple([_figure(*one, measured) for one in list(each)[:FIGURES_MAX]])
        for of, each in groupby(named, key=lambda one: (one[0].kind, one[0].name))
    }


def _figure(subject: Subject, one: Residual, measured: Measured) -> ResidualFigure:
    """Return a residual as it is told; where a scale has read the lot twice with when and where."""
    several = measured.visits.get(subject.name, ()) if subject.quantity == MASS else ()
    visit = several[subject.visit] if len(several) > 1 else None
    again = visit if subject.visit else None
    # A scale that was off at another visit is no other.
    rivals = [by for by in one.rivals if by[0][:2] != subject[:2]]
    return ResidualFigure(
        quantity=subject.quantity,
        value=round(one.value, DIGITS),
        u=round(one.u, DIGITS),
        u_shared=round(one.shared, DIGITS),
        explained=round(one.explained, DIGITS),
        rivals=tuple([f"{by.kind}/{by.name}{OF}{by.quantity}" for by, _ in rivals]),
        rival_parts=tuple([round(part, DIGITS) for _, part in rivals]),
        occurred_at=None if again is None else again.at,
        event_id=None if again is None else again.event_id,
        ways=() if visit is None else visit.ways,
    )


def _word(
    lot_id: str,
    thing: str,
    first: First,
    clock: Clock,
    ways: tuple[str, ...] = (),
    figures: tuple[ResidualFigure, ...] = (),
) -> Said:
    """Return what is told of a thing; without figures, that nothing is any more."""
    return Said(
        sender="",
        n=0,
        cause_event_id=first.event_id,
        thing=thing,
        lot_id=lot_id,
        occurred_at=first.at,
        known_at=clock.newest,
        ways=ways,
        figures=figures,
    )
