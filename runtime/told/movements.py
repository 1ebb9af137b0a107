"""The trips of a lot: when it left where, when it came where, what each scale said of the load."""

from collections.abc import Iterable, Mapping
from typing import cast

from console.answers import Asked, Told
from console.rows import Row, time_of
from custody.coverage import Movement
from runtime.asof import Ask
from runtime.told import times
from runtime.told.weighed import Ticket, difference, tickets
from runtime.trips import trips_of
from schemas.present import rfc3339

_PAPERS = """
SELECT event_id, occurred_at, kind, site_id, from_site, to_site, counterparty, carrier,
    vehicle_id, seals
FROM shipment
WHERE lot_id = {lot:String} AND recorded_at <= {known:DateTime64(6, 'UTC')}
"""

_Papers = Mapping[str, Mapping[str, object]]


def told(ask: Ask, asked: Asked) -> Told:
    """Tell a lot's trips in the order in which they began, by the worker's own pairing.

    Masses are net, as weighed, grams; ``difference_g`` is what came less what left where both
    ends weighed it, with its standard uncertainty.
    """
    moment = times.moment(asked)
    found = trips_of(ask, [asked.subject], moment).get(asked.subject, ())
    if not found:
        return Told([])
    params = moment._asdict() | {"lot": asked.subject}
    papers = {str(row["event_id"]): row for row in ask(_PAPERS, params)}
    weighed = tickets(ask, asked)
    return Told([_row(one, weighed, papers) for one in found])


def _row(one: Movement, weighed: Mapping[str, Ticket], papers: _Papers) -> Row:
    sent, got = (
        [weighed[name] for name in sorted(names) if name in weighed]
        for names in (one.dispatched, one.received)
    )
    said = [papers[name] for name in sorted(one.dispatched | one.received) if name in papers]
    sites = {t.fact.event_id: t.fact.site_id for t in (*sent, *got)}
    lost, u = difference(sent, got) if sent and got else (None, None)
    return {
        "movement_id": one.id,
        "from_site": one.start or _first(said, "from_site"),
        "to_site": _first(said, "to_site") or next((sites[t.fact.event_id] for t in got), None),
        "counterparty": _first(said, "counterparty"),
        "left_at": _at(one.dispatched, weighed, papers),
        "arrived_at": _at(one.received, weighed, papers),
        "vehicle_id": _first(said, "vehicle_id")
        or next((t.fact.vehicle_id for t in (*sent, *got) if t.fact.vehicle_id), None),
        "carrier": _first(said, "carrier"),
        "seals": sorted({seal for row in said for seal in cast("list[str]", row["seals"])}),
        "sent_g": sum(t.fact.net_g for t in sent) if sent else None,
        "sent_u_g": difference([], sent)[1] if sent else None,
        "received_g": sum(t.fact.net_g for t in got) if got else None,
        "received_u_g": difference([], got)[1] if got else None,
        "difference_g": lost,
        "difference_u_g": u,
        "evidence": one.evidence.name.lower(),
    }


def _first(rows: Iterable[Mapping[str, object]], name: str) -> object:
    return next((row[name] for row in rows if row[name]), None)


def _at(names: Iterable[str], weighed: Mapping[str, Ticket], papers: _Papers) -> str | None:
    """Return when an end of a trip was: of its facts the first."""
    found = [rfc3339(weighed[name].fact.occurred_at) for name in names if name in weighed]
    found += [str(time_of(papers[name]["occurred_at"])) for name in names if name in papers]
    return min(found, default=None)
