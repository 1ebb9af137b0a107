"""From facts to corrections: which are taken, and that a kill between the two inserts is mended."""

from dataclasses import replace

from custody.events import LotFact
from schemas import topics
from schemas.breaker import Breaker, Limits
from schemas.partition import partition_of
from schemas.reader import read_batch
from sinks import derived, prints
from sinks.consumer import Topic
from sinks.dedup import Seen
from sinks.flush import Part, missing_of
from sinks.recovery import Partition
from sinks.rows import Rows, rows_of
from sinks.slice import Place, Slice
from tests.support.facts import Maker, corrected, event_id
from tests.support.sinks import CATALOG, PARTITIONS, framed, slice_of

KEY = b"L-1"
PLACE = Place(topics.FACT, partition_of(KEY, PARTITIONS))
MAKER = Maker("L-1")
TICKET = MAKER.weighing("MINE", 10, "stock", 45_000, 15_000)
CERTIFICATE = MAKER.assay("MINE", 60, {"Cu": (0.02, 0.0002)}, (0.08, 0.002))
FACTS: list[LotFact] = [
    TICKET,
    replace(CERTIFICATE, gateway_seq=2),
    corrected(TICKET, "less", net_g=29_000_000, gateway_seq=3),
]


def _judged(facts: list[LotFact]) -> tuple[Slice, Rows]:
    slice_ = slice_of(PLACE, [(KEY, framed(fact)) for fact in facts], 100)
    batch = read_batch(*PLACE, PARTITIONS, slice_.keys, slice_.values, CATALOG)
    return slice_, rows_of(slice_, batch, Seen())


def test_a_fact_that_corrects_another_has_a_row_of_its_own() -> None:
    _, judged = _judged(FACTS)
    made = [one for table, rows in judged.tables for one in derived.derived(table, rows)]
    [(table, rows)] = [one for one in made if one[0] == "correction"]
    [row] = rows.to_pylist()
    assert table == "correction"
    assert (row["offset"], row["stem"], row["lot_id"]) == (102, "weighing", "L-1")
    assert (row["event_id"], row["corrects"]) == (event_id("less"), TICKET.event_id)
    assert row["void"] is False


def test_a_kill_between_the_fact_and_its_row_leaves_the_row_to_insert() -> None:
    slice_, judged = _judged(FACTS)
    stood: dict[tuple[str, int], str] = {}
    for table, rows in judged.tables:
        for into, made in [(table, rows), *derived.derived(table, rows)]:
            named = prints.prints_of(into, made)
            stood |= {
                (into, offset): one
                for offset, one in zip(made["offset"].to_pylist(), named, strict=True)
            }
    found = []
    for there in [
        set[tuple[str, int]](),
        {key for key in stood if key[0] != "correction"},
        {("assay", 101), ("correction", 102), ("event", 100), ("event", 102)},
    ]:
        present = {offset: [stood[key] for key in there if key[1] == offset] for _, offset in there}
        partition = Partition(
            place=PLACE, topic=Topic("id", 4), done=100, next=103, last=102, sealed=100,
            present=present, seen=Seen(), breaker=Breaker("t/0", Limits()),
        )  # fmt: skip
        missing = missing_of(Part(partition, slice_, judged, "d"))
        offsets: dict[str, list[int]] = {}
        for table, rows in missing:
            offsets.setdefault(table, []).extend(rows["offset"].to_pylist())
        found.append({table: sorted(some) for table, some in offsets.items()})
    assert found == [
        {"weighing": [100, 102], "assay": [101], "event": [100, 101, 102], "correction": [102]},
        {"correction": [102]},
        {"weighing": [100, 102], "event": [101]},
    ]


def test_every_table_that_is_made_from_a_topic_is_read_back() -> None:
    assert derived.tables_of(topics.FACT) == ("event", "correction", "repeated")
    assert derived.tables_of(topics.TRANSFER) == ("edge",)
    assert derived.tables_of(topics.CONTROL) == ()
