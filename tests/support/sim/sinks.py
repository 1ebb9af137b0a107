"""Sinks: the real loop from ``sinks.sink``, over the simulated broker and warehouse."""

from dataclasses import dataclass, field
from types import SimpleNamespace

from custody.errors import Unavailable
from sinks.config import SinkConfig
from sinks.progress import Progress
from sinks.sink import Sink, _serve
from telemetry.metrics import Metrics
from tests.support.sim.registry import Registry
from tests.support.sim.threads import Event
from tests.support.sim.warehouse import Failing, MemoryWarehouse, Tables, unavailable
from tests.support.sim.world import Killed, Process, World

SEALS = "ingest_batches"


@dataclass
class Storing:
    """A sink that is started again whenever it dies.

    Args:
        world: Time and chance.
        registry: Where it asks for schemas.
        tables: The warehouse.
        name: Its static member name.
        crash: Chance of a kill at each point.
        metrics: Where it counts.
    """

    world: World
    registry: Registry
    tables: Tables
    name: str
    crash: float
    metrics: Metrics
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        self.process = Process(self.name)

    def start(self) -> None:
        """Start it."""
        self.process = Process(self.name, self.crash)
        self.world.spawn(self.process, f"{self.name}/main", self._run)

    def bury(self) -> None:
        """Nothing is left of a sink: its place stands in Kafka and in the warehouse."""

    def _run(self) -> None:
        config = SinkConfig(
            bootstrap="simulated",
            warehouse="simulated",
            instance=self.name,
            batch_age_s=self.world.rng.choice((0.5, 3.0)),
            batch_rows_max=self.world.rng.choice((10, 50_000)),
            poll_s=0.4,
            retry_budget_s=self.world.rng.choice((5.0, 600.0)),
        )
        stop = Event(self.world)
        progress = Progress(self.metrics, 1e9, self.world.monotonic)
        client, catalog = MemoryWarehouse(self.tables), self.registry.catalog()

        def join() -> Sink:
            now = self.world.wall
            return Sink(config, client, catalog, progress, now, stop)  # type: ignore[arg-type]  # a stand-in

        try:
            _serve(join, progress, stop)  # type: ignore[arg-type]
        except Unavailable:
            self.world.exit()


@dataclass
class Trouble:
    """What goes wrong in the warehouse.

    Args:
        world: Time and chance.
        rate: Chance that an insert or a question fails.
    """

    world: World
    rate: float

    def fault(self, table: str, rows: int) -> Failing | None:
        """Decide about one insert, or a question where no table is named."""
        if self.world.chance(self.rate):
            return Failing(self._kept(table, rows), unavailable())
        # Killed in the middle of it: some of it is in, and nobody is told.
        kept = self._kept(table, rows)
        try:
            self.world.point("insert" if table else "select")
        except Killed as killed:
            return Failing(kept, killed)
        return None

    def _kept(self, table: str, rows: int) -> tuple[int, ...]:
        if table == SEALS:
            return tuple(range(rows)) if self.world.rng.random() < 0.5 else ()
        share = self.world.rng.choice((0.0, 0.5, 1.0))
        return tuple(n for n in range(rows) if self.world.rng.random() < share)


NO_COLLECTOR = SimpleNamespace(collect=lambda: 0)
"""Stands in for ``gc``: a collection after each join would be most of a run."""
