"""What is due, and when: rows that a tick reads, written by whoever waits for something.

A fold knows no time of day. An owner that waits writes ``due/<time>|<site>|<owner>|<about>``; the
step of a tick (``custody.ticking``) tells the owner when the time has come, and the row is gone.

Source:
    docs/adr/0018-let-ticks-say-what-is-due.md
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from custody.events import Micros
from custody.fold import Row
from custody.ids import BETWEEN

DUE = "due"
"""Prefix of the rows, and quantity of the sighting that says the time has come."""

NEXT = Micros(0)
"""Instead of a time: the second tick from now. The first may be on its way already."""

ARMED = Micros(1)
"""Such a row once one tick has passed."""

DIGITS = 17
"""Digits of a time in a key, so that keys are in order of time: microseconds until 2300."""


class Due(NamedTuple):
    """Something an owner waits for.

    Attributes:
        at: When it is due; a time before 1970 is the beginning of it.
        site: Whose facts must be in before it can be said that it did not come; '' for nobody's.
        about: What of the owner it is about.
        cause: Event_id of the fact that it follows from.
    """

    at: Micros
    site: str
    about: str
    cause: str


@dataclass(slots=True)
class DueRow:
    """Something that is due; the key says what and when."""

    cause: str = ""


class Waiting(NamedTuple):
    """What the key of a row says."""

    at: Micros
    site: str
    owner: str
    about: str


def key_of(due: Due, owner: str) -> str:
    """Return the key of the row that waits."""
    return f"{before(due.at)}{BETWEEN}{due.site}{BETWEEN}{owner}{BETWEEN}{due.about}"


def before(at: Micros) -> str:
    """Return what all keys of earlier times come before, and those of this time begin with."""
    return f"{DUE}/{max(at, 0):0{DIGITS}d}"


def waiting_of(key: str) -> Waiting:
    """Return what a key says."""
    at, site, owner, about = key.split(BETWEEN, 3)
    return Waiting(Micros(int(at.removeprefix(DUE + "/"))), site, owner, about)


def changes(owner: str, pairs: Iterable[tuple[Due | None, Due | None]]) -> dict[str, Row | None]:
    """Return the rows that lead from what an owner waited for to what it waits for.

    Args:
        owner: Row key of the owner.
        pairs: What it waited for and what it waits for, of the things that may have changed.
    """
    rows: dict[str, Row | None] = {}
    for old, new in pairs:
        if old == new:
            continue
        if old is not None:
            rows.setdefault(key_of(old, owner), None)
        if new is not None:
            rows[key_of(new, owner)] = DueRow(new.cause)
    return rows
