"""From transfers to edges: which are taken, their direction, their sign."""

from dataclasses import replace

import pyarrow as pa
import pytest

from custody.events import Micros
from custody.records import Amount, OriginShare, Transfer
from schemas import topics
from schemas.breaker import Breaker, Limits
from schemas.partition import partition_of
from schemas.reader import read_batch
from sinks import derived, edges, prints
from sinks.consumer import Topic
from sinks.dedup import Seen
from sinks.flush import Part, missing_of
from sinks.recovery import Partition
from sinks.rows import rows_of
from sinks.slice import Place
from tests.support.sinks import CATALOG, PARTITIONS, framed, slice_of

KEY = b"L-1"
PLACE = Place(topics.TRANSFER, partition_of(KEY, PARTITIONS))
INPUT = Transfer(
    sender="worker/0", n=1, kind="process_input", cause_event_id="e1", debit="lot/L-1/SITE/A",
    credit="process/P/7", mass_wet_g=20, mass_dry_g=10, metals=(Amount(analyte="Cu", value_mg=3),),
    effective_at=Micros(1), known_at=Micros(2), replaces_event_id=None, replaces_kind=None,
    lot_id="L-1", process_id="P/7", movement_id=None,
    origins=(OriginShare(level="site", id="M", share=1.0),),
)  # fmt: skip
OUTPUT = replace(INPUT, n=2, kind="process_output", debit="process/P/7", credit="lot/L-2/B")
TAKEN_BACK = replace(INPUT, n=3, kind="measured", debit="lot/L-2/B")


def _stored(*transfers: Transfer) -> pa.Table:
    slice_ = slice_of(PLACE, [(KEY, framed(t)) for t in transfers], 100)
    batch = read_batch(*PLACE, PARTITIONS, slice_.keys, slice_.values, CATALOG)
    [(_, rows)] = rows_of(slice_, batch, Seen()).tables
    return rows


def _edge(transfer: Transfer) -> dict[str, object]:
    [row] = edges.edges_of(_stored(transfer)).to_pylist()
    assert isinstance(row, dict)
    return row


@pytest.mark.parametrize(
    ("transfer", "parent", "child", "lot_id", "place"),
    [
        (INPUT, "lot/L-1/SITE", "process/P/7", "L-1/SITE", "A"),
        (OUTPUT, "process/P/7", "lot/L-2", "L-2", "B"),
        (TAKEN_BACK, "process/P/7", "lot/L-2", "L-2", "B"),
    ],
)
def test_an_edge_leads_from_who_gives_to_who_receives(
    transfer: Transfer, parent: str, child: str, lot_id: str, place: str
) -> None:
    row = _edge(transfer)
    assert (row["parent"], row["child"], row["lot_id"], row["place"]) == (
        parent, child, lot_id, place,
    )  # fmt: skip
    assert (row["process_id"], row["offset"]) == ("P/7", 100)


def test_a_measurement_that_debits_the_lot_takes_back() -> None:
    row = _edge(TAKEN_BACK)
    assert (row["mass_wet_g"], row["mass_dry_g"], row["metals.value_mg"]) == (-20, -10, [-3])


def test_its_compensation_gives_again_whatever_its_kind_is_called() -> None:
    undone = replace(
        TAKEN_BACK, kind="compensation", replaces_kind="measured", replaces_event_id="e1",
        mass_wet_g=-20, mass_dry_g=-10, metals=(Amount(analyte="Cu", value_mg=-3),),
    )  # fmt: skip
    row = _edge(undone)
    assert (row["parent"], row["mass_dry_g"], row["metals.value_mg"]) == ("process/P/7", 10, [3])


def test_other_transfers_are_no_edges() -> None:
    moved = replace(INPUT, kind="dispatch", credit="lot/L-1/SITE/transit")
    lost = replace(OUTPUT, kind="loss", credit="loss/P/7/tailings")
    assert derived.derived("transfer", _stored(moved, replace(lost, n=2))) == []
    assert derived.derived("balance", _stored(INPUT)) == []


def test_a_kill_between_transfers_and_edges_leaves_the_edges_to_insert() -> None:
    slice_ = slice_of(PLACE, [(KEY, framed(INPUT)), (KEY, framed(OUTPUT))], 100)
    batch = read_batch(*PLACE, PARTITIONS, slice_.keys, slice_.values, CATALOG)
    judged = rows_of(slice_, batch, Seen())
    stood = {}
    [(_, transfers)] = judged.tables
    for table, rows in [("transfer", transfers), (edges.TABLE, edges.edges_of(transfers))]:
        stood[table] = dict(
            zip(rows["offset"].to_pylist(), prints.prints_of(table, rows), strict=True)
        )
    found = []
    for transfer, edge in [
        (set(), set()),
        ({100, 101}, set()),
        ({100, 101}, {101}),
        ({100}, {100, 101}),
    ]:
        present = {
            offset: [stood[table][offset] for table, at in there.items() if offset in at]
            for there in [{"transfer": transfer, edges.TABLE: edge}]
            for offset in transfer | edge
        }
        partition = Partition(
            place=PLACE, topic=Topic("id", 4), done=100, next=102, last=101, sealed=100,
            present=present, seen=Seen(), breaker=Breaker("t/0", Limits()),
        )  # fmt: skip
        missing = missing_of(Part(partition, slice_, judged, "d"))
        found.append({table: rows["offset"].to_pylist() for table, rows in missing})
    assert found == [
        {"transfer": [100, 101], "edge": [100, 101]}, {"edge": [100, 101]}, {"edge": [100]},
        {"transfer": [101]},
    ]  # fmt: skip


def test_rows_of_several_kinds_keep_their_own_amounts() -> None:
    rows = _stored(INPUT, OUTPUT, TAKEN_BACK, replace(INPUT, n=4, metals=()))
    found = {row["n"]: row["metals.value_mg"] for row in edges.edges_of(rows).to_pylist()}
    assert found == {1: [3], 2: [3], 3: [-3], 4: []}
    assert edges.edges_of(rows.slice(1, 2)).num_rows == 2
