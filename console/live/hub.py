"""The hub: one reader of Kafka for all who watch.

One thread tails alerts, balances and actions into the ring and wakes whoever waits. At its start it
reads a little of each partition's past, so that a page which was open over a restart finds its
place in the ring. What is older is read from Kafka for the one who asks (``past``): Kafka has all
of it for ever, and the warehouse may be a second behind.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, TopicPartition

from console.live import broker
from console.live.broker import Taken
from console.live.places import Place, Places
from console.live.recent import Recent
from console.live.ring import Ring, Told
from console.live.telling import Telling, told
from custody.errors import Unavailable
from custody.events import ActionTaken
from schemas.registry import Catalog

_LOG = logging.getLogger(__name__)

_TAKE_MAX = 1_000
_TAKE_S = 0.1
_AGAIN_S = 1.0
_PROBE_EVERY_S = 1.0
_PROBE_S = 1.0
_PAST_PATIENCE = 50
"""Empty looks at Kafka, of a tenth of a second each, until the past is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveConfig:
    """Settings of the hub.

    Attributes:
        kafka: Client options: address and account.
        history_records: Records of each partition that are read at the start.
        entries_max: Most events in memory.
        bytes_max: Most bytes of them.
        past_records_max: Most records that are read for one who comes back late.
    """

    kafka: Mapping[str, str]
    history_records: int = 500
    entries_max: int = 4_096
    bytes_max: int = 16 << 20
    past_records_max: int = 20_000


class TooOld(Unavailable):
    """What somebody has not seen is more than is told, or is not there."""

    def __init__(self, records: int) -> None:
        super().__init__(f"{records} records were missed", next_step="load the page anew")


class Hub:
    """Reads, remembers, wakes.

    Args:
        config: Addresses and bounds.
        catalog: Where schema ids are looked up.
        monotonic: Seconds that never go back.
    """

    def __init__(
        self, config: LiveConfig, catalog: Catalog, monotonic: Callable[[], float]
    ) -> None:
        self._config = config
        self._catalog = catalog
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._waiting: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._telling: Telling | None = None
        self._heard_s: float | None = None
        self._record_s: float | None = None
        self._probe_s = 0.0
        self._past = threading.Semaphore(2)
        self._ring: Ring | None = None
        self._ends: Places = {}
        self.recent = Recent()
        self.ring: Ring | None = None
        """What is told; None until the little of the past is read: who came before would be told
        the past as news, and who comes back would have seen more than there is."""

    def run(self, stop: threading.Event) -> None:
        """Tail until ``stop`` is set; a broker that is away is waited for. Blocks."""
        while not stop.is_set():
            try:
                with broker.reader(self._config.kafka) as consumer:
                    self._tail(consumer, stop)
            except (Unavailable, KafkaException) as error:
                _LOG.warning("live: %s", error)
            stop.wait(_AGAIN_S)

    def since_heard_s(self) -> float | None:
        """Return for how long the broker has not answered; None where it never has."""
        return None if self._heard_s is None else self._monotonic() - self._heard_s

    def since_record_s(self) -> float | None:
        """Return for how long no record has come; None where none has."""
        return None if self._record_s is None else self._monotonic() - self._record_s

    @contextmanager
    def waking(self) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever there is something new; within an event loop."""
        event = asyncio.Event()
        with self._lock:
            self._waiting[event] = asyncio.get_running_loop()
        try:
            yield event
        finally:
            with self._lock:
                del self._waiting[event]

    @property
    def watching(self) -> int:
        """How many wait."""
        with self._lock:
            return len(self._waiting)

    def past(self, seen: Places, start: Places) -> list[Told]:
        """Read from Kafka what lies between two places. Blocks, some seconds at most.

        Args:
            seen: What somebody has seen.
            start: From where on the ring holds all.

        Raises:
            TooOld: It is more than is told.
            Unavailable: Kafka or the registry does not answer.
        """
        wanted = {place: at for place, at in seen.items() if at < start[place]}
        records = sum(start[place] - at for place, at in wanted.items())
        if records > self._config.past_records_max or self._telling is None:
            raise TooOld(records)
        telling = Telling(self._catalog, self._telling.partitions)
        with self._past, broker.reader(self._config.kafka) as consumer:
            broker.assign(consumer, wanted)
            return list(_between(consumer, telling, dict(wanted), start))

    def _tail(self, consumer: Consumer, stop: threading.Event) -> None:
        bounds = broker.bounds(consumer)
        self._begin(bounds)
        ring = self._ring
        assert ring is not None
        assert self._telling is not None
        broker.assign(consumer, ring.standing().end)
        while not stop.is_set():
            if self.ring is not ring and self._has_caught_up(ring):
                self.ring = ring
            self._probe(consumer, next(iter(bounds)))
            taken = broker.take(consumer, _TAKE_MAX, _TAKE_S)
            if not taken:
                continue
            self._heard_s = self._record_s = self._monotonic()
            known = dict(self._telling.numbers)
            try:
                events = self._told(self._telling, taken)
            except Unavailable:
                # Nothing of it is told, and all of it is read again: none of it may count as seen.
                self._telling.numbers = known
                raise
            ring.add(events, broker.next_of(taken))
            self._wake()

    def _told(self, telling: Telling, taken: Sequence[Taken]) -> list[Told]:
        events: list[Told] = []
        for place, messages in taken:
            records = telling.read(place, messages)
            events += told(place, records)
            for one in records:
                if isinstance(one.record, ActionTaken):
                    self.recent.take(one.record)
        return events

    def _begin(self, bounds: Mapping[Place, tuple[int, int]]) -> None:
        """Begin a little before the end; after an outage go on where it broke off."""
        self._ends = {place: high for place, (_, high) in bounds.items()}
        before = None if self._ring is None else self._ring.standing().end
        if before is not None and before.keys() == bounds.keys():
            ends = all(low <= before[place] <= high for place, (low, high) in bounds.items())
            if ends:
                return
        back = self._config.history_records
        start = {place: max(low, high - back) for place, (low, high) in bounds.items()}
        partitions = 1 + max(number for _, number in bounds)
        self._telling = Telling(self._catalog, partitions)
        self._ring = Ring(start, self._config.entries_max, self._config.bytes_max)

    def _has_caught_up(self, ring: Ring) -> bool:
        end = ring.standing().end
        return all(end[place] >= at for place, at in self._ends.items())

    def _probe(self, consumer: Consumer, place: Place) -> None:
        """See whether the broker answers: where nothing comes, nothing else tells."""
        now = self._monotonic()
        if now - self._probe_s < _PROBE_EVERY_S:
            return
        self._probe_s = now
        try:
            if consumer.get_watermark_offsets(TopicPartition(*place), timeout=_PROBE_S):
                self._heard_s = self._monotonic()
        except KafkaException as error:
            _LOG.debug("live: %s", error)

    def _wake(self) -> None:
        with self._lock:
            for event, loop in self._waiting.items():
                # A loop that was closed has nobody left who waits.
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(event.set)


def _between(
    consumer: Consumer, telling: Telling, at: dict[Place, int], until: Places
) -> Iterator[Told]:
    patience = _PAST_PATIENCE
    while any(at[place] < until[place] for place in at):
        taken = broker.take(consumer, _TAKE_MAX, _TAKE_S)
        patience = _PAST_PATIENCE if taken else patience - 1
        if not patience:
            why = "the past is not to be had"
            raise broker.BrokerAway(why)
        for place, messages in taken:
            ours = [m for m in messages if (m.offset() or 0) < until[place]]
            yield from told(place, telling.read(place, ours) if ours else [])
        at.update(broker.next_of(taken))
