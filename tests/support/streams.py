"""Workers as processes, facts by the thousand, and the rows read back from the changelog."""

import json
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

import msgspec
from confluent_kafka import Consumer, Producer, TopicPartition

from custody.events import LotWeighed, Micros, ReferenceSet
from custody.fold import Fold
from runtime.stack import ports
from schemas import codec, topics
from schemas.partition import partition_of
from schemas.registry import StaticCatalog
from schemas.routes import BY_TYPE
from streams.config import CHANGELOG
from streams.preflight import CHANGELOG_SETTINGS
from streams.rows import CHUNK_KEY, Envelope
from tests.support import stack

CATALOG = StaticCatalog()
PARTITIONS = 4


def make_topics(bootstrap: str, partitions: int = PARTITIONS) -> None:
    """Create every topic of ours and the changelog."""
    stack.create_topics(bootstrap, [t.name for t in topics.TOPICS], partitions=partitions)
    stack.create_topics(
        bootstrap, [CHANGELOG], partitions=partitions, config=dict(CHANGELOG_SETTINGS)
    )


def weighing(lot: str, net_g: int, seq: int) -> LotWeighed:
    """A weighing that says nothing but a net mass."""
    at = Micros(1_790_000_000_000_000 + seq)
    return LotWeighed(
        event_id=f"00000000-0000-4000-8000-{seq:012d}",
        gateway_id="GW",
        gateway_epoch=1,
        gateway_seq=seq,
        site_id="MINE",
        lot_id=lot,
        occurred_at=at,
        time_zone_offset_min=None,
        recorded_at=at,
        corrects=None,
        void=False,
        source_ref=None,
        clock_skew_ms=None,
        ticket_no=f"T-{seq}",
        movement_id=None,
        device_id="WB",
        purpose="dispatch",
        direction="out",
        gross_g=None,
        tare_g=None,
        net_g=net_g,
        tare_kind="weighed",
        gross_at=None,
        tare_at=None,
        vehicle_id=None,
        u_random_g=None,
        u_systematic_g=None,
        volume_m3=None,
        density_kg_m3=None,
    )


def reference(device: str, partition: int, seq: int) -> ReferenceSet:
    """A device's reference record as one partition gets it."""
    return ReferenceSet(
        event_id=f"00000000-0000-4000-9000-{seq:012d}",
        gateway_id="GW",
        gateway_epoch=1,
        gateway_seq=seq,
        kind="device",
        id=device,
        valid_from=Micros(1_790_000_000_000_000),
        valid_to=None,
        recorded_at=Micros(1_790_000_000_000_000 + seq),
        partition=partition,
        corrects=None,
        void=False,
        body='{"class":"III","interval_kg":20}',
    )


def framed(record: object) -> bytes:
    """A record under its id of the static table."""
    schema_id = CATALOG.schema_id(BY_TYPE[type(record)].stem)
    return codec.frame(schema_id, codec.encode(record))  # type: ignore[arg-type]  # a record


class Facts:
    """Writes weighings to the fact topic and remembers what they sum to."""

    def __init__(self, bootstrap: str, rng: random.Random, lots: int, partitions: int) -> None:
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5, "log_level": 0})
        self._rng = rng
        self._lots = lots
        self._partitions = partitions
        self.sum_g = 0
        self.count = 0

    def send(self, count: int) -> None:
        """Write so many weighings of random lots and wait for Kafka."""
        for _ in range(count):
            self.count += 1
            lot = f"L-{self._rng.randrange(self._lots)}"
            net_g = self._rng.randrange(1, 1_000_000)
            self.sum_g += net_g
            self._producer.produce(
                topics.FACT,
                framed(weighing(lot, net_g, self.count)),
                lot.encode(),
                partition_of(lot.encode(), self._partitions),
            )
            self._producer.poll(0)
        self._producer.flush(30)


