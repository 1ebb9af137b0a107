"""A late word about an input to the shares of what was made from it, three processes later.

Chains stand by themselves: four ore lots are blended, the blend is crushed, that is repacked; all
are long posted when one of two things comes: a fifth input of the blend, or a new certificate of
its first. Either changes every lot behind it. The clock starts at the gateway's ``recorded_at`` of
that fact and stops when this process holds the new balance of the last lot, read from Kafka as
committed. Beside it facts of ordinary lots come at a steady rate, and so they did for five seconds
before. The late facts come at random distances, so that nothing falls into step with the worker.

The word goes through seven owners, each a chunk of its own with its changelog and its outputs
acknowledged by Kafka before the next can read it: ore lot, blend, lot, crush, lot, repack, lot.

Expected before measuring: an alert, one owner, takes 120 ms at 300/s, of which some 30 ms are the
gateway and the way to Kafka and back. The others wait up to the 50 ms between two fetches, then a
changelog and an output round trip: 75 ms each, p50 550 ms; p99 1.1 s.

Needs a running stack: ``custody up``.
"""

import json
import random
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import click

from bench.drive import Target, drive, post, target
from bench.load import FACTS_PER_LOT, Plan, Request
from bench.watch import Watch, quantile
from custody.records import Balance
from schemas import topics
from schemas.routes import Record

ORES = 4
LATE = ORES
"""The ore lot that goes in last; its mine is its own."""
STAGES = (("blend", "A"), ("crush", "B"), ("repack", "C"))
"""Kind of each process and the name of what it makes."""
SETUP_RATE = 300
WARM_UP_S = 5
SETTLED_WITHIN_S = 120
QUIET_S = 10.0
_SITE = "PLANT-B"
_ORE_KG = 30_000
_MOISTURE = 0.08
_HOUR_S = 3_600
_START_S = 1_793_520_000  # 2026-11-01


@dataclass(frozen=True, slots=True)
class Chains:
    """Names of what the chains are made of.

    Attributes:
        run: Prefix of all ids.
        count: How many chains.
    """

    run: str
    count: int

    def ore(self, chain: int, no: int) -> str:
        """Return the id of an ore lot."""
        return f"{self.run}-{chain}-O{no}"

    def product(self, chain: int, stage: int) -> str:
        """Return the id of what a stage makes."""
        return f"{self.run}-{chain}-{STAGES[stage][1]}"

    def process(self, chain: int, stage: int) -> str:
        """Return the id of a process."""
        return f"{self.run}-{chain}-P{stage}"

    def last(self, chain: int) -> str:
        """Return the id of the lot at the end."""
        return self.product(chain, len(STAGES) - 1)


def requests(chains: Chains) -> Iterator[Request]:
    """Yield what a plant sends of all chains before the late facts, stage by stage."""
    every = range(chains.count)
    for chain in every:
        for no in range(ORES + 1):
            yield from _ore(chains, chain, no)
    for stage, (_, name) in enumerate(STAGES):
        for chain in every:
            lot = chains.product(chain, stage)
            yield _head("lot", 3 + stage, lot_id=lot, commodity="copper",
                        form="ore", custody_model="mass_balance", source_ref=name)  # fmt: skip
    for stage in range(len(STAGES)):
        for chain in every:
            yield _stage(chains, chain, stage)


def late_input(chains: Chains, chain: int) -> Request:
    """Return the input that comes late."""
    kind, _ = STAGES[0]
    return _head("processing", 3, process_id=chains.process(chain, 0), kind=kind,
                 inputs=[_side(chains.ore(chain, LATE), _ORE_KG)])  # fmt: skip


def late_assay(chains: Chains, chain: int) -> Request:
    """Return the better certificate of the first ore lot."""
    return _assay(chains.ore(chain, 0), "final", 2.2)


def _ore(chains: Chains, chain: int, no: int) -> Iterator[Request]:
    lot = chains.ore(chain, no)
    mine = {"level": "site", "id": "MINE-LATE" if no == LATE else f"MINE-{no % 2}", "share": 1.0}
    yield _head("lot", 0, lot_id=lot, commodity="copper", form="ore",
                custody_model="segregated", declared_origins=[mine])  # fmt: skip
    yield _head("weighing", 1, lot_id=lot, ticket_no=lot, device_id=f"WB-{_SITE}",
                purpose="stock", gross_kg=_ORE_KG + 15_000, tare_kg=15_000,
                net_kg=_ORE_KG)  # fmt: skip
    yield _assay(lot, "provisional", 2.0 + 0.1 * no)


def _assay(lot: str, stage: str, copper_pct: float) -> Request:
    result = {"analyte": "Cu", "value": copper_pct, "unit": "pct", "basis": "dry", "u": 0.02}
    return _head("assay", 2, lot_id=lot, certificate_no=f"{lot}-{stage}", lab_id="LAB-B",
                 stage=stage, party="plant", moisture={"value": 8.0, "unit": "pct", "u": 0.25},
                 results=[result])  # fmt: skip


def _stage(chains: Chains, chain: int, stage: int) -> Request:
    kg = ORES * _ORE_KG
    inputs = (
        [_side(chains.product(chain, stage - 1), kg)]
        if stage
        else [_side(chains.ore(chain, no), _ORE_KG) for no in range(ORES)]
    )
    return _head("processing", 3 + stage, process_id=chains.process(chain, stage),
                 kind=STAGES[stage][0], inputs=inputs,
                 outputs=[_side(chains.product(chain, stage), kg)])  # fmt: skip


