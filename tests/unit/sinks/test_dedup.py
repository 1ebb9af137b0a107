"""Which records are new: the vectorised verdict against a plain loop, and over restarts."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from sinks.dedup import Number, Numbers, Seen

RECORDS = st.lists(
    st.tuples(
        st.sampled_from(["GW-1", "GW-2", "worker/0"]),
        st.integers(1, 3),
        st.integers(1, 12),
        st.booleans(),
    ),
    max_size=40,
)
Record = tuple[str, int, int, bool]


def _numbers(records: list[Record]) -> Numbers:
    return Numbers(
        pa.array([r[0] for r in records], pa.string()),
        np.array([r[1] for r in records], np.int64),
        np.array([r[2] for r in records], np.int64),
        np.array([r[3] for r in records], np.bool_),
    )


def _plainly(records: list[Record], last: dict[str, Number]) -> list[bool]:
    kept = []
    for sender, major, minor, replay in records:
        new = (major, minor) > last.get(sender, (-1, -1))
        if new:
            last[sender] = (major, minor)
        kept.append(new or replay)
    return kept


@settings(deadline=None)
@given(RECORDS)
def test_the_verdict_is_that_of_a_plain_loop(records: list[Record]) -> None:
    assert Seen().new(_numbers(records)).tolist() == _plainly(records, {})


@settings(deadline=None)
@given(RECORDS, st.integers(0, 40))
def test_the_cut_between_batches_changes_no_verdict(records: list[Record], cut: int) -> None:
    seen = Seen()
    parts = [seen.new(_numbers(part)).tolist() for part in (records[:cut], records[cut:])]
    assert parts[0] + parts[1] == _plainly(records, {})


@settings(deadline=None)
@given(RECORDS, st.integers(0, 40))
def test_numbers_of_stored_rows_give_the_verdicts_of_the_first_time(
    records: list[Record], cut: int
) -> None:
    first = _plainly(records, {})
    stored: dict[str, Number] = {}
    for (sender, major, minor, _), kept in zip(records[:cut], first, strict=False):
        if kept:
            stored[sender] = max((major, minor), stored.get(sender, (-1, -1)))
    assert Seen(stored).new(_numbers(records[cut:])).tolist() == first[cut:]


def test_a_new_epoch_begins_at_one_again() -> None:
    seen = Seen({"GW-1": (1, 500)})
    assert seen.new(_numbers([("GW-1", 2, 1, False), ("GW-1", 1, 501, False)])).tolist() == [
        True,
        False,
    ]
    assert seen.last("GW-1") == (2, 1)
