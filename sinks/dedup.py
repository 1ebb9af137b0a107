"""Which records are new.

Each writer numbers what it sends, and a number at or below the last one of the same writer on the
same partition has been stored already.

The verdict is a function of the partition's log up to the record, so that a batch read again
after a crash is judged as the first time: the numbers at the committed offset come from the rows
before it, never from rows above it, which may be incomplete.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Number = tuple[int, int]
"""(major, minor): epoch and sequence of a gateway; 0 and n of a worker."""

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_BEFORE_ALL: Number = (-(2**63), -(2**63))


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers of a partition's records in log order: who numbered, what, and if it is a replay."""

    sender: pa.Array
    major: Int64s
    minor: Int64s
    replay: Bools


class Seen:
    """The last number of every sender on one partition."""

    def __init__(self, last: Mapping[str, Number] | None = None) -> None:
        self._last = dict(last or {})

    def last(self, sender: str) -> Number | None:
        """Return the last number of a sender; None where it has sent nothing."""
        return self._last.get(sender)

    def new(self, numbers: Numbers) -> Bools:
        """Return which records are new, and remember their numbers.

        A replay is a dead letter sent again with its old number: always new.

        Args:
            numbers: Records that follow all those of earlier calls.
        """
        keep = np.zeros(len(numbers.minor), np.bool_)
        codes = numbers.sender.dictionary_encode()
        which = np.asarray(codes.indices)
        for code, name in enumerate(codes.dictionary.to_pylist()):
            at = np.flatnonzero(which == code)
            keep[at] = self._of_sender(str(name), numbers.major[at], numbers.minor[at])
        fresh: Bools = keep | numbers.replay
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
