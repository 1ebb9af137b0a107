"""The facts of a lot, those that were corrected too, and what each of them changed in its books.

Which facts stand is the rule of the books (``custody.factset``), asked as known at any time; the
views of facts know only what stands now.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from console.answers import Asked, Told
from console.rows import Row, time_of
from custody.factset import standing
from custody.rows import FactHead, FactRow
from runtime.asof import Ask
from runtime.told import times, weighed
from runtime.told.posted import OF_LOT
from runtime.told.times import shown

_FACTS = """
SELECT _table AS event_type, occurred_at, recorded_at, site_id,
    if(_table = 'shipment', kind,
        concat(purpose, stage, basis, part, form, characteristic)) AS kind,
    multiIf(_table = 'xrf', toString(shot_no), _table = 'shipment', ifNull(movement_id, ''),
        _table = 'lot', lot_id, concat(ticket_no, certificate_no, process_id, claim_id)
    ) AS document_no,
    concat(device_id, lab_id) AS device_id, ifNull(movement_id, '') AS movement_id, process_id,
    multiIf(_table = 'weighing', net_g, _table = 'claim', quantity_g,
        _table = 'processing', mass_wet_g, declared_mass_dry_g) AS mass_g,
    source_ref, event_id, corrects, void
FROM facts_all
WHERE lot_id = {lot:String} AND occurred_at <= {at:DateTime64(6, 'UTC')}
    AND recorded_at <= {known:DateTime64(6, 'UTC')}
    AND (partition, offset) NOT IN (SELECT partition, offset FROM repeated)
ORDER BY occurred_at, recorded_at, event_id
"""


def told(ask: Ask, asked: Asked) -> Told:
    """Tell every fact of a lot, first first; ``stands`` is whether corrections left it."""
    return Told(_rows(ask, asked))


def _rows(ask: Ask, asked: Asked) -> list[Row]:
    params = times.moment(asked)._asdict() | {"lot": asked.subject}
    found = ask(_FACTS, params)
    stand = set(standing_ids(found))
    tickets = weighed.tickets(ask, asked) if any(_is_ticket(row) for row in found) else {}
    rows = []
    for row in found:
        name = str(row["event_id"])
        ticket = tickets.get(name)
        mass = row["mass_g"]
        rows.append(
            {
                **row,
                "occurred_at": time_of(row["occurred_at"]),
                "recorded_at": time_of(row["recorded_at"]),
                "mass_g": None if mass is None or not _has_mass(row) else int(str(mass)),
                "mass_u_g": None if ticket is None else ticket.u_g,
                "stands": name in stand,
            }
        )
    return rows


def _is_ticket(row: Mapping[str, object]) -> bool:
    return row["event_type"] == "weighing"


_WITH_MASS = frozenset({"weighing", "claim", "processing", "lot"})


def _has_mass(row: Mapping[str, object]) -> bool:
    """Tell whether a fact states a mass; of the others the table has a default."""
    return row["event_type"] in _WITH_MASS


def standing_ids(rows: Iterable[Mapping[str, object]]) -> list[str]:
    """Return the ids of facts that stand among rows of one owner, by the rule of the books."""
    facts = {str(row["event_id"]): _fact(row) for row in rows}
    return [fact.head.event_id for fact in standing(list(facts.values()))[0]]


def _fact(row: Mapping[str, object]) -> FactRow:
    corrects = row["corrects"]
    return FactRow(
        FactHead(
            str(row["event_id"]),
            times.micros(row["occurred_at"]),
            times.micros(row["recorded_at"]),
            str(row["site_id"]),
            None if corrects is None else str(corrects),
            bool(row["void"]),
        )
    )


_CHANGES = f"""
SELECT toUnixTimestamp64Micro(known_at) AS known, cause_event_id, class, quantity, unit, quality,
    groupUniqArray(kind) AS kinds, countIf(replaces_event_id IS NOT NULL) AS compensations,
    toUnixTimestamp64Micro(min(effective_at)) AS first,
    toUnixTimestamp64Micro(max(effective_at)) AS last,
    sum(amount) AS amount
FROM {OF_LOT}
GROUP BY known, cause_event_id, class, quantity, unit, quality
ORDER BY known, cause_event_id, class, quantity
"""  # noqa: S608  a constant

_SIDES = """
SELECT event_id, 'processing' AS event_type, part AS kind, process_id AS document_no, corrects
FROM processing
WHERE process_id IN (SELECT process_id FROM edge WHERE child = concat('lot/', {lot:String}))
"""
"""Sides of the processes a lot came out of: they are about no lot and yet change it."""

_Key = tuple[int, str]


def changes(ask: Ask, asked: Asked) -> Told:
    """Tell what changed in a lot's books and when: effective and known, last known first.

    One row per fact that moved something: by how much the lot changed, and whether earlier
    postings were taken back for it (``compensations``). ``late_s`` is from when it was so to when
    it was known.
    """
    params = times.moment(asked)._asdict() | {"lot": asked.subject}
    by_cause: dict[_Key, list[Mapping[str, object]]] = defaultdict(list)
    for row in ask(_CHANGES, params):
        by_cause[int(str(row["known"])), str(row["cause_event_id"])].append(row)
    facts: dict[str, Row] = {str(row["event_id"]): row for row in _rows(ask, asked)}
    if any(cause not in facts for _, cause in by_cause):
        sides = ask(_SIDES, {"lot": asked.subject})
        facts = {str(row["event_id"]): dict(row) for row in sides} | facts
    newest = sorted(by_cause, reverse=True)
    return Told([_change(key, by_cause[key], facts.get(key[1])) for key in newest])


def _change(key: _Key, rows: Sequence[Mapping[str, object]], fact: Row | None) -> Row:
    known, cause = key
    first, last = (
        pick(int(str(r[n])) for r in rows) for pick, n in ((min, "first"), (max, "last"))
    )
    moved = {str(row["quantity"]): int(str(row["amount"])) for row in rows if _is_book(row)}
    kinds = sorted({str(kind) for row in rows for kind in cast("list[object]", row["kinds"])})
    metals = {name: v for name, v in moved.items() if name not in {"wet", "dry"} and v}
    return {
        "known_at": shown(known),
        "effective_at": shown(first),
        "effective_to": shown(last),
        "late_s": round((known - first) / 1e6),
        "event_type": None if fact is None else fact["event_type"],
        "kind": None if fact is None else fact["kind"],
        "document_no": None if fact is None else fact["document_no"],
        "corrects": None if fact is None else fact["corrects"],
        "postings": kinds,
        "compensations": max(int(str(row["compensations"])) for row in rows),
        "change_wet_g": moved.get("wet", 0),
        "change_dry_g": moved.get("dry", 0),
        "change_metal_mg": metals,
        "cause_event_id": cause,
    }


def _is_book(row: Mapping[str, object]) -> bool:
    return row["class"] != "attribute"
