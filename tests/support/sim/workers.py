"""Workers: the real protocol and the real guard of a chunk, over the simulated broker.

What is not here is Faust and aiokafka's group: chunks are cut, partitions move and the store is
restored by the few lines below, as ``streams.transport`` makes them do.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from faust.types import TP

from custody.core import CustodyFold
from streams.config import APP_ID, CHANGELOG, SOURCES, Stage, WorkerConfig
from streams.protocol import Protocol
from streams.section import Section
from streams.worker import framing
from telemetry.metrics import Metrics
from tests.support.cluster import finished
from tests.support.sim.broker import Broker, Group, Member, Place
from tests.support.sim.producing import AioProducer
from tests.support.sim.registry import Registry
from tests.support.sim.world import Process, World

CACHE_BYTES = 50_000
BUFFERED_CHUNKS = 4
_PARTITION = "partition"


class Store:
    """The rows of one worker's disk: what ``streams.store.RowStore`` offers the protocol.

    A kill in the middle of a write leaves any part of its rows, and never its offset.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._rows: dict[int, dict[bytes, bytes]] = {}
        self._keys: dict[int, list[bytes]] = {}
        self._offset: dict[int, int] = {}

    def row(self, partition: int, key: bytes) -> bytes | None:
        """Return a stored row."""
        return self._rows.get(partition, {}).get(key)

    def keys_from(self, partition: int, prefix: bytes) -> Iterable[bytes]:
        """Yield the keys that begin with a prefix, in order."""
        keys = self._keys.get(partition, [])
        for at in range(bisect_left(keys, prefix), len(keys)):
            if not keys[at].startswith(prefix):
                return
            yield keys[at]

    def write(
        self, partition: int, rows: Iterable[tuple[bytes, bytes | None]], last_offset: int | None
    ) -> None:
        """Write rows, and behind them the changelog's offset of the last."""
        found = list(rows)
        cut = self._world.rng.randint(0, len(found))
        self._put(partition, found[:cut])
        self._world.point("store")
        self._put(partition, found[cut:])
        if last_offset is not None:
            self._offset[partition] = last_offset

    def persisted_offset(self, tp: TP) -> int | None:
        """Return the changelog's offset up to which it stands."""
        return self._offset.get(tp.partition)

    def _put(self, partition: int, rows: Iterable[tuple[bytes, bytes | None]]) -> None:
        mine = self._rows.setdefault(partition, {})
        keys = self._keys.setdefault(partition, [])
        for key, value in rows:
            if value is not None:
                if key not in mine:
                    insort(keys, key)
                mine[key] = value
            elif mine.pop(key, None) is not None:
                del keys[bisect_left(keys, key)]


@dataclass(slots=True)
class Fetched:
    """A chunk as Faust's message carries it."""

    tp: TP
    value: list[SimpleNamespace]
    offset: int
    generation: int


class Reader:
    """What a section asks of its consumer, and where the worker stands in each partition."""

    def __init__(self) -> None:
        self.generation = 0
        self.owned: set[int] = set()
        self.expected: dict[object, int] = {}
        self.acked: dict[Place, int] = {}
        self.guard = SimpleNamespace(
            lease=SimpleNamespace(check=lambda: None), counts=SimpleNamespace(dropped_chunks=0)
        )
        # There is no pause to cut short here.
        self.pace = SimpleNamespace(hurry=lambda: None)

    def is_current(self, message: Fetched) -> bool:
        """Tell whether a chunk is of this assignment."""
        return message.generation == self.generation and message.tp.partition in self.owned

    def finish(self, message: Fetched) -> None:
        """Note a chunk that may be committed."""
        if self.is_current(message):
            self.acked[message.tp.topic, message.tp.partition] = message.offset + 1

    async def earliest_offsets(self, tp: object) -> dict[object, int]:
        """Return where a log begins."""
        return {tp: 0}


