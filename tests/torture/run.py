"""One repetition: workers on fresh topics, facts all the while, one fault after another.

What a supervisor does is done here: a worker that has ended is started again. Faults strike at
workers that run, under load. The next one comes when the last is over and all have partitions
again, or, as often, at once.
"""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from schemas import topics
from streams.config import APP_ID, CHANGELOG, Stage
from streams.stop import EXIT_RESTART
from tests.support import stack
from tests.support.ledger_topics import Lag, Sender
from tests.support.streams import WorkerProcess, ended, eventually, make_topics
from tests.torture.plan import Fault, Plan

SLICE = 3
LOOK_EVERY_S = 0.05
WITHIN_S = 120.0
SESSION_S = 6.0
STOPPED_S = SESSION_S + 1.5
SLOW_S = (0.5, 2.0, 4.0)
AWAY_S = (0.0, 0.0, SESSION_S + 1.0)
"""How long a dead worker stays away: it is back at once, or after others took its partitions."""
OVER_FIRST = 0.5
"""How often a fault is waited for until it is over, before the next one."""


class Unexplained(AssertionError):
    """Something happened that no fault of ours explains."""


class Repetition:
    """A repetition while it runs.

    Args:
        bootstrap: A broker with fresh topics.
        directory: For stores and logs.
        planned: What goes wrong.

    Attributes:
        exits: How workers ended, in order.
        uncommitted: Partitions with facts and without a commit, when all had been killed.
    """

    def __init__(self, bootstrap: str, directory: Path, planned: Plan) -> None:
        self.plan = planned
        self.exits: list[int] = []
        self.uncommitted = 0
        self._rng = Random(planned.seed + 1)
        self._directory = directory
        self._bootstrap = bootstrap
        self._sender = Sender(bootstrap, planned.histories.sent)
        self._lag = Lag(bootstrap)
        self._workers = [self._made(f"worker-{no}") for no in range(planned.workers)]
        self._guest = self._made("guest")
        self._away: dict[int, float] = {}

    def run(self) -> None:
        """Do all of it; blocks for some twenty seconds.

        Raises:
            Unexplained: A worker ended in a way nobody asked for, or all stands still.
        """
        try:
            with ended([*self._workers, self._guest]):
                self._sender.broadcast(self.plan.histories.references)
                self._begin()
                for no, fault in enumerate(self.plan.faults):
                    if fault is not Fault.UNCOMMITTED:
                        self._strike(fault, keep=1 - (no + 1) / (len(self.plan.faults) + 1))
                self._finish()
        finally:
            self._lag.close()

    def _made(self, name: str) -> WorkerProcess:
        directory = self._directory / name
        hook: list[object] = ["ordered", str(directory / "order")]
        return WorkerProcess(self._bootstrap, directory, fold="custody", hook=hook)

    def _begin(self) -> None:
        if Fault.UNCOMMITTED in self.plan.faults:
            self._sender.send(len(self._sender.facts) // 5)
            for worker in self._workers:
                worker.data_dir.mkdir(parents=True, exist_ok=True)
                self._order(worker, "kill", Stage.LOGGED)
                worker.start()
            # Those that are left take over what was theirs that died, and die of it.
            self._until(
                lambda: not any(w.alive for w in self._workers), but=self._workers, keep=1.0
            )
            self.uncommitted = self._lag.uncommitted(topics.FACT)
            if not self.uncommitted:
                raise Unexplained("every partition had a commit before its worker was killed")
        for worker in self._workers:
            self._note_exit(worker)
            worker.start()
        self._until(self._all_ready, keep=0.8)

    def _strike(self, fault: Fault, keep: float) -> None:
        """Let one thing go wrong, and wait until it is over; facts are sent all the while."""
        ways: Mapping[Fault, Callable[[WorkerProcess, float], None]] = {
            Fault.KILLED: self._kill,
            Fault.KILLED_BETWEEN: self._kill_between,
            Fault.ENDED: self._end_and_start,
            Fault.GUEST: self._have_a_guest,
            Fault.RAISED: self._raise,
            Fault.SLOW: self._slow,
            Fault.STOPPED: self._stop,
        }
        self._until(lambda: any(worker.alive for worker in self._workers), keep=keep)
        victim = self._rng.choice([worker for worker in self._workers if worker.alive])
        ways[fault](victim, keep)
        if self._rng.random() < OVER_FIRST:
            self._until(self._all_ready, keep=keep)

    def _kill(self, victim: WorkerProcess, keep: float) -> None:  # noqa: ARG002  as the others
        victim.kill()
        self._stay_away(victim)

    def _kill_between(self, victim: WorkerProcess, keep: float) -> None:
        self._end_between(victim, "kill", -signal.SIGKILL, keep)
        self._stay_away(victim)

    def _end_and_start(self, victim: WorkerProcess, keep: float) -> None:
        # One that was started a moment ago does not listen to signals yet.
        self._until(victim.is_ready, keep=keep)
        self._end(victim, keep)
        self._stay_away(victim)

    def _have_a_guest(self, victim: WorkerProcess, keep: float) -> None:  # noqa: ARG002  no victim
        self._guest.start()
        self._until(self._guest.is_ready, keep=keep)
        self._end(self._guest, keep)

    def _raise(self, victim: WorkerProcess, keep: float) -> None:
        self._end_between(victim, "raise", EXIT_RESTART, keep)

    def _end_between(self, victim: WorkerProcess, what: str, code: int, keep: float) -> None:
        order = self._order(victim, what, self._rng.choice(list(Stage)))
        self._until(lambda: not victim.alive, keep=keep, but=[victim])
        while order.exists():
            # A guard of its own ended it before it came to the stage, as on a machine that is so
            # busy that its lease runs out. The order waits for the one that is started next.
            self._note_exit(victim)
            victim.start()
            self._until(lambda: not victim.alive, keep=keep, but=[victim])
        self._expect(victim, code)

    def _slow(self, victim: WorkerProcess, keep: float) -> None:
        how, stage = self._rng.choice(("block", "wait")), self._rng.choice(list(Stage))
        order = self._order(victim, how, stage, self._rng.choice(SLOW_S))
        self._until(lambda: not order.exists(), keep=keep)

    def _order(self, worker: WorkerProcess, what: str, stage: Stage, seconds: float = 0.0) -> Path:
        """Tell a worker what is to happen when it comes to a stage of the protocol."""
        order = worker.data_dir / "order"
        written = order.with_suffix(".new")
        written.write_text(json.dumps([what, stage.value, seconds]), "utf-8")
        written.rename(order)
        return order

    def _stop(self, victim: WorkerProcess, keep: float) -> None:
        process = victim.process
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)
        wake = time.monotonic() + STOPPED_S
        try:
            self._until(lambda: time.monotonic() >= wake, keep=keep)
        finally:
            os.kill(process.pid, signal.SIGCONT)

    def _end(self, worker: WorkerProcess, keep: float) -> None:
        # One that has only just been started does not listen to signals yet, and would end as one
        # that was killed.
        self._until(worker.is_ready, keep=keep)
        assert worker.process is not None
        worker.process.terminate()
        self._until(lambda: not worker.alive, keep=keep, but=[worker])
        self._expect(worker, 0)

    def _expect(self, worker: WorkerProcess, code: int) -> None:
        assert worker.process is not None
        found = worker.process.wait(WITHIN_S)
        if found != code:
            raise Unexplained(f"{worker.data_dir.name} ended with {found}, not {code}")

    def _stay_away(self, worker: WorkerProcess) -> None:
        self._away[id(worker)] = time.monotonic() + self._rng.choice(AWAY_S)

    def _tend(self, but: Sequence[WorkerProcess]) -> None:
        """Start workers again that have ended, as their supervisor does."""
        for worker in self._workers:
            if worker.alive or worker in but or time.monotonic() < self._away.get(id(worker), 0.0):
                continue
            self._note_exit(worker)
            worker.start()

    def _note_exit(self, worker: WorkerProcess) -> None:
        if worker.process is None:
            return
        code = worker.process.returncode
        self.exits.append(code)
        if code not in (0, EXIT_RESTART, -signal.SIGKILL):
            raise Unexplained(f"{worker.data_dir.name} ended with {code}")

    def _all_ready(self) -> bool:
        return all(worker.alive and worker.is_ready() for worker in self._workers)

    def _kept(self, keep: float) -> int:
        return round(keep * len(self._sender.facts))

    def _until(
        self, done: Callable[[], bool], *, keep: float, but: Sequence[WorkerProcess] = ()
    ) -> None:
        """Send facts, down to a share of all that is kept for later, until something holds.

        Meanwhile workers that end are started again, but for some.
        """
        deadline = time.monotonic() + WITHIN_S
        while not done():
            if time.monotonic() > deadline:
                raise Unexplained(f"nothing moves for {WITHIN_S:.0f} s, see {self._directory}")
            self._send(keep)
            self._tend(but)
            time.sleep(LOOK_EVERY_S)

    def _send(self, keep: float) -> None:
        """Send some facts; where all that may be sent are, some of them once more."""
        count = min(SLICE, self._sender.left - self._kept(keep))
        if count > 0:
            self._sender.send(count)
        elif keep and self._sender.count:
            sent = self._sender.facts[: self._sender.count]
            self._sender.again(self._rng.choices(sent, k=SLICE))

    def _finish(self) -> None:
        """Send what is left, let time pass until nothing waits, and end all workers well."""
        self._until(lambda: self._sender.left == 0 and self._lag.records() == 0, keep=0.0)
        self._sender.pass_time(self._applied)
        self._until(self._all_ready, keep=0.0)
        for worker in self._workers:
            worker.end()
            self._expect(worker, 0)

    def _applied(self) -> bool:
        self._until(lambda: self._lag.records() == 0, keep=0.0)
        return True


@contextmanager
def fresh_topics(bootstrap: str) -> Iterator[None]:
    """Topics of one repetition: made before it, gone after it, and their group with them."""
    names = [*(topic.name for topic in topics.TOPICS), CHANGELOG]
    make_topics(bootstrap)
    try:
        yield
    finally:
        # The broker keeps a member that was killed until its session is over.
        assert eventually(lambda: _group_is_gone(bootstrap), 4 * SESSION_S, every_s=0.2)
        stack.delete_topics(bootstrap, names)
        stack.wait_until_gone(bootstrap, names)


def _group_is_gone(bootstrap: str) -> bool:
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    [deleted] = admin.delete_consumer_groups([APP_ID]).values()
    try:
        deleted.result(30)
    except KafkaException as error:
        code: int = error.args[0].code()
        if code not in (KafkaError.NON_EMPTY_GROUP, KafkaError.GROUP_ID_NOT_FOUND):
            raise
        return code == KafkaError.GROUP_ID_NOT_FOUND
    return True
