"""A whole day of the plant: reference records first, then every request in order of time."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from demo.correction import Corrected, mistake
from demo.dirt import Dirt, soil
from demo.drift import KIND as DRIFT
from demo.drift import Drift, drifting, plan_drift
from demo.frauds import KINDS, Fraud, plan_frauds, tampering_of
from demo.journey import LOADING, Journal, Tampering, declare, examine, mix_in, travel
from demo.lots import Lot, draw_lots
from demo.plant import CONCENTRATOR, DEPOT, SMELTER, draw_plant
from demo.processes import BLEND_INPUTS, CAMPAIGN_INPUTS, Process, blend, concentrate
from demo.references import references
from demo.requests import Request

ZONE = timezone(timedelta(hours=-6))
FIRST_DAY = datetime(2026, 3, 2, tzinfo=ZONE)
DAYS = 180
"""Seeds spread over this many days, all of them in the past of whoever runs the demo."""
BLEND_AT = timedelta(hours=10, minutes=30)
"""Early enough for the blend to lie in the concentrator when the campaign begins."""
CAMPAIGN_AT = timedelta(hours=15)
PUT_IN = (*KINDS, DRIFT)
"""Frauds, and what is none."""
TAKEN_EVERY = timedelta(milliseconds=1)
ONWARD_UNTIL = timedelta(hours=13, minutes=30)
ONWARD_MAX = 60
"""Lots that travel on from the depot to the concentrator the same day."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day as the plants sent it and as it truly was.

    Attributes:
        seed: What it was drawn from.
        requests: Reference records, then requests in the order they are sent.
        corrected: What is found wrong in the evening, and sent once the day is in the books.
        frauds: What was put in.
        drift: What is wrong with a scale; None on a day on which all are in order.
        lot_ids: Every lot of the day.
        departed: Ore lots as they truly left their mine.
        arrived: The same lots as they truly arrived, in the same order.
        processes: Blend and concentrate.
        dirt: What was done to the journal.
    """

    seed: int
    requests: tuple[Request, ...]
    corrected: Corrected
    frauds: tuple[Fraud, ...]
    drift: Drift | None
    lot_ids: tuple[str, ...]
    departed: tuple[Lot, ...]
    arrived: tuple[Lot, ...]
    processes: tuple[Process, ...]
    dirt: Dirt

    @property
    def sent(self) -> tuple[Request, ...]:
        """All requests, the corrections last."""
        return (*self.requests, *self.corrected.requests)


def make_day(seed: int, kinds: Sequence[str] = PUT_IN) -> Day:
    """Return the day of a seed; the same seed gives the same day, byte for byte.

    Args:
        seed: What everything is drawn from.
        kinds: What is put in; nothing for a day on which all is as it is said to be.
    """
    plant, midnight = draw_plant(seed), midnight_of(seed)
    drift = plan_drift(seed, plant, midnight) if DRIFT in kinds else None
    journal = Journal(seed, plant if drift is None else drifting(plant, drift))
    ready = draw_lots(seed, midnight)
    plan = plan_frauds(seed, ready, [kind for kind in kinds if kind != DRIFT])
    departed = [mix_in(lot, tampering_of(plan, lot)) for lot in ready]
    arrived = [_first_leg(journal, lot, tampering_of(plan, lot)) for lot in departed]
    clean = [lot for lot in arrived if lot.lot_id not in plan and len(lot.loads) == 1]
    processes = _processes(journal, clean)
    used = {lot.lot_id for process in processes for lot in process.inputs}
    _onward(journal, [lot for lot in clean if lot.lot_id not in used])
    journal.entries.sort(key=lambda e: e.at)
    made = [process.output.lot_id for process in processes]
    corrected = mistake(seed, journal.entries, processes[0])
    dirt = soil(seed, journal.entries, used | set(plan) | set(made))
    return Day(
        seed=seed,
        requests=(*references(), *(entry.request for entry in journal.entries)),
        corrected=corrected,
        frauds=tuple(fraud for fraud, _ in plan.values()),
        drift=drift,
        lot_ids=(*(lot.lot_id for lot in departed), *made),
        departed=tuple(departed),
        arrived=tuple(arrived),
        processes=processes,
        dirt=dirt,
    )


def midnight_of(seed: int) -> datetime:
    """Return the start of a seed's day; a seed below zero is a day before the first."""
    return FIRST_DAY + timedelta(days=seed % DAYS if seed >= 0 else seed)