@dataclass
class Worker:
    """A worker that is started again whenever it dies, on its old store or on none.

    Args:
        world: Time and chance.
        broker: Where from and to.
        registry: Where it asks for ids.
        name: Its name.
        crash: Chance of a kill at each point.
    """

    world: World
    broker: Broker
    registry: Registry
    name: str
    crash: float
    metrics: Metrics
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        self.process = Process(self.name)
        self._store = Store(self.world)

    def start(self) -> None:
        """Start it."""
        self.process = Process(self.name, self.crash)
        self.world.spawn(self.process, f"{self.name}/main", self._serve)

    def bury(self) -> None:
        """Lose its store, now and then: the machine is another."""
        if self.world.rng.random() < 0.3:
            self._store = Store(self.world)

    @property
    def _places(self) -> list[Place]:
        return [(_PARTITION, p) for p in range(self.broker.partitions)]

    def _serve(self) -> None:
        catalog = self.registry.catalog()
        config = WorkerConfig(
            bootstrap="", registry_url="", data_dir=None,  # type: ignore[arg-type]  # no file is made
            cache_bytes_max=CACHE_BYTES, pause=self._pause,
        )  # fmt: skip
        protocol = Protocol(
            config, CustodyFold(), catalog, framing(catalog), self.metrics, self.broker.partitions
        )
        member = Member(self.process, self.name)
        producer = AioProducer(self.broker, self.process, lambda: not member.lost)
        protocol.connect(lambda: cast("Any", self._store), lambda: cast("Any", producer))
        group = self.broker.group(APP_ID, self._places)
        group.join(member)
        _Turns(self, protocol, group, member).go_on()

    async def _pause(self, stage: Stage, partition: int) -> None:
        del partition
        self.world.point(stage.value)

    def restore(self, partition: int) -> None:
        """Bring the store up to the changelog, as Faust does after a rebalance."""
        begin = self._store.persisted_offset(TP(CHANGELOG, partition))
        first = 0 if begin is None else begin + 1
        log = self.broker.log((CHANGELOG, partition))
        changes = [(record.key or b"", record.value) for record in log[first:]]
        self._store.write(partition, changes, len(log) - 1 if log else None)


class _Turns:
    """What one life of a worker does, one chunk after another."""

    def __init__(self, worker: Worker, protocol: Protocol, group: Group, member: Member) -> None:
        self._worker = worker
        self._world = worker.world
        self._broker = worker.broker
        self._protocol = protocol
        self._group = group
        self._member = member
        self._reader = Reader()
        self._position: dict[Place, int] = {}
        self._buffer: deque[Fetched] = deque()

    def go_on(self) -> None:
        """Take chunks, give partitions back and take others over, until killed."""
        while True:
            if self._member.lost:
                # Its lease is over: the real one ends before it writes anything more.
                self._world.exit()
            if self._group.is_news(self._member):
                self._rebalance()
            self._fetch()
            if not self._buffer:
                self._commit()
                self._world.wait(
                    lambda: bool(self._waiting()) or self._group.is_news(self._member), 1.0
                )
                continue
            finished(self._apply(self._buffer.popleft()))
            if self._world.rng.random() < 0.3:
                self._commit()

    async def _apply(self, chunk: Fetched) -> None:
        event = SimpleNamespace(message=chunk)
        async with Section(cast("Any", self._reader), cast("Any", event)) as section:
            await self._protocol.apply(section)

    def _waiting(self) -> list[Place]:
        if self._broker.away:
            return []
        return [p for p, first in self._position.items() if first < len(self._broker.log(p))]

    def _fetch(self) -> None:
        """Read chunks ahead, of any partition and length."""
        self._world.point("fetch")
        rng = self._world.rng
        places = self._waiting()
        rng.shuffle(places)
        for place in places:
            if len(self._buffer) >= BUFFERED_CHUNKS:
                return
            first, log = self._position[place], self._broker.log(place)
            count = min(len(log) - first, rng.choice((1, 2, 5, 20, 100)))
            found = [
                SimpleNamespace(
                    offset=first + number,
                    key=record.key,
                    value=record.value,
                    headers=tuple(record.headers or ()),
                )
                for number, record in enumerate(log[first : first + count])
            ]
            self._position[place] = first + count
            tp = TP(*place)
            self._buffer.append(Fetched(tp, found, found[-1].offset, self._reader.generation))

    def _commit(self) -> None:
        """Commit what is finished, while the group still has it for us."""
        if self._broker.away or self._member.lost or self._world.chance(0.1):
            return
        for place, offset in self._reader.acked.items():
            self._group.offsets[place] = offset, ""
        self._reader.acked.clear()

    def _rebalance(self) -> None:
        """Give back, take over, restore, and only then read on: from the commit."""
        member, reader = self._member, self._reader
        self._commit()
        reader.generation += 1
        # Of what was fetched before, some may still come; its generation is what keeps it out.
        kept = [chunk for chunk in self._buffer if self._world.rng.random() < 0.5]
        self._buffer = deque(kept)
        reader.acked.clear()
        self._group.gave(member, self._group.to_revoke(member))
        self._group.took(member, self._group.to_assign(member))
        reader.owned = {partition for _, partition in member.owned}
        for partition in sorted(reader.owned):
            self._world.point("restore")
            self._worker.restore(partition)
        self._position = {
            (topic, partition): self._group.offsets.get((topic, partition), (0, ""))[0]
            for topic in SOURCES
            for partition in reader.owned
        }
        reader.expected = {TP(t, p): at for (t, p), at in self._position.items()}
        finished(self._protocol.restore(reader.owned))
