"""A backtest on several cores: partitions are shared out to processes that go in step.

Each process tells its partitions the same rounds, and between two steps all exchange what owners
are to be told, as workers do over Kafka. What a partition hears, and in which order, depends on the
partitions alone: so one process and several say the same to the byte.
"""

import gc
import os
import signal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import NamedTuple, cast

from custody.core import CustodyFold
from custody.errors import Unavailable
from custody.events import Micros
from custody.fold import Input, Output
from custody.records import Alert, Balance
from runtime.backtest.replay import Letters, News, Replay
from runtime.backtest.rounds import Pace, Round, of_partitions, rounds_of

PARTITIONS = 4
"""As many as a local stack has, on any machine: files are not to depend on its cores."""

SHARED_FROM = 5_000
"""Records from which on further processes are worth their start, some two seconds."""

GC_THRESHOLDS = (100_000, 20, 50)
"""Rows are many and acyclic, and stay: each full collection walks them all for nothing."""

LEAVE_S = 10.0
"""How long a process may take to leave once its line is cut, seconds."""

_Told = tuple[Letters, bool, Micros | None]


class ProcessLost(Unavailable):
    """A process that told some of the partitions has ended."""

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(
            f"a process of the run has ended with exit code {exit_code}",
            expected="all processes to go on to the last record",
            next_step="read what it said above; --processes 1 needs no other",
        )


class Homes(NamedTuple):
    """Which process tells which partitions: neighbours together, the first ones here.

    Attributes:
        processes: How many there are, at most ``PARTITIONS``.
    """

    processes: int

    def of(self, partition: int) -> int:
        """Return the process that tells a partition."""
        return partition * self.processes // PARTITIONS

    def partitions(self, home: int) -> list[int]:
        """Return the partitions a process tells."""
        return [one for one in range(PARTITIONS) if self.of(one) == home]


class Wires:
    """Lines from one process to all others.

    Args:
        home: This process.
        homes: Which process tells which partitions.
        wires: To each other process.
    """

    def __init__(self, home: int, homes: Homes, wires: Mapping[int, Connection]) -> None:
        self._home = home
        self._homes = homes
        self._wires = dict(sorted(wires.items()))

    def exchange(self, mine: News) -> News:
        """Return what those here are to be told, and what holds of all; blocks.

        Raises:
            EOFError: Another process is gone.
        """
        by_home: dict[int, Letters] = {}
        for partition, letters in mine.letters.items():
            by_home.setdefault(self._homes.of(partition), {})[partition] = letters
        told: dict[int, _Told] = {self._home: (by_home.get(self._home, {}), mine.moves, mine.due)}
        for other, wire in self._wires.items():
            told[other] = self._swap(other, wire, (by_home.get(other, {}), mine.moves, mine.due))
        # In the order of the senders, as if all were here.
        heard: Letters = {}
        for _, (some, _, _) in sorted(told.items()):
            for partition, letters in some.items():
                heard.setdefault(partition, []).extend(letters)
        dues = [due for _, _, due in told.values() if due is not None]
        moves = any(moves for _, moves, _ in told.values())
        return News(dict(sorted(heard.items())), moves, min(dues, default=None))

    def _swap(self, other: int, wire: Connection, mine: _Told) -> _Told:
        """Send and receive; of two, the first sends first: a pipe holds less than both may say."""
        if self._home < other:
            wire.send(mine)
            return cast(_Told, wire.recv())
        theirs = cast(_Told, wire.recv())
        wire.send(mine)
        return theirs


def processes_for(records: int) -> int:
    """Return how many processes are worth it here for so many records."""
    return 1 if records < SHARED_FROM else min(os.cpu_count() or 1, PARTITIONS)


def replayed(records: Iterable[Input], pace: Pace, processes: int) -> Iterator[list[Output]]:
    """Yield what is said of a history, as ``Replay.run`` does; blocks.

    Alerts are the same for any number of processes, and in the same order. Of the partitions that
    other processes tell there are alerts only, and at the end the last balance of each account.

    Args:
        records: Facts, reference records and actions, in the order they were recorded.
        pace: How much is told together.
        processes: From 1 to ``PARTITIONS``.

    Raises:
        ProcessLost: One of several processes has ended before the others.
    """
    gc.set_threshold(*GC_THRESHOLDS)
    rounds = rounds_of(records, pace, PARTITIONS)
    homes = Homes(processes)
    with _elsewhere(rounds, pace, homes) as (wires, others):
        replay = Replay(
            CustodyFold(), pace, PARTITIONS, homes.partitions(0), Wires(0, homes, wires)
        )
        try:
            for said in replay.told(of_partitions(rounds, homes.partitions(0))):
                heard = [one for wire in wires.values() for one in cast(list[Output], wire.recv())]
                yield [*said, *heard]
            yield [one for wire in wires.values() for one in cast(list[Output], wire.recv())]
        except (EOFError, ConnectionError) as error:
            raise ProcessLost(_exit_code(others)) from error


@contextmanager
def _elsewhere(
    rounds: Sequence[Round], pace: Pace, homes: Homes
) -> Iterator[tuple[dict[int, Connection], list[SpawnProcess]]]:
    """Start the other processes; cut their lines and wait for them at the end."""
    context = get_context("spawn")
    ends = {
        (one, other): context.Pipe() for other in range(homes.processes) for one in range(other)
    }
    others: list[SpawnProcess] = []
    wires = [_wires_of(home, ends) for home in range(homes.processes)]
    try:
        for home in range(1, homes.processes):
            mine = of_partitions(rounds, homes.partitions(home))
            process = context.Process(
                target=_tell_elsewhere, args=(home, homes, mine, pace, wires[home]), daemon=True
            )
            process.start()
            others.append(process)
        # Theirs are with them now: a line ends where its process does.
        _close(wire for some in wires[1:] for wire in some.values())
        yield wires[0], others
    finally:
        _close(wire for some in wires for wire in some.values())
        for process in others:
            process.join(LEAVE_S)
            process.terminate()
            process.join()


def _wires_of(
    home: int, ends: Mapping[tuple[int, int], tuple[Connection, Connection]]
) -> dict[int, Connection]:
    found: dict[int, Connection] = {}
    for (one, other), (first, second) in ends.items():
        if one == home:
            found[other] = first
        elif other == home:
            found[one] = second
    return found


def _close(wires: Iterable[Connection]) -> None:
    for wire in wires:
        wire.close()


def _exit_code(others: Sequence[SpawnProcess]) -> int | None:
    for process in others:
        process.join(LEAVE_S)
        if process.exitcode:
            return process.exitcode
    return None


def _tell_elsewhere(
    home: int, homes: Homes, rounds: Sequence[Round], pace: Pace, wires: dict[int, Connection]
) -> None:
    """Tell partitions in a process of its own; the first process hears what they say."""
    # The one that was asked says what is to be done: its end is this one's.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(*GC_THRESHOLDS)
    line = Wires(home, homes, wires)
    replay = Replay(CustodyFold(), pace, PARTITIONS, homes.partitions(home), line)
    last: dict[str, Balance] = {}
    with suppress(EOFError, ConnectionError):
        for said in replay.told(rounds):
            wires[0].send([one for one in said if isinstance(one, Alert)])
            last.update({one.account: one for one in said if isinstance(one, Balance)})
        wires[0].send(list(last.values()))
