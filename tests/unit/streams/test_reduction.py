"""A chunk in memory: each record counts once, and what is said is numbered without holes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from custody.events import LotWeighed
from custody.fold import Entry, Reader, Row, Step
from custody.records import Tick
from schemas import topics
from schemas.reader import read_batch
from schemas.routes import Record
from streams import batches, spill
from streams.config import SOURCE_INDEX
from streams.outputs import OutputWriter, address, bare_id
from streams.reduction import PartitionState, Reducer, Reduction, SourceEntry
from streams.rows import (
    CHUNK_KEY,
    Held,
    PartitionRows,
    RowCodec,
    StepTooLarge,
    UnreadableRow,
)
from streams.spill import surviving
from tests.support.folds import Clock, RelayFold, Sum, content
from tests.support.streams import CATALOG, framed, weighing

FOLD = RelayFold(owners=4)


class Partition:
    """One partition, without Kafka or RocksDB: a store is a dict."""

    def __init__(self, fold: RelayFold = FOLD) -> None:
        self.store: dict[bytes, bytes] = {}
        self.codec = RowCodec(fold.row_types, fold.version)
        self.reducer = Reducer(fold, self.codec)
        self.begin()

    def begin(self) -> None:
        """A new assignment: all that is in memory is gone."""
        data = self.store.get(CHUNK_KEY)
        record = None if data is None else self.codec.decode_chunk(data)
        self.resent, last_n = surviving(self.codec, record, self.store.get) if record else ([], 0)
        self.state = PartitionState(
            0,
            PartitionRows(self.codec, self.store.get, self.keys_from, 100_000),
            OutputWriter(0, 1, framed, last_n),
            record.chunk if record else 0,
        )

    def keys_from(self, prefix: bytes) -> list[bytes]:
        return sorted(key for key in self.store if key.startswith(prefix))

    def reduce(
        self, topic: str, records: Sequence[tuple[int, str, Record]], fact_position: int = 0
    ) -> Reduction:
        entries = entries_of(topic, records)
        owned = self.reducer.group(self.state, entries, fact_position)
        source = (topic, records[0][0], records[-1][0])
        return asyncio.run(self.reducer.reduce(self.state, source, owned))

    def write(self, reduction: Reduction) -> None:
        """Store what a chunk leads to, as the changelog would."""
        for group in reduction.groups:
            for key, value in group:
                assert key is not None
                if value is None:
                    self.store.pop(key, None)
                else:
                    self.store[key] = value
        self.state.rows.commit()

    def held(self, key: str) -> Held:
        return self.codec.decode(key, self.store[key.encode()])

    def total_g(self) -> int:
        return sum(row.total_g for row in self.sums())

    def sums(self) -> list[Sum]:
        """The fold's rows: neither the chunk record nor what carries outputs of others."""
        keys = [key.decode() for key in self.store if key.startswith((b"lot/", b"process/"))]
        return [row for key in keys if isinstance(row := self.held(key).row, Sum)]


def entries_of(
    topic: str, records: Sequence[tuple[int, str, Record]]
) -> list[tuple[SourceEntry, str]]:
    batch = read_batch(
        topic,
        0,
        1,
        [key.encode() for _, key, _ in records],
        [framed(record) for *_, record in records],
        CATALOG,
    )
    assert not batch.bad
    entries = [
        (int(index), SourceEntry(group, at, records[index][0], SOURCE_INDEX[topic]))
        for group in batch.groups
        for at, index in enumerate(group.index)
    ]
    entries.sort(key=lambda pair: pair[0])
    return [(entry, records[index][1]) for index, entry in entries]


def facts(*nets_g: int, begin: int = 0) -> list[tuple[int, str, Record]]:
    return [
        (begin + no, f"L-{no % 4}", weighing(f"L-{no % 4}", net_g, begin + no + 1))
        for no, net_g in enumerate(nets_g)
    ]


def test_record_read_twice_is_applied_once() -> None:
    partition = Partition()
    chunk = facts(700, 701, 702)
    partition.write(partition.reduce(topics.FACT, chunk))
    partition.begin()
    again = partition.reduce(topics.FACT, chunk)
    assert again.duplicates == 3
    assert not again.groups
    assert not again.outputs


