"""A weighbridge that reads high from some hour of the day on: no fraud, and the scale's.

It is one of the concentrator's. Lots of both mines and of the depot pass it, so that its error can
be told from a loss on one road, and no other site weighs enough lots of a day before and after.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from demo.plant import CONCENTRATOR, Plant
from demo.requests import Request

KIND = "drift"

SIZE = 0.005
"""Share by which it reads high: 225 kg of a full truck, where its class permits 60 kg.

By the class alone a net mass is known to 0.14 %, and all of a scale's lots share that: a mean of
0.28 % is no drift of a scale that has no certificate of its own, and 0.3 % hardly is one.
"""
BEGINS = timedelta(hours=6, minutes=30), timedelta(hours=8)
"""Between which hours it begins: some 40 lots and more are weighed before, and as many after."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A scale that reads high by a share of the load, from a time on."""

    device_id: str
    since: datetime
    size: float


def plan_drift(seed: int, plant: Plant, midnight: datetime) -> Drift:
    """Return what is wrong with which scale on a day.

    Args:
        seed: What it is drawn from.
        plant: Whose scale it is.
        midnight: When the day begins.
    """
    rng = Random(f"{seed}/drift")
    scale = rng.choice(plant.scales[CONCENTRATOR])
    first, last = BEGINS
    after = timedelta(minutes=round(rng.uniform(0.0, (last - first) / timedelta(minutes=1))))
    return Drift(scale.device_id, midnight + first + after, SIZE)


def drifting(plant: Plant, drift: Drift) -> Plant:
    """Return a plant with a scale that drifts."""
    scales = {
        site: tuple(
            replace(one, drift=drift.size, since=drift.since)
            if one.device_id == drift.device_id
            else one
            for one in there
        )
        for site, there in plant.scales.items()
    }
    return replace(plant, scales=scales)


def weighed_by(device_id: str, requests: Sequence[Request]) -> dict[str, datetime]:
    """Return when a scale first weighed each lot, by what was sent."""
    found: dict[str, datetime] = {}
    for request in requests:
        if request["type"] == "weighing" and request["device_id"] == device_id:
            at = datetime.fromisoformat(str(request["occurred_at"]))
            lot_id = str(request["lot_id"])
            found[lot_id] = min(at, found.get(lot_id, at))
    return found
