"""From the outbox to Kafka: in order per partition, until acknowledged, for ever if need be.

One thread. A *session* is one Kafka producer (idempotent, acks=all, gapless): it begins at the
lowest unacknowledged entry of each partition, published or not since, and sends everything from
there in order; any failure ends it, and the next session begins again from the outbox. So a
partition's records appear in order of ``gateway_seq``, possibly with repeats, and a receiver that
drops what is not above the highest number of the epoch sees each once.

A head is sent only when all entries before it are acknowledged.
"""

import logging
import sqlite3
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from custody.errors import Unavailable
from custody.events import Micros
from producers import store
from producers.chain import Entry
from producers.config import PublisherConfig
from producers.outbox import Outbox
from producers.schema_ids import SchemaIds
from producers.standing import Standing
from schemas import headers, topics
from schemas.codec import frame
from telemetry import metrics
from telemetry.metrics import Metrics

TOPICS = (topics.FACT, topics.CONTROL, topics.HEAD)
"""What a gateway writes to."""

READ_ENTRIES = 1_000
POLL_S = 0.005
"""While answers are due, new entries are looked for at least so often."""

RETRY_S = 1.0
METADATA_TIMEOUT_S = 5.0
FLUSH_S = 3.0
"""How long a stop waits for answers; what has none stays in the outbox."""

log = logging.getLogger(__name__)


class TopicsNotReady(Unavailable):
    """The topics are missing or have another partition count than the gateway computes with."""

    def __init__(self, found: Mapping[str, int], partitions: int) -> None:
        super().__init__(
            f"topics have partitions {dict(found)}",
            expected=f"{', '.join(TOPICS)} with {partitions} each",
            next_step="create the topics, or correct CUSTODY_KAFKA__PARTITIONS",
        )


