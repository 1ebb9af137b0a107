"""Reads many records at once: one NumPy operation per field instead of one call per value.

The messages stand one behind the other in a buffer, with zeros behind them. A cursor per record
moves over the plan's fields in step. Theory of operation:

- A record that breaks is *killed*: its first fault is kept and its cursor is put onto the zeros,
  where every type reads as zero or emptiness; so no step needs to know who is still alive. A
  null's cursor rests there too while the others read their value.
- A cursor may run past its record's end while it reads numbers. It is caught at the next text or
  list, or at the end, where each cursor must stand exactly on its record's end. The zeros are
  long enough for that, and what it reads there is thrown away.
- A list is read twice: in step, item by item, to find where items start; then all items of all
  records at once. Caps are enforced before the items are looked at.
- Records with faults are taken out and the rest is read again, so columns hold good ones only.

The rules and the order of verdicts are those of ``rows``.

Measured (CPU time per row, two busy cores, 10,000 rows): a weighing of 182 bytes 0.8 us as columns
and 3.5 us as records, an XRF shot with 6 results 1.8 and 9.4; fastavro's dictionaries alone cost
12.2 and 22.9, a record read by ``rows`` 25 and 41. At 32 rows columns cost about what rows cost.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.columns import (
    Bools,
    Choices,
    Column,
    Constant,
    Ints,
    Lists,
    Numbers,
    Optional,
    Records,
    Texts,
)
from schemas.plan import Choice, Leaf, Many, Maybe, Node, Plan, Struct
from schemas.rows import OUT_OF_RANGE, TOO_MANY_ITEMS, UNDECODABLE

_ZEROS = 8_192
"""Bytes behind the last message; a cursor moves at most 10 per field between two checks."""
_INT_MIN, _INT_MAX = -0x80000000, 0x7FFFFFFF

Words = npt.NDArray[np.uint64]
_U = np.uint64


def read_columns(
    plan: Plan, messages: Sequence[bytes], skip: int
) -> tuple[Records, dict[int, tuple[str, str]]]:
    """Read the records of messages written under one schema.

    Args:
        plan: Resolution of that schema.
        messages: One record each; may be empty.
        skip: Bytes before each body, there in every message.

    Returns:
        The columns of the good records in order, and reason and detail by position of the bad
        ones.
    """
    columns, bad = _Reader(messages, skip).run(plan)
    if bad:
        good = [message for i, message in enumerate(messages) if i not in bad]
        columns, none = _Reader(good, skip).run(plan)
        assert not none, none
    return columns, bad


@dataclass(slots=True)
class _Faults:
    """The first fault of each kind, by record."""

    structure: dict[int, tuple[str, str]] = field(default_factory=dict)
    text: dict[int, tuple[str, str]] = field(default_factory=dict)
    range: dict[int, tuple[str, str]] = field(default_factory=dict)

    def verdicts(self) -> dict[int, tuple[str, str]]:
        """Return the verdict on each bad record: structure before text before range."""
        return self.range | self.text | self.structure


class _Reader:
    def __init__(self, messages: Sequence[bytes], skip: int) -> None:
        sizes = np.fromiter(map(len, messages), np.int64, len(messages))
        data = b"".join((*messages, bytes(_ZEROS)))
        self.octets = np.frombuffer(data, np.uint8)
        self.words: Words = np.ndarray((len(data) - 7,), "<u8", data, 0, (1,))
        self.data = data
        self.ends: Ints = np.cumsum(sizes)
        self.starts: Ints = self.ends - sizes + skip
        self.zeros = len(data) - _ZEROS
        self.alive: Bools = np.ones(len(messages), bool)
        self.faults = _Faults()

    def run(self, plan: Plan) -> tuple[Records, dict[int, tuple[str, str]]]:
        """Read all records and judge them."""
        rows = np.arange(len(self.ends))
        columns, cursor = self.struct(plan.root, self.starts, rows)
        self.kill(cursor != self.ends, rows, UNDECODABLE, "does not end with its last field")
        _check_texts(self, columns, "", rows)
        return columns, self.faults.verdicts()

    def kill(self, which: Bools, rows: Ints, reason: str, detail: str) -> Bools:
        """Keep the first fault of records; return ``which``."""
        for row in np.unique(rows[which]).tolist():
            if self.alive[row]:
                self.alive[row] = False
                self.faults.structure[row] = (reason, detail)
        return which

    def node(self, node: Node, path: str, cursor: Ints, rows: Ints) -> tuple[Column, Ints]:
        """Read one value per cursor; ``rows`` says whose it is."""
        match node:
            case Leaf():
                return self.leaf(node, path, cursor, rows, None)
            case Choice():
                return self.choice(node, path, cursor, rows)
            case Maybe():
                return self.maybe(node, path, cursor, rows)
            case Many():
                return self.many(node, path, cursor, rows)
            case Struct():
                return self.struct(node, cursor, rows)

    def struct(self, struct: Struct, cursor: Ints, rows: Ints) -> tuple[Records, Ints]:
        """Read a record's fields in wire order; give ours, in our order."""
        count = len(cursor)
        found: dict[str, Column] = {
            name: Constant(value, count) for name, value in struct.defaults.items()
        }
        for member in struct.members:
            column, cursor = self.node(member.node, member.path, cursor, rows)
            if member.kept:
                found[member.name] = column
        ours = {name: found[name] for name in struct.names}
        return Records(struct.cls, ours, count), cursor

    def leaf(
        self, leaf: Leaf, path: str, cursor: Ints, rows: Ints, present: Bools | None
    ) -> tuple[Column, Ints]:
        """Read a number, boolean, text or bytes."""
        match leaf.kind:
            case "string" | "bytes":
                start, lengths, cursor = self.text(path, cursor, rows)
                return Texts(self.octets, start, lengths, leaf.kind == "bytes"), cursor
            case "boolean":
                flags = self.octets[cursor]
                broken = self.kill(flags > 1, rows, UNDECODABLE, f"{path}: no boolean")
                return Numbers(flags == 1), self.rest(cursor + 1, broken)
            case "double":
                reals = self.words[cursor].view(np.float64)
                self.check_range(leaf, path, reals, rows, present)
                return Numbers(reals), cursor + 8
            case _:
                whole, cursor = self.whole(leaf, path, cursor, rows)
                self.check_range(leaf, path, whole, rows, present)
                return Numbers(whole, leaf.micros), cursor

    def rest(self, cursor: Ints, where: Bools) -> Ints:
        """Put cursors onto the zeros."""
        return np.where(where, self.zeros, cursor) if where.any() else cursor

    def whole(self, leaf: Leaf, path: str, cursor: Ints, rows: Ints) -> tuple[Ints, Ints]:
        """Read integers; ``int`` must be within 32 bits."""
        values, cursor = self.varint(path, cursor, rows)
        if leaf.kind == "int":
            wide = (values < _INT_MIN) | (values > _INT_MAX)
            if wide.any():
                self.kill(wide, rows, UNDECODABLE, f"{path}: no 32-bit integer")
                values, cursor = np.where(wide, 0, values), self.rest(cursor, wide)
        return values, cursor

    def check_range(
        self,
        leaf: Leaf,
        path: str,
        values: npt.NDArray[Any],
        rows: Ints,
        present: Bools | None,
    ) -> None:
        """Note values beyond their limits, and reals that are not finite."""
        wrong = _out_of_range(leaf, values)
        if wrong is None:
            return
        if present is not None:
            wrong &= present
        for row in rows[wrong].tolist():
            detail = f"{path}: is not within {leaf.low} to {leaf.high}"
            self.faults.range.setdefault(row, (OUT_OF_RANGE, detail))

    def text(self, path: str, cursor: Ints, rows: Ints) -> tuple[Ints, Ints, Ints]:
        """Read lengths; return starts, lengths and the cursors behind the values."""
        lengths, start = self.varint(path, cursor, rows)
        beyond = (lengths < 0) | ((lengths > self.ends[rows] - start) & (lengths != 0))
        if beyond.any():
            self.kill(beyond, rows, UNDECODABLE, f"{path}: length beyond the message")
            lengths = np.where(beyond, 0, lengths)
            start = self.rest(start, beyond)
        return start, lengths, start + lengths

    def choice(self, choice: Choice, path: str, cursor: Ints, rows: Ints) -> tuple[Column, Ints]:
        """Read an enum's index."""
        codes, cursor = self.varint(path, cursor, rows)
        unknown = (codes < 0) | (codes >= len(choice.symbols))
        if unknown.any():
            self.kill(unknown, rows, UNDECODABLE, f"{path}: no such symbol")
            codes, cursor = np.where(unknown, 0, codes), self.rest(cursor, unknown)
        return Choices(codes, choice.symbols), cursor

    def maybe(self, maybe: Maybe, path: str, cursor: Ints, rows: Ints) -> tuple[Column, Ints]:
        """Read a branch and, where it is not null, the value."""
        branch, cursor = self.varint(path, cursor, rows)
        null = branch == maybe.null_index
        unknown = (branch & ~1) != 0
        if unknown.any():
            self.kill(unknown, rows, UNDECODABLE, f"{path}: no such branch")
            null |= unknown
            cursor = self.rest(cursor, unknown)
        if null.all():
            return Constant(None, len(cursor)), cursor
        mixed = bool(null.any())
        at = np.where(null, self.zeros, cursor) if mixed else cursor
        if isinstance(maybe.inner, Leaf):
            inner, behind = self.leaf(maybe.inner, path, at, rows, ~null if mixed else None)
        else:
            inner, behind = self.node(maybe.inner, path, at, rows)
        if not mixed:
            return inner, behind
        return Optional(~null, inner), np.where(null, cursor, behind)

    def many(self, many: Many, path: str, cursor: Ints, rows: Ints) -> tuple[Column, Ints]:
        """Read lists: find where items start, then read them all at once."""
        walk = _ListWalk(self, many, path, cursor, rows)
        whose, starts = walk.run()
        items, _ = self.node(many.item, path, starts, rows[whose])
        counts = np.bincount(whose, minlength=len(cursor)).astype(np.int64)
        return Lists(counts, items), walk.cursor

    def varint(self, path: str, cursor: Ints, rows: Ints) -> tuple[Ints, Ints]:
        """Read zigzag varints of at most 64 bits; return the values and the cursors behind.

        Source:
            Gathering seven-bit groups by masks and shifts within a 64-bit word, as in
            base-128 decoders that use no tables. A number of nine or ten bytes goes one by one.
        """
        first = self.octets[cursor]
        if not len(first) or int(first.max()) < 0x80:
            small = first.astype(np.int64)
            return (small >> 1) ^ -(small & 1), cursor + 1
        word = self.words[cursor]
        stop = ~word & _U(0x8080808080808080)
        stop &= ~stop + _U(1)
        long = stop == 0
        word &= (stop ^ (stop - _U(1))) & _U(0x7F7F7F7F7F7F7F7F)
        word = (word & _U(0x007F007F007F007F)) | ((word & _U(0x7F007F007F007F00)) >> _U(1))
        word = (word & _U(0x00003FFF00003FFF)) | ((word & _U(0x3FFF00003FFF0000)) >> _U(2))
        word = (word & _U(0x000000000FFFFFFF)) | ((word & _U(0x0FFFFFFF00000000)) >> _U(4))
        # One bit is set, 7 + 8 k: its exponent as a real gives the length k + 1.
        used = ((stop.astype(np.float64).view(np.int64) >> 52) - 1022) >> 3
        if long.any():
            cursor = cursor.copy()
            for i in np.flatnonzero(long).tolist():
                word[i], used[i] = self.long_varint(path, cursor, rows, i)
        values = (word >> _U(1)).view(np.int64) ^ -((word & _U(1)).view(np.int64))
        return values, cursor + used

    def long_varint(self, path: str, cursor: Ints, rows: Ints, i: int) -> tuple[int, int]:
        """Return a number of more than eight bytes and its length; kill one beyond 64 bits."""
        raw = self.data[cursor[i] : cursor[i] + 10]
        value = size = 0
        for size, byte in enumerate(raw, start=1):
            value |= (byte & 0x7F) << 7 * (size - 1)
            if byte < 0x80:
                break
        if raw[size - 1] < 0x80 and not value >> 64:
            return value, size
        self.kill(np.arange(len(rows)) == i, rows, UNDECODABLE, f"{path}: more than 64 bits")
        cursor[i] = self.zeros
        return 0, 1