def test_output_heard_twice_counts_once() -> None:
    partition = Partition()
    said = replace(content("lot/L-9", "lot/L-1", 50, 9), sender="worker/1", n=4)
    partition.write(partition.reduce(topics.FLOW, [(0, "L-1", said)]))
    reduction = partition.reduce(topics.FLOW, [(1, "L-1", said)])
    assert reduction.duplicates == 1
    held = partition.held("lot/L-1")
    assert isinstance(held.row, Sum)
    assert held.row.received_g == 50
    assert held.heard == {"worker/1": 4}


def test_chunk_record_stands_first_and_names_what_it_touches() -> None:
    reduction = Partition().reduce(topics.FACT, facts(700, 701))
    assert reduction.groups[0][0][0] == CHUNK_KEY
    assert reduction.record.owners == ("lot/L-0", "lot/L-1")
    assert reduction.record.n_before == 0
    assert [group[-1][0] for group in reduction.groups[1:]] == [b"lot/L-0", b"lot/L-1"]


def test_numbers_go_on_after_a_restart() -> None:
    partition = Partition()
    first = partition.reduce(topics.FACT, facts(700, 701))
    partition.write(first)
    partition.begin()
    second = partition.reduce(topics.FACT, facts(702, 703, begin=10))
    assert [output.n for output in first.outputs + second.outputs] == [1, 2, 3, 4]


def test_row_carries_the_outputs_of_its_chunk() -> None:
    partition = Partition()
    reduction = partition.reduce(topics.FACT, facts(700))
    partition.write(reduction)
    envelope = partition.codec.envelope(partition.store[b"lot/L-0"])
    assert envelope.chunk == 1
    assert list(envelope.outputs) == reduction.outputs


@dataclass(frozen=True)
class TidyFold(RelayFold):
    """Writes a row beside an owner's with each fact, and takes the one before away."""

    @override
    def step(self, owner: str, row: Row | None, entries: Sequence[Entry], reader: Reader) -> Step:
        step = super().step(owner, row, entries, reader)
        event = entries[-1].event
        assert isinstance(event, LotWeighed)
        step.rows.update(dict.fromkeys(reader.scan("lot/beside"), None))
        step.rows[f"lot/beside-{event.gateway_seq}"] = Sum(total_g=event.net_g)
        return step


def test_row_that_is_gone_leaves_the_store_and_is_a_tombstone_in_the_changelog() -> None:
    partition = Partition(TidyFold())
    for number in range(3):
        reduction = partition.reduce(topics.FACT, [facts(7, 7, 7)[number]])
        partition.write(reduction)
        gone = [key for group in reduction.groups for key, value in group if value is None]
        assert gone == ([f"lot/beside-{number}".encode()] if number else [])
        assert [key for key in partition.store if b"beside" in key] == [
            b"lot/beside-%d" % (number + 1)
        ]
    partition.begin()
    assert partition.state.rows.scan("lot/beside") == ["lot/beside-3"]


@pytest.fixture
def no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """No row carries its outputs itself, and no two outputs fit beside each other."""
    monkeypatch.setattr(spill, "OUTPUTS_BYTES_MAX", 0)
    monkeypatch.setattr(spill, "SPILL_BYTES_MAX", 1)


@pytest.mark.usefixtures("no_room")
def test_outputs_beyond_a_row_stand_before_it_and_come_back_byte_for_byte() -> None:
    partition = Partition()
    reduction = partition.reduce(topics.FACT, facts(700, 701, 702))
    keys = [[key for key, _ in group] for group in reduction.groups[1:]]
    assert keys == [[b"said/0", b"lot/L-0"], [b"said/1", b"lot/L-1"], [b"said/2", b"lot/L-2"]]
    partition.write(reduction)
    assert partition.codec.envelope(partition.store[b"lot/L-1"]).outputs == ()
    partition.begin()
    assert partition.resent == reduction.outputs
    # The next chunk writes over them; a row of before is no longer asked for its outputs.
    second = partition.reduce(topics.FACT, facts(5, begin=10))
    partition.write(second)
    partition.begin()
    assert partition.resent == second.outputs


