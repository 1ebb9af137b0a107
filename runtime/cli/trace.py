"""``custody trace``: the way of one event, hop by hop, from the outbox to what it caused."""

import re
from collections.abc import Mapping, Sequence
from itertools import groupby

import click

from custody.errors import Refused
from runtime.cli import complete_to, connect, output
from runtime.cli.figures import measured
from runtime.client import Gateway, JsonObject, Warehouse

_SHOWN_MAX = 12
_LOOK_UP = "custody sql \"SELECT event_id, lot_id FROM events_all WHERE lot_id = '...'\""
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

Row = Mapping[str, object]


class NotAnEventId(Refused):
    """What was given cannot be an event's id."""

    def __init__(self, given: str) -> None:
        super().__init__(
            f"event {given}: not an event id",
            expected="a UUID, such as 5d0c1e7a-0d4b-8c55-b7a5-2f1f6a1c9d10",
            next_step=_LOOK_UP,
        )


class UnknownEvent(Refused):
    """Neither the gateway nor the warehouse has an event."""

    def __init__(self, event_id: str) -> None:
        super().__init__(
            f"event {event_id}: neither the gateway nor the warehouse knows it",
            expected="the event_id of an accepted event, as the gateway answered it",
            next_step=_LOOK_UP,
        )


@click.command()
@click.argument("event_id")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per hop.")
def trace(event_id: str, *, as_json: bool) -> None:
    """Show the way of EVENT_ID: outbox, topic, row, the transfers and alerts it caused.

    Where it could not be read downstream, the dead letter with its reason is shown. A processing
    request shows the records it was cut into.

    \b
    Examples:
      custody trace 5d0c1e7a-0d4b-8c55-b7a5-2f1f6a1c9d10
      custody trace 5d0c1e7a-0d4b-8c55-b7a5-2f1f6a1c9d10 --json | jq -r .hop
    """
    if _UUID.fullmatch(event_id) is None:
        raise NotAnEventId(event_id)
    with connect.gateway() as gateway, connect.warehouse() as warehouse:
        hops = list(way(gateway, warehouse, event_id.lower()))
        complete_to.say(warehouse)
    if not hops:
        raise UnknownEvent(event_id)
    if as_json:
        for hop in hops:
            output.line_json(hop)
    else:
        _show(hops)


def way(gateway: Gateway, warehouse: Warehouse, event_id: str) -> list[JsonObject]:
    """Return the hops of an event, each an object with its ``hop`` and what is known of it.

    Args:
        gateway: Asked first; it may be another one than took the event.
        warehouse: Asked for rows, dead letters and what the event caused.
        event_id: UUID text, as the gateway answered it.
    """
    known = gateway.event(event_id)
    records = _records(known)
    ids = list(dict.fromkeys([event_id, *(str(record["event_id"]) for record in records)]))
    hops = [{"hop": "outbox", **record} for record in records]
    hops += _asked(warehouse, "row", _ROWS, {"ids": ",".join(ids)})
    hops += _asked(warehouse, "row", _CONTROL_ROWS, {"ids": ",".join(ids)})
    hops += _asked(warehouse, "dead letter", _DEAD_LETTER, {"ids": ",".join(ids)})
    for hop, query in _CAUSED.items():
        hops += _asked(warehouse, hop, query, {"ids": ",".join(ids)})
    return hops


def _records(known: JsonObject | None) -> list[JsonObject]:
    records = known.get("records") if known is not None else None
    return [r for r in records if isinstance(r, dict)] if isinstance(records, list) else []


def _asked(
    warehouse: Warehouse, hop: str, query: str, params: Mapping[str, str]
) -> list[JsonObject]:
    return [{"hop": hop, **row} for row in warehouse.rows(query, params)]


_ROWS = """
SELECT _table AS table, event_id, lot_id, site_id, occurred_at, recorded_at, topic, partition,
    offset, timestamp
FROM custody.events_all
WHERE event_id IN (SELECT arrayJoin(splitByChar(',', {ids:String})))
ORDER BY topic, partition, offset
"""

_CONTROL_ROWS = """
SELECT 'reference' AS table, event_id, concat(kind, '/', id) AS subject, recorded_at, topic,
    partition, offset, timestamp
FROM custody.reference WHERE event_id IN (SELECT arrayJoin(splitByChar(',', {ids:String})))
UNION ALL
SELECT 'action' AS table, event_id, subject, recorded_at, topic, partition, offset,
    timestamp
FROM custody.action WHERE event_id IN (SELECT arrayJoin(splitByChar(',', {ids:String})))
"""