def _first_leg(journal: Journal, lot: Lot, tampering: Tampering) -> Lot:
    """Send a lot from its mine to depot or concentrator, examined at both ends."""
    declare(journal, lot)
    begin = lot.ready_at + timedelta(minutes=5)
    done = examine(journal, lot, begin, party="seller", assay=True)
    arrived = travel(journal, lot, max(done, lot.ready_at + LOADING), tampering)
    return _receive(journal, arrived)


def _receive(journal: Journal, lot: Lot) -> Lot:
    begin = lot.ready_at + timedelta(minutes=12)
    done = examine(journal, lot, begin, party="buyer", assay=lot.receipt_assay)
    return replace(lot, ready_at=done)


def _processes(journal: Journal, clean: Sequence[Lot]) -> tuple[Process, Process]:
    """Blend lots of the depot, then concentrate the blend with lots of the concentrator.

    Neither product is assayed within the day, so that its metal is what the books say went in: a
    laboratory takes days for a concentrate. Nor does the depot assay what it blends.
    """
    blend_at = midnight_of(journal.seed) + BLEND_AT
    in_depot = [x for x in clean if x.site == DEPOT and x.ready_at < blend_at]
    plain = [x for x in in_depot if not x.receipt_assay]
    blended = blend(journal, plain[:BLEND_INPUTS], f"B-{journal.seed}-0001", blend_at)
    lot = blended.output
    declare(journal, lot)
    done = examine(journal, lot, blend_at + timedelta(minutes=10), party="seller", assay=False)
    delivered = _receive(journal, travel(journal, lot, done + LOADING))
    campaign_at = max(midnight_of(journal.seed) + CAMPAIGN_AT, delivered.ready_at)
    feed = [x for x in clean if x.site == CONCENTRATOR and x.ready_at < campaign_at]
    fed = [*feed[:CAMPAIGN_INPUTS], delivered]
    campaign = concentrate(journal, fed, f"C-{journal.seed}-0001", campaign_at)
    lot = campaign.output
    declare(journal, lot)
    done = examine(journal, lot, campaign_at + timedelta(minutes=8), party="seller", assay=False)
    at_port = travel(journal, lot, done + timedelta(minutes=15))
    at_port = replace(_receive(journal, at_port), to_site=SMELTER)
    _receive(journal, travel(journal, at_port, at_port.ready_at + timedelta(minutes=35)))
    return blended, campaign


def _onward(journal: Journal, clean: Sequence[Lot]) -> None:
    """Send lots on from the depot to the concentrator, those that came early enough."""
    latest = midnight_of(journal.seed) + ONWARD_UNTIL
    waiting = [x for x in clean if x.site == DEPOT and x.ready_at < latest]
    for lot in waiting[:ONWARD_MAX]:
        leaving = replace(lot, to_site=CONCENTRATOR)
        _receive(journal, travel(journal, leaving, lot.ready_at + timedelta(minutes=45)))


def recorded(requests: Sequence[Request]) -> Iterator[Request]:
    """Yield facts with the time at which a gateway would have taken them in the order of sending.

    That is when they occurred, or as soon as what was sent before: ``custody backtest`` keeps the
    order then, and a correction follows what it corrects. Reference records stay as they are.
    """
    last = datetime.min.replace(tzinfo=ZONE)
    for request in requests:
        if "occurred_at" not in request:
            yield request
            continue
        last = max(last + TAKEN_EVERY, datetime.fromisoformat(str(request["occurred_at"])))
        yield {**request, "recorded_at": last.isoformat()}


def ndjson(requests: Sequence[Request]) -> Iterator[bytes]:
    """Yield one line per request, as ``custody publish`` reads them."""
    for request in requests:
        yield json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