@pytest.mark.usefixtures("no_room")
def test_a_step_beyond_a_batch_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH_BYTES_MAX", 100)
    with pytest.raises(StepTooLarge, match=r"lot/L-0 leaves .* bytes"):
        Partition().reduce(topics.FACT, facts(700))


@pytest.mark.usefixtures("no_room")
def test_a_row_whose_outputs_are_gone_is_named() -> None:
    partition = Partition()
    partition.write(partition.reduce(topics.FACT, facts(700)))
    del partition.store[b"said/0"]
    with pytest.raises(UnreadableRow, match="said/0"):
        partition.begin()


@given(
    nets=st.lists(st.integers(1, 10**9), min_size=1, max_size=30),
    cuts=st.lists(st.integers(1, 7), max_size=30),
    restarts=st.sets(st.integers(0, 30)),
    lost=st.sets(st.integers(0, 30)),
    carried=st.sampled_from((0, spill.OUTPUTS_BYTES_MAX)),
)
def test_cuts_restarts_and_lost_tails_change_no_sum_and_leave_no_number_out(
    nets: list[int], cuts: list[int], restarts: set[int], lost: set[int], carried: int
) -> None:
    with patch.object(spill, "OUTPUTS_BYTES_MAX", carried):
        _nothing_is_lost(nets, cuts, restarts, lost)


def _nothing_is_lost(nets: list[int], cuts: list[int], restarts: set[int], lost: set[int]) -> None:
    partition, chunk_no = Partition(), 0
    sent: set[int] = set()
    queue = facts(*nets)
    while queue:
        size = cuts[chunk_no % len(cuts)] if cuts else len(queue)
        chunk, rest = queue[:size], queue[size:]
        reduction = partition.reduce(topics.FACT, chunk)
        chunk_no += 1
        if chunk_no in lost:
            # The process died and only the chunk record and its first step survived.
            lost.discard(chunk_no)
            reduction.groups[2:] = []
            partition.write(reduction)
            partition.begin()
            sent.update(output.n for output in partition.resent)
            continue
        partition.write(reduction)
        sent.update(output.n for output in reduction.outputs)
        if chunk_no in restarts:
            partition.begin()
        queue = rest
    sent_g = sum(row.sent_g for row in partition.sums())
    assert partition.total_g() + sent_g == sum(nets)
    assert sent == set(range(1, len(sent) + 1))


def tick(now: int, end: int) -> Tick:
    return Tick(partition=0, now=now, fact_end_offset=end, silent_sites=())  # type: ignore[arg-type]  # Micros


def test_tick_waits_for_the_facts_before_it() -> None:
    partition = Partition()
    assert not partition.reduce(topics.FLOW, [(0, "", tick(5, 2))], fact_position=1).groups
    partition.write(partition.reduce(topics.FACT, facts(700, 701), fact_position=2))
    assert partition.held("tick/0").row == Clock(now=5, ticks=1)


def test_tick_due_at_once_is_applied_with_its_chunk() -> None:
    partition = Partition()
    partition.write(partition.reduce(topics.FLOW, [(0, "", tick(5, 2))], fact_position=2))
    assert partition.held("tick/0").row == Clock(now=5, ticks=1)


def test_newer_tick_replaces_the_one_that_waits() -> None:
    partition = Partition()
    records: list[tuple[int, str, Record]] = [(0, "", tick(5, 2)), (1, "", tick(6, 3))]
    partition.reduce(topics.FLOW, records, fact_position=0)
    partition.write(partition.reduce(topics.FACT, facts(700, 701, 702), fact_position=3))
    assert partition.held("tick/0").row == Clock(now=6, ticks=1)


@pytest.mark.parametrize(("owner", "bare"), [("lot/L-1", "L-1"), ("ref/device/W", "device/W")])
def test_bare_id_is_the_key_without_its_kind(owner: str, bare: str) -> None:
    assert bare_id(owner) == bare


def test_handover_goes_to_where_its_receiver_lives() -> None:
    from schemas.partition import partition_of

    said = content("lot/L-1", "process/P-77", 5, 1)
    assert address(said, "lot/L-1", 3, 4) == (partition_of(b"P-77", 4), b"P-77")
