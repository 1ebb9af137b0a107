"""Columns: one field of many records, as arrays over the bytes they came in.

A text column holds where each value starts and how long it is; the bytes are copied when they
are first asked for. A column knows how to become Python values; ``schemas.arrow`` makes Arrow
arrays of them. ``column_reader`` makes columns and nothing else does.
"""

from collections import deque
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, repeat
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Octets = npt.NDArray[np.uint8]

_LENGTHS_MAX = 12
"""Up to so many distinct lengths, copying by length is quicker than copying by byte."""
_LONG = 4_096
"""Bytes from which on lengths are not tallied."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Integers, reals or booleans; ``micros`` marks timestamps in microseconds."""

    values: npt.NDArray[Any]
    micros: bool = False

    def pylist(self) -> list[Any]:
        """Return the values as Python numbers."""
        return list(self.values.tolist())


@dataclass(frozen=True, slots=True)
class Choices:
    """Enum values: an index into the plan's symbols for each record."""

    codes: Ints
    symbols: tuple[str, ...]

    def pylist(self) -> list[Any]:
        """Return the symbols."""
        return list(np.array(self.symbols, object)[self.codes].tolist())


@dataclass(frozen=True)
class Texts:
    """Strings or bytes.

    Attributes:
        source: The buffer the positions are in.
        starts: Where each value starts.
        lengths: Bytes of each value.
        binary: Bytes and not UTF-8 text.
    """

    source: Octets
    starts: Ints
    lengths: Ints
    binary: bool

    @cached_property
    def offsets(self) -> Ints:
        """Where each value starts in ``packed``, and the end of the last one."""
        offsets = np.zeros(len(self.lengths) + 1, np.int64)
        np.cumsum(self.lengths, out=offsets[1:])
        return offsets

    @cached_property
    def packed(self) -> Octets:
        """The values one behind the other."""
        return _gather(self.source, self.starts, self.lengths, self.offsets)

    @cached_property
    def is_ascii(self) -> bool:
        """Whether no byte has its high bit set."""
        return not len(self.packed) or int(self.packed.max()) < 0x80

    def invalid(self) -> Ints:
        """Return the positions of values that are not UTF-8; none for a binary column."""
        if self.binary or self.is_ascii or self._is_utf8_throughout():
            return np.zeros(0, np.int64)
        data = self.packed.tobytes()
        bad = [i for i, (a, b) in enumerate(pairwise(self.offsets.tolist())) if _bad(data[a:b])]
        return np.array(bad, np.int64)

    def _is_utf8_throughout(self) -> bool:
        """All bytes together are UTF-8 and no value begins within a character."""
        begins = self.packed[self.offsets[:-1][self.lengths > 0]]
        return not _bad(self.packed.tobytes()) and not bool(((begins & 0xC0) == 0x80).any())

    def pylist(self) -> list[Any]:
        """Return the values as str, or as bytes for a binary column."""
        data = self.packed.tobytes()
        cuts = pairwise(self.offsets.tolist())
        if self.binary:
            return [data[a:b] for a, b in cuts]
        if self.is_ascii:
            text = data.decode("ascii")
            return [text[a:b] for a, b in cuts]
        return [data[a:b].decode() for a, b in cuts]


@dataclass(frozen=True, slots=True)
class Constant:
    """A value all records share: a default the writer did not know, or null in all of them."""

    value: Any
    count: int

    def pylist(self) -> list[Any]:
        """Return the value as often as there are records."""
        return [self.value] * self.count


@dataclass(frozen=True, slots=True)
class Optional:
    """Values some of which are null; ``inner`` holds something for these, too."""

    present: Bools
    inner: "Column"

    def pylist(self) -> list[Any]:
        """Return the values, None for null."""
        return [
            value if there else None
            for value, there in zip(self.inner.pylist(), self.present.tolist(), strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Lists:
    """Lists: how many items each record has, and all items one behind the other."""

    counts: Ints
    items: "Column"

    def offsets(self) -> Ints:
        """Return where each record's items start in ``items``, and the end of the last ones."""
        offsets = np.zeros(len(self.counts) + 1, np.int64)
        np.cumsum(self.counts, out=offsets[1:])
        return offsets

    def pylist(self) -> list[Any]:
        """Return a tuple for each record."""
        items = self.items.pylist()
        if not items:
            return [()] * len(self.counts)
        return [tuple(items[a:b]) for a, b in pairwise(self.offsets().tolist())]


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one class, a column for each of its fields in order."""

    cls: type | None
    columns: dict[str, "Column"]
    count: int

    def pylist(self) -> list[Any]:
        """Return instances of the class.

        Field by field over all records and past ``__init__``: a frozen dataclass sets each
        field by a call in Python, this by one in C. The classes have no ``__post_init__``.
        """
        assert self.cls is not None
        made: list[Any] = list(map(object.__new__, repeat(self.cls, self.count)))
        for name, column in self.columns.items():
            slot = getattr(self.cls, name)
            deque(map(slot.__set__, made, column.pylist()), maxlen=0)
        return made


Column = Numbers | Choices | Texts | Constant | Optional | Lists | Records


def _bad(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return True
    return False


def _gather(source: Octets, starts: Ints, lengths: Ints, offsets: Ints) -> Octets:
    """Copy values that lie scattered in a buffer one behind the other."""
    total = int(offsets[-1])
    if not total:
        return np.zeros(0, np.uint8)
    tally = np.bincount(lengths) if int(lengths.max()) < _LONG else None
    distinct = None if tally is None else np.flatnonzero(tally)
    if distinct is None or len(distinct) > _LENGTHS_MAX:
        return source[np.arange(total) + np.repeat(starts - offsets[:-1], lengths)]
    packed = np.empty(total, np.uint8)
    for length in distinct.tolist():
        chosen = slice(None) if len(distinct) == 1 else lengths == length
        if length:
            _pieces(packed, length)[offsets[:-1][chosen]] = _pieces(source, length)[starts[chosen]]
    return packed


def _pieces(buffer: Octets, length: int) -> npt.NDArray[np.void]:
    """Return a view of all pieces of a length, one starting at each byte; they overlap."""
    return np.ndarray((len(buffer) - length + 1,), f"V{length}", buffer, 0, (1,))
