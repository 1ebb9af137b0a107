"""When what is known of a lot at a place took a turn, and what was posted there by then.

A certificate, or a weighing of all that lies there, says what a place holds from its own time on.
So the difference is posted at that time, whatever came in or went out later: who asks for a time
in between finds what was known. For that a place keeps, beside its sums, what they were by each
such time (``PlaceRow.marks``).

Source:
    docs/ledger.md, "Measurement".
"""

from collections.abc import Sequence
from typing import NamedTuple

from custody.accounts import TRANSIT
from custody.events import Micros
from custody.held import Posted, Sums
from custody.knowledge import Knowledge
from custody.lot_rows import Basis, Cause, MaterialRow, PlaceRow

TURNS_MAX = 8
"""Newest certificates that are turns of their own; what earlier ones changed is posted with them.

A place then has at most ten marks of some 200 bytes and as many postings of 300.
"""


class Turn(NamedTuple):
    """A fact by which more became known, and what the lot's own facts said with it."""

    cause: Cause
    basis: Basis


def of_lot(material: MaterialRow, knowledge: Knowledge) -> list[Turn]:
    """Return the turns of a lot's material, in canonical order.

    Certificates, of those that change nothing none; and what is known since the newest of them by
    something else, by shots as a rule. A declaration is none: it comes before the masses.
    """
    turns: list[Turn] = []
    for c in material.certificates[-TURNS_MAX:]:
        if not turns or turns[-1].basis != c.basis:
            turns.append(Turn(Cause(c.at, c.known, c.event_id), c.basis))
    newest, declared = knowledge.cause, material.declared_by
    if newest is None or (declared is not None and newest.event_id == declared.event_id):
        return turns
    if not turns or newest > turns[-1].cause:
        turns.append(Turn(newest, knowledge.basis))
    return turns


def of_place(name: str, place: PlaceRow, turns: Sequence[Turn]) -> list[Turn]:
    """Return the turns of what is known at a place, by time; of one time the last.

    Nothing that is under way lies anywhere: it stays on its dispatch's basis till it arrives.
    """
    if name == TRANSIT:
        return []
    found = list(turns)
    if place.stocks:
        mass = place.stocks[-1]
        found.append(Turn(Cause(mass.at, mass.known, mass.event_id), mass.basis))
        found.sort()
    return list({turn.cause.at: turn for turn in found}.values())


def sums_of(place: PlaceRow) -> Sums:
    """Return what all postings of a place add up to."""
    return Sums(place.wet, place.dry, dict(place.amounts), place.postings)


def note(place: PlaceRow, posted: Posted, sign: int, count: int) -> None:
    """Add to the marks of a place what a posting moves, where it was so by then.

    Args:
        place: The place.
        posted: The posting.
        sign: 1 for in, -1 for out.
        count: 1 where it is put, -1 where it is withdrawn; it then moves the other way.
    """
    for at, sums in place.marks.items():
        if posted.at <= at:
            place.marks[at] = _with(sums, posted, sign * count, count)


def by(at: Micros, moves: Sequence[tuple[Posted, int]]) -> Sums:
    """Return what those postings of a place add up to that were so by a time.

    Args:
        at: The time.
        moves: All postings of the place, and 1 for in, -1 for out.
    """
    sums = Sums(0, 0, {}, 0)
    for posted, sign in moves:
        if posted.at <= at:
            sums = _with(sums, posted, sign, 1)
    return sums


def _with(sums: Sums, posted: Posted, sign: int, count: int) -> Sums:
    amounts = dict(sums.amounts)
    for key, value in posted.amounts.items():
        amounts[key] = amounts.get(key, 0) + sign * value
    amounts = {key: value for key, value in amounts.items() if value}
    wet, dry = sums.wet + sign * posted.wet, sums.dry + sign * posted.dry
    return Sums(wet, dry, amounts, sums.postings + count)
