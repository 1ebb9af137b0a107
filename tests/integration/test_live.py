"""Live events from a real broker: in time, without a gap, without a repeat, over a restart."""

import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from console.live.hub import Hub, LiveConfig
from console.live.places import TOPICS
from console.live_http import Live
from console.people.roles import Role
from console.server import Server
from custody.events import ActionTaken
from custody.records import Alert
from schemas import topics
from schemas.partition import partition_of
from schemas.registry import StaticCatalog
from tests.support import golden, stack
from tests.support.gateway import wait_for
from tests.support.sinks import framed
from tests.support.visitors import log_in, people

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PARTITIONS = 4


@dataclass(slots=True)
class Worker:
    """Says alerts, numbered as a worker does."""

    bootstrap: str
    n: Iterator[int] = field(default_factory=lambda: itertools.count(time.time_ns()))
    said: list[str] = field(default_factory=list)

    def say(self, count: int, begun: threading.Event | None = None) -> None:
        assert begun is None or begun.wait(30)
        producer = Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 5})
        (alert, *_) = golden.records("alert")
        assert isinstance(alert, Alert)
        for _ in range(count):
            n = next(self.n)
            lot = f"L-LIVE-{n % 11}"
            key = lot.encode()
            place = partition_of(key, PARTITIONS)
            made = replace(alert, n=n, alert_id=f"live-{n}", lot_id=lot, sender=f"worker/{place}")
            producer.produce(topics.ALERT, framed(made), key, place)
            self.said.append(made.alert_id)
        assert producer.flush(30) == 0


@pytest.fixture
def worker(kafka: str) -> Worker:
    known = AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=30).topics
    missing = [name for name in TOPICS if name not in known]
    if missing:
        stack.create_topics(kafka, missing, partitions=PARTITIONS)
    return Worker(kafka)


@contextmanager
def watching(bootstrap: str, directory: Path, history: int) -> Iterator[tuple[httpx.Client, Hub]]:
    """A hub and a browser on it; stopped as the process would."""
    stop = threading.Event()
    config = LiveConfig(kafka={"bootstrap.servers": bootstrap}, history_records=history)
    hub = Hub(config, StaticCatalog(), time.monotonic)
    thread = threading.Thread(target=hub.run, args=(stop,))
    thread.start()
    try:
        wait_for(lambda: hub.ring is not None)
        with people(directory, live=Live(hub, lambda: "{}", stop.is_set)) as desk:
            if not desk.register.users():
                desk.user("ann", Role.VIEWER)
            with Server(desk.app, "127.0.0.1", 0) as server:
                url = f"http://127.0.0.1:{server.port}"
                with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
                    assert log_in(client, "ann").status_code == 200
                    yield client, hub
                stop.set()
    finally:
        stop.set()
        thread.join()


def seen(
    client: httpx.Client, last_id: str | None, wanted: int, begun: threading.Event | None = None
) -> tuple[list[str], str, list[str]]:
    """Watch until so many alerts of ours have come, then drop the line.

    Gives the alerts, the id of the last event, and the names of all events.
    """
    headers = {} if last_id is None else {"Last-Event-ID": last_id}
    found, names, at, name = [], [], last_id or "", ""
    with client.stream("GET", "/api/live", headers=headers) as answer:
        assert answer.status_code == 200
        for line in answer.iter_lines():
            key, _, value = line.partition(": ")
            if key == "id":
                at = value
            elif key == "event":
                name = value
                names.append(name)
                if name == "hello" and begun is not None:
                    begun.set()
            elif key == "data" and name == "alert":
                alert_id = json.loads(value)["alert_id"]
                if alert_id.startswith("live-"):
                    found.append(alert_id)
            if not line and len(found) >= wanted and (wanted or "hello" in names):
                break
    return found, at, names


@pytest.mark.parametrize("history", [500, 3], ids=["of the ring", "of Kafka"])
def test_over_a_dropped_line_and_a_restart_each_alert_comes_once(
    kafka: str, worker: Worker, tmp_path: Path, history: int
) -> None:
    came: list[str] = []
    with watching(kafka, tmp_path, history) as (client, _):
        begun = threading.Event()
        telling = threading.Thread(target=worker.say, args=(40, begun))
        telling.start()
        some, last_id, _ = seen(client, None, 15, begun)
        came += some
        telling.join()
        worker.say(20)
        some, last_id, names = seen(client, last_id, 60 - len(came))
        assert "reset" not in names
        came += some
    worker.say(50)
    with watching(kafka, tmp_path, history) as (client, hub):
        worker.say(10)
        some, last_id, names = seen(client, last_id, 120 - len(came))
        assert "reset" not in names
        came += some
        none, _, _ = seen(client, last_id, 0)
        assert none == []
        assert hub.since_heard_s() is not None
    assert sorted(came) == sorted(worker.said), "no gap and no repeat"


def test_too_much_to_tell_is_told_to_begin_anew(kafka: str, worker: Worker, tmp_path: Path) -> None:
    with watching(kafka, tmp_path, 0) as (client, hub):
        _, last_id, _ = seen(client, None, 0)
        worker.say(30)
        assert hub.ring is not None
    with watching(kafka, tmp_path, 0) as (client, hub):
        hub._config = replace(hub._config, past_records_max=29)
        found, fresh, names = seen(client, last_id, 1_000)
        assert (found, names) == ([], ["reset"])
        _, _, names = seen(client, fresh, 0)
        assert "reset" not in names, "what comes with it is a place to go on from"


def test_an_action_is_known_before_it_is_stored(kafka: str, worker: Worker, tmp_path: Path) -> None:
    del worker
    (golden_action, *_) = golden.records("action")
    assert isinstance(golden_action, ActionTaken)
    event_id = f"live-{time.time_ns()}"
    action = replace(
        golden_action, event_id=event_id, action="hold", subject="lot/L-LIVE-1", movement_id=None
    )
    with watching(kafka, tmp_path, 5) as (_, hub):
        producer = Producer({"bootstrap.servers": kafka})
        key = b"L-LIVE-1"
        producer.produce(topics.CONTROL, framed(action), key, partition_of(key, PARTITIONS))
        assert producer.flush(30) == 0
        wait_for(lambda: hub.recent.has(event_id))
        (row,) = [row for row in hub.recent.holds("L-LIVE-1") if row["event_id"] == event_id]
        assert row["action"] == "hold"
        assert len(str(row["recorded_at"])) == len("2026-11-05 07:12:00.000000")
