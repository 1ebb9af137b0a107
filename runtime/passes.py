"""Passes beside the sink: the same work again and again, in a thread of its own, until stopped."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from confluent_kafka import KafkaException

from custody.audit import Fault
from custody.errors import CustodyError
from custody.events import Micros
from schemas.present import rfc3339
from telemetry.http import Health
from telemetry.metrics import PASS_FAILING, Metrics

_LOOK_S = 0.2
"""How often who begins at once looks whether the tables are there."""


class Course:
    """How passes of one name go: written by their thread, read by anyone.

    Args:
        name: Of the passes, as ``/health``, the metric and the log call them.
        metrics: Where it is shown.
        clock: Time of day.
        at_once: The first is due when the tables are there, and not an interval later.
    """

    def __init__(
        self,
        name: str,
        metrics: Metrics,
        clock: Callable[[], Micros],
        *,
        at_once: bool = False,
    ) -> None:
        self.name = name
        self.at_once = at_once
        self._clock = clock
        self._lock = threading.Lock()
        self._done_at: Micros | None = None
        self._since: Micros | None = None
        self._error = ""
        metrics.watch(PASS_FAILING, self.failing_s, name)

    def done(self) -> None:
        """Note that a pass went through."""
        with self._lock:
            self._done_at, self._since, self._error = self._clock(), None, ""

    def failed(self, error: str) -> bool:
        """Note that a pass did not go through, and why; tell whether that is news."""
        with self._lock:
            is_news = error != self._error
            self._since = self._clock() if self._since is None else self._since
            self._error = error
        return is_news

    def failing_s(self) -> float:
        """Return since when passes fail, seconds; 0 where the last one went through."""
        with self._lock:
            return 0.0 if self._since is None else max(0.0, (self._clock() - self._since) / 1e6)

    def told(self) -> dict[str, object]:
        """Return what ``/health`` says."""
        with self._lock:
            return {
                "state": "failing" if self._since is not None else "ok",
                "since": None if self._since is None else rfc3339(self._since),
                "error": self._error,
                "last_done_at": None if self._done_at is None else rfc3339(self._done_at),
            }


class Findings:
    """What the auditor's last pass found: written by its thread, read by anyone."""

    def __init__(self) -> None:
        self._found: Mapping[str, Mapping[str, int]] | None = None

    def tell(self, faults: Iterable[Fault]) -> None:
        """Take all that stands after a pass."""
        found: dict[str, Counter[str]] = {}
        for fault in faults:
            found.setdefault(fault.gateway, Counter())[fault.rule] += 1
        self._found = found

    def told(self) -> Mapping[str, Mapping[str, int]] | None:
        """Return how often each rule stands, by gateway; None before the first pass."""
        return self._found

    def warnings(self) -> list[str]:
        """Return a sentence for each gateway that something stands against."""
        return [
            f"integrity of {gateway}: {', '.join(f'{rule} {n}' for rule, n in rules.items())}"
            " (custody alerts --open --family integrity)"
            for gateway, rules in (self._found or {}).items()
        ]


def beside(health: Health, courses: Sequence[Course], findings: Findings) -> Health:
    """Return the health of a process with what its passes say.

    A pass that fails, and what the auditor has found, are said in ``warning`` and make nobody
    unhealthy: rows are stored, and a restart would mend nothing.
    """
    told = {course.name: course.told() for course in courses}
    failing = [
        f"{name} fails since {one['since']}: {one['error']}"
        for name, one in told.items()
        if one["since"] is not None
    ]
    warning = "; ".join([*failing, *findings.warnings()])
    fields = {
        **health.fields,
        "passes": told,
        "integrity": findings.told(),
        "warning": warning,
    }
    return replace(health, fields=fields)


def repeat(
    go_over: Callable[[], None],
    course: Course,
    log: logging.Logger,
    interval_s: float,
    ready: threading.Event,
    stop: threading.Event,
) -> None:
    """Make passes until ``stop`` is set; what is away is waited for, and said once.

    Args:
        go_over: One pass.
        course: Told how each one went; the log has its name.
        log: Where to.
        interval_s: Between two passes.
        ready: Set when the tables are there.
        stop: Set by another thread.
    """
    due_s = min(interval_s, _LOOK_S) if course.at_once else interval_s
    while not stop.wait(due_s):
        if not ready.is_set():
            continue
        due_s = interval_s
        try:
            go_over()
            course.done()
        except (CustodyError, KafkaException) as error:
            if course.failed(str(error)):
                log.warning("%s waits", course.name, extra={"reason": str(error)})
        except Exception as error:
            # A process edge: rows go on being stored, whatever a pass trips over.
            course.failed(f"{type(error).__name__}: {error}")
            log.exception("%s failed", course.name)
