"""Passes beside the sink: one that fails is said by /health and a metric until one goes through."""

import json
import logging
import threading
from collections.abc import Iterator

from custody.audit import BROKEN, GAP, Fault
from custody.errors import Unavailable
from custody.events import Micros
from runtime.passes import Course, Findings, beside, repeat
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
        self.findings = Findings()
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
        healthy = Health(ok=True, fields={"lag_records": 3})
        said = beside(healthy, [self.course], self.findings)
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


def test_what_the_auditor_found_is_said_until_a_pass_finds_it_no_more() -> None:
    passes = Passes(None)
    assert passes.made()["integrity"] is None, "nobody has looked yet"
    faults = [Fault(GAP, "GW-A", about, "missing") for about in ("1/3", "1/9")]
    passes.findings.tell([*faults, Fault(BROKEN, "GW-B", "1/7", "changed")])
    told = Passes.made(passes)
    assert told["status"] == "ok"
    assert told["integrity"] == {"GW-A": {GAP: 2}, "GW-B": {BROKEN: 1}}
    assert told["warning"] == (
        "integrity of GW-A: sequence_gap 2 (custody alerts --open --family integrity);"
        " integrity of GW-B: chain_broken 1 (custody alerts --open --family integrity)"
    )
    passes.findings.tell([])
    assert (passes.made()["integrity"], passes.made()["warning"]) == ({}, "")


def test_a_first_pass_that_is_due_at_once_comes_when_the_tables_are_there() -> None:
    """Up to when all is in was not known for two intervals after each start."""
    course = Course("watermark", Metrics("warehouse"), lambda: NOON, at_once=True)
    gone_over, ready, stop = threading.Event(), threading.Event(), threading.Event()
    hour_s = 3600.0
    asked = (gone_over.set, course, QUIET, hour_s, ready, stop)
    thread = threading.Thread(target=repeat, args=asked)
    thread.start()
    try:
        assert not gone_over.wait(0.5), "not before the tables are there"
        ready.set()
        assert gone_over.wait(60.0), "not only after the interval"
    finally:
        stop.set()
        thread.join()