class _ListWalk:
    """Walks lists in step, item by item, to find where each item starts."""

    def __init__(self, reader: _Reader, many: Many, path: str, cursor: Ints, rows: Ints) -> None:
        self._reader = reader
        self._many = many
        self._path = path
        self._rows = rows
        self._counts = np.zeros(len(cursor), np.int64)
        self._whose: list[Ints] = [np.zeros(0, np.int64)]
        self._starts: list[Ints] = [np.zeros(0, np.int64)]
        self.cursor = cursor.copy()

    def run(self) -> tuple[Ints, Ints]:
        """Return whose each item is and where it starts, in the order of the lists."""
        active = np.arange(len(self.cursor))
        while len(active):
            active, counts, block_ends = self._block(active)
            self._items(active, counts)
            self._check_block(active, block_ends)
            active = self._living(active)
        self.cursor[~self._reader.alive[self._rows]] = self._reader.zeros
        whose, starts = np.concatenate(self._whose), np.concatenate(self._starts)
        living = self._reader.alive[self._rows[whose]]
        whose, starts = whose[living], starts[living]
        order = np.argsort(whose, kind="stable")
        return whose[order], starts[order]

    def _block(self, active: Ints) -> tuple[Ints, Ints, Ints]:
        """Read block headers; return the lists that have a block, its count and its end.

        The end is -1 where the block does not say its size.
        """
        reader, rows = self._reader, self._rows[active]
        counts, at = reader.varint(self._path, self.cursor[active], rows)
        sized = counts < 0
        block_ends = np.full(len(active), -1, np.int64)
        if sized.any():
            sizes, behind = reader.varint(self._path, np.where(sized, at, reader.zeros), rows)
            at = np.where(sized, behind, at)
            # A negative or absurd size becomes an end that no cursor stands on.
            block_ends = np.where(sized, np.maximum(at + sizes, 0), -1)
            counts = np.abs(counts)
        self.cursor[active] = at
        beyond = (counts != 0) & (at > reader.ends[rows])
        reader.kill(beyond, rows, UNDECODABLE, f"{self._path}: ends within a list")
        # abs() of the least integer stays negative.
        many = (counts > self._many.cap - self._counts[active]) | (counts < 0)
        detail = f"{self._path}: more than {self._many.cap} items"
        reader.kill(many & ~beyond, rows, TOO_MANY_ITEMS, detail)
        on = (counts > 0) & reader.alive[rows]
        return active[on], counts[on], block_ends[on]

    def _items(self, active: Ints, counts: Ints) -> None:
        """Move over the items of a block each."""
        self._counts[active] += counts
        for no in range(int(counts.max(initial=0))):
            on = (counts > no) & self._reader.alive[self._rows[active]]
            chosen = active[on]
            if not len(chosen):
                return
            starts = self.cursor[chosen]
            self._whose.append(chosen)
            self._starts.append(starts)
            rows = self._rows[chosen]
            self.cursor[chosen] = self._reader.node(self._many.item, self._path, starts, rows)[1]

    def _check_block(self, active: Ints, block_ends: Ints) -> None:
        wrong = (block_ends >= 0) & (self.cursor[active] != block_ends)
        detail = f"{self._path}: block is not of the size it says"
        self._reader.kill(wrong, self._rows[active], UNDECODABLE, detail)

    def _living(self, active: Ints) -> Ints:
        return active[self._reader.alive[self._rows[active]]]


def _out_of_range(leaf: Leaf, values: npt.NDArray[Any]) -> Bools | None:
    """Return which values are beyond a leaf's limits, None where none is."""
    if not len(values):
        return None
    low = values.min() if leaf.low is None else leaf.low
    high = values.max() if leaf.high is None else leaf.high
    # Written so that a NaN, which compares with nothing, is out of range.
    if values.min() >= low and values.max() <= high:
        return None
    return ~((values >= low) & (values <= high))


def _check_texts(reader: _Reader, column: Column, path: str, rows: Ints) -> None:
    """Note texts that are not UTF-8."""
    match column:
        case Texts():
            for row in rows[column.invalid()].tolist():
                reader.faults.text.setdefault(row, (UNDECODABLE, f"{path}: not UTF-8"))
        case Optional():
            _check_texts(reader, column.inner, path, rows)
        case Lists():
            _check_texts(reader, column.items, path, np.repeat(rows, column.counts))
        case Records():
            for name, part in column.columns.items():
                _check_texts(reader, part, f"{path}.{name}" if path else name, rows)
        case _:
            pass
