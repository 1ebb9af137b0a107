"""The sink's loop: take records, cut batches, flush, settle. One thread owns all of it."""

import gc
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby

from custody.events import Micros
from schemas.registry import Catalog
from schemas.routes import ROUTES
from sinks import migrate, recovery
from sinks.client import Warehouse, open_warehouse
from sinks.config import SinkConfig
from sinks.consumer import BrokerUnavailable, Consumer, SecondSink, Topic
from sinks.dead_letters import DeadLettersNotTaken
from sinks.flush import Flusher, Interrupted, Outside, settlement
from sinks.profiles import Cluster
from sinks.progress import Progress
from sinks.recovery import Partition
from sinks.slice import Place

_LOG = logging.getLogger(__name__)

_LAG_EVERY_S = 1.0
_REJOIN_AFTER_S = 1.0
_FENCED_AGAIN_S = 120.0
_LOOK_S = 5.0
"""Fenced a second time within it, a sink is one of two of its name."""
_COLLECT_EVERY_OBJECTS = 200_000


def run(
    config: SinkConfig,
    catalog: Catalog,
    progress: Progress,
    now: Callable[[], Micros],
    stop: threading.Event,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Open the warehouse, bring it up to date, and store records until ``stop`` is set.

    Blocks. On ``stop`` what has been taken is flushed and the place is committed. A broker that
    is away is waited for without end: the history can be asked meanwhile.

    Args:
        config: Addresses and limits.
        catalog: Where schema ids are looked up.
        progress: Told how it gets on.
        now: Time of day.
        stop: Set by another thread or a signal handler.
        ready: Called once, when the tables are there.

    Raises:
        Unavailable: The warehouse or the registry stays away, or another sink has our name; a
            restart may help.
        Corrupt: Stored history contradicts itself; a person is needed.
    """
    warehouse = open_warehouse(config.warehouse)
    try:
        cluster = None if config.cluster is None else Cluster(config.cluster)
        migrate.migrate(warehouse, now(), cluster=cluster)
        ready()
        with _seldom_collected():
            _serve(lambda: Sink(config, warehouse, catalog, progress, now, stop), progress, stop)
    finally:
        warehouse.close()


def _serve(join: Callable[[], "Sink"], progress: Progress, stop: threading.Event) -> None:
    """Store records, as a new member each time the broker was away or forgot the one before.

    A member is fenced by a broker that comes back without knowing it, once; and by another sink
    of its name, again and again: then it is for a person to say which of them is right.
    """
    fenced_at = -math.inf
    while not stop.is_set():
        try:
            join().run()
        except (BrokerUnavailable, DeadLettersNotTaken, SecondSink) as error:
            if isinstance(error, SecondSink):
                if time.monotonic() - fenced_at < _FENCED_AGAIN_S:
                    raise
                fenced_at = time.monotonic()
            _LOG.warning("joining the group anew: %s", error.what)
            progress.away(error.what)
        # A member and its parts hold each other; nobody else collects them here.
        gc.collect()
        stop.wait(_REJOIN_AFTER_S)


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Let the cycle collector look seldom, and only at what is new.

    A batch makes tens of thousands of objects without cycles (records, headers); looking through
    them and all modules took a fifth of the sink's time (3.5 of 18 us per row).
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_COLLECT_EVERY_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


class Sink:
    """A consumer group member that turns records into rows."""

    def __init__(
        self,
        config: SinkConfig,
        warehouse: Warehouse,
        catalog: Catalog,
        progress: Progress,
        now: Callable[[], Micros],
        stop: threading.Event,
    ) -> None:
        self._config = config
        self._warehouse = warehouse
        self._progress = progress
        self._stop = stop
        self._consumer = Consumer(config, stop, progress.waiting)
        self._topics: dict[str, Topic] = {}
        self._partitions: dict[Place, Partition] = {}
        self._started = self._flushing = False
        self._oldest_at: float | None = None
        self._lag_at = 0.0
        self._looked_at = time.monotonic()
        outside = Outside(self._consumer, stop, warehouse, catalog, now)
        self._flusher = Flusher(config, outside, progress, self._owns)

    def run(self) -> None:
        """Store records until ``stop`` is set; see ``run``."""
        names = sorted({route.topic for route in ROUTES if route.table is not None})
        try:
            self._topics = self._consumer.describe(names)
            self._consumer.subscribe(names, self)
            while not self._stop.is_set():
                self._turn()
            self._flush(list(self._partitions.values()), patient=False)
            self._settle()
        finally:
            self._flushing = True  # nothing more is flushed: close() hands the partitions back
            self._consumer.close()

    def assigned(self, places: Sequence[Place]) -> Mapping[Place, int]:
        """Recover partitions that have become ours, and say where to read on."""
        # Asked anew: a topic may have been made anew since, and its partitions come as lost ones.
        self._topics = self._consumer.describe(self._topics)
        found = recovery.recover(
            self._consumer, self._warehouse, self._config, self._topics, places
        )
        self._partitions.update(found)
        if not self._started:
            # Not before: what is stored may contradict Kafka, and then it ends at once.
            self._started = True
            self._progress.started()
        return {place: partition.done for place, partition in found.items()}

    def revoked(self, places: Sequence[Place]) -> None:
        """Flush and settle partitions that go to another member, unless a flush is under way."""
        mine = [self._partitions[place] for place in places if place in self._partitions]
        if not self._flushing:
            self._flush(mine, patient=False)
            self._settle()
        self.lost(places)

    def lost(self, places: Sequence[Place]) -> None:
        """Drop partitions without a commit."""
        for place in places:
            self._partitions.pop(place, None)

    def _turn(self) -> None:
        took = self._take()
        if self._due():
            self._flush(list(self._partitions.values()), patient=True)
        elif not took and self._oldest_at is None:
            self._settle()
            self._look()
        self._note_lag()

    def _take(self) -> int:
        taken = 0
        for (topic, number), messages in groupby(
            self._consumer.take(), key=lambda m: (m.topic(), m.partition())
        ):
            partition = self._partitions.get(Place(str(topic), int(number or 0)))
            if partition is None:
                continue
            # A record of before a seek or a rebalance may still come.
            new = [m for m in messages if (m.offset() or 0) >= partition.next]
            if new:
                partition.pending += new  # type: ignore[arg-type]  # the stub's None is for errors
                partition.next = partition.pending[-1].offset() + 1
                partition.bytes += sum(map(len, new))
                taken += len(new)
        if taken and self._oldest_at is None:
            self._oldest_at = time.monotonic()
        return taken

    def _due(self) -> bool:
        if self._oldest_at is None:
            return False
        partitions = self._partitions.values()
        return (
            time.monotonic() - self._oldest_at >= self._config.batch_age_s
            or sum(len(p.pending) for p in partitions) >= self._config.batch_rows_max
            or sum(p.bytes for p in partitions) >= self._config.batch_bytes_max
        )

    def _flush(self, partitions: Sequence[Partition], *, patient: bool) -> None:
        due = [p for p in partitions if p.pending]
        if not due:
            return
        self._flushing = True
        try:
            refused = self._flusher.flush(due, patient=patient)
        except Interrupted:
            refused = {p.place for p in due}
        finally:
            self._flushing = False
        if not any(p.pending for p in self._partitions.values() if p.place not in refused):
            self._oldest_at = None
        if refused and patient and not self._stop.is_set():
            self._recover(refused)

    def _recover(self, places: set[Place]) -> None:
        """Begin anew from the committed offsets, where the partitions are still ours."""
        ours = [place for place in places if place in self._consumer.owned]
        self.lost(list(places))
        self._consumer.seek(self.assigned(ours))

    def _settle(self) -> None:
        """Commit the next offset of all partitions with nothing under way, once."""
        due = [p for p in self._partitions.values() if p.to_settle]
        offsets = {p.place: settlement(p) for p in due}
        if not offsets:
            return
        refused = self._consumer.commit(offsets, patient=False)
        for partition in due:
            partition.settled = partition.place not in refused

    def _look(self) -> None:
        """See now and then that topics are those we know; a batch would, and none comes.

        Of a topic made anew an old place gets no record until the new one has as many.
        """
        if time.monotonic() - self._looked_at < self._config.look_every_s:
            return
        self._looked_at = time.monotonic()
        try:
            found = self._consumer.describe(self._topics, _LOOK_S)
        except BrokerUnavailable:
            return
        for place, partition in self._partitions.items():
            recovery.check_topic(partition, found[place.topic])

    def _note_lag(self) -> None:
        now = time.monotonic()
        if now - self._lag_at < _LAG_EVERY_S:
            return
        self._lag_at = now
        lag = dict.fromkeys(self._topics, 0)
        for place, partition in self._partitions.items():
            lag[place.topic] += max(0, self._consumer.end(place) - partition.done)
        self._progress.turned(lag)

    def _owns(self, partition: Partition) -> bool:
        return self._partitions.get(partition.place) is partition
