"""What loading reference records would change, and which lots have used what it changes.

Records are never edited: what changes is which version is in force when. So a record is compared
with the version that was in force at its own start, field by field.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from custody.events import Micros, ReferenceSet
from custody.reference_versions import version_at, with_version
from custody.rows import RefRow, RefVersion
from runtime.asof import Ask, Row
from runtime.moment import sql_time
from runtime.stored import record_of

Rows = dict[tuple[str, str], RefRow]
"""All versions by kind and id."""

Difference = tuple[str, object, object]
"""Path of a field, what it was, what it would be; None where it is absent."""

NEW, VERSION, CORRECTION, WITHDRAWAL, SAME, CONFLICT = (
    "new",
    "new version",
    "correction",
    "withdrawal",
    "same",
    "conflict",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A record as a file has it."""

    line: int
    kind: str
    id: str
    version: RefVersion


@dataclass(frozen=True, slots=True)
class Change:
    """What loading one record would do.

    Attributes:
        wanted: The record.
        what: ``new``, ``new version``, ``correction``, ``withdrawal``, ``same``, or ``conflict``:
            another statement for the same start, which the gateway refuses without ``corrects``.
        fields: What differs from the version in force at its start, or from the corrected one; of
            a withdrawal between the one it withdraws and the one that is then in force.
        past: It is valid from before now: facts that are there already may be read anew.
        until: Where what it changes ends: its own end or the next version's start.
        again: Of a withdrawal the version that is then in force at its start; None for none.
    """

    wanted: Wanted
    what: str
    fields: tuple[Difference, ...]
    past: bool
    until: Micros | None
    again: RefVersion | None = None


def plan(wanted: Iterable[Wanted], rows: Rows, now: Micros) -> Iterator[Change]:
    """Yield what each record would change, after those before it.

    Args:
        wanted: Records in the order they would be loaded.
        rows: What is known; the records are added to it.
        now: The time of day.
    """
    for one in wanted:
        key = one.kind, one.id
        row = rows.get(key) or RefRow()
        what, before = _compared(one.version, row)
        after, again = row, None
        if what not in {SAME, CONFLICT}:
            versions = sorted([*row.versions, one.version], key=lambda v: (v.valid_from, v.known))
            after = rows[key] = RefRow(versions)
        if what == WITHDRAWAL:
            again = version_at(after, one.version.valid_from)
        then = again if what == WITHDRAWAL else one.version
        fields = () if what == SAME else _fields(before, then)
        past = what != SAME and one.version.valid_from < now
        yield Change(one, what, fields, past, _until(one.version, row), again)


def _compared(version: RefVersion, row: RefRow) -> tuple[str, RefVersion | None]:
    """Return what a version is to those there are, and which one it is compared with."""
    for known in row.versions:
        if _says(known) == _says(version):
            return SAME, known
    if version.corrects is not None:
        target = next((v for v in row.versions if v.event_id == version.corrects), None)
        return (WITHDRAWAL if version.void else CORRECTION), target
    if not row.versions:
        return NEW, None
    stands = version_at(row, version.valid_from)
    for known in row.versions:
        if known.corrects is None and known.valid_from == version.valid_from:
            return CONFLICT, known
    return VERSION, stands


def _says(version: RefVersion) -> tuple[object, ...]:
    body = "" if version.void else version.body
    return version.valid_from, version.valid_to, version.corrects, version.void, body


def _until(version: RefVersion, row: RefRow) -> Micros | None:
    later = [v.valid_from for v in row.versions if v.valid_from > version.valid_from]
    ends = [*later, *([] if version.valid_to is None else [version.valid_to])]
    return min(ends, default=None)


def _fields(before: RefVersion | None, after: RefVersion | None) -> tuple[Difference, ...]:
    old = {} if before is None else leaves(json.loads(before.body))
    new = {} if after is None else leaves(json.loads(after.body))
    if before is not None and after is not None and before.valid_to != after.valid_to:
        old, new = {"valid_to": _day(before), **old}, {"valid_to": _day(after), **new}
    return tuple(
        (path, old.get(path), new.get(path))
        for path in dict.fromkeys([*old, *new])
        if old.get(path) != new.get(path)
    )


