"""The auditor beside the sink: goes over what is stored again and again, and says what it finds.

What it finds it says to the gateway's row in the stream, as sightings; the worker raises the alert
and takes it back. It numbers what it says like any partition does, so that a repeat after a crash
is dropped where it is received. What it has said it reads from the warehouse when it starts, once
all of it is stored there; so nothing of it has to be kept.
"""

import logging
from collections.abc import Callable, Mapping

from confluent_kafka import KafkaError, Message, Producer

from custody.audit import Fault
from custody.errors import Unavailable
from custody.events import Micros
from custody.ids import BETWEEN, derived_id
from custody.records import Sighting
from runtime.asof import Ask
from runtime.audit.standing import Standing
from runtime.ends import ends
from schemas import topics
from schemas.codec import encode, frame
from schemas.partition import partition_of
from schemas.registry import Catalog

SENDER = "audit/0"
"""Who numbers what the auditor says: there is one."""

SEND_S = 30.0

Key = tuple[str, str, str]
"""Gateway, rule and what it is about."""

log = logging.getLogger(__name__)


class NotSent(Unavailable):
    """The broker did not take what the auditor said."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the auditor's finding was not taken: {why}", next_step="custody status")


class Auditor:
    """Goes over what is stored, in a thread of its own, until stopped.

    Args:
        ask: Runs SQL.
        standing: What stands; used by this thread only.
        kafka: Client options, address and security.
        catalog: Who gives schema ids.
        partitions: Partitions of every topic.
        clock: Time of day.
    """

    def __init__(
        self,
        ask: Ask,
        standing: Standing,
        kafka: Mapping[str, str],
        *,
        catalog: Catalog,
        partitions: int,
        clock: Callable[[], Micros],
    ) -> None:
        self._ask = ask
        self._standing = standing
        self._kafka = kafka
        self._catalog = catalog
        self._partitions = partitions
        self._clock = clock
        self._said: dict[Key, str] | None = None
        self._n = 0
        self._unsent: Sighting | None = None
        self.found: list[Fault] = []
        """What stood at the last pass."""
        self.done_at: Micros | None = None
        """When the last pass was over."""

    def go_over(self) -> None:
        """Make one pass and say what has changed; blocks.

        Raises:
            Unavailable: Something is away; the next pass goes on.
        """
        if self._said is None and not self._recall():
            return
        self.found = self._standing.go_over(self._clock())
        self.done_at = self._clock()
        self._say()

    def _recall(self) -> bool:
        """Read what was said before; False while not all of it is stored."""
        stored = {
            int(str(row["partition"])): int(str(row["high"]))
            for row in self._ask(_STORED, {"topic": topics.FLOW})
        }
        flow = ends(self._kafka, [topics.FLOW]).get(topics.FLOW, {})
        if any(lo < end and stored.get(number, 0) < end for number, (lo, end) in flow.items()):
            return False
        said: dict[Key, str] = {}
        for row in self._ask(_SAID, {"sender": SENDER}):
            about, _, detail = str(row["text"]).partition(BETWEEN)
            key = str(row["thing"]).removeprefix("gateway/"), str(row["quantity"]), about
            self._n = int(str(row["n"]))
            said.pop(key, None)
            if row["stands"]:
                said[key] = detail
        self._standing.remember(said)
        self._said = said
        return True

    def _say(self) -> None:
        assert self._said is not None, "read before"
        if self._unsent is not None:
            self._send(self._unsent)
        now = {(f.gateway, f.rule, f.about): f.detail for f in self.found}
        for key in [key for key in self._said if key not in now]:
            self._send(self._sighting(key, self._said[key], stands=False))
        for key, detail in now.items():
            if key not in self._said:
                self._send(self._sighting(key, detail, stands=True))

    def _sighting(self, key: Key, detail: str, *, stands: bool) -> Sighting:
        gateway, rule, about = key
        now = self._clock()
        return Sighting(
            sender=SENDER,
            n=self._n + 1,
            cause_event_id=derived_id("audit", [gateway, rule, about]),
            thing=f"gateway/{gateway}",
            lot_id=None,
            site_id=None,
            occurred_at=now,
            known_at=now,
            quantity=rule,
            value=1.0 if stands else 0.0,
            u=None,
            text=f"{about}{BETWEEN}{detail}",
        )

    def _send(self, said: Sighting) -> None:
        """Send a word and wait for the broker; what may be on its way is sent again as it is."""
        assert self._said is not None, "read before"
        self._unsent = said
        key = said.thing.partition("/")[2]
        value = frame(self._catalog.schema_id("sighting"), encode(said))
        partition = partition_of(key.encode(), self._partitions)
        _deliver(self._kafka, partition, key.encode(), value)
        self._unsent, self._n = None, said.n
        about, _, detail = (said.text or "").partition(BETWEEN)
        if said.value:
            self._said[key, said.quantity, about] = detail
        else:
            self._said.pop((key, said.quantity, about), None)
        log.warning(
            "audit finding" if said.value else "audit finding is gone",
            extra={"rule": said.quantity, "gateway": key, "detail": detail},
        )


def _deliver(kafka: Mapping[str, str], partition: int, key: bytes, value: bytes) -> None:
    """Write one record and wait for its acknowledgement: findings are few.

    Raises:
        NotSent: The broker did not take it in time.
    """
    failed: list[str] = []

    def answered(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failed.append(str(error))

    options = {"acks": "all", "enable.idempotence": True, "log_level": 0}
    producer = Producer({**kafka, **options, "message.timeout.ms": int(SEND_S * 1000)})
    producer.produce(topics.FLOW, value, key, partition, on_delivery=answered)
    if producer.flush(SEND_S + 5.0) or failed:
        raise NotSent("".join(failed) or "no answer in time")


_STORED = """
SELECT partition, max(last) + 1 AS high FROM ingest_batches
WHERE topic = {topic:String} GROUP BY partition
"""

_SAID = """
SELECT thing, quantity, text, record_value AS stands, n FROM sighting
WHERE sender = {sender:String} ORDER BY n
"""
