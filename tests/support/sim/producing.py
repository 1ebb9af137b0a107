"""Producers of the simulated broker: librdkafka's, as gateways and sinks use it, and aiokafka's.

Idempotent: within one producer the records of a partition arrive in order and once. A record whose
time is up is given up, and those behind it may still arrive: librdkafka's gapless guarantee does
not cover them. Over the lives of several producers nothing is promised.
"""

import math
from collections import deque
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace

from confluent_kafka import KafkaError, KafkaException

from tests.support.sim.broker import Broker, Headers, Place, Record
from tests.support.sim.world import Process

INVALID = -1001
"""librdkafka's offset for none."""

QUEUE_RECORDS_MAX = 100_000
REPORT_DELAY_S = 0.5
LEASE_S = 9.0
"""A worker that cannot reach the broker for so long has lost its lease, and ends."""


class Sent:
    """A record as its producer hears of it again."""

    def __init__(self, place: Place, offset: int) -> None:
        self._place = place
        self._offset = offset

    def topic(self) -> str:
        """Return its topic."""
        return self._place[0]

    def partition(self) -> int:
        """Return its partition."""
        return self._place[1]

    def offset(self) -> int:
        """Return where it stands; -1001 where it does not."""
        return self._offset


Report = Callable[[KafkaError | None, Sent], object]


@dataclass(slots=True)
class _Queue:
    """What waits for one partition."""

    records: list[Record] = field(default_factory=list)
    reports: deque[tuple[Report | None, float]] = field(default_factory=deque)


class Producer:
    """The part of ``confluent_kafka.Producer`` that we use.

    Args:
        broker: Where to.
        options: librdkafka's; ``message.timeout.ms`` counts.
    """

    def __init__(self, broker: Broker, options: Mapping[str, object]) -> None:
        self._broker = broker
        self._world = broker.world
        self._process = broker.world.current.process
        timeout_ms = float(str(options.get("message.timeout.ms", 300_000)))
        self._timeout_s = timeout_ms / 1000 if timeout_ms else math.inf
        self._queues: dict[Place, _Queue] = {}
        self._due: list[tuple[float, Report | None, KafkaError | None, Sent]] = []

    def produce(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int = 0,
        *,
        on_delivery: Report | None = None,
        timestamp: int = 0,
        headers: Headers | None = None,
    ) -> None:
        """Take a record to send; returns at once."""
        if topic not in self._broker.topics:
            raise KafkaException(KafkaError(KafkaError._UNKNOWN_TOPIC))
        if len(self) >= QUEUE_RECORDS_MAX:
            raise BufferError
        place = topic, partition
        if place not in self._queues:
            self._queues[place] = _Queue()
            self._broker.on_the_line(self._process, place, self._queues[place].records)
        queue = self._queues[place]
        at_ms = timestamp or self._world.wall(self._process) // 1000
        queue.records.append(Record(key, value, headers, at_ms))
        queue.reports.append((on_delivery, self._world.now_s + self._timeout_s))

    def poll(self, timeout: float = 0.0) -> int:
        """Send some, and report what was heard; wait for it where nothing was."""
        self._world.point("poll")
        self._send()
        if not self._is_due() and timeout:
            self._world.wait(self._is_due, timeout)
        return self._report()

    def flush(self, timeout: float) -> int:
        """Send all; return what is left when time is up."""
        end = self._world.now_s + timeout
        while len(self) and self._world.now_s < end:
            self.poll(min(0.05, end - self._world.now_s))
        return len(self)

    def purge(self) -> None:
        """Give up what is not acknowledged; it is reported as failed."""
        for place, queue in self._queues.items():
            self._fail(place, len(queue.records), KafkaError._PURGE_QUEUE)
        given_up = KafkaError(KafkaError._PURGE_INFLIGHT)
        self._due = [(0.0, report, error or given_up, sent) for _, report, error, sent in self._due]

    def list_topics(self, timeout: float) -> SimpleNamespace:
        """Return what the broker has."""
        self._world.point("list_topics")
        if self._broker.away and not self._world.wait(lambda: not self._broker.away, timeout):
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        found = {
            name: SimpleNamespace(partitions=dict(enumerate(partitions)))
            for name, partitions in self._broker.topics.items()
        }
        return SimpleNamespace(topics=found)

    def __len__(self) -> int:
        return sum(len(queue.records) for queue in self._queues.values()) + len(self._due)

    def _send(self) -> None:
        """Let each partition, in any order, take some of what waits."""
        self._expire()
        if self._broker.away:
            return
        rng = self._world.rng
        places = [place for place, queue in self._queues.items() if queue.records]
        rng.shuffle(places)
        for place in places:
            queue = self._queues[place]
            waiting = len(queue.records)
            count = waiting if self._world.quiet else rng.randint(0, waiting)
            first = self._broker.append(place, queue.records[:count])
            del queue.records[:count]
            at = self._late()
            for number in range(count):
                report, _ = queue.reports.popleft()
                self._due.append((at, report, None, Sent(place, first + number)))

    def _expire(self) -> None:
        """Give up what has waited too long; what is behind it stays."""
        now_s = self._world.now_s
        for place, queue in self._queues.items():
            late = sum(end_s <= now_s for _, end_s in queue.reports)
            self._fail(place, late, KafkaError._MSG_TIMED_OUT)

    def _fail(self, place: Place, count: int, code: int) -> None:
        if not count:
            return
        queue, error = self._queues[place], KafkaError(code)
        del queue.records[:count]
        at = self._late()
        for _ in range(count):
            report, _ = queue.reports.popleft()
            self._due.append((at, report, error, Sent(place, INVALID)))

    def _late(self) -> float:
        """Return when a report is heard: a busy application asks late, while its client goes on."""
        delay_s = self._world.rng.random() * REPORT_DELAY_S if self._world.chance(0.3) else 0.0
        return self._world.now_s + delay_s

    def _is_due(self) -> bool:
        return any(at <= self._world.now_s for at, *_ in self._due)

    def _report(self) -> int:
        due = [one for one in self._due if one[0] <= self._world.now_s]
        self._due = [one for one in self._due if one[0] > self._world.now_s]
        for _, report, error, sent in due:
            if report is not None:
                report(error, sent)
        return len(due)