def _day(version: RefVersion) -> str | None:
    return None if version.valid_to is None else f"{sql_time(version.valid_to)[:19]}Z"


def leaves(value: object, path: str = "") -> dict[str, object]:
    """Return the values of a JSON tree by their path, ``legs.0.from``."""
    if isinstance(value, dict) and value:
        branches = [(str(name), item) for name, item in value.items()]
    elif isinstance(value, list) and value:
        branches = [(str(number), item) for number, item in enumerate(value)]
    else:
        return {path: value} if path else {}
    found: dict[str, object] = {}
    for name, item in branches:
        found |= leaves(item, f"{path}.{name}" if path else name)
    return found


_VERSIONS = """
SELECT * EXCEPT (key, prev, digest, value) FROM reference
WHERE has(splitByChar(',', {kinds:String}), toString(kind))
    AND ({id:String} = '' OR id = {id:String})
ORDER BY kind, id, valid_from, recorded_at, event_id, body LIMIT 1 BY event_id
"""


def known(ask: Ask, kinds: Iterable[str], id_: str = "") -> Rows:
    """Return the versions the warehouse has of some kinds, each once.

    Args:
        ask: Runs SQL.
        kinds: Which.
        id_: Only of this id; empty for all.
    """
    return rows_of(ask(_VERSIONS, {"kinds": ",".join(sorted(set(kinds))), "id": id_}))


def rows_of(rows: Sequence[Row]) -> Rows:
    """Return the versions of rows of the table ``reference``."""
    found: Rows = {}
    for row in rows:
        fact = cast("ReferenceSet", record_of("reference", row))
        key = fact.kind, fact.id
        found[key] = with_version(found.get(key), fact)
    return found


_USES: Mapping[str, str] = {
    "device": "SELECT lot_id, occurred_at FROM weighing WHERE device_id = {id:String}"
    " UNION ALL SELECT lot_id, occurred_at FROM xrf WHERE device_id = {id:String}",
    "laboratory": "SELECT lot_id, occurred_at FROM assay WHERE lab_id = {id:String}",
    "commodity": "SELECT lot_id, occurred_at FROM lot WHERE commodity = {id:String}",
    "route": "SELECT lot_id, occurred_at FROM lot WHERE route_id = {id:String}",
    "contract": "SELECT lot_id, occurred_at FROM lot WHERE contract_id = {id:String}",
    "process": "SELECT if(f.lot_id = '', ifNull(f.output_lot_id, ''), f.lot_id) AS lot_id,"
    " f.occurred_at FROM processing AS f WHERE {id:String} IN (toString(f.kind), f.process_id)",
    "site": "SELECT lot_id, occurred_at FROM events_all WHERE site_id = {id:String}",
    "gateway": "SELECT lot_id, occurred_at FROM events_all WHERE gateway_id = {id:String}",
}


def lots_that_used(ask: Ask, change: Change) -> int | None:
    """Return how many lots have facts that name the record in the time it would change.

    Args:
        ask: Runs SQL.
        change: What would change.

    Returns:
        None for a kind whose use no fact names, and where nothing is changed in the past.
    """
    facts = _USES.get(change.wanted.kind)
    if facts is None or not change.past:
        return None
    until = "" if change.until is None else " AND occurred_at < {until:DateTime64(6, 'UTC')}"
    [row] = ask(
        f"SELECT uniqExact(lot_id) AS lots FROM ({facts}) WHERE lot_id != ''"  # noqa: S608  constants
        f" AND occurred_at >= {{since:DateTime64(6, 'UTC')}}{until}",
        {
            "id": change.wanted.id,
            "since": sql_time(change.wanted.version.valid_from),
            "until": sql_time(change.until or Micros(0)),
        },
    )
    return int(str(row["lots"]))
