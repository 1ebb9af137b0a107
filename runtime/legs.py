"""Legs that ended at a site: what came, and what such legs lose without anyone's doing.

A leg's two weighings are laid on one moisture in the books, so they differ by what was lost and by
what dried. What a route's record says of both (reference kind ``route``) is to be expected of every
load on it; where no record says anything, the default (``custody.geography``). Its u is of what the
leg loses at all, so it is the same for every load: over loads it adds straight.

Source:
    docs/detection/totals.md, "What a leg loses"
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from custody.estimate import Estimate
from custody.events import Micros
from custody.geography import Leg
from custody.reference import References
from runtime.asof import Ask, Quantity, Row, quantity_of
from runtime.rests import LEG, Rest

RECEIVED = """
    FROM v_postings
    WHERE kind = 'receipt' AND class IN ('mass', 'metal') AND endsWith(account, '/transit')
        AND startsWith(other_account, 'lot/')
        AND decodeURLComponent(extract(other_account, '[^/]*$')) = {site:String}
        AND effective_at >= {start:DateTime64(6, 'UTC')}
        AND effective_at < {end:DateTime64(6, 'UTC')}
        AND known_at <= {known:DateTime64(6, 'UTC')}
"""
_LEGS = f"""
SELECT account, ifNull(replaces_event_id, cause_event_id) AS event_id,
    ifNull(any(movement_id), '') AS movement_id, class, quantity, unit, quality,
    -sum(amount) AS amount
{RECEIVED}
GROUP BY account, event_id, class, quantity, unit, quality
HAVING amount != 0 AND event_id IN (SELECT event_id FROM weighing)
ORDER BY account, event_id
"""  # noqa: S608  put together from constants of this module
ACCOUNTS = f"""
    SELECT account FROM v_unaccounted(
        period_start = {{start:DateTime64(6, 'UTC')}}, period_end = {{end:DateTime64(6, 'UTC')}},
        known_at = {{known:DateTime64(6, 'UTC')}})
    WHERE site_id = {{site:String}}
    UNION ALL
    SELECT account {RECEIVED}
"""  # noqa: S608
_DEPARTURES = f"""
SELECT account, ifNull(movement_id, '') AS trip,
    decodeURLComponent(extract(other_account, '[^/]*$')) AS place,
    toUnixTimestamp64Micro(min(effective_at)) AS at
FROM v_postings
WHERE kind = 'dispatch' AND quantity = 'wet' AND endsWith(account, '/transit')
    AND known_at <= {{known:DateTime64(6, 'UTC')}} AND account IN ({ACCOUNTS})
GROUP BY account, trip, place HAVING sum(amount) > 0
ORDER BY account, trip, at
"""  # noqa: S608
_ROUTES = f"""
SELECT concat('lot/', lot_id, '/transit') AS account,
    argMax(ifNull(toString(route_id), ''), (occurred_at, recorded_at, event_id)) AS route
FROM lot
WHERE NOT void AND recorded_at <= {{known:DateTime64(6, 'UTC')}} AND account IN ({ACCOUNTS})
    AND event_id NOT IN (SELECT assumeNotNull(corrects) FROM lot
        WHERE corrects IS NOT NULL AND recorded_at <= {{known:DateTime64(6, 'UTC')}})
GROUP BY account
"""  # noqa: S608

Usual = Mapping[tuple[str, str], Mapping[Quantity, Estimate]]
"""What legs lose without anyone's doing, by account and event, in each quantity's unit."""


class Departure(NamedTuple):
    """Where and when a load left."""

    site: str
    at: Micros


class Ways(NamedTuple):
    """What ways loads took.

    Attributes:
        departures: By account and trip.
        routes: Declared route by account.
    """

    departures: Mapping[tuple[str, str], Departure]
    routes: Mapping[str, str]


def received(ask: Ask, asked: Mapping[str, str]) -> Sequence[Row]:
    """Return what each weighed receipt moved from the way to the place, by quantity; blocks."""
    return ask(_LEGS, asked)


def ways(ask: Ask, asked: Mapping[str, str]) -> Ways:
    """Return what ways the loads took that ended; blocks."""
    departures: dict[tuple[str, str], Departure] = {}
    for row in ask(_DEPARTURES, asked):
        key = str(row["account"]), str(row["trip"])
        departures.setdefault(key, Departure(str(row["place"]), Micros(int(str(row["at"])))))
    routes = {str(row["account"]): str(row["route"]) for row in ask(_ROUTES, asked)}
    return Ways(departures, routes)


def usual_loss(
    rests: Sequence[Rest], came: Sequence[Row], took: Ways, site_id: str, references: References
) -> Usual:
    """Return what each leg was to lose, with its uncertainty.

    Args:
        rests: What was missing; only that of legs is looked at.
        came: What each receipt moved to the place, as ``received`` says it.
        took: What ways the loads took.
        site_id: Where they ended.
        references: Routes.
    """
    arrived: dict[tuple[str, str], dict[Quantity, int]] = defaultdict(dict)
    for row in came:
        arrived[str(row["account"]), str(row["event_id"])][quantity_of(row)] = int(
            str(row["amount"])
        )
    found: dict[tuple[str, str], Mapping[Quantity, Estimate]] = {}
    for rest in rests:
        departure = took.departures.get((rest.account, rest.movement_id))
        # What nobody saw leave has no leg to expect anything of.
        if rest.found_in != LEG or departure is None:
            continue
        key, ends = (rest.account, rest.event_id), (departure.site, site_id)
        route = took.routes.get(rest.account) or "-".join(ends)
        share = _share(references.leg(route, ends, departure.at))
        source = f"route/{route}/{'-'.join(ends)}"
        there = arrived.get(key, {})
        found[key] = {
            q: _part(there.get(q, 0) + lost, share, source) for q, lost in rest.lost.items()
        }
    return found


def _share(leg: Leg) -> tuple[float, float]:
    """Return the share of the mass that a leg takes off, lost or dried, and its u."""
    kept = (1.0 - leg.loss) * math.exp(-leg.drying)
    return 1.0 - kept, math.hypot(leg.loss_u, leg.drying_u)


def _part(left: float, share: tuple[float, float], source: str) -> Estimate:
    return Estimate(left * share[0], 0.0, {source: abs(left) * share[1]})
