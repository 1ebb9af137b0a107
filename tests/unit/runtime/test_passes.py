"""Passes beside the sink: one that fails is said by /health and a metric until one goes through."""

import json
import logging
import threading
from collections.abc import Iterator

from custody.errors import Unavailable
from custody.events import Micros
from runtime.passes import Course, beside, repeat
from telemetry.http import Health
from telemetry.metrics import PASS_FAILING, Metrics

NOON = Micros(1_790_000_000_000_000)
QUIET = logging.getLogger("custody.test.passes")


class Away(Unavailable):
    def __init__(self) -> None:
        super().__init__("the broker does not answer", next_step="custody status")


class Passes:
    """Passes that go as they are told to, ten seconds apart; ends after the last."""

    def __init__(self, *outcomes: Exception | None) -> None:
        self.now = NOON
        self.metrics = Metrics("warehouse")
        self.course = Course("audit", self.metrics, lambda: self.now)
        self._outcomes: Iterator[Exception | None] = iter(outcomes)
        self._left = len(outcomes)
        self._stop = threading.Event()

    def go_over(self) -> None:
        self._left -= 1
        if not self._left:
            self._stop.set()
        outcome = next(self._outcomes)
        self.now = Micros(self.now + 10_000_000)
        if outcome is not None:
            raise outcome

    def made(self) -> dict[str, object]:
        """Make them; returns what /health says."""
        ready = threading.Event()
        ready.set()
        repeat(self.go_over, self.course, QUIET, 0.0, ready, self._stop)
        said = beside(Health(ok=True, fields={"lag_records": 3}), [self.course])
        assert (said.code, said.fields["lag_records"]) == (200, 3)
        body: dict[str, object] = json.loads(said.body())
        return body


def test_a_failing_pass_is_said_with_its_error_and_since_when() -> None:
    passes = Passes(None, Away(), ValueError("no number"))
    told = passes.made()
    assert told["passes"] == {
        "audit": {
            "state": "failing",
            "since": "2026-09-21T14:13:40Z",
            "error": "ValueError: no number",
            "last_done_at": "2026-09-21T14:13:30Z",
        }
    }
    warning = "audit fails since 2026-09-21T14:13:40Z: ValueError: no number"
    assert told["warning"] == warning
    assert passes.metrics.value(PASS_FAILING, "audit") == 10.0
    assert 'custody_pass_failing_seconds{pass="audit"} 10.0' in passes.metrics.exposition().decode()


def test_one_that_goes_through_ends_it() -> None:
    passes = Passes(Away(), None)
    told = passes.made()
    assert (told["warning"], passes.metrics.value(PASS_FAILING, "audit")) == ("", 0.0)
