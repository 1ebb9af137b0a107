"""A chunk of records to rows and outputs: group by owner, drop what is known, ask the fold.

Everything here is in memory; nothing has been written when it returns.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from custody.fold import Fold, Handed, Input
from custody.records import Alert, Tick
from schemas.reader import Group
from schemas.routes import BY_STEM, BY_TYPE
from streams import batches
from streams.outputs import OutputWriter
from streams.rows import (
    CHUNK_KEY,
    FORMAT,
    NO_SPILL,
    NOTHING_APPLIED,
    ChunkRecord,
    Held,
    Output,
    PartitionRows,
    RowCodec,
    StepTooLarge,
)
from streams.spill import spill_key, spilled

YIELD_EVERY_S = 0.1
"""How long the fold may hold the event loop; heartbeats have a thread of their own."""

TICK = "tick"

_NUMBERED = frozenset(stem for stem, route in BY_STEM.items() if route.derived)


class SourceEntry:
    """One record as the fold sees it; decoded when first asked for."""

    __slots__ = ("_at", "_event", "_group", "offset", "source", "stem")

    def __init__(self, group: Group, at: int, offset: int, source: int) -> None:
        self.stem: str = group.stem
        self.offset = offset
        self.source = source
        self._group = group
        self._at = at
        self._event: Input | None = None

    @property
    def event(self) -> Input:
        """The record."""
        event = self._event
        if event is None:
            event = self._event = cast(Input, self._group.event(self._at))
        return event


@dataclass(slots=True)
class PartitionState:
    """What one partition's worker remembers during one assignment.

    Attributes:
        partition: Its index.
        rows: Rows, cached.
        outputs: Counts and frames what the partition says.
        chunk: Number of the last chunk.
        tick: The newest tick that waits for facts before it.
    """

    partition: int
    rows: PartitionRows
    outputs: OutputWriter
    chunk: int
    tick: SourceEntry | None = None


@dataclass(slots=True)
class Reduction:
    """What a chunk leads to.

    Attributes:
        record: First record of the chunk in the changelog.
        groups: Changelog records by step; the chunk record is not among them.
        outputs: Records to send in order of n.
        applied: Records applied, by stem.
        said: Outputs by stem.
        duplicates: Records dropped as known.
        families: Alert versions by family.
        findings: Findings of the fold.
        spilled: Rows that carry outputs of others.
    """

    record: ChunkRecord
    groups: list[list[batches.Record]] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    applied: Counter[str] = field(default_factory=Counter)
    said: Counter[str] = field(default_factory=Counter)
    families: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    findings: int = 0
    spilled: int = 0


class Reducer:
    """Applies chunks through a fold.

    Args:
        fold: The core.
        codec: Rows to bytes.
    """

    def __init__(self, fold: Fold, codec: RowCodec) -> None:
        self._fold = fold
        self._codec = codec

    async def reduce(
        self,
        state: PartitionState,
        source: tuple[str, int, int],
        owned: Mapping[str, Sequence[SourceEntry]],
    ) -> Reduction:
        """Apply a chunk's records, grouped by owner, to the partition's rows.

        Args:
            state: The partition; its counters grow, its rows are staged.
            source: Topic, first and last offset of the chunk.
            owned: Records by row key of their owner, each in offset order.
        """
        chunk = state.chunk + 1
        reduction = Reduction(ChunkRecord(FORMAT, chunk, *source, (), state.outputs.last_n))
        owners: list[str] = []
        yielded_at = time.monotonic()
        for owner, entries in owned.items():
            if self._step(state, owner, entries, reduction):
                owners.append(owner)
            if time.monotonic() - yielded_at > YIELD_EVERY_S:
                await asyncio.sleep(0)
                yielded_at = time.monotonic()
        if owners:
            state.chunk = chunk
            reduction.record.owners = tuple(owners)
            reduction.groups.insert(0, [(CHUNK_KEY, self._codec.encode_chunk(reduction.record))])
        return reduction

    def group(
        self,
        state: PartitionState,
        records: Sequence[tuple[SourceEntry, str]],
        fact_position: int,
    ) -> dict[str, list[SourceEntry]]:
        """Group records by owner; hold a tick back until the facts before it are applied.

        Args:
            state: The partition.
            records: Records and their Kafka keys, in offset order.
            fact_position: Next offset of the fact topic after this chunk.
        """
        owned: dict[str, list[SourceEntry]] = {}
        owner_of = self._fold.owner
        for entry, key in records:
            if entry.stem == TICK:
                state.tick = entry
            else:
                owned.setdefault(owner_of(entry, key), []).append(entry)
        waiting = state.tick
        if waiting is not None and _is_due(waiting, fact_position):
            state.tick = None
            if self._codec.knows(TICK):
                owned[f"{TICK}/{state.partition}"] = [waiting]
        return owned

    def _step(
        self,
        state: PartitionState,
        owner: str,
        entries: Sequence[SourceEntry],
        reduction: Reduction,
    ) -> bool:
        past = state.rows.held(owner) or Held(None, NOTHING_APPLIED, {}, 0)
        heard = dict(past.heard)
        fresh = _fresh(entries, past.offsets, heard)
        reduction.duplicates += len(entries) - len(fresh)
        if not fresh:
            return False
        step = self._fold.step(owner, past.row, fresh, state.rows)
        outputs = tuple(one for said in step.outputs for one in state.outputs.write(owner, said))
        group: list[batches.Record] = []
        chunk = reduction.record.chunk
        for key, row in step.rows.items():
            if row is None:
                state.rows.stage(key, None, b"")
                group.append((key.encode(), None))
                continue
            group.append(self._stage(state, key, Held(row, NOTHING_APPLIED, {}, 0), chunk, ()))
        held = Held(step.row, _advanced(past.offsets, fresh), heard, 0)
        parts = spilled(outputs)
        spill = (reduction.spilled, len(parts))
        group.extend([self._spill(reduction, part) for part in parts])
        carried = () if parts else outputs
        group.append(self._stage(state, owner, held, chunk, carried, spill))
        if parts and (size := batches.size_of(group)) > batches.BATCH_BYTES_MAX:
            raise StepTooLarge(owner, size)
        reduction.groups.append(group)
        reduction.outputs.extend(outputs)
        reduction.findings += len(step.findings)
        reduction.applied.update([entry.stem for entry in fresh])
        reduction.said.update([BY_TYPE[type(said)].stem for said in step.outputs])
        reduction.families.update([s.family for s in step.outputs if isinstance(s, Alert)])
        return True

    def _stage(
        self,
        state: PartitionState,
        key: str,
        held: Held,
        chunk: int,
        outputs: tuple[Output, ...],
        spill: tuple[int, int] = NO_SPILL,
    ) -> tuple[bytes, bytes]:
        data = self._codec.encode(key, held, chunk, outputs, spill)
        state.rows.stage(key, held, data)
        return key.encode(), data

    def _spill(self, reduction: Reduction, part: tuple[Output, ...]) -> tuple[bytes, bytes]:
        key = spill_key(reduction.spilled)
        reduction.spilled += 1
        held = Held(None, NOTHING_APPLIED, {}, 0)
        return key.encode(), self._codec.encode(key, held, reduction.record.chunk, part)


def _is_due(tick: SourceEntry, fact_position: int) -> bool:
    event = tick.event
    assert isinstance(event, Tick)
    return event.fact_end_offset <= fact_position


def _fresh(
    entries: Sequence[SourceEntry], offsets: tuple[int, ...], heard: dict[str, int]
) -> list[SourceEntry]:
    """Return the records the owner has not applied; ``heard`` learns their numbers."""
    fresh: list[SourceEntry] = []
    for entry in entries:
        if entry.offset <= offsets[entry.source]:
            continue
        if entry.stem in _NUMBERED:
            event = entry.event
            assert isinstance(event, Handed)
            if event.n <= heard.get(event.sender, 0):
                continue
            heard[event.sender] = event.n
        fresh.append(entry)
    return fresh


def _advanced(offsets: tuple[int, ...], fresh: Sequence[SourceEntry]) -> tuple[int, ...]:
    advanced = list(offsets)
    for entry in fresh:
        advanced[entry.source] = entry.offset
    return tuple(advanced)
