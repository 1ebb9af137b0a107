"""Kafka as the sink sees it: partitions that come and go, records, commits by one function.

Kafka does not check on a commit that the partition is the committer's, so ownership is kept here,
in the polling thread, and every commit goes through ``commit``. A call that waits goes on polling
with its partitions paused, or the broker would take them away.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent import futures
from typing import NamedTuple, Protocol, cast

from confluent_kafka import Consumer as KafkaConsumer
from confluent_kafka import KafkaError, KafkaException, Message, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from custody.errors import Corrupt, Unavailable
from sinks.config import SinkConfig
from sinks.slice import Place

_LOG = logging.getLogger(__name__)

_TAKE_RECORDS_MAX = 10_000
_IDLE_POLL_S = 0.1

_NOT_OURS = frozenset(
    {
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError._ASSIGNMENT_LOST,  # noqa: SLF001  librdkafka's own codes have an underscore
    }
)
_GONE = frozenset(
    {
        KafkaError._AUTO_OFFSET_RESET,  # noqa: SLF001
        KafkaError.OFFSET_OUT_OF_RANGE,
    }
)


class Topic(NamedTuple):
    """What Kafka says of a topic."""

    topic_id: str
    partitions: int


class Committed(NamedTuple):
    """What stands committed for a partition; the offset is None where nothing does."""

    offset: int | None
    metadata: str | None


class Listener(Protocol):
    """Who is told that partitions come and go; called inside ``take`` and ``close``."""

    def assigned(self, places: Sequence[Place]) -> Mapping[Place, int]:
        """Take partitions over and return where to start reading each."""
        ...

    def revoked(self, places: Sequence[Place]) -> None:
        """Finish partitions; they are still ours while this runs, and no longer afterwards."""
        ...

    def lost(self, places: Sequence[Place]) -> None:
        """Drop partitions; they are no longer ours."""
        ...


class BrokerUnavailable(Unavailable):
    """The broker does not answer as it should."""

    def __init__(self, cause: str = "no answer in time") -> None:
        super().__init__(
            f"the broker does not serve the sink: {cause}", next_step="custody status; custody up"
        )


class RecordsGone(Corrupt):
    """The broker no longer has the records at the sink's place."""

    def __init__(self, place: Place, cause: str) -> None:
        super().__init__(
            f"the broker has no records at the sink's place in"
            f" {place.topic}/{place.partition}: {cause}",
            expected="every record kept until it is stored",
            next_step="a topic was made anew or its records expired: see docs/warehouse.md",
        )


class SecondSink(Unavailable):
    """Another process uses our static member name, or the broker forgot that it is ours."""

    def __init__(self, instance: str, cause: str) -> None:
        super().__init__(
            f"another sink runs as {instance}: {cause}",
            expected="a name of its own for each sink process",
            next_step="stop the other one, or give this one another CUSTODY_SINK__INSTANCE",
        )