def _side(lot: str, wet_kg: int) -> Request:
    return {"lot_id": lot, "mass_wet_kg": wet_kg, "moisture_fraction": _MOISTURE, "u_mass_kg": 60}


def _head(stem: str, hour: int, **fields: object) -> Request:
    at = time.gmtime(_START_S + hour * _HOUR_S)
    occurred = time.strftime("%Y-%m-%dT%H:%M:%SZ", at)
    return {"type": stem, "site_id": _SITE, "occurred_at": occurred, **fields}


@dataclass(slots=True)
class Ends:
    """What is known of the lots at the ends, and how long each change took.

    Attributes:
        run: Prefix of their ids.
        since_us: Facts recorded before do not count; the far future while chains are set up.
        said: Shares and metals last said, by lot.
        ages_ms: Of the first new balance of each lot.
        heard_s: When any of them was said last, on the monotonic clock.
    """

    run: str
    since_us: int = 2**62
    said: dict[str, tuple[object, object]] = field(default_factory=dict)
    ages_ms: dict[str, float] = field(default_factory=dict)
    heard_s: float = 0.0

    def take(self, record: Record, now_us: int) -> None:
        """Look at one balance."""
        if not isinstance(record, Balance) or record.lot_id is None:
            return
        lot = record.lot_id
        if not (lot.startswith(self.run) and lot.endswith(STAGES[-1][1]) and record.origins):
            return
        self.heard_s = time.monotonic()
        new = (record.origins, tuple((m.analyte, m.value_mg) for m in record.metals))
        if record.known_at >= self.since_us and new != self.said.get(lot):
            self.ages_ms.setdefault(lot, (now_us - record.known_at) / 1e3)
        self.said[lot] = new


def _settle(watch: Watch, ends: Ends, count: int) -> None:
    """Wait until all chains are set up, and then until nothing of them moves any more.

    A chain says its end with its first input; the others restate it. What the worker still had
    to do of that would be measured as the late facts' time.
    """
    if not watch.wait(ends.said, count, SETTLED_WITHIN_S):
        sys.exit(f"{len(ends.said)} of {count} chains were set up")
    while time.monotonic() - ends.heard_s < QUIET_S:
        time.sleep(0.5)


class Background:
    """Facts of ordinary lots at a steady rate, until closed."""

    def __init__(self, to: Target, run: str, rate: int, seconds: float) -> None:
        self._plan = Plan(run=run, lots=int(rate * seconds) // FACTS_PER_LOT)
        self.failure = ""
        self.thread = threading.Thread(target=self._run, args=(to, rate), daemon=True)
        self.thread.start()

    def _run(self, to: Target, rate: int) -> None:
        try:
            drive(to, self._plan, rate=rate)
        except Exception as error:  # noqa: BLE001  the thread's edge: the bench shows it
            self.failure = repr(error)


def _now_and_then(words: Iterable[Request], per_s: float) -> Iterator[Request]:
    """Yield at random distances, some per second."""
    rng = random.Random(per_s)
    for word in words:
        time.sleep(rng.uniform(0.5, 1.5) / per_s)
        yield word


def measure(to: Target, chains: Chains, watched: tuple[Watch, Ends], change: str,
            options: tuple[int, float]) -> dict[str, object]:  # fmt: skip
    """Send one late fact to each chain and return the figures of one change."""
    watch, ends = watched
    rate, per_s = options
    word = late_input if change == "input" else late_assay
    seconds = WARM_UP_S + 1.1 * chains.count / per_s
    background = Background(to, f"{chains.run}-{change}", rate, seconds) if rate else None
    time.sleep(WARM_UP_S)
    ends.ages_ms.clear()
    ends.since_us = time.time_ns() // 1000
    post(to, _now_and_then((word(chains, chain) for chain in range(chains.count)), per_s))
    watch.wait(ends.ages_ms, chains.count, SETTLED_WITHIN_S)
    if background is not None:
        background.thread.join()
        if background.failure:
            sys.exit(f"background load: {background.failure}")
    ages = list(ends.ages_ms.values())
    return {
        "bench": "cascade",
        "change": change,
        "levels": len(STAGES),
        "background_per_s": rate,
        "changes_per_s": per_s,
        "n": len(ages),
        "n_expected": chains.count,
        "p50_ms": round(quantile(ages, 0.5)),
        "p90_ms": round(quantile(ages, 0.9)),
        "p99_ms": round(quantile(ages, 0.99)),
        "max_ms": round(max(ages, default=float("nan"))),
    }


@click.command()
@click.option("--chains", "count", type=int, default=240, show_default=True)
@click.option("--rate", type=int, default=100, show_default=True, help="Ordinary facts a second.")
@click.option("--per-s", type=float, default=2.0, show_default=True, help="Late facts a second.")
def main(count: int, rate: int, per_s: float) -> None:
    """Print one JSON line for late inputs and one for late certificates."""
    to = target()
    chains = Chains(f"CAS{int(time.time())}", count)
    ends = Ends(chains.run)
    watch = Watch(to, topics.BALANCE, chains.run, ends.take)
    watch.start()
    post(to, requests(chains), rate=SETUP_RATE)
    _settle(watch, ends, count)
    for change in ("input", "assay"):
        click.echo(json.dumps(measure(to, chains, (watch, ends), change, (rate, per_s))))
    watch.close()


if __name__ == "__main__":
    main()
