"""A topic that is deleted and made anew under the sink: it stops before it takes a record of it.

Offsets of before mean other records now. A sink that went on from its own would leave out the new
topic's first ones, and nobody would know.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

from runtime.stack.topics import NewTopics, ensure
from schemas import topics
from sinks.config import SinkConfig
from sinks.recovery import TopicMadeAnew
from tests.support import stack
from tests.support.accounted import asked, is_complete, violations
from tests.support.sinks import (
    PARTITIONS,
    Gateway,
    config,
    failure_of,
    running,
    wait_until,
)

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(300)]

WITHIN_S = 30.0
STORED = "SELECT count() AS n FROM custody.weighing"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with stack.running_kafka(tmp_path_factory.mktemp("anew") / "kafka") as bootstrap:
        make_topics(bootstrap)
        yield bootstrap


def make_topics(bootstrap: str) -> None:
    ensure({"bootstrap.servers": bootstrap}, NewTopics(PARTITIONS, 1, "changelog", 60))


def make_anew(bootstrap: str) -> None:
    stack.delete_topics(bootstrap, [topics.FACT])
    stack.wait_until_gone(bootstrap, [topics.FACT])
    make_topics(bootstrap)


def stored(settings: SinkConfig) -> int:
    return int(str(asked(settings.warehouse, STORED)[0]["n"]))


def test_between_two_runs(broker: str, tmp_path: Path) -> None:
    settings = config(broker, tmp_path / "old", group="between")
    Gateway(broker).publish(50)
    with running(settings) as sink:
        wait_until(lambda: is_complete(sink.address, broker), WITHIN_S)
    make_anew(broker)
    gateway = Gateway(broker)
    gateway.publish(200)
    assert isinstance(failure_of(settings), TopicMadeAnew)
    assert stored(settings) == 50
    all_is_stored_elsewhere(broker, gateway, tmp_path / "new")


@pytest.mark.parametrize("asleep_s", [0.0, 8.0], ids=["a moment", "beyond its session"])
def test_while_it_is_asleep(broker: str, tmp_path: Path, asleep_s: float) -> None:
    """It wakes to a topic that goes on beyond its place, and no error says that it is another."""
    make_anew(broker)
    settings = config(broker, tmp_path / "old", group=f"asleep-{asleep_s}")
    Gateway(broker).publish(50)
    command = [sys.executable, "-m", "tests.support.sink_process", broker, str(tmp_path / "old")]
    with subprocess.Popen([*command, settings.group], stderr=subprocess.PIPE, text=True) as sink:
        wait_until(lambda: settled(settings) == 50, WITHIN_S)
        sink.send_signal(signal.SIGSTOP)
        try:
            make_anew(broker)
            Gateway(broker).publish(200)
            time.sleep(asleep_s)
        finally:
            sink.send_signal(signal.SIGCONT)
        try:
            said = sink.communicate(timeout=WITHIN_S)[1]
        finally:
            sink.kill()
    assert "TopicMadeAnew" in said
    assert stored(settings) == 50


def test_while_it_has_nothing_to_store(broker: str, tmp_path: Path) -> None:
    """No batch comes that would look: the new topic has fewer records than the old one had."""
    make_anew(broker)
    settings = config(broker, tmp_path / "old", group="idle", look_every_s=0.2)
    Gateway(broker).publish(50)
    with pytest.raises(TopicMadeAnew):
        idle_while_made_anew(settings)


def idle_while_made_anew(settings: SinkConfig) -> None:
    with running(settings) as sink:
        wait_until(lambda: is_complete(sink.address, settings.bootstrap), WITHIN_S)
        make_anew(settings.bootstrap)
        wait_until(lambda: bool(sink.failed), WITHIN_S)


def settled(settings: SinkConfig) -> int:
    """Records of the fact topic that the sink has committed."""
    options = {"bootstrap.servers": settings.bootstrap, "group.id": settings.group}
    asking = Consumer(options)
    try:
        places = [TopicPartition(topics.FACT, p) for p in range(PARTITIONS)]
        found = asking.committed(places, timeout=30)
    finally:
        asking.close()
    return sum(max(0, place.offset) for place in found)


def all_is_stored_elsewhere(bootstrap: str, gateway: Gateway, warehouse: Path) -> None:
    """The way out that docs/warehouse.md gives: another warehouse, from the first record on."""
    settings = config(bootstrap, warehouse, group=warehouse.name)
    with running(settings) as sink:
        wait_until(lambda: is_complete(sink.address, bootstrap), WITHIN_S)
        assert violations(sink.address, bootstrap) == {}
        assert stored(settings) == len(gateway.sent)