class Consumer:
    """A member of the sink's consumer group. All calls from one thread.

    Args:
        config: Addresses and limits.
        stop: Once it is set nothing waits any more.
        waiting: Told what is waited for, again and again.
    """

    def __init__(
        self,
        config: SinkConfig,
        stop: threading.Event | None = None,
        waiting: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._config = config
        self._stop = stop or threading.Event()
        self._waiting = waiting
        self._kafka = KafkaConsumer({**_options(config), "logger": _LOG})
        self._admin: AdminClient | None = None
        self._listener: Listener | None = None
        self._held: list[Message] = []
        self.owned: set[Place] = set()

    def describe(self, topics: Iterable[str], within_s: float | None = None) -> dict[str, Topic]:
        """Return id and number of partitions of each topic.

        Args:
            topics: Names.
            within_s: Limit of the call; ``broker_timeout_s`` by default.

        Raises:
            BrokerUnavailable: A topic does not exist, the broker does not answer, or the sink was
                stopped meanwhile.
        """
        wanted = TopicCollection(list(topics))
        limit_s = self._config.broker_timeout_s if within_s is None else within_s
        asked = self._made_admin().describe_topics(wanted, request_timeout=limit_s)
        found: dict[str, Topic] = {}
        for name, future in asked.items():
            while not futures.wait([future], _IDLE_POLL_S).done:
                if self._stop.is_set():
                    raise BrokerUnavailable
            # Raised here, it would hold this frame, and that the client with its threads.
            if (error := future.exception()) is not None:
                raise BrokerUnavailable(str(error))
            said = future.result()
            found[name] = Topic(str(said.topic_id), len(said.partitions))
        return found

    def _made_admin(self) -> AdminClient:
        if self._admin is None:
            options: dict[str, object] = {
                "bootstrap.servers": self._config.bootstrap,
                "reconnect.backoff.max.ms": 2_000,
                "logger": _LOG,
                **self._config.kafka,
            }
            self._admin = AdminClient(options)  # type: ignore[arg-type]  # the stub knows no logger
        return self._admin

    def subscribe(self, topics: Sequence[str], listener: Listener) -> None:
        """Join the group; partitions come inside later calls of ``take``."""
        self._listener = listener
        self._kafka.subscribe(
            list(topics),
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
        )

    def take(self) -> list[Message]:
        """Return records, waiting at most ``poll_s`` for them; may be empty.

        Raises:
            RecordsGone: The sink's place is outside of what the broker has.
            BrokerUnavailable: An error that librdkafka does not repair by itself.
        """
        if self._held:
            held, self._held = self._held, []
            return held
        polled = self._kafka.consume(_TAKE_RECORDS_MAX, self._config.poll_s)
        return self._readable(polled)

    def idle(self, seconds: float) -> None:
        """Wait, and stay a member of the group; no record is lost."""
        assigned = self._kafka.assignment()
        if assigned:
            self._kafka.pause(assigned)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._stop.is_set():
            polled = self._kafka.consume(_TAKE_RECORDS_MAX, min(left, _IDLE_POLL_S))
            self._held += self._readable(polled)
        still = self._kafka.assignment()
        if still:
            self._kafka.resume(still)

    def committed(self, places: Sequence[Place]) -> dict[Place, Committed]:
        """Return what stands committed for partitions.

        Raises:
            BrokerUnavailable: The broker does not answer within ``broker_timeout_s``.
        """
        asked = [TopicPartition(*place) for place in places]
        try:
            answers = self._kafka.committed(asked, timeout=self._config.broker_timeout_s)
        except KafkaException as error:
            raise BrokerUnavailable(str(error)) from error
        return {
            Place(a.topic, a.partition): Committed(a.offset if a.offset >= 0 else None, a.metadata)
            for a in answers
        }

    def bounds(self, place: Place) -> tuple[int, int]:
        """Return the first offset the broker has and the one after the last, asking it.

        Raises:
            BrokerUnavailable: The broker does not answer within ``broker_timeout_s``.
        """
        try:
            answer = self._kafka.get_watermark_offsets(
                TopicPartition(*place), timeout=self._config.broker_timeout_s
            )
        except KafkaException as error:
            raise BrokerUnavailable(str(error)) from error
        if answer is None:
            raise BrokerUnavailable
        return answer

    def end(self, place: Place) -> int:
        """Return the offset after the last record, as of the last fetch; -1001 if never asked."""
        answer = self._kafka.get_watermark_offsets(TopicPartition(*place), cached=True)
        return answer[1]

    def commit(self, offsets: Mapping[Place, tuple[int, str]], *, patient: bool) -> set[Place]:
        """Commit offsets with metadata: the only way to commit there is.

        Args:
            offsets: Next offset and metadata by partition.
            patient: Try again while the coordinator is away, at most ``retry_budget_s``; not
                inside a rebalance, where waiting is no help: then it counts as refused.

        Returns:
            The partitions whose commit was refused, as a rule because they are not ours: their
            batch is to be dropped, and their place read anew.

        Raises:
            SecondSink: Another process has our name.
            BrokerUnavailable: The coordinator stays away.
        """
        refused = {place for place in offsets if place not in self.owned}
        left = {place: offsets[place] for place in offsets if place not in refused}
        end = time.monotonic() + self._config.retry_budget_s
        while left:
            failed = self._commit_once(left)
            refused |= {p for p, error in failed.items() if error in _NOT_OURS}
            left = {p: left[p] for p in failed if p not in refused}
            if not left:
                break
            if not patient or self._stop.is_set():
                return refused | set(left)
            if time.monotonic() >= end:
                raise BrokerUnavailable
            self._waiting("the broker takes no commit")
            self.idle(self._config.retry_wait_s)
            refused |= {place for place in left if place not in self.owned}
            left = {p: left[p] for p in left if p not in refused}
        return refused

    def _commit_once(self, offsets: Mapping[Place, tuple[int, str]]) -> dict[Place, int]:
        """Return the error codes of the partitions that failed: a mixed commit is not atomic."""
        wanted = [
            TopicPartition(place.topic, place.partition, offset, metadata)
            for place, (offset, metadata) in offsets.items()
        ]
        try:
            answers = self._kafka.commit(offsets=wanted, asynchronous=False)
        except KafkaException as error:
            code = cast("KafkaError", error.args[0]).code()
            self._stop_if_fenced(code, str(error))
            return dict.fromkeys(offsets, code)
        failed = {Place(a.topic, a.partition): a.error.code() for a in answers if a.error}
        for code in failed.values():
            self._stop_if_fenced(code, "its commit is refused")
        return failed

    def seek(self, starts: Mapping[Place, int]) -> None:
        """Read partitions of ours from other offsets on.

        Raises:
            BrokerUnavailable: One of them is not being read.
        """
        self._held = [m for m in self._held if Place(_topic(m), _partition(m)) not in starts]
        for place, offset in starts.items():
            try:
                self._kafka.seek(TopicPartition(place.topic, place.partition, offset))
            except KafkaException as error:
                raise BrokerUnavailable(str(error)) from error

    def close(self) -> None:
        """Give the partitions back, by way of the listener, and leave."""
        self._kafka.close()

    def _on_assign(self, _consumer: KafkaConsumer, partitions: list[TopicPartition]) -> None:
        assert self._listener is not None
        places = [Place(p.topic, p.partition) for p in partitions]
        self.owned.update(places)
        starts = self._listener.assigned(places)
        begun = [TopicPartition(p.topic, p.partition, starts[p]) for p in places]
        self._kafka.incremental_assign(begun)
        # Partitions lost while ``idle`` had paused them come back paused, and nothing is read.
        self._kafka.resume(begun)

    def _on_revoke(self, _consumer: KafkaConsumer, partitions: list[TopicPartition]) -> None:
        assert self._listener is not None
        places = [Place(p.topic, p.partition) for p in partitions]
        self._listener.revoked(places)
        self.owned.difference_update(places)

    def _on_lost(self, _consumer: KafkaConsumer, partitions: list[TopicPartition]) -> None:
        self._lose([Place(p.topic, p.partition) for p in partitions])

    def _lose(self, places: Sequence[Place]) -> None:
        assert self._listener is not None
        self.owned.difference_update(places)
        self._listener.lost(places)

    def _readable(self, polled: list[Message]) -> list[Message]:
        good = [m for m in polled if m.error() is None]
        if len(good) < len(polled):
            for message in polled:
                self._act_on(message)
        return good

    def _act_on(self, message: Message) -> None:
        """Act on an error event; most of them librdkafka repairs by itself."""
        error = message.error()
        if error is None:
            return
        code = error.code()
        self._stop_if_fenced(code, error.str())
        if code in _GONE:
            raise RecordsGone(Place(_topic(message), _partition(message)), error.str())
        if code == KafkaError._MAX_POLL_EXCEEDED:  # noqa: SLF001
            # The broker has given our partitions away already; on_lost comes only later.
            self._lose(list(self.owned))
        elif code == KafkaError._FATAL or error.fatal():  # noqa: SLF001
            # Nothing is read after it, and ``fatal()`` of an error among records does not say so.
            # Of a consumer only a fenced member is fatal; also seen when a broker came back from
            # kill -9 with an older member of our name.
            raise SecondSink(self._config.instance, error.str())

    def _stop_if_fenced(self, code: int, cause: str) -> None:
        if code in {KafkaError.FENCED_INSTANCE_ID, KafkaError._FENCED}:  # noqa: SLF001
            raise SecondSink(self._config.instance, cause)


def _topic(message: Message) -> str:
    return str(message.topic())


def _partition(message: Message) -> int:
    return int(cast("int", message.partition()))


def _options(config: SinkConfig) -> dict[str, object]:
    """Return librdkafka's options; all that matter are set, even where equal to the default."""
    return {
        "bootstrap.servers": config.bootstrap,
        "group.id": config.group,
        "group.instance.id": config.instance,
        "client.id": config.instance,
        "group.protocol": "classic",  # the new one takes 45 s to replace a killed member
        "partition.assignment.strategy": "cooperative-sticky",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",  # a place that is gone must not be skipped
        "isolation.level": "read_committed",
        "session.timeout.ms": int(config.session_timeout_s * 1000),
        "heartbeat.interval.ms": int(config.session_timeout_s * 250),
        "max.poll.interval.ms": int(config.poll_interval_s * 1000),
        "reconnect.backoff.ms": 250,
        "reconnect.backoff.max.ms": 2_000,
        "fetch.wait.max.ms": 100,
        "max.partition.fetch.bytes": 4 << 20,
        "queued.max.messages.kbytes": 65_536,
        "enable.partition.eof": False,
        **config.kafka,
    }
