"""What sink tests share: records in memory, facts and outputs on a real broker, a running sink."""

import hashlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import clickhouse_connect
from confluent_kafka import Producer

from custody.errors import CustodyError
from custody.events import LotWeighed, Micros
from custody.records import Sighting, Tick
from schemas import avro
from schemas.codec import encode, frame
from schemas.partition import partition_of
from schemas.registry import StaticCatalog
from schemas.routes import BY_TYPE, Record
from sinks.config import SinkConfig
from sinks.progress import Progress
from sinks.sink import run
from sinks.slice import Headers, Place, Slice
from telemetry.metrics import Metrics
from tests.support.facts import Maker

PARTITIONS = 4
CATALOG = StaticCatalog()


@dataclass(frozen=True, slots=True)
class Kept:
    """A record as a consumer gives it, in memory."""

    kept_offset: int
    kept_key: bytes | None
    kept_value: bytes | None
    kept_headers: Headers = None
    kept_timestamp_ms: int = 1_762_000_000_000

    def key(self) -> bytes | None:
        return self.kept_key

    def value(self) -> bytes | None:
        return self.kept_value

    def offset(self) -> int:
        return self.kept_offset

    def timestamp(self) -> tuple[int, int]:
        return 1, self.kept_timestamp_ms

    def headers(self) -> Headers:
        return self.kept_headers


def framed(record: Record) -> bytes:
    """A record's Kafka value under the ids of the static catalog."""
    return frame(CATALOG.schema_id(BY_TYPE[type(record)].stem), encode(record))


def slice_of(place: Place, records: Sequence[tuple[bytes, bytes]], first: int = 0) -> Slice:
    """A slice of (key, value) pairs from offset ``first`` on."""
    return Slice(place, [Kept(first + i, k, v) for i, (k, v) in enumerate(records)])


def lot_on(partition: int, no: int = 0, partitions: int = PARTITIONS) -> str:
    """The ``no``-th lot id whose key belongs on a partition."""
    found = -1
    for i in range(10_000):
        lot_id = f"L-{i}"
        found += partition_of(lot_id.encode(), partitions) == partition
        if found == no:
            return lot_id
    raise AssertionError(partition)


def weighing(lot_id: str, seq: int, gateway_id: str = "GW-1") -> LotWeighed:
    """A weighing with its number; its event id follows from both."""
    made = Maker(lot_id).weighing("MINE-A", seq, "dispatch", 45_000, 15_000)
    name = f"{gateway_id}/{seq}/{lot_id}"
    return replace(
        made,
        gateway_id=gateway_id,
        gateway_seq=seq,
        ticket_no=str(seq),
        event_id=str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
    )


def sighting(sender: str, n: int, thing: str) -> Sighting:
    return Sighting(
        sender=sender, n=n, cause_event_id="e", thing=thing, lot_id=None, site_id=None,
        occurred_at=Micros(1), known_at=Micros(2), quantity="seen", value=None, u=None, text=None,
    )  # fmt: skip


def tick(partition: int) -> Tick:
    return Tick(partition=partition, now=Micros(1), fact_end_offset=0, silent_sites=())


@dataclass(slots=True)
class Gateway:
    """Publishes as a gateway does: own numbers, a digest chain in headers, keys by murmur2."""

    bootstrap: str
    gateway_id: str = "GW-1"
    seq: int = 0
    sent: list[str] = field(default_factory=list)
    _prev: bytes = bytes(32)

    def producer(self) -> Producer:
        options = {"bootstrap.servers": self.bootstrap, "linger.ms": 5, "enable.idempotence": True}
        return Producer(options)

    def publish(self, count: int, producer: Producer | None = None) -> None:
        """Publish weighings over 50 lots and wait for the broker."""
        own = producer or self.producer()
        for _ in range(count):
            self.seq += 1
            fact = weighing(f"L-{self.seq % 50}", self.seq, self.gateway_id)
            self.sent.append(fact.event_id)
            self.send(own, fact, f"L-{self.seq % 50}".encode())
        assert own.flush(30) == 0

    def send(self, producer: Producer, fact: Record, key: bytes) -> None:
        route = BY_TYPE[type(fact)]
        body = encode(fact)
        digest = hashlib.sha256(self._prev + avro.fingerprint(route.stem) + body).digest()
        producer.produce(
            route.topic,
            frame(CATALOG.schema_id(route.stem), body),
            key,
            partition_of(key, PARTITIONS),
            headers=[("prev", self._prev), ("digest", digest), ("gateway", b"GW-1")],
        )
        self._prev = digest
        producer.poll(0)


def now() -> Micros:
    return Micros(time.time_ns() // 1000)


def config(bootstrap: str, warehouse: Path, **more: object) -> SinkConfig:
    made = SinkConfig(
        bootstrap=bootstrap, warehouse=f"chdb://{warehouse}", batch_age_s=0.2, session_timeout_s=6
    )
    return replace(made, **more)  # type: ignore[arg-type]


@dataclass(slots=True)
class Running:
    """A sink in a thread of this process, and a second client on its path."""

    progress: Progress
    metrics: Metrics
    stop: threading.Event
    thread: threading.Thread
    address: str
    failed: list[BaseException] = field(default_factory=list)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        client = clickhouse_connect.get_client(dsn=self.address)
        try:
            return [tuple(row) for row in client.query(query).result_rows]
        finally:
            client.close()

    def one(self, query: str) -> object:
        return self.rows(query)[0][0]

    def wait(self, query: str, expected: object, timeout_s: float = 30.0) -> None:
        """Wait until a query gives one expected value."""
        wait_until(lambda: bool(self.failed) or self.one(query) == expected, timeout_s)
        if self.failed:
            raise self.failed[0]
        assert self.one(query) == expected


@contextmanager
def running(settings: SinkConfig) -> Iterator[Running]:
    """A sink that runs until the block ends; an error of its own is raised then."""
    metrics, stop, ready = Metrics("warehouse"), threading.Event(), threading.Event()
    progress = Progress(metrics, settings.stuck_after_s)
    failed: list[BaseException] = []

    def body() -> None:
        try:
            run(settings, CATALOG, progress, now, stop, ready.set)
        except BaseException as error:  # noqa: BLE001  shown by the test
            failed.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=body)
    thread.start()
    ready.wait(60)
    if failed:
        thread.join()
        raise failed[0]
    sink = Running(progress, metrics, stop, thread, settings.warehouse, failed)
    try:
        yield sink
    finally:
        stop.set()
        thread.join(60)
    if failed:
        raise failed[0]


def failure_of(
    settings: SinkConfig,
    act: Callable[[Running], None] = lambda _: None,
    timeout_s: float = 60.0,
) -> CustodyError:
    """Run a sink, do something beside it, and return the error it ends with by itself."""
    try:
        with running(settings) as sink:
            act(sink)
            wait_until(lambda: bool(sink.failed), timeout_s)
    except CustodyError as error:
        return error
    raise AssertionError("the sink goes on")


def wait_until(done: Callable[[], bool], timeout_s: float) -> None:
    """Ask until it is so, at most ``timeout_s``."""
    end = time.monotonic() + timeout_s
    while not done() and time.monotonic() < end:
        time.sleep(0.05)
