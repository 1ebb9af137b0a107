"""When a sink joins its group anew, and when it leaves that to whoever supervises it."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from runtime.stack import ports
from sinks import recovery
from sinks import sink as sinks
from sinks.client import Warehouse
from sinks.consumer import BrokerUnavailable, Listener, SecondSink
from sinks.progress import Progress
from sinks.recovery import NothingStored
from sinks.slice import Place
from telemetry.metrics import Metrics
from tests.support.sinks import CATALOG, config, now

JOINS = 6


@dataclass(slots=True)
class Member:
    """A sink that ends as it is told to."""

    ends: Callable[[], None]

    def run(self) -> None:
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


def test_a_member_fenced_once_joins_anew() -> None:
    stop = threading.Event()
    serve(iter([Member(raising(SecondSink("s", "fenced"))), Member(stop.set)]), stop)
    assert stop.is_set()


def test_a_member_fenced_again_is_one_of_two_and_stops() -> None:
    fenced = Member(raising(SecondSink("s", "fenced")))
    away = Member(raising(BrokerUnavailable()))
    with pytest.raises(SecondSink):
        serve(iter([fenced, away, fenced]), threading.Event())


def test_a_second_fencing_long_after_the_first_is_a_first_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sinks, "_FENCED_AGAIN_S", 0.0)
    stop = threading.Event()
    fenced = Member(raising(SecondSink("s", "fenced")))
    serve(iter([fenced, fenced, Member(stop.set)]), stop)
    assert stop.is_set()


def test_joining_again_and_again_keeps_no_client_and_ends_when_told_to(tmp_path: Path) -> None:
    """Nobody listens at this port: each member fails, or is stopped while it asks."""
    stop, threads = threading.Event(), []
    settings = config(f"127.0.0.1:{ports.any_free()}", tmp_path, broker_timeout_s=0.3)
    progress = Progress(Metrics("warehouse"), 30.0)

    def join() -> sinks.Sink:
        threads.append(len(list(Path("/proc/self/task").iterdir())))
        if len(threads) == JOINS:
            stop.set()
        return sinks.Sink(settings, cast(Warehouse, None), CATALOG, progress, now, stop)

    sinks._serve(join, progress, stop)
    assert len(threads) == JOINS
    assert max(threads[1:]) <= threads[1] + 1


def test_any_other_failure_is_not_waited_out() -> None:
    with pytest.raises(ZeroDivisionError):
        serve(iter([Member(raising(ZeroDivisionError()))]), threading.Event())


@dataclass(slots=True)
class Group:
    """Stands for the consumer: partitions come with the first take, as they do from a broker."""

    progress: Progress
    stop: threading.Event
    listener: Listener | None = None
    healthy: list[bool] = field(default_factory=list)

    def describe(self, _topics: object) -> dict[str, object]:
        return {}

    def committed(self, _places: object) -> dict[object, object]:
        return {}

    def subscribe(self, _topics: object, listener: Listener) -> None:
        self.listener = listener

    def take(self) -> list[object]:
        assert self.listener is not None
        self.healthy.append(self.progress.health().ok)
        self.listener.assigned([])
        self.healthy.append(self.progress.health().ok)
        self.stop.set()
        return []

    def close(self) -> None:
        pass


def member(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[sinks.Sink, Group]:
    stop, progress = threading.Event(), Progress(Metrics("warehouse"), 30.0)
    group = Group(progress, stop)
    monkeypatch.setattr(sinks, "Consumer", lambda *_: group)
    settings = config("127.0.0.1:1", tmp_path)
    return sinks.Sink(settings, cast(Warehouse, None), CATALOG, progress, now, stop), group


def test_a_sink_is_healthy_once_what_is_stored_fits_its_partitions(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Also one of more members than there are partitions: it is given none."""
    sink, group = member(monkeypatch, tmp_path)
    sink.run()
    assert group.healthy == [False, True]


def test_a_sink_whose_stored_history_contradicts_kafka_was_never_healthy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def contradicted(*_: object) -> None:
        raise NothingStored(Place("custody.fact.v1", 0), 0, 5)

    sink, group = member(monkeypatch, tmp_path)
    monkeypatch.setattr(recovery, "recover", contradicted)
    with pytest.raises(NothingStored):
        sink.run()
    assert group.healthy == [False]
    assert not group.progress.health().ok
