"""A reference record has another version: who used it looks again, in slices.

Each owner that asks for a record leaves a row ``use/<kind>/<id>|<owner>``. When the record
changes, its row sends a sighting to each of them, and after so many one to itself, addressed so
that it comes back to the same partition: facts are applied between two slices.

Source:
    docs/ledger.md, "Reference data".
"""

from collections.abc import Sequence
from functools import lru_cache

from custody.events import Micros, ReferenceSet
from custody.fold import Reader
from custody.ids import BETWEEN, mark_of
from custody.records import Sighting
from custody.reference import References
from custody.rows import UseRow

SLICE_MAX = 500
"""Owners told in one step: some 150 bytes each, and a row with its outputs has 256 kB."""

CHANGED = "reference_changed"
CONTINUED = "reference_continued"
DRIFTED = "drift_changed"
DRIFT_CONTINUED = "drift_continued"
"""What users of a record are told, and what it tells itself: the next slice is to be told. A drift
that was found of an instrument changes what tests say of its lots, and nothing in their books."""

_NEXT = {CHANGED: CONTINUED, DRIFTED: DRIFT_CONTINUED}
_WORD = {after: word for word, after in _NEXT.items()}


def owner_of(sighting: Sighting) -> str | None:
    """Return who must look again; None where the sighting is of something else."""
    if sighting.quantity in _NEXT:
        return sighting.thing
    return sighting.text if sighting.quantity in _WORD else None


def uses(
    marks: Sequence[int], references: References, owner: str
) -> tuple[list[int], dict[str, UseRow]]:
    """Register an owner with the reference records it has asked for.

    Args:
        marks: What the owner remembers of those it is registered with.
        references: What it asked in this step.
        owner: Row key of the owner.

    Returns:
        What it remembers now, and the rows to write.
    """
    known = list(marks)
    rows: dict[str, UseRow] = {}
    for key in references.used:
        mark = _mark_of(key)
        if mark not in known:
            known.append(mark)
            rows[use_key(key, owner)] = UseRow()
    return known, rows


_mark_of = lru_cache(maxsize=8192)(mark_of)
"""Keys of reference records are few and asked for with every fact."""


def use_key(reference: str, owner: str) -> str:
    """Return the key of the row that says an owner has used a reference record."""
    return f"use/{reference.removeprefix('ref/')}{BETWEEN}{owner}"


def first_slice(reference: str, event: ReferenceSet, reader: Reader) -> list[Sighting]:
    """Return what to tell the first users of a record that has another version."""
    told = (event.event_id, event.valid_from, event.recorded_at)
    return _slice(reference, told, reader, "", CHANGED)


def drifted(reference: str, told: tuple[str, Micros, Micros], reader: Reader) -> list[Sighting]:
    """Return what to tell the first users of a record, there or not, of what has drifted.

    Args:
        reference: Key of the record about the instrument.
        told: The alert that says so, from which time on it matters, and when it became known.
        reader: Rows of the partition.
    """
    return _slice(reference, told, reader, "", DRIFTED)


def next_slice(reference: str, last: Sighting, reader: Reader) -> list[Sighting]:
    """Return what to tell the users after those that were told."""
    told = (last.cause_event_id, last.occurred_at, last.known_at)
    return _slice(reference, told, reader, last.thing, _WORD[last.quantity])


def _users(reference: str, reader: Reader) -> list[str]:
    prefix = f"use/{reference.removeprefix('ref/')}{BETWEEN}"
    return [key[len(prefix) :] for key in reader.scan(prefix)]


def _slice(
    reference: str, told: tuple[str, Micros, Micros], reader: Reader, after: str, word: str
) -> list[Sighting]:
    mine = [user for user in _users(reference, reader) if user > after]
    said = [_sighting(user, told, word, reference) for user in mine[:SLICE_MAX]]
    if len(mine) > SLICE_MAX:
        said.append(_sighting(mine[SLICE_MAX - 1], told, _NEXT[word], reference))
    return said


def _sighting(
    user: str, told: tuple[str, Micros, Micros], quantity: str, reference: str
) -> Sighting:
    cause, valid_from, known_at = told
    return Sighting(
        sender="",
        n=0,
        cause_event_id=cause,
        thing=user,
        lot_id=user.removeprefix("lot/") if user.startswith("lot/") else None,
        site_id=None,
        occurred_at=valid_from,
        known_at=known_at,
        quantity=quantity,
        value=None,
        u=None,
        text=reference,
    )
