"""Which records are new.

Each writer numbers what it sends. A number above the last one of its writer on the partition is
new. One at or below it is a repeat only where it has a row: one record that somebody forged under
a high number would else make repeats of all that its writer says until it has come that far. Of a
gateway the row has to be of the same event, too: two gateways that run from copies of one disk
give one number to two events, the books count both, and so do the tables.

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

Known = tuple[str, int, int, str]
"""Who numbered a record, its number, and its event; '' where the number alone tells."""

Standing = Callable[[Sequence[Known], int], Collection[Known]]
"""Which of some numbers have a row before an offset of the partition; may block and raise
``Unavailable``."""

_BEFORE_ALL: Number = (-(2**63), -(2**63))


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers of a partition's records in log order.

    Attributes:
        sender: Who numbered.
        major: First part of the number.
        minor: Second part.
        replay: Which are dead letters sent again.
        named: Which are events: their number alone does not tell them.
        event: Returns the ids of all, null for what is no event; seldom asked.
    """

    sender: pa.Array
    major: Int64s
    minor: Int64s
    replay: Bools
    named: Bools
    event: Callable[[], pa.Array]


def _none_stands(_asked: Sequence[Known], _before: int) -> Collection[Known]:
    return ()


class Seen:
    """The last number of every sender on one partition.

    Args:
        last: Those of the rows there are.
        standing: Asked about what comes seldom: dead letters that are sent again, and numbers at
            or below the last.
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
        is new: it is, unless a row has that number already, as where it was sent again twice. So
        it is with every number at or below the last.

        Args:
            numbers: Records that follow all those of earlier calls.
            first: Offset of the first record of their batch; rows from there on are of this batch.

        Raises:
            Unavailable: What stands cannot be asked; nothing has been remembered.
        """
        last = dict(self._last)
        keep = self._in_order(numbers)
        late: Bools = numbers.replay | ~keep
        if not late.any():
            return keep
        known = _known(numbers)
        asked = [known[int(i)] for i in np.flatnonzero(late)]
        try:
            stands = set(self._standing(asked, first))
        except Exception:
            self._last = last
            raise
        return _told_apart(known, keep, late, stands)

    def _in_order(self, numbers: Numbers) -> Bools:
        """Return which numbers are above the last of their sender, and remember them."""
        keep = np.zeros(len(numbers.minor), np.bool_)
        codes = numbers.sender.dictionary_encode()
        which = np.asarray(codes.indices)
        for code, name in enumerate(codes.dictionary.to_pylist()):
            at = np.flatnonzero(which == code)
            keep[at] = self._of_sender(str(name), numbers.major[at], numbers.minor[at])
        return keep

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


def _known(numbers: Numbers) -> list[Known]:
    events = numbers.event().to_pylist()
    return [
        (str(sender), major, minor, str(event) if named else "")
        for sender, major, minor, event, named in zip(
            numbers.sender.to_pylist(),
            numbers.major.tolist(),
            numbers.minor.tolist(),
            events,
            numbers.named.tolist(),
            strict=True,
        )
    ]


def _told_apart(known: Sequence[Known], keep: Bools, late: Bools, stands: set[Known]) -> Bools:
    """Return what is new: late records are unless they stand, or stood earlier in the batch."""
    fresh: Bools = keep | late
    for i in map(int, np.flatnonzero(fresh)):
        if late[i] and known[i] in stands:
            fresh[i] = False
        else:
            stands.add(known[i])
    return fresh