_DEAD_LETTER = """
SELECT topic, partition, offset, reason, detail, found_at
FROM custody.v_dead_letters
WHERE multiSearchAny(value, splitByChar(',', {ids:String}))
ORDER BY topic, partition, offset
"""
"""An event's id stands as text in its record, so it is found in bytes nobody could decode, and
where another program than the gateway wrote them."""

_CAUSED = {
    "transfer": """
SELECT kind, debit, credit, mass_wet_g, mass_dry_g, analyte, metal_mg, sender, n
FROM custody.v_transfers
WHERE cause_event_id IN (SELECT arrayJoin(splitByChar(',', {ids:String})))
ORDER BY sender, n
""",
    "content": """
SELECT from_owner, to_owner, place, mass_wet_g, mass_dry_g, void, sender, n
FROM custody.content
WHERE cause_event_id IN (SELECT arrayJoin(splitByChar(',', {ids:String})))
ORDER BY sender, n
""",
    "alert": """
SELECT alert_id, version, state, family, subject, size, size_u, unit, statistic,
    record_value AS value, threshold, sender, n
FROM custody.alert
WHERE raised_by_event_id IN (SELECT arrayJoin(splitByChar(',', {ids:String})))
ORDER BY alert_id, version
""",
}


def _show(hops: Sequence[Row]) -> None:
    """Write one line per hop; of many of a kind the first and how many more there are."""
    for name, group in groupby(hops, key=lambda hop: str(hop["hop"])):
        lines = [_LINES[name](hop) for hop in group]
        for line in lines[:_SHOWN_MAX]:
            output.result(f"{name:<12}{line}")
        if len(lines) > _SHOWN_MAX:
            output.result(f"{name:<12}and {len(lines) - _SHOWN_MAX} more; --json shows all")


def _place(hop: Row) -> str:
    where = f"{hop['topic']} partition {hop['partition']}"
    return f"{where} offset {'-' if hop['offset'] is None else hop['offset']}"


def _outbox(hop: Row) -> str:
    part = f" {hop['part']}" if hop.get("part") else ""
    acked = hop.get("published_at")
    return (
        f"{hop['type']}{part} {hop['gateway_id']} epoch {hop['gateway_epoch']} seq"
        f" {hop['gateway_seq']}, accepted {hop['accepted_at']},"
        f" {f'acknowledged {acked}' if acked else 'waiting for the broker'}, {_place(hop)}"
    )


def _row(hop: Row) -> str:
    subject = hop.get("lot_id") or hop.get("subject") or "-"
    return f"table {hop['table']}, {subject}, {_place(hop)}, record of {hop['timestamp']}"


def _dead_letter(hop: Row) -> str:
    return f"{hop['reason']}: {hop['detail']}, {_place(hop)}"


def _transfer(hop: Row) -> str:
    masses = _masses(hop)
    return f"{hop['kind']}: {hop['debit']} -> {hop['credit']}, {masses} ({_number(hop)})"


def _content(hop: Row) -> str:
    said = "withdrawn" if hop["void"] else _masses(hop)
    return f"{hop['from_owner']} hands to {hop['to_owner']}, {said} ({_number(hop)})"


def _alert(hop: Row) -> str:
    size, u, value, threshold = (
        float(str(hop[key])) for key in ("size", "size_u", "value", "threshold")
    )
    return (
        f"{hop['family']} on {hop['subject']}, version {hop['version']} {hop['state']}:"
        f" {measured(size, u, str(hop['unit']))}, {hop['statistic']} {value:.4g} against"
        f" {threshold:.4g}"
        f" ({_number(hop)})"
    )


def _masses(hop: Row) -> str:
    wet = output.quantity(hop["mass_wet_g"], 3, 1e6)
    dry = output.quantity(hop["mass_dry_g"], 3, 1e6)
    return f"{wet} t wet, {dry} t dry"


def _number(hop: Row) -> str:
    return f"{hop['sender']} n {hop['n']}"


_LINES = {
    "outbox": _outbox,
    "row": _row,
    "dead letter": _dead_letter,
    "transfer": _transfer,
    "content": _content,
    "alert": _alert,
}