@dataclass
class WorkerProcess:
    """A worker that tests start and kill."""

    bootstrap: str
    data_dir: Path
    fold: str = "relay"
    hook: list[object] | None = None
    ticks_s: float = 0.0
    port: int = field(default_factory=ports.any_free)
    process: subprocess.Popen[bytes] | None = None
    exits: list[int] = field(default_factory=list)

    def start(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        options = {
            "bootstrap": self.bootstrap,
            "data_dir": str(self.data_dir / "store"),
            "fold": self.fold,
            "hook": self.hook,
            "ticks_s": self.ticks_s,
            "port": self.port,
        }
        with (self.data_dir / "worker.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.streams_worker", json.dumps(options)],
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """kill -9."""
        self.end(signal.SIGKILL)

    def end(self, how: signal.Signals = signal.SIGTERM, timeout_s: float = 30) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.wait(timeout_s)

    def wait(self, timeout_s: float = 30) -> int:
        assert self.process is not None
        code = self.process.wait(timeout_s)
        self.exits.append(code)
        return code

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def is_ready(self) -> bool:
        """It has partitions, as its own ``/health`` says."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as page:
                return bool(json.load(page)["partitions"])
        except (OSError, HTTPException):  # away, or killed in the middle of its answer
            return False

    def restart_if_dead(self) -> None:
        """What the supervisor does after 70."""
        if not self.alive:
            if self.process is not None:
                self.exits.append(self.process.returncode)
            self.start()


@contextmanager
def ended(workers: Iterable[WorkerProcess]) -> Iterator[None]:
    """Leave no process behind."""
    workers = list(workers)
    try:
        yield
    finally:
        for worker in workers:
            if worker.alive:
                worker.kill()


class Changelog:
    """Follows the changelog and keeps the latest envelope of each row."""

    def __init__(self, bootstrap: str, fold: Fold, partitions: int = PARTITIONS) -> None:
        self._follow = Follow(bootstrap, CHANGELOG, partitions)
        self._decoder = msgspec.msgpack.Decoder(Envelope)
        self._row_types = fold.row_types
        self.envelopes: dict[tuple[int, str], Envelope] = {}

    def rows(self) -> dict[str, object]:
        """Read what is new; return all rows by key."""
        for partition, key, value in self._follow.read():
            if value is None:
                self.envelopes.pop((partition, key.decode()), None)
            elif key != CHUNK_KEY:
                self.envelopes[partition, key.decode()] = self._decoder.decode(value)
        return {
            key: msgspec.msgpack.decode(envelope.body, type=self._row_types[key.partition("/")[0]])
            for (_, key), envelope in self.envelopes.items()
            if not key.startswith("said/")
        }


class Follow:
    """Reads a topic from its beginning, again and again to its present end."""

    def __init__(self, bootstrap: str, topic: str, partitions: int) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "tests-follow",
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )
        # A topic made a moment ago may not be known to the broker's metadata yet.
        assert eventually(
            lambda: (
                len(self._consumer.list_topics(topic, timeout=10).topics[topic].partitions)
                == partitions
            ),
            timeout_s=20,
            every_s=0.1,
        )
        self._tps = [TopicPartition(topic, p, 0) for p in range(partitions)]
        self._next = dict.fromkeys(range(partitions), 0)
        self._consumer.assign(self._tps)

    def end(self) -> int:
        """Records written so far, over all partitions."""
        return sum(self._consumer.get_watermark_offsets(tp, timeout=10)[1] for tp in self._tps)

    def read(self) -> Iterator[tuple[int, bytes, bytes | None]]:
        ends = {
            tp.partition: self._consumer.get_watermark_offsets(tp, timeout=10)[1]
            for tp in self._tps
        }
        while any(self._next[p] < end for p, end in ends.items()):
            for message in self._consumer.consume(5_000, 0.2):
                assert message.error() is None, message.error()
                partition, offset = message.partition(), message.offset()
                assert partition is not None
                assert offset is not None
                self._next[partition] = offset + 1
                yield partition, message.key() or b"", message.value()
            # A compacted or control record at the end has no message: ask for the position.
            for tp in self._consumer.position(self._tps):
                if tp.offset > 0:
                    self._next[tp.partition] = max(self._next[tp.partition], tp.offset)


def eventually(check: Callable[[], bool], timeout_s: float, every_s: float = 0.5) -> bool:
    """Ask until true or out of time."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if check():
            return True
        time.sleep(every_s)
    return False
