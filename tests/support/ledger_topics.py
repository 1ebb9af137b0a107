"""The books as they stand on the topics of a real broker, read as every receiver reads them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from custody.events import LotFact, ReferenceSet
from custody.records import Alert, Balance, Content, Transfer
from schemas import topics
from schemas.codec import FRAME_BYTES, schema_id_of
from schemas.partition import partition_of
from schemas.routes import Record, fact_key
from streams.config import APP_ID, SOURCES
from tests.support.agreement import Said
from tests.support.chain_references import copies
from tests.support.facts import YEARS_MIN, tick
from tests.support.streams import CATALOG, PARTITIONS, Follow, framed

_TIMEOUT_S = 10
_NOT_YET = frozenset(
    {
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    }
)


class Lag:
    """How far the workers' commits are behind the ends of the topics they read.

    Args:
        bootstrap: The broker.
    """

    def __init__(self, bootstrap: str) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": APP_ID,
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )
        self._places = [TopicPartition(t, p) for t in SOURCES for p in range(PARTITIONS)]

    def records(self) -> int | None:
        """Return records that are not committed yet; blocks on the broker.

        None where the group's coordinator cannot say just now: a broker that has begun a moment
        ago may not know that it is the one.

        Zero means that all is said: commits are read before ends, a chunk is committed when its
        outputs are acknowledged, and what they put on a source topic is then part of its end.
        """
        try:
            committed = self._consumer.committed(self._places, timeout=_TIMEOUT_S)
        except KafkaException as error:
            if error.args[0].code() in _NOT_YET:
                return None
            raise
        behind = 0
        for place in committed:
            _, end = self._consumer.get_watermark_offsets(place, timeout=_TIMEOUT_S)
            behind += end - max(place.offset, 0)
        return behind

    def uncommitted(self, topic: str) -> int:
        """Return how many partitions of a topic have records, and no commit of the workers."""
        committed = self._consumer.committed(self._places, timeout=_TIMEOUT_S)
        return sum(
            place.topic == topic
            and place.offset < 0
            and self._consumer.get_watermark_offsets(place, timeout=_TIMEOUT_S)[1] > 0
            for place in committed
        )

    def close(self) -> None:
        """Close the connection; the group never had it as a member."""
        self._consumer.close()


class Sender:
    """Writes facts and reference records where the gateway would.

    Args:
        bootstrap: The broker.
        facts: In the order they are sent.
    """

    def __init__(self, bootstrap: str, facts: Sequence[LotFact]) -> None:
        self._producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
        self.facts = facts
        self.count = 0

    @property
    def left(self) -> int:
        """Facts not sent yet."""
        return len(self.facts) - self.count

    def send(self, count: int) -> None:
        """Write so many of the facts that are left, and wait for Kafka."""
        self._write(self.facts[self.count : self.count + count])
        self.count = min(self.count + count, len(self.facts))

    def again(self, facts: Sequence[LotFact]) -> None:
        """Write facts that were sent once more, which says nothing new, and wait for Kafka."""
        self._write(facts)

    def _write(self, facts: Sequence[LotFact]) -> None:
        for fact in facts:
            key = fact_key(fact).encode()
            self._producer.produce(topics.FACT, framed(fact), key, partition_of(key, PARTITIONS))
        self._flush()

    def broadcast(self, records: Sequence[ReferenceSet]) -> None:
        """Write each record to every partition, and wait for Kafka."""
        for record in records:
            for key, copy in copies(record, PARTITIONS):
                self._producer.produce(topics.CONTROL, framed(copy), key, copy.partition)
        self._flush()

    def pass_time(self, is_read: Callable[[], bool]) -> None:
        """Write ticks after which nothing waits any more, each once the one before is read."""
        for minute in (YEARS_MIN, YEARS_MIN + 1):
            for partition in range(PARTITIONS):
                now = framed(tick(minute, partition=partition))
                self._producer.produce(topics.FLOW, now, None, partition)
            self._flush()
            assert is_read()

    def _flush(self) -> None:
        assert self._producer.flush(30) == 0, "Kafka takes nothing"


@dataclass(frozen=True)
class Heard:
    """What stands on the topics workers write.

    Attributes:
        said: Each number of a sender once.
        repeats: Records that were sent again and dropped.
    """

    said: Said
    repeats: int


def heard(bootstrap: str) -> Heard:
    """Read all that workers said, up to the present ends of the topics."""
    read = {
        topic: list(records(bootstrap, topic))
        for topic in (topics.TRANSFER, topics.BALANCE, topics.ALERT, topics.FLOW)
    }
    once = {topic: list(_once(found)) for topic, found in read.items()}
    return Heard(
        Said(
            [r for r in once[topics.TRANSFER] if isinstance(r, Transfer)],
            {r.account: r for r in once[topics.BALANCE] if isinstance(r, Balance)},
            [r for r in once[topics.ALERT] if isinstance(r, Alert)],
            [r for r in once[topics.FLOW] if isinstance(r, Content)],
        ),
        sum(len(read[topic]) - len(once[topic]) for topic in read),
    )


def records(bootstrap: str, topic: str) -> Iterator[tuple[int, Record]]:
    """Yield what is committed on a topic, with its partition, in order within each."""
    for partition, _, value in Follow(bootstrap, topic, PARTITIONS).read():
        assert value is not None
        writer = CATALOG.writer(schema_id_of(value))
        assert writer is not None
        yield partition, writer.read(value, FRAME_BYTES)


def _once(found: Sequence[tuple[int, Record]]) -> Iterator[Record]:
    """Yield what is above the highest number heard from its sender on its partition."""
    last: dict[tuple[int, str], int] = {}
    for partition, record in found:
        sender, n = str(getattr(record, "sender", "")), int(getattr(record, "n", 0))
        if n > last.get((partition, sender), 0):
            last[partition, sender] = n
            yield record


def about(said: Said, prefix: str) -> Said:
    """Return what is said of the lots and processes whose names begin with a prefix."""
    here = f"/{prefix}"
    balances: Mapping[str, Balance] = said.balances
    return Said(
        [t for t in said.transfers if here in t.debit or here in t.credit],
        {account: b for account, b in balances.items() if here in account},
        [a for a in said.alerts if here in a.subject],
        [c for c in said.contents if here in c.from_owner],
    )