class Publisher:
    """Publishes an outbox.

    Args:
        config: The way to Kafka.
        outbox: What to publish.
        partitions: Partitions of every topic.
        ids: Ids of schemas.
        clock: Time of day, for acknowledgements.
        counts: Metrics of the process.

    Attributes:
        broker: Whether it answered when last heard of.
        registry: Whether it answered when last asked.
    """

    def __init__(
        self,
        config: PublisherConfig,
        outbox: Outbox,
        *,
        partitions: int,
        ids: SchemaIds,
        clock: Callable[[], Micros],
        counts: Metrics,
    ) -> None:
        self._config = config
        self._outbox = outbox
        self._partitions = partitions
        self._ids = ids
        self._clock = clock
        self._counts = counts
        self._stop = threading.Event()
        self.broker = Standing(clock)
        self.registry = Standing(clock)
        self._reason = "not connected yet"
        self._progress_at = time.monotonic()
        self._failure: KafkaError | None = None
        self._in_flight: dict[int, float] = {}
        self._heads_in_flight = 0
        self._held: deque[Entry] = deque()
        self._acks: list[store.Ack] = []
        self._acked: Counter[str] = Counter()
        self._sent_at: float | None = None
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def start(self) -> None:
        """Begin to publish; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Wait a moment for due answers and end; what is not acknowledged stays in the outbox."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def reason(self) -> str:
        """Why nothing is published; empty while a session runs."""
        return self._reason

    def since_progress_s(self) -> float:
        """Return how long entries have waited without an acknowledgement; 0 when none wait."""
        oldest_at = self._outbox.oldest_waiting_at()
        if oldest_at is None:
            return 0.0
        age_s = (self._clock() - oldest_at) / 1e6
        return max(0.0, min(time.monotonic() - self._progress_at, age_s))

    def is_stuck(self) -> bool:
        """Tell whether entries wait, the broker answers, and yet nothing was acknowledged."""
        return self.broker.up is True and self.since_progress_s() > self._config.stuck_after_s

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._session()
            except (KafkaException, Unavailable) as error:
                self._note(str(error))
                self._stop.wait(RETRY_S)
            except Exception as error:
                # A process edge: whatever it is, the outbox is the truth and is read again.
                log.exception("publishing failed")
                self._note(str(error))
                self._stop.wait(RETRY_S)

    def _note(self, reason: str) -> None:
        if reason != self._reason:
            log.warning("not publishing", extra={"reason": reason})
        self._reason = reason

    def _session(self) -> None:
        """Publish until told to stop or until something fails."""
        self._failure = None
        self._in_flight.clear()
        self._heads_in_flight = 0
        self._held.clear()
        producer = Producer(self._options(), logger=log)
        reader = store.connect(self._outbox.path, read_only=True)
        try:
            self._check_topics(producer)
            self._reason = ""
            self._send_all(producer, _Cursor(self._outbox, reader))
        finally:
            if self._failure is None:
                producer.flush(FLUSH_S)
            producer.purge()
            producer.poll(0)
            self._hand_over()
            reader.close()

    def _options(self) -> dict[str, object]:
        return {
            **self._config.kafka,
            "acks": "all",
            "enable.idempotence": True,
            # A gap in a partition would make receivers drop the record that fills it later.
            "enable.gapless.guarantee": True,
            # That guarantee leaves out records whose own time is up: those behind them would still
            # be sent, and receivers drop the older when it comes. So the session's time is up.
            "message.timeout.ms": 0,
            "linger.ms": self._config.linger_ms,
            "compression.type": "lz4",
            # What goes wrong comes as an error or a failed delivery; the client would say it again
            # at every attempt to connect.
            "log_level": 2,
            "error_cb": self._on_error,
        }

    def _check_topics(self, producer: Producer) -> None:
        found = producer.list_topics(timeout=METADATA_TIMEOUT_S).topics
        self._heard()
        counts = {name: len(found[name].partitions) for name in TOPICS if name in found}
        if counts != dict.fromkeys(TOPICS, self._partitions):
            raise TopicsNotReady(counts, self._partitions)

    def _send_all(self, producer: Producer, cursor: "_Cursor") -> None:
        while not self._stop.is_set() and self._failure is None:
            entries = cursor.read()
            for entry in entries:
                if entry.seq is None:
                    self._held.append(entry)
                else:
                    self._send(producer, entry)
            self._serve(producer, 0.0 if entries else POLL_S)
            if not (entries or self._in_flight or self._heads_in_flight or self._held):
                self._outbox.wait_beyond(cursor.no, RETRY_S)
        if self._failure is not None:
            raise KafkaException(self._failure)

    def _headers(self, entry: Entry) -> list[tuple[str, str | bytes | None]]:
        if entry.prev is None or entry.digest is None:
            return []
        values = (entry.prev, entry.digest, self._outbox.gateway[0].encode())
        return list(zip(headers.GATEWAY_WRITES, values, strict=True))

    def _send(self, producer: Producer, entry: Entry) -> None:
        try:
            value = frame(self._ids.get(entry.stem, entry.fingerprint), entry.body)
        finally:
            self.registry.tell(up=self._ids.registry_up)
        while len(self._in_flight) >= self._config.in_flight_max and self._going():
            self._serve(producer, POLL_S)
        while self._going():
            try:
                producer.produce(
                    entry.topic,
                    value,
                    entry.key,
                    entry.partition,
                    on_delivery=partial(self._on_delivery, entry),
                    timestamp=entry.accepted_at // 1000,
                    headers=self._headers(entry),
                )
            except BufferError:
                self._serve(producer, POLL_S)
                continue
            if entry.seq is None:
                self._heads_in_flight += 1
            else:
                self._in_flight[entry.no] = time.monotonic()
            return

    def _going(self) -> bool:
        return self._failure is None and not self._stop.is_set()

    def _serve(self, producer: Producer, timeout_s: float) -> None:
        """Take answers, hand them to the outbox, send heads whose facts are all answered."""
        producer.poll(timeout_s)
        self._hand_over()
        self._end_if_overdue()
        while self._held and self._going() and self._held[0].no < self._lowest_in_flight():
            self._send(producer, self._held.popleft())

    def _end_if_overdue(self) -> None:
        """End the session where the oldest record has waited too long for its acknowledgement."""
        sent_at = next(iter(self._in_flight.values()), None)
        if sent_at is None or time.monotonic() - sent_at <= self._config.delivery_timeout_s:
            return
        self._failure = self._failure or KafkaError(KafkaError._MSG_TIMED_OUT)  # noqa: SLF001  public

    def _lowest_in_flight(self) -> float:
        # Facts are sent in order of their number, so the first of the dictionary is the lowest.
        return next(iter(self._in_flight), float("inf"))

    def _hand_over(self) -> None:
        if not self._acks:
            return
        acks, self._acks = self._acks, []
        self._outbox.acknowledge(acks)
        self._heard()
        self._progress_at = time.monotonic()
        for topic, count in self._acked.items():
            self._counts.add(metrics.GATEWAY_PUBLISHED, topic, count)
        self._acked.clear()
        if self._sent_at is not None:
            # One of a group stands for the group: a figure per record would cost as much as it.
            self._counts.observe(metrics.PUBLISH_SECONDS, self._progress_at - self._sent_at)
            self._sent_at = None

    def _on_delivery(self, entry: Entry, error: KafkaError | None, message: Message) -> None:
        if entry.seq is None:
            self._heads_in_flight -= 1
        sent_at = self._in_flight.pop(entry.no, None)
        if error is not None:
            self._failure = self._failure or error
            return
        self._sent_at = self._sent_at or sent_at
        self._acked[entry.topic] += 1
        self._acks.append(store.Ack(entry.no, message.offset() or 0, self._clock()))

    def _heard(self) -> None:
        if not self.broker.up:
            # Time without a broker is not time without progress.
            self._progress_at = time.monotonic()
        self.broker.tell(up=True)

    def _on_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001  the client's public name
            self.broker.tell(up=False)
        if error.fatal():
            self._failure = self._failure or error


class _Cursor:
    """Reads a session's entries: from each partition's lowest unacknowledged one, in order."""

    def __init__(self, outbox: Outbox, reader: sqlite3.Connection) -> None:
        self._outbox = outbox
        self._reader = reader
        # Everything up to here may hold published entries; behind it there are none.
        self._resumed_to = outbox.committed_no
        self._floors = store.pending_by_partition(reader, outbox.floor)
        self.no = min(self._floors.values(), default=self._resumed_to + 1) - 1

    def read(self) -> list[Entry]:
        """Return the next entries to send; empty when there are none now."""
        if self._outbox.committed_no <= self.no:
            return []
        entries = store.read_entries(self._reader, self.no, READ_ENTRIES)
        if entries:
            self.no = entries[-1].no
        return [entry for entry in entries if self._is_due(entry)]

    def _is_due(self, entry: Entry) -> bool:
        if entry.no > self._resumed_to:
            return True
        return entry.no >= self._floors.get((entry.topic, entry.partition), entry.no + 1)
