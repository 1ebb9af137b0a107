"""One partition of a backtest: its rows, and what is told to their owners.

What is told to one owner in one round is one step, as in the worker. Where that step says something
of an alert it is taken back and the same is told one by one, so that an alert is raised by the very
record that makes it provable, at the time of that record. The shots of a series wait for one
another: a lot is judged by all of them, and by one after the other only where that finds something.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from custody.events import LotMoved, LotScanned, MaterialProcessed, Micros
from custody.fold import Fold, Handed, Input, Output, Step
from custody.lot import MOVES
from custody.records import Alert, Content, Tick
from runtime.backtest.rounds import Pace, key_of, receivers
from runtime.backtest.rows import Rows
from schemas.routes import BY_TYPE
from streams.outputs import number, sender_of


class Entry(NamedTuple):
    """A record as the fold sees it."""

    stem: str
    offset: int
    event: Input


class Partition:
    """Tells a fold records and keeps what its owners tell each other, by who is to hear it.

    Args:
        fold: The core.
        index: Its index.
        partitions: How many there are.
        pace: How much is told together.
    """

    def __init__(self, fold: Fold, index: int, partitions: int, pace: Pace) -> None:
        self.index = index
        self.rows = Rows()
        self._fold = fold
        self._partitions = partitions
        self._series_us = pace.series_us
        self._sender = sender_of(index)
        self._n = 0
        self._offset = 0
        self._said: list[Output] = []
        self._letters: dict[int, list[Handed]] = {}
        self._waiting: dict[str, tuple[Micros, list[Input]]] = {}
        self._prompt: set[str] = set()

    def said(self) -> list[Output]:
        """Return what was said since it was asked last."""
        said, self._said = self._said, []
        return said

    def letters(self) -> dict[int, list[Handed]]:
        """Return what is to be told since it was asked last, by the partition that is to hear."""
        letters, self._letters = self._letters, {}
        return letters

    def tell(self, events: Iterable[Input], begin: Micros) -> None:
        """Tell each owner what it is to hear.

        Args:
            events: In order; all of one round.
            begin: When the round began.
        """
        owned: dict[str, list[Input]] = {}
        for event in events:
            owned.setdefault(self._owner(event), []).append(event)
        for owner, mine in owned.items():
            if self._waits(owner, mine):
                self._waiting.setdefault(owner, (begin, []))[1].extend(mine)
            else:
                _, before = self._waiting.pop(owner, (begin, []))
                self._step(owner, [*before, *mine])

    def release(self, begin: Micros | None = None) -> None:
        """Tell what has waited long enough at the begin of a round; without one all that waits."""
        for owner, (since, mine) in list(self._waiting.items()):
            if begin is not None and since + self._series_us > begin:
                break  # what came later has waited less
            del self._waiting[owner]
            self._step(owner, mine)

    def tick(self, now: Micros) -> None:
        """Let the clock tick."""
        tick = Tick(partition=self.index, now=now, fact_end_offset=0, silent_sites=())
        self._step(f"tick/{self.index}", [tick])

    def _waits(self, owner: str, events: Sequence[Input]) -> bool:
        """Tell whether what is told may wait: nobody but the lot itself is told what follows.

        What a lot that went into a process, or came out of one, learns of itself is handed on.
        """
        if not self._series_us or not owner.startswith("lot/"):
            return False
        if any(isinstance(one, MaterialProcessed | Content) for one in events):
            self._prompt.add(owner)
        return owner not in self._prompt and all(map(_is_of_series, events))

    def _owner(self, event: Input) -> str:
        return self._fold.owner(self._entry(event), key_of(event))

    def _entry(self, event: Input) -> Entry:
        return Entry(BY_TYPE[type(event)].stem, self._offset, event)

    def _step(self, owner: str, events: Sequence[Input]) -> None:
        step = self._asked(owner, events)
        if len(events) > 1 and any(isinstance(one, Alert) for one in step.outputs):
            for event in events:
                self._keep(owner, self._asked(owner, [event]))
        else:
            self._keep(owner, step)

    def _asked(self, owner: str, events: Iterable[Input]) -> Step:
        entries: list[Entry] = []
        for event in events:
            self._offset += 1
            entries.append(self._entry(event))
        return self._fold.step(owner, self.rows.get(owner), entries, self.rows)

    def _keep(self, owner: str, step: Step) -> None:
        for key, row in step.rows.items():
            self.rows.put(key, row)
        self.rows.put(owner, step.row)
        for output in step.outputs:
            self._n += 1
            number(output, self._sender, self._n)
            self._said.append(output)
            if isinstance(output, Handed):
                for receiver in receivers(output, self._partitions):
                    self._letters.setdefault(receiver, []).append(output)


def _is_of_series(event: Input) -> bool:
    """Tell whether what follows from a fact is a matter of its lot alone, and of its tests."""
    match event:
        case LotScanned(corrects=None, void=False):
            return True
        case LotMoved(corrects=None, void=False, kind=kind):
            return kind not in MOVES
        case _:
            return False
