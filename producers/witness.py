"""What other gateways' heads say: read from the head topic, and embedded in this one's next head.

A cheat may own his gateway and its key, and rewrite his whole history. The heads of his that others
have signed into theirs stand against it, for ever.

One thread, a plain consumer outside any group. It is a witness as far as the line lets it: what it
has not read it does not state, and nothing waits for it.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from custody.errors import Unavailable
from custody.events import Micros
from custody.heads import SEEN_MAX, Head, SeenHead
from producers.config import READER_GROUP
from schemas import topics
from schemas.codec import FRAME_BYTES, schema_id_of
from schemas.registry import Writer
from schemas.rows import BadRecord

FETCH_WAIT_MS = 30_000
"""How long the broker keeps a question for heads that has no answer yet."""

LOOK_BACK_MS = 3_600_000
"""At start the heads of the last hour are read: one a minute, so every gateway that is alive."""

GATEWAYS_MAX = 2_000
"""Gateways remembered; of more, those heard of last."""

POLL_S = 0.5
RETRY_S = 5.0

log = logging.getLogger(__name__)


class Writers(Protocol):
    """Who knows the schemas heads are written under."""

    def writer(self, schema_id: int) -> Writer | None:
        """Return the schema an id stands for; None where it is none of ours.

        Raises:
            Unavailable: The registry cannot be asked.
        """
        ...


class Seen:
    """Newest heads of other gateways, and which of them this one has not stated yet.

    Threads may share it: the witness notes, the outbox's thread takes.

    Args:
        gateway_id: Whose own heads are left out.
    """

    def __init__(self, gateway_id: str) -> None:
        self._own = gateway_id
        self._lock = threading.Lock()
        self._newest: dict[str, tuple[Micros, SeenHead]] = {}
        self._fresh: dict[str, None] = {}

    def note(self, head: Head) -> None:
        """Take a head into account; an older one than is known changes nothing."""
        if head.gateway_id == self._own or head.merkle_root is None:
            return
        found = SeenHead(
            gateway_id=head.gateway_id,
            gateway_epoch=head.gateway_epoch,
            size=head.size,
            merkle_root=head.merkle_root,
        )
        with self._lock:
            known = self._newest.pop(head.gateway_id, None)
            if known is not None and (known[0] >= head.at or known[1] == found):
                self._newest[head.gateway_id] = known
                return
            self._newest[head.gateway_id] = head.at, found
            self._fresh[head.gateway_id] = None
            if len(self._newest) > GATEWAYS_MAX:
                oldest = next(iter(self._newest))
                del self._newest[oldest]
                self._fresh.pop(oldest, None)

    def take(self) -> tuple[SeenHead, ...]:
        """Return heads not stated yet, those that have waited longest first; the rest is next."""
        with self._lock:
            names = list(self._fresh)[:SEEN_MAX]
            for name in names:
                del self._fresh[name]
            return tuple([self._newest[name][1] for name in names])

    def put_back(self, heads: tuple[SeenHead, ...]) -> None:
        """Have heads stated again that were taken for a head which was not written."""
        with self._lock:
            again = [one.gateway_id for one in heads if one.gateway_id in self._newest]
            self._fresh = {**dict.fromkeys(again), **self._fresh}


class Witness:
    """Follows the head topic until stopped.

    Args:
        kafka: Options of the client, address and security.
        partitions: Partitions of the head topic.
        writers: Who knows schemas.
        seen: Told of every head.
        clock: Time of day.
    """

    def __init__(
        self,
        kafka: Mapping[str, str],
        partitions: int,
        writers: Writers,
        seen: Seen,
        clock: Callable[[], Micros],
    ) -> None:
        self._kafka = kafka
        self._partitions = partitions
        self._writers = writers
        self._seen = seen
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="witness", daemon=True)

    def start(self) -> None:
        """Begin to read; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        reason = ""
        while not self._stop.is_set():
            try:
                self._follow()
            except (KafkaException, Unavailable) as error:
                # Said once for each reason: the publisher says more of the same broker.
                if str(error) != reason:
                    log.info("heads of others not read", extra={"reason": str(error)})
                reason = str(error)
                self._stop.wait(RETRY_S)

    def _follow(self) -> None:
        consumer = Consumer(
            {
                **self._kafka,
                # Nobody joins it: assigned by hand, and no offset is ever committed.
                "group.id": READER_GROUP,
                "enable.auto.commit": False,
                "auto.offset.reset": "latest",
                # A head a minute is no hurry, and asking twice a second would be a twentieth of
                # what a bad line carries: the broker answers when it has one.
                "fetch.wait.max.ms": FETCH_WAIT_MS,
                "socket.keepalive.enable": True,
                "enable.metrics.push": False,
                "log_level": 2,
            },
            logger=log,
        )
        try:
            consumer.assign(self._starts(consumer))
            while not self._stop.is_set():
                for message in consumer.consume(500, POLL_S):
                    self._take(message)
        finally:
            consumer.close()

    def _starts(self, consumer: Consumer) -> list[TopicPartition]:
        since = self._clock() // 1000 - LOOK_BACK_MS
        asked = [TopicPartition(topics.HEAD, p, since) for p in range(self._partitions)]
        return consumer.offsets_for_times(asked, timeout=RETRY_S)

    def _take(self, message: Message) -> None:
        error = message.error()
        if error is not None:
            if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  the client's public name
                raise KafkaException(error)
            return
        value = message.value()
        if not isinstance(value, bytes):
            return
        try:
            writer = self._writers.writer(schema_id_of(value))
            if writer is not None and writer.stem == "head":
                head = writer.read(value, FRAME_BYTES)
                assert isinstance(head, Head)
                self._seen.note(head)
        except BadRecord:
            # The sink makes a dead letter of it.
            return
