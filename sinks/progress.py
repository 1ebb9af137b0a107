"""How the sink gets on, for ``/health`` and ``/metrics``; written by its loop, read by anyone."""

import threading
import time
from collections.abc import Callable, Mapping

from schemas import topics
from sinks.rows import Fate, Rows, counts
from sinks.slice import Place
from telemetry import metrics as names
from telemetry.http import Health
from telemetry.metrics import Metrics


class Progress:
    """What was stored and what waits.

    Args:
        metrics: Where it is shown.
        stuck_after_s: So long without a flush while records wait, or without a turn of the loop,
            is unhealthy.
        clock: Seconds of a clock that only goes forward.
    """

    def __init__(
        self,
        metrics: Metrics,
        stuck_after_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._metrics = metrics
        self._stuck_after_s = stuck_after_s
        self._clock = clock
        self._lock = threading.Lock()
        self._lag: Mapping[str, int] = {}
        self._started = False
        self._reason = "starting"
        self._waits_for = ""
        self._moved_at = self._turned_at = clock()
        metrics.watch(names.SINK_SINCE_PROGRESS, self.since_progress_s)

    def started(self) -> None:
        """Note that the sink is a member of its group, and what is stored fits its partitions."""
        with self._lock:
            self._started, self._reason = True, ""
            self._moved_at = self._turned_at = self._clock()

    def away(self, reason: str) -> None:
        """Note that the sink is no member of its group, and why."""
        with self._lock:
            self._started, self._reason = False, reason

    def stored(self, place: Place, rows: Rows) -> None:
        """Note what became of a partition's records."""
        for table, found in rows.tables:
            self._metrics.add(names.SINK_ROWS, table, found.num_rows)
        duplicates = counts(rows.fates)[Fate.DUPLICATE]
        if duplicates:
            self._metrics.add(names.SINK_DUPLICATE, place.topic, duplicates)
        for bad in rows.bad:
            self._metrics.add(names.SINK_DEAD_LETTERS, bad.reason)

    def flushed(self, seconds: float, records: int) -> None:
        """Note a confirmed flush."""
        self._metrics.observe(names.INSERT_SECONDS, seconds)
        self._metrics.set(names.SINK_BATCH_ROWS, records)
        with self._lock:
            self._moved_at = self._clock()
            self._waits_for = ""

    def turned(self, lag: Mapping[str, int]) -> None:
        """Note a turn of the loop and how many records of each topic are not stored yet."""
        for topic in topics.TOPICS:
            self._metrics.set(names.SINK_LAG, lag.get(topic.name, 0), topic.name)
        with self._lock:
            self._lag = dict(lag)
            self._turned_at = self._clock()
            if not sum(lag.values()):
                self._moved_at = self._turned_at

    def waiting(self, reason: str) -> None:
        """Note that the loop is alive and waits for something outside."""
        with self._lock:
            self._turned_at = self._clock()
            self._waits_for = reason

    def since_progress_s(self) -> float:
        """Return for how long records have been waiting without a flush; 0 when none wait."""
        with self._lock:
            return self._clock() - self._moved_at if sum(self._lag.values()) else 0.0

    def health(self) -> Health:
        """Return how the sink is."""
        since = self.since_progress_s()
        with self._lock:
            lag, started, reason = dict(self._lag), self._started, self._reason
            waits_for = f": {self._waits_for}" if self._waits_for else ""
            silent = self._clock() - self._turned_at
        if started and since > self._stuck_after_s:
            reason = f"records wait and nothing has been stored{waits_for}"
        elif started and silent > self._stuck_after_s:
            reason = "the sink's loop does not turn"
        fields = {
            "lag_records": sum(lag.values()),
            "lag_by_topic": lag,
            "since_progress_s": round(since, 3),
            "since_turn_s": round(silent, 3),
        }
        return Health(ok=not reason, reason=reason, fields=fields)
