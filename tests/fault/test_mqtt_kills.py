"""A gateway is killed between a message and its acknowledgement: nothing lost, nothing doubled."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from telemetry import metrics
from tests.support import inlets, mqtt_line, tree
from tests.support.gateway import ticket, wait_for
from tests.support.mqtt_broker import Broker
from tests.support.mqtt_kills import MOMENTS

pytestmark = [pytest.mark.integration, pytest.mark.fault]

MESSAGES = 60


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path / "broker")
    made.prepare()
    made.start()
    yield made
    made.stop()


def test_a_kill_at_any_moment_loses_no_message_and_doubles_none(
    broker: Broker, tmp_path: Path
) -> None:
    directory, name = tmp_path / "gateway", "killed"
    mqtt = mqtt_line.config(broker.url, name)
    with mqtt_line.taking(directory, mqtt) as gateway:
        wait_for(lambda: mqtt_line.state(gateway)["state"] == "subscribed")
        path = gateway.outbox.path
    with mqtt_line.plant(broker, name) as plant:
        for no in range(MESSAGES):
            plant.send(ticket(no))
        for moment in MOMENTS:
            for n in ("1", "2"):
                assert lived(directory, broker.url, name, moment, n) == -signal.SIGKILL, moment
                plant.send(ticket(MESSAGES + int(n)), qos=1)
        with mqtt_line.taking(directory, mqtt) as gateway:
            wait_for(lambda: len(inlets.event_ids(path)) == MESSAGES + 2)
            answer = plant.ask(ticket(0))
            assert isinstance(answer, dict)
            assert answer["result"] == "duplicate"
            wait_for(lambda: mqtt_line.state(gateway)["unacknowledged"] == 0)
    ids = inlets.event_ids(path)
    assert len(ids) == len(set(ids)) == MESSAGES + 2
    with mqtt_line.taking(directory, mqtt) as gateway, mqtt_line.plant(broker, name) as plant:
        assert plant.ask(ticket(0)) is not None
        answered = gateway.counts.value(metrics.MQTT_MESSAGES, "answered")
        assert answered == 1, "the broker kept nothing that was acknowledged"


def lived(directory: Path, url: str, name: str, moment: str, n: str) -> int:
    command = [sys.executable, "-m", "tests.support.mqtt_kills", str(directory), url, name]
    return subprocess.run([*command, moment, n], cwd=tree.ROOT, timeout=60, check=False).returncode
