"""When a sink joins its group anew, and when it leaves that to whoever supervises it."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from sinks import sink as sinks
from sinks.consumer import BrokerUnavailable, SecondSink
from sinks.progress import Progress
from telemetry.metrics import Metrics


@dataclass(slots=True)
class Member:
    """A sink that ends as it is told to."""

    ends: Callable[[], None]
    session_s: float = 60.0

    def run(self, _stop: threading.Event) -> None:
        self.ends()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sinks, "_REJOIN_AFTER_S", 0.0)


def raising(error: Exception) -> Callable[[], None]:
    def end() -> None:
        raise error

    return end


def serve(members: Iterator[Member], stop: threading.Event) -> Progress:
    progress = Progress(Metrics("warehouse"), 30.0)
    sinks._serve(lambda: next(members), progress, stop)  # type: ignore[arg-type,return-value]
    return progress


def test_a_broker_that_stays_away_is_waited_for_and_named() -> None:
    stop = threading.Event()
    away = Member(raising(BrokerUnavailable("no route")))
    progress = serve(iter([away, away, away, Member(stop.set)]), stop)
    assert "no route" in progress.health().reason
    assert not progress.health().ok


def test_a_member_fenced_after_a_session_joins_anew() -> None:
    stop = threading.Event()
    serve(iter([Member(raising(SecondSink("s", "fenced")), session_s=0.0), Member(stop.set)]), stop)
    assert stop.is_set()


def test_a_member_fenced_at_once_is_one_of_two_and_stops() -> None:
    with pytest.raises(SecondSink):
        serve(iter([Member(raising(SecondSink("s", "fenced")))]), threading.Event())


def test_any_other_failure_is_not_waited_out() -> None:
    with pytest.raises(ZeroDivisionError):
        serve(iter([Member(raising(ZeroDivisionError()))]), threading.Event())
