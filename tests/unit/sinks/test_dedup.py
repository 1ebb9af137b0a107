"""Which records are new: the vectorised verdict against a plain loop, and over restarts."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custody.errors import Unavailable
from sinks.dedup import Known, Number, Numbers, Seen, Standing

RECORDS = st.lists(
    st.tuples(
        st.sampled_from(["GW-1", "GW-2", "worker/0"]),
        st.integers(1, 3),
        st.integers(1, 12),
        st.booleans(),
        st.sampled_from(["a", "b"]),
    ),
    max_size=40,
)
Record = tuple[str, int, int, bool, str]


def _numbers(records: list[Record]) -> Numbers:
    return Numbers(
        pa.array([r[0] for r in records], pa.string()),
        np.array([r[1] for r in records], np.int64),
        np.array([r[2] for r in records], np.int64),
        np.array([r[3] for r in records], np.bool_),
        np.array([_is_event(r) for r in records], np.bool_),
        lambda: pa.array([r[4] if _is_event(r) else None for r in records], pa.string()),
    )


def _is_event(record: Record) -> bool:
    return record[0].startswith("GW")


def _name(record: Record) -> Known:
    return (*record[:3], record[4] if _is_event(record) else "")


def _plainly(records: list[Record]) -> list[bool]:
    """Above the last number of its sender; a replay or another number that no row has."""
    kept, last, stands = [], dict[str, Number](), set[Known]()
    for record in records:
        sender, major, minor, replay, _ = record
        new = (major, minor) > last.get(sender, (-1, -1))
        late = replay or not new
        if new:
            last[sender] = (major, minor)
        if late:
            new = _name(record) not in stands
        if new:
            stands.add(_name(record))
        kept.append(new)
    return kept


def _rows(records: list[Record]) -> Standing:
    """What stands of records that were judged, as the warehouse tells it."""
    judged = zip(records, _plainly(records), strict=True)
    return partial(_among, {_name(record) for record, kept in judged if kept})


def _among(rows: set[Known], asked: Sequence[Known], _before: int) -> set[Known]:
    return rows & set(asked)


@settings(deadline=None)
@given(RECORDS)
def test_the_verdict_is_that_of_a_plain_loop(records: list[Record]) -> None:
    assert Seen().new(_numbers(records)).tolist() == _plainly(records)


@settings(deadline=None)
@given(RECORDS, st.integers(0, 40))
def test_numbers_of_stored_rows_give_the_verdicts_of_the_first_time(
    records: list[Record], cut: int
) -> None:
    first = _plainly(records)
    stored: dict[str, Number] = {}
    for (sender, major, minor, _, _), kept in zip(records[:cut], first, strict=False):
        if kept:
            stored[sender] = max((major, minor), stored.get(sender, (-1, -1)))
    seen = Seen(stored, _rows(records[:cut]))
    assert seen.new(_numbers(records[cut:])).tolist() == first[cut:]


@settings(deadline=None)
@given(RECORDS, st.integers(0, 40))
def test_the_cut_between_batches_changes_no_verdict(records: list[Record], cut: int) -> None:
    seen = Seen(standing=_rows(records[:cut]))
    before = Seen().new(_numbers(records[:cut]))
    after = [seen.new(_numbers(part)).tolist() for part in (records[:cut], records[cut:])][1]
    assert before.tolist() + after == _plainly(records)


def test_a_dead_letter_sent_again_twice_is_new_once() -> None:
    seen = Seen({"GW-1": (1, 9)})
    twice = _numbers([("GW-1", 1, 4, True, "a"), ("GW-1", 1, 4, True, "a")])
    assert seen.new(twice).tolist() == [True, False]


class Away(Unavailable):
    """The warehouse does not answer."""


def test_numbers_are_not_remembered_where_what_stands_cannot_be_asked() -> None:
    answers: list[set[Known]] = []

    def ask(_asked: Sequence[Known], _before: int) -> set[Known]:
        if not answers:
            raise Away("warehouse")
        return answers.pop()

    seen = Seen(standing=ask)
    records = _numbers([("GW-1", 1, 1, False, "a"), ("GW-1", 1, 2, True, "b")])
    with pytest.raises(Unavailable):
        seen.new(records)
    answers.append(set())
    assert seen.new(records).tolist() == [True, True]


def test_a_new_epoch_begins_at_one_again() -> None:
    seen = Seen({"worker/0": (1, 500)})
    both = [("worker/0", 2, 1, False, ""), ("worker/0", 1, 501, False, "")]
    assert seen.new(_numbers(both)).tolist() == [True, True]
    assert seen.last("worker/0") == (2, 1)


def test_a_forged_number_keeps_no_true_output_out_and_a_repeat_stays_one() -> None:
    stands = {("worker/0", 0, 8, "")}
    seen = Seen({"worker/0": (0, 8)}, partial(_among, stands))
    forged = ("worker/0", 0, 1_000_000, False, "")
    later = [("worker/0", 0, n, False, "") for n in (8, 9, 10, 9)]
    assert seen.new(_numbers([forged, *later])).tolist() == [True, False, True, True, False]


def test_a_number_given_to_two_events_is_a_row_of_each_and_a_repeat_of_neither() -> None:
    stands = {("GW-1", 1, 4, "a")}
    seen = Seen({"GW-1": (1, 9)}, partial(_among, stands))
    again, other = ("GW-1", 1, 4, False, "a"), ("GW-1", 1, 4, False, "b")
    assert seen.new(_numbers([again, other, other])).tolist() == [False, True, False]