class Batch:
    """The part of aiokafka's ``BatchBuilder`` that we use."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._size = 61

    def append(
        self, *, timestamp: int | None, key: bytes | None, value: bytes | None
    ) -> object | None:
        """Add a record; None where it does not fit."""
        del timestamp
        self.records.append(Record(key, value, []))
        self._size += 32 + len(key or b"") + len(value or b"")
        return self.records[-1]

    def record_count(self) -> int:
        """Return how many records there are."""
        return len(self.records)

    def size(self) -> int:
        """Return about how many bytes they are."""
        return self._size

    def close(self) -> None:
        """Take no more."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a broker answered; awaited it is there at once."""

    offset: int

    def __await__(self) -> Generator[None, None, "Done"]:
        yield from ()
        return self


class AioProducer:
    """The part of ``aiokafka.AIOKafkaProducer`` that a worker uses; a batch is all or nothing.

    Args:
        broker: Where to.
        process: Whose; it ends where its lease is over.
        may_write: Whether its group still counts on it: the lease of ``streams.lease``.
    """

    def __init__(
        self, broker: Broker, process: Process, may_write: Callable[[], bool] = lambda: True
    ) -> None:
        self._broker = broker
        self._process = process
        self._may_write = may_write

    def create_batch(self) -> Batch:
        """Return an empty batch."""
        return Batch()

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> Done:
        """Write a batch, and wait for the answer."""
        world = self._broker.world
        world.point("send_batch")
        reached = not self._broker.away or world.wait(lambda: not self._broker.away, LEASE_S)
        if not reached or not self._may_write():
            world.exit()
        at_ms = world.wall(self._process) // 1000
        records = [Record(r.key, r.value, [], at_ms) for r in batch.records]
        first = self._broker.append((topic, partition), records)
        world.point("batch_sent")
        return Done(first)
