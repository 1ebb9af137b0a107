"""Workers killed, moved, stopped and broken, on a real broker: the sums must come out exactly.

``CUSTODY_KILLS=20 CUSTODY_SEED=n pytest tests/fault/test_streams_crashes.py`` runs the long form.
"""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas import topics
from streams.config import Stage
from streams.stop import EXIT_RESTART, EXIT_STOPPED
from tests.support import stack
from tests.support.crashes import Load, run_crashes, settle
from tests.support.streams import PARTITIONS, WorkerProcess, ended, eventually, make_topics

pytestmark = [pytest.mark.fault, pytest.mark.integration, pytest.mark.slow]

KILLS = int(os.environ.get("CUSTODY_KILLS", "3"))
SEED = int(os.environ.get("CUSTODY_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    """A broker of this test's own: workers read fixed topics and keep one group."""
    with stack.running_kafka(tmp_path / "kafka") as bootstrap:
        make_topics(bootstrap)
        yield bootstrap


@pytest.mark.parametrize("workers", [1, 2], ids=["restarted", "moved"])
@pytest.mark.timeout(900)
def test_kills_lose_and_double_nothing(broker: str, tmp_path: Path, workers: int) -> None:
    print(f"seed {SEED}")
    outcome = run_crashes(broker, tmp_path, SEED, KILLS, workers)
    assert outcome.exact, f"seed {SEED}: {outcome}"


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.timeout(300)
def test_store_is_never_ahead_of_the_changelog(broker: str, tmp_path: Path, stage: Stage) -> None:
    load = Load(broker, random.Random(SEED))
    dying = WorkerProcess(broker, tmp_path / "dying", hook=["kill", stage.value, 5])
    other = WorkerProcess(broker, tmp_path / "other")
    with ended([dying, other]):
        load.facts.send(500)
        dying.start()
        assert dying.wait(60) == -signal.SIGKILL
        load.facts.send(500)
        dying.hook = None
        dying.start()
        assert settle(load, dying).exact, "restarted on its own store"
        dying.end()
        load.facts.send(500)
        other.start()
        assert settle(load, other).exact, "moved to a worker without a store"


@pytest.mark.timeout(300)
def test_worker_that_wakes_after_its_session_writes_nothing(broker: str, tmp_path: Path) -> None:
    load = Load(broker, random.Random(SEED))
    sleeper = WorkerProcess(broker, tmp_path / "sleeper", hook=["pause", "stored", 0.05])
    other = WorkerProcess(broker, tmp_path / "other")
    with ended([sleeper, other]):
        sleeper.start()
        load.run(sleeper, seconds=2)
        assert sleeper.process is not None
        sleeper.process.send_signal(signal.SIGSTOP)
        other.start()
        load.run(other, seconds=4)
        sleeper.process.send_signal(signal.SIGCONT)
        assert sleeper.wait(30) == EXIT_RESTART
        assert settle(load, other).exact


@pytest.mark.timeout(300)
def test_joining_and_leaving_under_load_is_exact(broker: str, tmp_path: Path) -> None:
    load = Load(broker, random.Random(SEED))
    stays = WorkerProcess(broker, tmp_path / "stays")
    guest = WorkerProcess(broker, tmp_path / "guest")
    with ended([stays, guest]):
        stays.start()
        load.run(stays, seconds=1)
        guest.start()
        assert eventually(guest.is_ready, 60)
        load.run(stays, seconds=2, restart=False)
        assert guest.end(signal.SIGTERM) == 0
        load.run(stays, seconds=1)
        assert settle(load, stays).exact
        assert not stays.exits, "the one that stays never had to restart"


@pytest.mark.timeout(300)
def test_an_exception_in_the_fold_ends_the_process_and_loses_nothing(
    broker: str, tmp_path: Path
) -> None:
    load = Load(broker, random.Random(SEED))
    worker = WorkerProcess(broker, tmp_path / "worker", hook=["raise", "logged", 4])
    with ended([worker]):
        load.facts.send(500)
        worker.start()
        assert worker.wait(60) == EXIT_RESTART
        worker.hook = None
        worker.start()
        load.facts.send(500)
        assert settle(load, worker).exact


@pytest.mark.timeout(300)
def test_facts_gone_before_they_were_read_stop_the_worker(broker: str, tmp_path: Path) -> None:
    load = Load(broker, random.Random(SEED))
    worker = WorkerProcess(broker, tmp_path / "worker")
    with ended([worker]):
        load.facts.send(1_000)
        worker.start()
        assert settle(load, worker).exact
        time.sleep(1.5)
        worker.end()
        load.facts.send(1_000)
        stack.delete_records(broker, topics.FACT, PARTITIONS, keep=10)
        worker.start()
        assert worker.wait(60) == EXIT_STOPPED


@pytest.mark.timeout(300)
def test_flow_cut_off_by_retention_is_read_from_its_start(broker: str, tmp_path: Path) -> None:
    load = Load(broker, random.Random(SEED))
    worker = WorkerProcess(broker, tmp_path / "worker")
    with ended([worker]):
        load.facts.send(1_000)
        worker.start()
        assert settle(load, worker).exact
        time.sleep(1.5)
        worker.end()
        load.stray_content(100)
        stack.delete_records(broker, topics.FLOW, PARTITIONS, keep=5)
        load.facts.send(100)
        worker.start()
        assert eventually(lambda: load.rows_facts() == load.facts.count, 60)
        assert worker.alive
