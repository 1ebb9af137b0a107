"""Whoever asks a worker for its health while it starts changes nothing of it."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from faust.exceptions import ConsumerNotStarted

from streams import stop, worker
from streams.app import GuardedApp, make_app
from streams.config import WorkerConfig
from streams.health import watch
from streams.protocol import Protocol
from telemetry.metrics import Metrics


@pytest.fixture
def app(tmp_path: Path) -> GuardedApp:
    asyncio.set_event_loop(asyncio.new_event_loop())
    protocol = cast("Protocol", SimpleNamespace(connect=lambda *_: None, apply=None))
    return make_app(config(tmp_path), protocol)


def config(directory: Path) -> WorkerConfig:
    return WorkerConfig(
        bootstrap="127.0.0.1:1", registry_url="http://127.0.0.1:1", data_dir=directory
    )


def test_health_makes_no_consumer(app: GuardedApp, tmp_path: Path) -> None:
    """Faust makes its consumer for whoever asks first, so a second thread made a second one.

    The worker then started the one and asked the other: it ended, or went on without work.
    """
    app._started.set()
    health = watch(app, config(tmp_path), Metrics("worker"))()
    assert (health.fields["partitions"], health.fields["lag"]) == (0, None)
    with pytest.raises(ConsumerNotStarted):
        _ = app.guarded_consumer
    made: Any = app.consumer
    assert app.guarded_consumer is made


def test_a_start_that_fails_ends_with_the_code_of_a_restart(
    app: GuardedApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faust itself would end with 1."""
    died: list[Exception] = []
    monkeypatch.setattr(stop, "on_error", died.append)

    async def fail() -> None:
        raise ConsumerNotStarted

    monkeypatch.setattr(app, "on_first_start", fail)
    with pytest.raises(SystemExit):
        worker._run(app, asyncio.get_event_loop())
    assert isinstance(died[0], ConsumerNotStarted)
