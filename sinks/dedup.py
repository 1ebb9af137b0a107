"""Which records are new.

Each writer numbers what it sends, and a number at or below the last one of the same writer on the
same partition has been stored already.

The verdict is a function of the partition's log up to the record, so that a batch read again
after a crash is judged as the first time: the numbers at the committed offset come from the rows
before it, never from rows above it, which may be incomplete.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Number = tuple[int, int]
"""(major, minor): epoch and sequence of a gateway; 0 and n of a worker."""

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

Known = tuple[str, int, int]
"""Who numbered a record, and its number."""

Standing = Callable[[Sequence[Known], int], Collection[Known]]
"""Which of some numbers have a row before an offset of the partition; may block and raise
``Unavailable``."""

_BEFORE_ALL: Number = (-(2**63), -(2**63))


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers of a partition's records in log order: who numbered, what, and if it is a replay."""

    sender: pa.Array
    major: Int64s
    minor: Int64s
    replay: Bools


def _none_stands(_asked: Sequence[Known], _before: int) -> Collection[Known]:
    return ()


class Seen:
    """The last number of every sender on one partition.

    Args:
        last: Those of the rows there are.
        standing: Asked about dead letters that are sent again, and about nothing else.
    """

    def __init__(
        self, last: Mapping[str, Number] | None = None, standing: Standing = _none_stands
    ) -> None:
        self._last = dict(last or {})
        self._standing = standing

    def last(self, sender: str) -> Number | None:
        """Return the last number of a sender; None where it has sent nothing."""
        return self._last.get(sender)

    def new(self, numbers: Numbers, first: int = 0) -> Bools:
        """Return which records are new, and remember their numbers.

        A replay is a dead letter sent again with its old number, which says nothing of whether it
        is new: it is, unless a row has that number already, as where it was sent again twice.

        Args:
            numbers: Records that follow all those of earlier calls.
            first: Offset of the first record of their batch; rows from there on are of this batch.

        Raises:
            Unavailable: What stands cannot be asked; nothing has been remembered.
        """
        asked = _replayed(numbers)
        stands = set(self._standing(asked, first)) if asked else set()
        keep = np.zeros(len(numbers.minor), np.bool_)
        codes = numbers.sender.dictionary_encode()
        which = np.asarray(codes.indices)
        for code, name in enumerate(codes.dictionary.to_pylist()):
            at = np.flatnonzero(which == code)
            keep[at] = self._of_sender(str(name), numbers.major[at], numbers.minor[at])
        fresh: Bools = keep | numbers.replay
        if asked:
            _drop_doubled(numbers, fresh, frozenset(asked), stands)
        return fresh

    def _of_sender(self, sender: str, major: Int64s, minor: Int64s) -> Bools:
        last = self._last.get(sender, _BEFORE_ALL)
        if (major != major[0]).any() or int(major[0]) < last[0]:
            return self._one_by_one(sender, major, minor)
        start = last[1] if int(major[0]) == last[0] else _BEFORE_ALL[1]
        highest = np.maximum.accumulate(np.concatenate(([start], minor)))
        self._last[sender] = (int(major[0]), int(highest[-1]))
        return minor > highest[:-1]

    def _one_by_one(self, sender: str, major: Int64s, minor: Int64s) -> Bools:
        last = self._last.get(sender, _BEFORE_ALL)
        keep = np.zeros(len(minor), np.bool_)
        for i, number in enumerate(zip(major.tolist(), minor.tolist(), strict=True)):
            if number > last:
                keep[i], last = True, number
        if last != _BEFORE_ALL:
            self._last[sender] = last
        return keep


def _known(numbers: Numbers, i: int) -> Known:
    return str(numbers.sender[i].as_py()), int(numbers.major[i]), int(numbers.minor[i])


def _replayed(numbers: Numbers) -> list[Known]:
    """Return the numbers of the replays; as a rule there are none."""
    return [_known(numbers, int(i)) for i in np.flatnonzero(numbers.replay)]


def _drop_doubled(
    numbers: Numbers, fresh: Bools, asked: frozenset[Known], stands: set[Known]
) -> None:
    """Drop replays whose number has a row, from before the batch or from earlier in it."""
    for i in map(int, np.flatnonzero(fresh)):
        one = _known(numbers, i)
        if one in stands and numbers.replay[i]:
            fresh[i] = False
        elif one in asked:
            stands.add(one)
