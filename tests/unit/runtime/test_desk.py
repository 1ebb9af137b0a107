"""What a page is told of sink and stream, and that threads beside a block end with it."""

import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from console.live.hub import Hub, LiveConfig
from console.live.pulse import STALE_S
from runtime.desk import Parts, _beside, _sink, _stores, _stream
from schemas.registry import StaticCatalog
from sinks.progress import Progress
from telemetry.metrics import Metrics
from tests.support.visitors import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_sink_whose_loop_stops_is_not_well_within_five_seconds(clock: Clock) -> None:
    progress = Progress(Metrics("warehouse"), 30.0, clock.seconds)
    parts = cast("Parts", SimpleNamespace(progress=progress))
    assert not _sink(parts).ok
    assert "starting" in _stores(parts)
    progress.started()
    assert _sink(parts).ok
    assert _stores(parts) == ""
    clock.pass_s(STALE_S + 0.1)
    assert not _sink(parts).ok
    assert _stores(parts) == "", "a gate is not stopped by a slow insert"
    progress.turned({})
    assert _sink(parts).ok
    progress.away("the broker is away")
    assert (_sink(parts).ok, _sink(parts).reason) == (False, "the broker is away")


def test_a_broker_that_is_silent_is_not_well_within_five_seconds(clock: Clock) -> None:
    hub = Hub(LiveConfig(kafka={}), StaticCatalog(), clock.seconds)
    assert not _stream(hub).ok
    hub._heard_s = clock.seconds()
    assert _stream(hub).ok
    clock.pass_s(STALE_S + 0.1)
    assert _stream(hub) == replace(_stream(hub), ok=False, reason="Kafka does not answer")
    assert STALE_S + 2 <= 5, "with a beat each two seconds"


def test_what_runs_beside_a_block_ends_with_it() -> None:
    stop, ran = threading.Event(), threading.Event()

    def body(until: threading.Event) -> None:
        ran.set()
        until.wait()

    with _beside(stop, {"one": body}):
        assert ran.wait(30)
    assert stop.is_set()
