"""Rows: how the fold's state is kept, encoded, cached and read.

A row is a dataclass of the fold inside an envelope of ours. The envelope says which records the
row has applied, so that a record read twice is applied once; which numbers it has heard from each
sender, so that an output sent twice counts once; and which chunk wrote it with which outputs, so
that they can be sent again byte for byte.
"""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile

import msgspec

from custody.errors import Corrupt
from custody.fold import Row
from streams.batches import BATCH_BYTES_MAX
from streams.config import ROW_BYTES_MAX, SOURCES

FORMAT = 3
"""Layout of the envelope; another number is refused."""

CHUNK_KEY = b"chunk"
"""Key of the chunk record; rows of the fold have a slash in theirs."""


class Output(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One record to send: framed, addressed and numbered."""

    n: int
    topic: str
    partition: int
    key: bytes
    value: bytes


class Envelope(msgspec.Struct, array_like=True, gc=False):
    """What is stored around a row.

    Attributes:
        format: Layout of this envelope.
        version: Version of the fold that wrote the row.
        chunk: Number of the chunk that wrote it.
        offsets: Last applied offset per source topic, in the order of ``SOURCES``; -1 for none.
        heard: Highest number per sender.
        outputs: What that chunk says for this row.
        spill: First and number of the rows ``said/<n>`` that carry the outputs instead, where
            there are too many for one row. They stand before it in the changelog, so they are
            there if it is; the next chunk may write over them.
        body: The row itself; none where the row carries another's outputs.
    """

    format: int
    version: int
    chunk: int
    offsets: tuple[int, ...]
    heard: dict[str, int]
    outputs: tuple[Output, ...]
    spill: tuple[int, int]
    body: msgspec.Raw


class ChunkRecord(msgspec.Struct, array_like=True, gc=False):
    """The first record of a chunk in the changelog.

    Attributes:
        format: Layout of envelope and chunk record.
        chunk: 1, 2, 3, ... per partition.
        topic: Source topic.
        first: Offset of the chunk's first record.
        last: Offset of its last record.
        owners: Keys of the rows that may carry outputs of it.
        n_before: Highest number given to an output before this chunk. What the chunk's surviving
            rows carry counts on from it, so that a crash leaves no number out.
    """

    format: int
    chunk: int
    topic: str
    first: int
    last: int
    owners: tuple[str, ...]
    n_before: int


@dataclass(slots=True)
class Held:
    """A row in memory with what its envelope says of the past."""

    row: Row
    offsets: tuple[int, ...]
    heard: dict[str, int]
    size_bytes: int


NO_SPILL = (0, 0)
"""The owner's row carries its outputs itself."""

NOTHING_APPLIED = (-1,) * len(SOURCES)
"""Offsets of a row that is nobody's own: an owner's row has applied at least one record."""

ABSENT_MAX = 10_000
"""Keys without a row that a partition remembers, about 1 MB."""


class RowCodec:
    """Rows to bytes and back, by the prefix of their key.

    Args:
        row_types: Class of a row by the prefix of its key.
        version: The fold's version, written into every row.
    """

    def __init__(self, row_types: Mapping[str, type], version: int) -> None:
        self._decoders: dict[str, msgspec.msgpack.Decoder[Row]] = {
            prefix: msgspec.msgpack.Decoder(t) for prefix, t in row_types.items()
        }
        self._encoder = msgspec.msgpack.Encoder()
        self._envelope = msgspec.msgpack.Decoder(Envelope)
        self._chunk = msgspec.msgpack.Decoder(ChunkRecord)
        self._version = version

    def encode(
        self,
        key: str,
        held: Held,
        chunk: int,
        outputs: tuple[Output, ...],
        spill: tuple[int, int] = NO_SPILL,
    ) -> bytes:
        """Return the stored form and note its size in ``held``.

        Raises:
            RowTooLarge: The row passes ``ROW_BYTES_MAX``.
        """
        body = msgspec.Raw(self._encoder.encode(held.row))
        envelope = Envelope(
            FORMAT, self._version, chunk, held.offsets, held.heard, outputs, spill, body
        )
        data = self._encoder.encode(envelope)
        if len(data) > ROW_BYTES_MAX:
            raise RowTooLarge(key, len(data))
        held.size_bytes = len(data)
        return data

    def decode(self, key: str, data: bytes) -> Held:
        """Return the row under a key.

        Raises:
            UnreadableRow: Another format, no such class, or damaged bytes.
        """
        try:
            envelope = self.envelope(data)
            row = self._decoders[key.partition("/")[0]].decode(envelope.body)
        except (msgspec.MsgspecError, KeyError) as error:
            raise UnreadableRow(key, repr(error)) from error
        return Held(row, envelope.offsets, envelope.heard, len(data))

    def envelope(self, data: bytes) -> Envelope:
        """Return the envelope alone.

        Raises:
            UnreadableRow: Another format.
        """
        envelope = self._envelope.decode(data)
        if envelope.format != FORMAT:
            raise UnreadableRow(str(envelope.chunk), f"format {envelope.format}")
        return envelope

    def encode_chunk(self, record: ChunkRecord) -> bytes:
        """Return the stored form of a chunk record."""
        return self._encoder.encode(record)

    def decode_chunk(self, data: bytes) -> ChunkRecord:
        """Return the chunk record.

        Raises:
            UnreadableRow: Another format, or damaged bytes.
        """
        try:
            record = self._chunk.decode(data)
        except msgspec.MsgspecError as error:
            raise UnreadableRow(CHUNK_KEY.decode(), repr(error)) from error
        if record.format != FORMAT:
            raise UnreadableRow(CHUNK_KEY.decode(), f"format {record.format}")
        return record

    def knows(self, prefix: str) -> bool:
        """Tell whether the fold has rows under a prefix."""
        return prefix in self._decoders


class RowTooLarge(Corrupt):
    """A row of the fold has no bound: starting again would meet it again."""

    def __init__(self, key: str, size_bytes: int) -> None:
        super().__init__(
            f"row {key} has {size_bytes:,} bytes",
            expected=f"at most {ROW_BYTES_MAX:,}",
            next_step="split what the fold keeps in it into rows of their own, then start again",
        )


class StepTooLarge(Corrupt):
    """What a step leaves does not fit in one batch: a crash could keep half of it."""

    def __init__(self, owner: str, size_bytes: int) -> None:
        super().__init__(
            f"a step of {owner} leaves {size_bytes:,} bytes of rows and outputs",
            expected=f"at most {BATCH_BYTES_MAX:,}",
            next_step="raise it and the changelog's max.message.bytes, then start again",
        )


class UnreadableRow(Corrupt):
    """A stored row is not what this version writes."""

    def __init__(self, key: str, detail: str) -> None:
        super().__init__(
            f"stored row {key} cannot be read: {detail}",
            expected=f"format {FORMAT} and a row class of this fold",
            next_step="start the version that wrote it, or refold from the fact topic",
        )


class PartitionRows:
    """Rows of one partition during one assignment: what the fold reads through.

    What a chunk changes is staged until its changelog records are acknowledged. Decoded rows are
    kept up to a bound, oldest use first out, and never across a rebalance: another worker may
    have written in between.

    A row that a step writes beside its owner's (a fact as a re-fold needs it) is kept only once it
    was read: most never are, and they would fill the cache. A key without a row is remembered,
    because the fold asks for the reference data of each instrument in each step.

    Args:
        codec: Rows to bytes and back.
        load: Reads the local store.
        scan: Names the keys of the local store that begin with a prefix, in order.
        bytes_max: Bound of the cache, in encoded bytes.
    """

    def __init__(
        self,
        codec: RowCodec,
        load: Callable[[bytes], bytes | None],
        scan: Callable[[bytes], Iterable[bytes]],
        bytes_max: int,
    ) -> None:
        self._codec = codec
        self._load = load
        self._scan = scan
        self._bytes_max = bytes_max
        self._bytes = 0
        self._cache: OrderedDict[str, Held] = OrderedDict()
        self._absent: set[str] = set()
        self._staged: dict[str, Held | bytes | None] = {}
        self._staged_keys: list[str] = []
        self._staged_bytes = 0

    def get(self, key: str) -> Row | None:
        """Return the fold's row under a key (``custody.fold.Reader``)."""
        held = self.held(key)
        return None if held is None else held.row

    def scan(self, prefix: str, before: str | None = None) -> list[str]:
        """Return the keys that begin with a prefix (``custody.fold.Reader``)."""
        stored = iter(self._scan(prefix.encode()))
        if before is not None:
            end = before.encode()
            stored = takewhile(lambda key: key < end, stored)
        found = {key.decode() for key in stored}
        keys = self._staged_keys
        # In order, and looked up: a chunk stages thousands, and each of its lots looks for its own.
        for at in range(bisect_left(keys, prefix), len(keys)):
            key = keys[at]
            if not key.startswith(prefix) or (before is not None and key >= before):
                break
            if self._staged[key] is None:
                found.discard(key)
            else:
                found.add(key)
        return sorted(found)

    def held(self, key: str) -> Held | None:
        """Return a row with its past: staged, cached, or from the store."""
        staged = self._staged.get(key)
        if staged is not None:
            return self._codec.decode(key, staged) if isinstance(staged, bytes) else staged
        if key in self._staged:
            return None
        held = self._cache.get(key)
        if held is not None:
            self._cache.move_to_end(key)
            return held
        if key in self._absent:
            return None
        data = self._load(key.encode())
        if data is None:
            self._note_absent(key)
            return None
        held = self._codec.decode(key, data)
        self._keep(key, held)
        return held

    def stage(self, key: str, held: Held | None, data: bytes) -> None:
        """Let the rest of the chunk see a row that is not stored yet.

        Each owner has one step in a chunk, so few staged rows are ever read: beyond the bound of
        the cache, and beside an owner's row, only the encoded form stays in memory.

        Args:
            key: The row's key.
            held: The row; None where it is gone.
            data: Its stored form.
        """
        if key not in self._staged:
            insort(self._staged_keys, key)
        if held is None:
            self._staged[key] = None
            return
        if held.offsets == NOTHING_APPLIED or self._staged_bytes > self._bytes_max:
            self._staged[key] = data
            return
        self._staged[key] = held
        self._staged_bytes += held.size_bytes

    def commit(self) -> None:
        """Keep what was staged: it is stored now."""
        for key, staged in self._staged.items():
            if staged is None or isinstance(staged, bytes):
                self._forget(key)
            else:
                self._keep(key, staged)
        self._absent.difference_update(self._staged)
        self._staged.clear()
        self._staged_keys.clear()
        self._staged_bytes = 0
        self.trim()

    def trim(self) -> None:
        """Forget the rows used longest ago, down to the bound."""
        while self._bytes > self._bytes_max:
            _, old = self._cache.popitem(last=False)
            self._bytes -= old.size_bytes

    def _note_absent(self, key: str) -> None:
        if len(self._absent) >= ABSENT_MAX:
            self._absent.clear()
        self._absent.add(key)

    def _forget(self, key: str) -> None:
        old = self._cache.pop(key, None)
        if old is not None:
            self._bytes -= old.size_bytes

    def _keep(self, key: str, held: Held) -> None:
        self._forget(key)
        self._cache[key] = held
        self._bytes += held.size_bytes
