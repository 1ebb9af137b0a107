"""Where sites lie, and how long the way between two of them may take.

Everything here is reference data of sites and routes; what nobody said is None, and a rule that
needs it is silent.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

from custody.bodies import number, within

LEG_LOSS = 0.001
LEG_LOSS_U = 0.003
"""Share of the mass a leg loses without anyone's doing, and its standard uncertainty, where nobody
said: the usual figure of ore, and wider than any road that was measured (docs/adr/0033)."""

DRYING = 0.002
DRYING_U = 0.005
"""What a leg adds to ln(1 - moisture), and its standard uncertainty; likewise."""

DRYING_LOST = 0.0
DRYING_LOST_U = 0.0005
"""The same where a record says the loss alone."""

DEADLINE_H_MAX = 87_600.0
"""Greatest time allowed for a leg that is believed, hours: ten years."""

LOTS_MAX = 1e9
"""Most lots of a history that are believed."""

EARTH_KM = 6371.0088
"""Mean radius of the Earth (IUGG, GRS 80). A sphere is 0.6 % off at worst."""

SPEED_KMH_MAX = 130.0
"""Greatest speed along a straight line, where the leg says none. A lorry is limited to 90 km/h in
Europe (Directive 92/6/EEC), a fast goods train runs at 120; a road is longer than the line. What
flies needs ``speed_kmh_max`` in its leg."""

SPEED_KMH_BELIEVED = 1_100.0
"""Greatest ``speed_kmh_max`` that is believed: an airliner."""

SITE_KM = 5.0
"""Distance taken off: a site is an area, and its coordinates are one point of it. Assumed."""

CLOCKS_US = 5 * 60 * 1_000_000
"""What the clocks of two sites may differ, added to every time between them. Assumed: a weighbridge
computer without a time server."""

Position = tuple[float, float]
"""Latitude and longitude, degrees."""


class Leg(NamedTuple):
    """What a leg of a route loses and how long it may take.

    Attributes:
        loss: Share of the mass that left.
        loss_u: Its standard uncertainty.
        deadline_h: Time allowed, hours; None where none is set.
        speed_kmh: Greatest speed along a straight line.
        drying: What it adds to ln(1 - moisture).
        drying_u: Its standard uncertainty.
        described: A record says what it loses or how it dries; else both are a guess, and wrong by
            the same for all lots.
        lots: Of a history that both were estimated from; 0 where nobody said.
    """

    loss: float = LEG_LOSS
    loss_u: float = LEG_LOSS_U
    deadline_h: float | None = None
    speed_kmh: float = SPEED_KMH_MAX
    drying: float = DRYING
    drying_u: float = DRYING_U
    described: bool = False
    lots: int = 0


NO_LEG = Leg()
"""A leg that no reference data describes."""


def leg_of(body: Mapping[str, object], ends: tuple[str, str]) -> Leg:
    """Return what a route says of the leg between two sites; what is no number is not said."""
    legs = body.get("legs")
    for leg in legs if isinstance(legs, list) else []:
        if isinstance(leg, dict) and (leg.get("from"), leg.get("to")) == ends:
            loss, loss_u = leg.get("expected_loss"), leg.get("expected_loss_u")
            drying, drying_u = leg.get("drying"), leg.get("drying_u")
            weighed, dried = _says(loss, loss_u), _says(drying, drying_u)
            # Of what was found by weighing alone the drying is in the loss.
            usual = (DRYING_LOST, DRYING_LOST_U) if weighed and not dried else (DRYING, DRYING_U)
            return Leg(
                within(loss, 0.0 if _says(loss_u) else LEG_LOSS, 1.0),
                within(loss_u, LEG_LOSS_U, 1.0),
                within(leg.get("deadline_h"), 0.0, DEADLINE_H_MAX) or None,
                within(leg.get("speed_kmh_max"), 0.0, SPEED_KMH_BELIEVED) or SPEED_KMH_MAX,
                within(drying, 0.0 if _says(drying_u) else usual[0], 1.0),
                within(drying_u, usual[1], 1.0),
                weighed or dried,
                int(min(within(leg.get(n), 0.0, LOTS_MAX) for n in ("loss_n", "drying_n"))),
            )
    return NO_LEG


def _says(*values: object) -> bool:
    return any(number(value, 0.0, 1.0) is not None for value in values)


def position_of(body: Mapping[str, object]) -> Position | None:
    """Return where a site lies; None where its record does not say."""
    lat, lon = number(body.get("lat"), -90.0, 90.0), number(body.get("lon"), -180.0, 180.0)
    return None if lat is None or lon is None else (lat, lon)


def distance_km(one: Position, other: Position) -> float:
    """Return the great-circle distance between two places, kilometres (haversine)."""
    lat1, lon1, lat2, lon2 = map(math.radians, (*one, *other))
    half = math.sin((lat2 - lat1) / 2.0) ** 2
    half += math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2.0) ** 2
    return 2.0 * EARTH_KM * math.asin(math.sqrt(min(half, 1.0)))


def too_far(km: float, us: int, speed_kmh: float) -> bool:
    """Tell whether nothing covers a distance in a time.

    Args:
        km: Distance along a straight line.
        us: Time between, microseconds; may be negative.
        speed_kmh: Greatest speed.
    """
    hours = max(us + CLOCKS_US, 0) / 3_600e6
    return km - SITE_KM > speed_kmh * hours
