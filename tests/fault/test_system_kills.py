"""kill -9 of every process of a running stack, under load: nothing lost, nothing twice.

The suite runs a short campaign; ``CUSTODY_KILLS=10 CUSTODY_BROKER_KILLS=2`` runs the long one. A
failure prints its seed; ``CUSTODY_SEED=<seed>`` repeats the choice of moments and victims.
"""

import itertools
import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from bench.drive import Target
from bench.load import Plan, requests
from tests.support import system
from tests.support.system import System

SEED = int(os.environ.get("CUSTODY_SEED", "20261123"))
KILLS = int(os.environ.get("CUSTODY_KILLS", "2"))
BROKER_KILLS = int(os.environ.get("CUSTODY_BROKER_KILLS", "1"))
RATE = 500
# circus' guard stops a process that ends five times in a minute; one victim rests that long.
PAUSE_S = (2.0, 6.0)
VICTIM_REST_S = 15.0
BACK_WITHIN_S = 60
SETTLED_WITHIN_S = 180
STORED = "SELECT uniqExact(event_id) AS n FROM custody.events_all"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with system.running(tmp_path_factory.mktemp("kills") / "data") as running:
        yield running


@dataclass(slots=True)
class Plant:
    """A plant system that never gives up: it repeats a list until it is answered."""

    to: Target
    plan: Plan
    stop: threading.Event
    accepted: set[str]
    failure: str = ""

    def run(self) -> None:
        try:
            self._run()
        except Exception as error:  # noqa: BLE001  the thread's edge: the test shows it
            self.failure = repr(error)

    def _run(self) -> None:
        way = requests(self.plan)
        started, size = time.monotonic(), 25
        headers = {"Authorization": f"Bearer {self.to.token}"}
        with httpx.Client(base_url=self.to.gateway, headers=headers, timeout=10) as client:
            for no in itertools.count():
                block = list(itertools.islice(way, size))
                if self.stop.is_set() or not block:
                    return
                self.stop.wait(max(0.0, started + no * size / RATE - time.monotonic()))
                self._post(client, block)

    def _post(self, client: httpx.Client, block: list[dict[str, object]]) -> None:
        while True:
            try:
                answer = client.post("/v1/events", json=block)
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            if answer.status_code == 503:
                time.sleep(0.2)
                continue
            answer.raise_for_status()
            for result in answer.json():
                assert result["result"] in ("accepted", "duplicate"), result
                self.accepted.add(result["event_id"])
            return


def wait_for(condition: Callable[[], bool], what: str, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"{what} not within {within_s} s (seed {SEED})"
        time.sleep(0.25)


def stored(stack: System) -> int:
    rows = stack.sql(STORED)
    return int(str(rows[0]["n"]))


def wait_until_stored(stack: System, is_enough: Callable[[int], bool], what: str) -> None:
    """Wait for rows; a warehouse that was killed a moment ago may not answer yet."""

    def enough() -> bool:
        done = stack.custody("sql", STORED, "--json", check=False)
        return done.returncode == 0 and is_enough(int(json.loads(done.stdout)["n"]))

    try:
        wait_for(enough, what, SETTLED_WITHIN_S)
    except AssertionError as error:
        message = f"{error}\n{stack.last_said()}"
        raise AssertionError(message) from None


def settled_and_clean(stack: System) -> None:
    """Wait until ``custody verify`` is clean; show what it says where it never is."""
    said: list[str] = []

    def clean() -> bool:
        done = stack.custody("verify", check=False)
        said.append(done.stdout + done.stderr)
        return done.returncode == 0

    try:
        wait_for(clean, "a clean verify", SETTLED_WITHIN_S)
    except AssertionError as error:
        message = f"{error}\n{said[-1]}"
        raise AssertionError(message) from None


def kill(stack: System, name: str) -> None:
    pid = stack.pid(name)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)

    def back() -> bool:
        now = stack.pid(name)
        return now is not None and now != pid

    wait_for(back, f"{name} back", BACK_WITHIN_S)


def schedule(rng: random.Random) -> list[str]:
    """Return the victims in order, the same one never twice in a row where it can be helped."""
    rounds = []
    for _ in range(KILLS):
        names = ["gateway", "worker-1", "warehouse"]
        rng.shuffle(names)
        rounds += names
    for _ in range(BROKER_KILLS):
        rounds.insert(rng.randrange(len(rounds) + 1), "kafka")
    return rounds


@pytest.mark.fault
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_nothing_accepted_is_lost_or_counted_twice_when_processes_are_killed(
    stack: System,
) -> None:
    rng = random.Random(SEED)
    stop = threading.Event()
    plant = Plant(stack.target, Plan(run=f"K{SEED}", lots=10**6), stop, set())
    thread = threading.Thread(target=plant.run, daemon=True)
    thread.start()
    victims = schedule(rng)
    last: dict[str, float] = {}
    try:
        for victim in victims:
            stop.wait(rng.uniform(*PAUSE_S))
            stop.wait(max(0.0, last.get(victim, -1e9) + VICTIM_REST_S - time.monotonic()))
            assert not plant.failure, plant.failure
            kill(stack, victim)
            last[victim] = time.monotonic()
    finally:
        stop.set()
        thread.join(60)
    assert not plant.failure, plant.failure
    print(json.dumps({"seed": SEED, "victims": victims, "accepted": len(plant.accepted)}))
    wait_until_stored(stack, lambda n: n >= len(plant.accepted), "all rows")
    settled_and_clean(stack)
    # A list answered by nobody may have been taken: those events are stored, and known to be.
    assert stored(stack) == len(plant.accepted)
    conservation_by_plain_sql(stack)


def conservation_by_plain_sql(stack: System) -> None:
    """Latest balance = sum of transfers, in a few lines any analyst could have written."""
    wrong = stack.sql(
        """
        WITH moved AS (
            SELECT account, sum(g) AS g FROM (
                SELECT credit AS account, mass_dry_g AS g FROM custody.transfer
                UNION ALL SELECT debit AS account, -mass_dry_g AS g FROM custody.transfer)
            GROUP BY account),
        latest AS (
            SELECT account, argMax(mass_dry_g, n) AS g FROM custody.balance GROUP BY account)
        SELECT account, moved.g AS moved_g, latest.g AS latest_g
        FROM latest FULL JOIN moved USING (account)
        WHERE (account LIKE 'lot/%' OR account LIKE 'process/%') AND moved.g != latest.g
        """
    )
    assert wrong == []


@pytest.mark.fault
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_gateway_goes_on_accepting_while_the_broker_is_away(stack: System) -> None:
    pid = stack.pid("kafka")
    assert pid is not None
    before = stored(stack)
    stop = threading.Event()
    plant = Plant(stack.target, Plan(run=f"B{SEED}", lots=200), stop, set())
    os.kill(pid, signal.SIGSTOP)
    try:
        thread = threading.Thread(target=plant.run, daemon=True)
        thread.start()
        thread.join(60)
        assert not thread.is_alive()
        assert len(plant.accepted) == 2400
        assert not plant.failure, plant.failure
        stop.wait(15)
        assert stored(stack) == before, "the history can be asked all the while"
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_until_stored(stack, lambda n: n == before + 2400, "the backlog")
    settled_and_clean(stack)
