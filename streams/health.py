"""Whether a worker is stuck, by its work and not by the age of its last commit.

An idle partition never commits. Stuck means: records beyond the applied offset and no progress,
or applied and not committed, for longer than a limit.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial

from faust.exceptions import ConsumerNotStarted
from faust.types import TP

from streams.app import GuardedApp
from streams.config import SOURCES, WorkerConfig
from streams.transport import GuardedConsumer
from telemetry import metrics
from telemetry.http import Health
from telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Standing:
    """How far one source partition is.

    Attributes:
        behind: Records at the broker beyond the applied offset.
        pending_s: Seconds without progress while records wait; 0 when none wait.
        uncommitted_s: Seconds that applied records wait for a commit; 0 when none wait.
    """

    behind: int
    pending_s: float
    uncommitted_s: float


def watch(app: GuardedApp, config: WorkerConfig, gauges: Metrics) -> Callable[[], Health]:
    """Let the gauges follow the worker; return what answers ``/health``."""

    def standings() -> Mapping[TP, Standing]:
        try:
            return standing(app.guarded_consumer) if app.started else {}
        except ConsumerNotStarted:  # the first seconds, and the last
            return {}

    def lag(topic: str) -> float:
        return float(sum(s.behind for tp, s in standings().items() if tp.topic == topic))

    for topic in SOURCES:
        gauges.watch(metrics.WORKER_LAG, partial(lag, topic), topic)
    gauges.watch(
        metrics.WORKER_SINCE_PROGRESS,
        lambda: max((s.pending_s for s in standings().values()), default=0.0),
    )
    gauges.watch(
        metrics.WORKER_SINCE_COMMIT,
        lambda: max((s.uncommitted_s for s in standings().values()), default=0.0),
    )
    return lambda: judge(app, standings(), config.stuck_after_s)


def standing(consumer: GuardedConsumer) -> dict[TP, Standing]:
    """Return how far each assigned source partition is; safe from any thread."""
    now = consumer.guard.lease.now()
    found: dict[TP, Standing] = {}
    for tp in consumer.assignment():
        if tp.topic not in consumer.guard.sources:
            continue
        committed = consumer.committed(tp)
        applied, at = consumer.progress.get(tp, (committed, consumer.assigned_at))
        behind = max(0, (consumer.highwater(tp) or 0) - applied)
        waiting_since = max(at, consumer.committed_at.get(tp, 0.0))
        found[tp] = Standing(
            behind=behind,
            pending_s=now - at if behind else 0.0,
            uncommitted_s=now - waiting_since if applied > committed else 0.0,
        )
    return found


def judge(app: GuardedApp, standings: Mapping[TP, Standing], stuck_after_s: float) -> Health:
    """Return the health of a worker."""
    stuck = sorted(
        f"{tp.topic}/{tp.partition}"
        for tp, s in standings.items()
        if max(s.pending_s, s.uncommitted_s) > stuck_after_s
    )
    reason = f"no progress for {stuck_after_s:.0f} s on {', '.join(stuck)}" if stuck else ""
    fields: dict[str, object] = {
        "partitions": len(standings),
        # Without partitions nobody knows: not zero.
        "lag": sum(s.behind for s in standings.values()) if standings else None,
        "generation": app.consumer_generation_id,
        "rebalancing": app.rebalancing,
        "restoring": app.in_recovery,
        "guards": asdict(app.guard.counts),
    }
    return Health(not stuck, reason, fields)
