"""One run: plants, gateways, workers, sinks and what goes wrong, until all is at rest.

From ``accept(request, now)`` to rows everything is the code that runs at a plant and in a data
centre; the broker, the registry, the warehouse, the disk's syncs and the clocks are stand-ins that
pass the suites of the real ones (``tests/contract/test_stand_ins.py``). What is left out: HTTP,
Faust and aiokafka's group (``workers``), the embedded engine, and a sink that wakes up in the
middle of a flush after another has taken its partitions.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import httpx

from custody.errors import Unavailable
from producers import epoch, outbox, publisher, schema_ids, service, store
from schemas import registry as registry_module
from schemas import topics
from schemas.routes import ROUTES
from sinks import consumer, dead_letters, flush, sink, writer
from sinks.config import GROUP
from sinks.intent import Intent, read
from streams import batches, protocol, stop
from streams.config import APP_ID, CHANGELOG, SOURCES
from telemetry.metrics import Metrics
from tests.support.chain_references import ticks
from tests.support.chains import arrival
from tests.support.facts import YEARS_MIN
from tests.support.sim import consuming, producing, threads
from tests.support.sim.broker import Broker, Record
from tests.support.sim.day import Day, day
from tests.support.sim.disk import Disks
from tests.support.sim.registry import Registry
from tests.support.sim.requests import Asked, asked_of, asked_reference, fact_id, refusable
from tests.support.sim.sinks import NO_COLLECTOR, Storing, Trouble
from tests.support.sim.sites import Plant, Site, shared_out
from tests.support.sim.warehouse import Tables
from tests.support.sim.weather import Weather
from tests.support.sim.workers import Worker
from tests.support.sim.world import NotAtRest, Process, World
from tests.support.streams import framed

TROUBLE_S = 120.0
"""Longest time in which things go wrong."""

REST_S = 4 * 3600.0
"""Longest time until all is at rest once nothing goes wrong any more."""

STORED = sorted({route.topic for route in ROUTES if route.table is not None})

POISON = (b"", b"\xff\x00not avro", b"\x00\x00\x0f\x42\x40nobody's schema")

Part = Site | Worker | Storing


@dataclass
class Run:
    """A world with everything in it.

    Args:
        seed: What it follows from.
        directory: For the gateways' disks.
    """

    seed: int
    directory: Path
    world: World = field(init=False)
    poison: int = 0

    def __post_init__(self) -> None:
        self.world = World(self.seed)
        rng = self.world.rng
        self.rng = rng
        self.partitions = rng.choice((1, 1, 1, 2, 2, 3))
        names = [topic.name for topic in topics.TOPICS]
        self.broker = Broker(self.world, [*names, CHANGELOG], self.partitions)
        self.tables = Tables(fault=Trouble(self.world, rng.choice((0.0, 0.05))).fault)
        self.registry_away = False
        self.registry = Registry(self._ask_registry)
        self.registry.register_ours()
        self.catalog = self.registry.catalog()
        self.disks = Disks(self.world)
        crash = rng.choice((0.0, 0.004, 0.015, 0.03))
        self.sites = [
            Site(
                self.world, self.disks.add(self.directory / f"GW-{no}"), self.registry,
                self.partitions, crash,
            )
            for no in range(1, rng.choice((1, 1, 2)) + 1)
        ]  # fmt: skip
        self.workers = [
            Worker(self.world, self.broker, self.registry, f"W-{no}", crash, _metrics("worker"))
            for no in range(rng.choice((1, 2)))
        ]
        self.sinks = [
            Storing(self.world, self.registry, self.tables, f"S-{no}", crash, _metrics("warehouse"))
            for no in range(rng.choice((1, 1, 2)))
        ]
        self.day = day(self.seed)
        self.plants = self._plants(self.day)

    @property
    def parts(self) -> Sequence[Part]:
        """What may die and is started again."""
        return [*self.sites, *self.workers, *self.sinks]

    def live(self) -> None:
        """Let it all happen; return when everything is at rest."""
        for part in self.parts:
            part.start()
        for plant in self.plants:
            process = Process(f"plant of {plant.site.gateway_id}")
            self.world.spawn(process, process.name, plant.send_all)
        weather = Weather(self)
        while self.world.now_s < TROUBLE_S and not self._has_come_in(weather):
            weather.turn()
            self._supervise()
            self.world.wait(None, 0.25)
        weather.clear()
        self._settle()
        for minute in (YEARS_MIN, YEARS_MIN + 1):
            self.tick(minute)
            self._settle()

    def tick(self, minute: float, *silent: str) -> None:
        """Write a clock to each partition."""
        for partition, (key, one) in enumerate(ticks(minute, self.partitions, *silent)):
            self.broker.append((topics.FLOW, partition), [Record(key, framed(one))])

    def spoil(self) -> None:
        """Put something unreadable on the fact topic."""
        self.poison += 1
        place = topics.FACT, self.rng.randrange(self.partitions)
        self.broker.append(place, [Record(b"L-0", self.rng.choice(POISON))])

    def _plants(self, drawn: Day) -> list[Plant]:
        names = {fact.event_id: fact_id(fact) for fact in drawn.facts}
        asked = [asked_of(fact, names) for fact in arrival(drawn.facts, self.rng)]
        for number in range(self.rng.randint(0, 4)):
            asked.insert(self.rng.randint(0, len(asked)), refusable(asked, self.rng, number))
        references = [asked_reference(record, self.partitions) for record in drawn.references]
        shares = shared_out(_once_each(asked), len(self.sites), self.rng)
        shares[0] = [*references, *shares[0]]
        return [
            Plant(self.world, site, share) for site, share in zip(self.sites, shares, strict=True)
        ]

    def _has_come_in(self, weather: Weather) -> bool:
        return all(plant.done for plant in self.plants) and weather.is_over()

    def _supervise(self) -> None:
        """Start again what has ended, after a while."""
        for part in self.parts:
            if part.process.gone and (self.world.quiet or self.rng.random() < 0.3):
                self.broker.bury(part.process)
                part.bury()
                part.start()

    def _settle(self) -> None:
        end = self.world.now_s + REST_S
        while not self._at_rest():
            self._supervise()
            self.world.wait(None, 1.0)
            if self.world.now_s > end:
                raise NotAtRest("; ".join(self._restless()))

    def _at_rest(self) -> bool:
        return next(self._restless(), None) is None

    def _restless(self) -> Iterator[str]:
        for plant in self.plants:
            if not plant.done:
                yield f"{plant.site.gateway_id} has not answered its plant"
        for site in self.sites:
            if site.waiting:
                yield f"{site.gateway_id} has {site.waiting} entries to publish"
        yield from self._behind(APP_ID, SOURCES, lambda metadata: True)  # noqa: ARG005
        yield from self._behind(
            GROUP, STORED, lambda metadata: not isinstance(read(metadata), Intent)
        )

    def _behind(
        self, group: str, names: Sequence[str], is_over: Callable[[str], bool]
    ) -> Iterator[str]:
        committed = self.broker.group(group, ()).offsets if group in self.broker.groups else {}
        for name in names:
            for partition in range(self.partitions):
                end = len(self.broker.log((name, partition)))
                offset, metadata = committed.get((name, partition), (0, ""))
                if offset != end or not is_over(metadata):
                    yield f"{group} stands at {offset} of {end} in {name}/{partition}"

    def _ask_registry(self) -> None:
        if self.world.current.name == "main":
            return
        self.world.point("registry")
        if self.registry_away:
            raise httpx.ConnectError("away")


@contextmanager
def run(seed: int) -> Iterator[Run]:
    """Give a run that is over, and what is left of it for the length of the block."""
    with tempfile.TemporaryDirectory(dir=_fast_directory()) as directory:
        made = Run(seed, Path(directory))
        with threads.installed(stand_ins(made)):
            try:
                made.live()
            finally:
                made.world.end()
                for site in made.sites:
                    site.bury()
            yield made


def _fast_directory() -> str | None:
    memory = Path("/dev/shm")  # noqa: S108  a file system in memory, where there is one
    return str(memory) if memory.is_dir() else None


_writer_of = cache(registry_module.writer_of)

_METRICS: dict[str, Metrics] = {}


def _metrics(process: str) -> Metrics:
    """Return counters that all runs share: nobody reads them, and making them takes longest."""
    return _METRICS.setdefault(process, Metrics(process))


def _once_each(asked: Sequence[Asked]) -> list[Asked]:
    """Return each request once: a plant repeats itself by its own chance."""
    return list({str(one.body["event_id"]): one for one in asked}.values())


def stand_ins(made: Run) -> list[tuple[object, str, object]]:
    world, broker = made.world, made.broker
    clock, threading = threads.time_of(world), threads.threading_of(world)

    def ended(code: int, text: str, error: BaseException | None, facts: dict[str, object]) -> None:
        if code == stop.EXIT_STOPPED or not isinstance(error, Unavailable | None):
            raise AssertionError(f"{text} {facts}") from error
        world.exit()

    def produces(options: dict[str, object], **_: object) -> producing.Producer:
        return producing.Producer(broker, options)

    return [
        (outbox, "threading", threading),
        (outbox, "os", SimpleNamespace(_exit=lambda _: world.exit())),
        (publisher, "threading", threading),
        (publisher, "time", clock),
        (publisher, "Producer", produces),
        (schema_ids, "time", clock),
        (service, "Metrics", _metrics),
        (store, "sqlite3", made.disks.sqlite3()),
        (epoch, "os", made.disks.os()),
        (consumer, "KafkaConsumer", lambda options: consuming.Consumer(broker, options)),
        (consumer, "AdminClient", lambda options: consuming.AdminClient(broker)),  # noqa: ARG005
        (consumer, "time", clock),
        (sink, "time", clock),
        (sink, "gc", NO_COLLECTOR),
        (flush, "time", clock),
        (writer, "time", clock),
        (dead_letters, "Producer", produces),
        (protocol, "asyncio", threads.asyncio_of(world)),
        (batches, "asyncio", threads.asyncio_of(world)),
        (stop, "_end", ended),
        # A pure function; every process that begins anew would compile the same readers again.
        (registry_module, "writer_of", _writer_of),
    ]
