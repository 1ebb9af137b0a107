"""A steady, reproducible load: many small lots, most of them honest, sent at a given rate.

Used by the benches and by the fault tests; it is not the demo's day. Each lot is twelve facts:
declared, weighed, dispatched, assayed, shot three times, weighed again, received, shot three
times. Every ``short_every``-th lot arrives five percent short, so that alerts flow too.
"""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass

Request = dict[str, object]

_START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
_ANALYTES = {
    "Cu": 2.5,
    "Ni": 0.3,
    "Fe": 11.0,
    "S": 1.2,
    "Zn": 0.08,
    "As": 0.02,
    "Pb": 0.05,
    "Mn": 0.2,
}
FACTS_PER_LOT = 12
SHORT_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send.

    Attributes:
        run: Prefix of all ids, so that runs do not meet.
        lots: How many lots.
        together: Lots whose facts are interleaved.
        short_every: Every so many lots one arrives short; 0 for never.
        seed: Seed of the measurement errors.
    """

    run: str
    lots: int
    together: int = 20
    short_every: int = 10
    seed: int = 1


def is_short(plan: Plan, lot_no: int) -> bool:
    """Return whether this lot loses material on its way."""
    return plan.short_every > 0 and lot_no % plan.short_every == 0


def lot_id(plan: Plan, lot_no: int) -> str:
    """Return the id of a lot."""
    return f"{plan.run}-L{lot_no}"


def requests(plan: Plan) -> Iterator[Request]:
    """Yield the requests in the order in which a plant would send them."""
    for first in range(0, plan.lots, plan.together):
        block = range(first, min(first + plan.together, plan.lots))
        ways = [_lot(plan, no) for no in block]
        for step in zip(*ways, strict=True):
            yield from step


def _lot(plan: Plan, lot_no: int) -> list[Request]:
    # Seeded per lot: a lot is the same whatever else is sent.
    rng = random.Random(f"{plan.seed}/{lot_no}")
    net_kg = rng.randrange(24_000, 32_000, 20)
    kept = 1 - SHORT_SHARE if is_short(plan, lot_no) else 1.0
    received_kg = round(net_kg * kept * (1 + rng.gauss(0, 0.0003)) / 20) * 20
    trip = f"{plan.run}-T{lot_no}"
    return [
        _fact(plan, lot_no, 0, "lot", commodity="copper", form="ore", custodian="A", owner="A",
              custody_model="mass_balance"),
        _weighing(plan, lot_no, 1, "dispatch", trip, net_kg),
        _fact(plan, lot_no, 2, "shipment", kind="dispatch", movement_id=trip, from_site="MINE-A",
              to_site="DEPOT-B", seals=[f"{trip}-S1"]),
        _assay(plan, lot_no, 3, rng),
        *(_shot(plan, lot_no, 4 + k, "MINE-A", rng) for k in range(3)),
        _weighing(plan, lot_no, 7, "receipt", trip, received_kg),
        _fact(plan, lot_no, 8, "shipment", site="DEPOT-B", kind="receipt", movement_id=trip,
              from_site="MINE-A", to_site="DEPOT-B", seals=[f"{trip}-S1"]),
        *(_shot(plan, lot_no, 9 + k, "DEPOT-B", rng) for k in range(3)),
    ]  # fmt: skip


def _fact(plan: Plan, lot_no: int, step: int, stem: str, /, site: str = "MINE-A",
          **fields: object) -> Request:  # fmt: skip
    at = _START + dt.timedelta(seconds=lot_no, minutes=10 * step)
    return {
        "type": stem,
        "site_id": site,
        "lot_id": lot_id(plan, lot_no),
        "occurred_at": at.isoformat(),
        **fields,
    }


def _weighing(plan: Plan, lot_no: int, step: int, purpose: str, trip: str, net_kg: int) -> Request:
    site, way = ("MINE-A", "out") if purpose == "dispatch" else ("DEPOT-B", "in")
    return _fact(
        plan, lot_no, step, "weighing", site=site, ticket_no=f"{trip}-{purpose}", movement_id=trip,
        device_id=f"WB-{site}", purpose=purpose, direction=way, gross_kg=net_kg + 15_000,
        tare_kg=15_000, net_kg=net_kg, tare_kind="weighed", vehicle_id=f"V{lot_no % 97}",
    )  # fmt: skip


def _assay(plan: Plan, lot_no: int, step: int, rng: random.Random) -> Request:
    results = [
        {"analyte": name, "value": round(pct * rng.gauss(1, 0.01), 5), "unit": "pct",
         "basis": "dry", "qualifier": "=", "u": round(pct * 0.01, 6)}
        for name, pct in _ANALYTES.items()
    ]  # fmt: skip
    return _fact(
        plan, lot_no, step, "assay", certificate_no=f"{plan.run}-C{lot_no}", lab_id="LAB-A",
        method="ICP-OES", sample_id="S-1", stage="provisional", party="seller",
        moisture={"value": 8.0, "unit": "pct", "u": 0.25}, results=results,
    )  # fmt: skip


def _shot(plan: Plan, lot_no: int, step: int, site: str, rng: random.Random) -> Request:
    results = [
        {"analyte": name, "value": round(1e4 * pct * 0.92 * rng.gauss(1, 0.04), 1), "unit": "ppm",
         "error_2sigma": round(1e4 * pct * 0.02, 2)}
        for name, pct in _ANALYTES.items()
    ]  # fmt: skip
    return _fact(
        plan, lot_no, step, "xrf", site=site, device_id=f"{plan.run}-XRF-{site}", shot_no=step,
        mode="mining_plus", live_time_s=60, basis="as_is", results=results,
    )  # fmt: skip
