"""From the outbox to Kafka: in order per partition, until acknowledged, for ever if need be.

One thread. A *session* is one Kafka producer (idempotent, acks=all, gapless): of each partition it
begins at the lowest unacknowledged entry and sends everything from there in order, partitions in
turn (``lanes``) and never more than the line carries (``window``). Any failure ends it, all of it
at once, and the next session begins again from the outbox. So a partition's records appear in
order of ``gateway_seq``, possibly with repeats, and a receiver that drops what is not above the
highest number of the epoch sees each once.

A head is sent only when all entries before it are acknowledged.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from custody.errors import Unavailable
from custody.events import Micros
from producers import store, waiting
from producers.chain import Entry
from producers.config import PublisherConfig
from producers.door import Door
from producers.lanes import Lanes
from producers.outbox import Outbox
from producers.schema_ids import SchemaIds
from producers.standing import Standing
from producers.window import Window
from schemas import headers, topics
from schemas.codec import frame
from telemetry import metrics
from telemetry.metrics import Metrics

TOPICS = (topics.FACT, topics.CONTROL, topics.HEAD)
"""What a gateway writes to."""

POLL_S = 0.005
"""While answers are due, new entries are looked for at least so often."""

RETRY_S = 1.0
METADATA_TIMEOUT_S = 5.0
METADATA_TIMEOUT_MAX_S = 20.0
"""Doubled up to this while the broker does not answer: on a bad line it takes some time."""

COMPRESSION = "zstd"
"""Of a backlog on a bad line a sixth less than lz4, at the same cost to those who send and read."""

FLUSH_S = 3.0
"""How long a stop waits for answers; what has none stays in the outbox."""

_PREV, _DIGEST, _GATEWAY = headers.GATEWAY_WRITES

log = logging.getLogger(__name__)


class TopicsNotReady(Unavailable):
    """The topics are missing or have another partition count than the gateway computes with."""

    def __init__(self, found: Mapping[str, int], partitions: int) -> None:
        missing = [name for name in TOPICS if name not in found]
        if missing:
            super().__init__(
                f"topics not there, or not shown to this account: {', '.join(missing)}",
                expected=f"{', '.join(TOPICS)}, and an account that may see each",
                next_step="create them (custody prepare), or give the account its rules"
                " (custody prepare --acls; docs/access.md, Kafka)",
            )
            return
        super().__init__(
            f"topics have partitions {dict(found)}",
            expected=f"{partitions} each, as CUSTODY_KAFKA__PARTITIONS says here",
            next_step="correct CUSTODY_KAFKA__PARTITIONS and start the gateway again: what waits"
            " is laid out anew",
        )


class NotAnswered(Unavailable):
    """Records are on their way and none was answered for too long."""

    def __init__(self, records: int, silent_s: float) -> None:
        super().__init__(
            f"{records} records sent, no answer for {silent_s:.0f} s",
            expected="the broker's acknowledgement",
            next_step="nothing: they are sent again from the outbox; look at the line if it stays",
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
        self._door = Door()
        self._topics: TopicsNotReady | None = None
        self._reason = "not connected yet"
        self._progress_at = time.monotonic()
        self._failure: KafkaError | None = None
        self._window = Window()
        self._answered_at = time.monotonic()
        self._patience_s = METADATA_TIMEOUT_S
        self._name = outbox.gateway[0].encode()
        self._acks: list[store.Ack] = []
        self._acked: Counter[str] = Counter()
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

    @property
    def shut(self) -> Unavailable | None:
        """What somebody has to put right before anything is published; None for nothing known."""
        return self._door.shut or self._topics

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
        self._door.begin()
        producer = Producer(self._options(), logger=self._door)
        reader = store.connect(self._outbox.path, read_only=True)
        lanes = Lanes(
            partial(waiting.read, reader),
            self._window,
            records_max=self._config.in_flight_max,
            heads=topics.HEAD,
        )
        try:
            self._check_topics(producer)
            self._reason = ""
            self._send_all(producer, lanes)
        finally:
            if self._failure is None:
                producer.flush(FLUSH_S)
            # All at once, so that nothing overtakes what was given up: the next session begins
            # with it.
            producer.purge()
            producer.poll(0)
            self._hand_over(lanes)
            reader.close()

    def _options(self) -> dict[str, object]:
        return {
            **self._config.kafka,
            "acks": "all",
            "enable.idempotence": True,
            # A gap in a partition would make receivers drop the record that fills it later.
            "enable.gapless.guarantee": True,
            # Never by the client: it gives up record by record, so that the next may arrive in
            # place of one that is given up, which receivers would then drop. ``_overdue`` does it.
            "message.timeout.ms": 0,
            # A request without an answer for so long ends its connection: so a line that is dead
            # and does not say so is found, and what was on it is sent again by the same producer,
            # whose numbers the broker knows.
            "socket.timeout.ms": int(self._config.silence_timeout_s * 1000),
            "socket.keepalive.enable": True,
            # What the client would tell the broker of itself costs a bad line some of its bytes.
            "enable.metrics.push": False,
            "linger.ms": self._config.linger_ms,
            "compression.type": COMPRESSION,
            # Up to what it says of a connection that was closed: see ``door``.
            "log_level": 6,
            "error_cb": self._on_error,
        }

    def _check_topics(self, producer: Producer) -> None:
        patience_s = self._patience_s
        self._patience_s = min(2 * patience_s, METADATA_TIMEOUT_MAX_S)
        try:
            found = producer.list_topics(timeout=patience_s).topics
        except KafkaException:
            # That of a metadata request says nothing of why; the client's other words come here.
            producer.poll(0)
            if (shut := self._door.why()) is None:
                raise
            raise shut from None
        self._patience_s = patience_s
        self._heard()
        counts = {name: len(found[name].partitions) for name in TOPICS if name in found}
        if counts == dict.fromkeys(TOPICS, self._partitions):
            self._topics = None
            return
        self._topics = TopicsNotReady(counts, self._partitions)
        raise self._topics

    def _send_all(self, producer: Producer, lanes: Lanes) -> None:
        while self._going():
            committed_no, newest = self._outbox.newest()
            lanes.know(newest)
            if not lanes.records:
                self._answered_at = time.monotonic()
            chosen = lanes.next(time.monotonic())
            for entry in chosen:
                self._send(producer, lanes, entry)
            producer.poll(0.0 if chosen else POLL_S)
            self._hand_over(lanes)
            self._overdue(lanes)
            if not chosen and not lanes.records and not lanes.waits:
                self._outbox.wait_beyond(committed_no, RETRY_S)
        if self._failure is not None:
            raise KafkaException(self._failure)

    def _headers(self, entry: Entry) -> list[tuple[str, str | bytes | None]]:
        if entry.prev is None or entry.digest is None:
            return []
        return [(_PREV, entry.prev), (_DIGEST, entry.digest), (_GATEWAY, self._name)]

    def _send(self, producer: Producer, lanes: Lanes, entry: Entry) -> None:
        try:
            value = frame(self._ids.get(entry.stem, entry.fingerprint), entry.body)
        finally:
            self.registry.tell(up=self._ids.registry_up)
        while self._going():
            try:
                producer.produce(
                    entry.topic,
                    value,
                    entry.key,
                    entry.partition,
                    on_delivery=partial(self._on_delivery, lanes, entry),
                    timestamp=entry.accepted_at // 1000,
                    headers=self._headers(entry),
                )
            except BufferError:
                producer.poll(POLL_S)
                self._hand_over(lanes)
                continue
            return

    def _going(self) -> bool:
        return self._failure is None and not self._stop.is_set()

    def _overdue(self, lanes: Lanes) -> None:
        """End the session where nothing at all was answered for too long.

        Raises:
            NotAnswered: So it is.
        """
        silent_s = time.monotonic() - self._answered_at
        if lanes.records and silent_s > self._config.delivery_timeout_s:
            raise NotAnswered(lanes.records, silent_s)

    def _hand_over(self, lanes: Lanes) -> None:
        """Hand answers to the outbox, and learn from how long they took."""
        now_s = time.monotonic()
        delay_s = lanes.settle(now_s)
        if not self._acks:
            return
        acks, self._acks = self._acks, []
        self._outbox.acknowledge(acks)
        self._heard()
        self._progress_at = self._answered_at = now_s
        for topic, count in self._acked.items():
            self._counts.add(metrics.GATEWAY_PUBLISHED, topic, count)
        self._acked.clear()
        if delay_s is not None:
            # One of a group stands for the group: a figure per record would cost as much as it.
            self._counts.observe(metrics.PUBLISH_SECONDS, delay_s)

    def _on_delivery(
        self, lanes: Lanes, entry: Entry, error: KafkaError | None, message: Message
    ) -> None:
        if error is not None:
            self._failure = self._failure or error
            return
        lanes.answered(entry)
        self._acked[entry.topic] += 1
        self._acks.append(store.Ack(entry.no, message.offset() or 0, self._clock()))

    def _heard(self) -> None:
        if not self.broker.up:
            # Time without a broker is not time without progress.
            self._progress_at = time.monotonic()
        self._door.opened()
        self.broker.tell(up=True)

    def _on_error(self, error: KafkaError) -> None:
        self._door.on_error(error)
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001  the client's public name
            self.broker.tell(up=False)
        if error.fatal():
            self._failure = self._failure or error
