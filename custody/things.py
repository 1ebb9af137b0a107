"""Things that lots share: who has been seen with a seal, a tag, a vehicle, a certificate.

Each has a row of its own, in whatever partition its name falls, and hears what lots say of it. The
row keeps a bounded list of what stands, and its rule is a function of that list: so a correction
takes a finding back.

Source:
    docs/detection/exact-rules.md
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from custody import findings, rechecking
from custody.events import Micros
from custody.fold import Reader, Row, Step
from custody.gateways import GatewayRow, gateway_step
from custody.geography import SPEED_KMH_MAX, Position, distance_km, too_far
from custody.held import BEGINNING
from custody.ledger import Clock
from custody.lot_step import Arrived
from custody.records import Sighting
from custody.reference import References
from custody.rows import AlertState, Finding
from custody.sights import SEEN

KINDS = frozenset({"seal", "tag", "certificate", "vehicle"})

SEEN_MAX = 64
"""Uses kept of a seal, tag or certificate, the first ones: more change nothing."""

SEEN_VEHICLE_MAX = 256
"""Ends of trips kept of a vehicle, the last ones."""

WINDOW_US = 7 * 86_400_000_000
"""How far back from its newest end of a trip a vehicle's are kept. Half round the Earth takes 154 h
at 130 km/h, so what is further apart in time is no contradiction."""


class Seen(NamedTuple):
    """A thing was seen with a lot; ``text`` as in ``sights.Sight``."""

    at: Micros
    lot: str
    event_id: str
    site: str
    text: str


@dataclass(slots=True)
class SeenRow:
    """What is known of a thing.

    Attributes:
        known: When the newest record it took was recorded.
        seen: Where it was seen, in order.
        used: Hashes of the keys of reference records used.
        alerts: Alerts by key.
    """

    known: Micros = BEGINNING
    seen: list[Seen] = field(default_factory=list)
    used: list[int] = field(default_factory=list)
    alerts: dict[str, AlertState] = field(default_factory=dict)


def shared_step(
    owner: str,
    row: Row | None,
    arrived: Arrived,
    reader: Reader,
    records: Sequence[tuple[Micros, str]],
) -> Step:
    """Return the next row of a thing or a gateway and what it says.

    Args:
        owner: Its row key.
        row: Its row; None on first sight.
        arrived: What others say of it, and what people do.
        reader: Other rows of the partition.
        records: recorded_at and event_id of the step's records.
    """
    if owner.startswith("gateway/"):
        gateway = row if isinstance(row, GatewayRow) else GatewayRow()
        return gateway_step(owner, gateway, arrived, reader, Clock(records, gateway.known))
    seen = row if isinstance(row, SeenRow) else SeenRow()
    return thing_step(owner, seen, arrived, reader, Clock(records, seen.known))


def thing_step(owner: str, row: SeenRow, arrived: Arrived, reader: Reader, clock: Clock) -> Step:
    """Return the next row of a thing and what it says.

    Args:
        owner: Its row key.
        row: Its row; never changed.
        arrived: What lots say of it, and what people do.
        reader: Other rows of the partition.
        clock: This step's records.
    """
    kind, _, name = owner.partition("/")
    references = References(reader)
    by_fact = {(one.lot, one.event_id): one for one in row.seen}
    for sighting in arrived.seen:
        _take(by_fact, sighting)
    seen = sorted(by_fact.values())
    if kind == "vehicle":
        seen, found = _of_vehicle(name, seen, references)
    else:
        seen = seen[:SEEN_MAX]
        found = _of_use(kind, name, seen)
    after = SeenRow(clock.newest, seen, row.used, row.alerts)
    at = seen[-1].at if seen else clock.newest
    step = Step(after)
    after.alerts = findings.say(step, (owner, at), row.alerts, found, arrived.actions, clock)
    after.used, uses = rechecking.uses(row.used, references, owner)
    step.rows.update(uses)
    return step


def _take(by_fact: dict[tuple[str, str], Seen], sighting: Sighting) -> None:
    lot, event_id = sighting.lot_id or "", sighting.cause_event_id
    if sighting.quantity == SEEN:
        site, text = sighting.site_id or "", sighting.text or ""
        by_fact[lot, event_id] = Seen(sighting.occurred_at, lot, event_id, site, text)
    else:
        by_fact.pop((lot, event_id), None)


def _of_use(kind: str, name: str, seen: Sequence[Seen]) -> list[Finding]:
    """Return what is found of a thing that is used once: by one journey, lot or sample."""
    if len(seen) < 2:
        return []
    if kind == "seal":
        apart = _journeys(seen)
        words = "sealed two loads that have nothing to do with each other"
        return [Finding("seal_reused", name, f"seal {name} {words}: {apart}")] if apart else []
    first = seen[0]
    other = next((one for one in seen if one.lot != first.lot), None)
    if kind == "tag":
        words = f"tag {name} is declared for lots {first.lot} and {other.lot if other else ''}"
        return [] if other is None else [Finding("tag_reused", name, words)]
    lab, _, number = name.partition("|")
    words = f"certificate {number} of {lab} stands for"
    if other is not None:
        words = f"{words} lots {first.lot} and {other.lot}"
        return [Finding("certificate_reused", name, words)]
    samples = sorted({one.text for one in seen if one.text})
    if len(samples) < 2:
        return []
    words = f"{words} samples {samples[0]} and {samples[1]} of lot {first.lot}"
    return [Finding("certificate_reused", name, words)]


def _journeys(seen: Sequence[Seen]) -> str:
    """Return two uses of a seal that are of different journeys, in words; empty where none are.

    A container keeps its seal over several movements of the same lots, and several lots travel in
    it. So two uses are of one journey where they share the movement, or the lot and begin at
    different sites; and of what is one journey with a third.
    """
    sites: dict[str, set[str]] = {}
    for one in seen:
        sites.setdefault(one.lot, set()).add(one.site)
    journeys: dict[str, str] = {}
    for one in seen:
        movement = _first(journeys, "movement " + one.text)
        if len(sites[one.lot]) > 1:
            # Uses of a lot at one site are of one journey by its use at another.
            journeys[_first(journeys, "lot " + one.lot)] = movement
    firsts: dict[str, Seen] = {}
    for one in sorted(seen):
        firsts.setdefault(_first(journeys, "movement " + one.text), one)
    if len(firsts) < 2:
        return ""
    some = list(firsts.values())[:2]
    return " and ".join(f"lot {one.lot} from {one.site or 'unknown'}" for one in some)


def _first(journeys: dict[str, str], name: str) -> str:
    """Return the name under which a journey goes that has several."""
    while (other := journeys.setdefault(name, name)) != name:
        name = other
    return name


def _of_vehicle(
    name: str, seen: list[Seen], references: References
) -> tuple[list[Seen], list[Finding]]:
    """Return what is kept of a vehicle's ways, and the first that no vehicle can have gone.

    Between neighbours in time suffices: what contradicts a third contradicts what lies between.
    """
    places: dict[str, Position | None] = {}
    newest = seen[-1].at if seen else BEGINNING
    for site in sorted({one.site for one in seen if one.site}):
        places[site] = references.position(site, newest)
    located = [one for one in seen if places.get(one.site) is not None]
    found: list[Finding] = []
    named: set[Seen] = set()
    for one, other in pairwise(located):
        here, there = places[one.site], places[other.site]
        if one.site == other.site or here is None or there is None:
            continue
        km = distance_km(here, there)
        if too_far(km, other.at - one.at, SPEED_KMH_MAX):
            hours = (other.at - one.at) / 3_600e6
            way = f"{km:,.0f} km from {one.site} to {other.site} in {hours:.1f} h"
            lots = f"with lots {one.lot} and {other.lot}"
            detail = f"vehicle {name} {lots}: {way}; the limit is {SPEED_KMH_MAX:,.0f} km/h"
            found.append(Finding("vehicle_in_two_places", name, detail))
            named = {one, other}
            break
    kept = [one for one in seen if newest - one.at <= WINDOW_US][-SEEN_VEHICLE_MAX:]
    return sorted({*kept, *named}), found
