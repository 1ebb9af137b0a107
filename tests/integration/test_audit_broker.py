"""Tampering on the way: a broker's records and the tables behind them, held against each other.

Gateways write to a real broker, some of them with an insider's hand in between; a real sink stores
what it finds. The audit reads both and names each record. What a gateway sends twice because its
line broke is named, too, and is no fault.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from confluent_kafka import Producer

from custody.audit import BROKEN, GAP, REUSED, Fault
from custody.events import LotWeighed
from producers.chain import Entry
from runtime.audit import blocks, proof, proof_check
from runtime.audit.broker import (
    CHANGED,
    DEAD,
    DROPPED,
    INSERTED,
    OTHERWISE,
    REORDERED,
    REPEATED,
    TOPICS,
    TWICE,
    Difference,
    differences,
)
from runtime.ends import ends
from runtime.stack.topics import NewTopics, ensure
from schemas.codec import decode, encode, frame
from schemas.headers import REPLAY_OF
from tests.support import stack
from tests.support.gateway import NOW
from tests.support.signing import Plant, forged
from tests.support.sinks import CATALOG, PARTITIONS, config, running
from tests.support.stored import Stored, opened, standing_of

pytestmark = [pytest.mark.integration, pytest.mark.slow]

COUNT = 60
ASTRAY = (8, 9, 30)
"""Which of a gateway's records come to a wrong partition: they are dead letters."""
BEYOND = 100_000
NAMES = (
    "HONEST",
    "RESENT",
    "SWAPPED",
    "DROPPED",
    "DOUBLE",
    "EDITED",
    "LETTERS",
    "FALSE",
    "BARE",
    "STRIPPED",
)


class Written(NamedTuple):
    """Where the broker is, where the tables are, and what each gateway meant to write."""

    broker: str
    stored: Stored
    tickets: dict[str, list[Entry]]

    def differences(self) -> list[Difference]:
        kafka = {"bootstrap.servers": self.broker}
        return list(differences(kafka, self.stored.ask, CATALOG, lambda _: None))

    def faults(self, gateway: str) -> list[Fault]:
        found = standing_of(self.stored).go_over(NOW, unsigned=True)
        return [fault for fault in found if fault.gateway == gateway]


def send(broker: str, entries: Sequence[Entry], name: str = "GW", *, again: bool = False) -> None:
    """Write records as they stand in an outbox, each on its partition, in this order.

    Sent ``again`` as a dead letter is, with the header that says so.
    """
    producer = Producer({"bootstrap.servers": broker, "enable.idempotence": True, "linger.ms": 5})
    for entry in entries:
        headers: list[tuple[str, str | bytes | None]] = []
        if entry.prev is not None and entry.digest is not None:
            headers = [("prev", entry.prev), ("digest", entry.digest), ("gateway", name.encode())]
        if again:
            headers.append((REPLAY_OF, b"there"))
        value = frame(CATALOG.schema_id(entry.stem), entry.body)
        producer.produce(entry.topic, value, entry.key, entry.partition, headers=headers)
    assert producer.flush(30) == 0


def signed(plant: Plant, operator: Plant) -> tuple[list[Entry], list[Entry]]:
    """A gateway's tickets; and what makes it one that is known and has signed for them."""
    tickets = plant.tickets(range(COUNT))
    return tickets, [plant.key(operator), plant.head()]


def swapped(entries: Sequence[Entry]) -> list[Entry]:
    """Two neighbours of one partition the other way round."""
    order = list(entries)
    first = order[20]
    at = next(n for n in range(21, COUNT) if order[n].partition == first.partition)
    order[20], order[at] = order[at], first
    return order


def astray(entries: Sequence[Entry]) -> list[Entry]:
    """The records, some of them on the partition beside their own."""
    return [
        replace(entry, partition=(entry.partition + 1) % PARTITIONS) if at in ASTRAY else entry
        for at, entry in enumerate(entries)
    ]


def falsified(entry: Entry) -> Entry:
    """The record under its own number and event, of another load."""
    fact = decode(entry.stem, entry.body)
    assert isinstance(fact, LotWeighed)
    return replace(entry, body=encode(replace(fact, net_g=fact.net_g + 1_000_000)))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    """Ten gateways' records on a broker, and a sink's tables of them."""
    folder: Path = tmp_path_factory.mktemp("tampered")
    with stack.running_kafka(folder / "kafka") as broker:
        ensure({"bootstrap.servers": broker}, NewTopics(PARTITIONS, 1, "changelog", 60))
        operator = Plant("GW-OPS", 9)
        plants = {name: Plant(f"GW-{name}", no) for no, name in enumerate(NAMES, 1)}
        tickets, signatures = {}, []
        for name, plant in plants.items():
            tickets[name], more = signed(plant, operator)
            signatures += more
        double = Plant("GW-DOUBLE", 1 + NAMES.index("DOUBLE"))
        double.tickets(range(40))
        other = double.tickets(range(500, 520))
        send(broker, tickets["HONEST"])
        # The line broke before the acknowledgements came, and again.
        send(broker, tickets["RESENT"][:40])
        send(broker, tickets["RESENT"][25:])
        send(broker, tickets["RESENT"])
        send(broker, swapped(tickets["SWAPPED"]))
        send(broker, [*tickets["DROPPED"][:30], *tickets["DROPPED"][33:]])
        send(broker, [*tickets["DOUBLE"], *other])
        send(broker, tickets["EDITED"])
        send(broker, tickets["FALSE"])
        send(broker, [falsified(tickets["FALSE"][0])])
        send(broker, tickets["BARE"])
        send(broker, [replace(forged(tickets["BARE"][3], 5000), prev=None, digest=None)])
        send(broker, tickets["STRIPPED"])
        first, second, third = tickets["STRIPPED"][:3]
        borrowed = replace(second, prev=third.prev, digest=third.digest)
        send(broker, [replace(first, prev=None, digest=None), borrowed, third])
        send(broker, astray(tickets["LETTERS"]), "GW-LETTERS")
        send(broker, tickets["LETTERS"][8:9], "GW-LETTERS", again=True)
        send(broker, [*signatures, operator.head()])
        with running(config(broker, folder / "warehouse")) as sink:
            there = ends({"bootstrap.servers": broker}, TOPICS)
            total = sum(end for partitions in there.values() for _, end in partitions.values())
            sealed = "SELECT sum(last - first + 1) FROM custody.ingest_batches"
            sink.wait(sealed, total + len(ASTRAY), 60)
        with opened(folder) as stored:
            yield Written(broker, stored, tickets)


@pytest.fixture(scope="module")
def untouched(written: Written) -> list[Difference]:
    """What Kafka and the tables differ in before anybody edits a table."""
    return written.differences()


def test_what_nobody_has_touched_is_without_a_fault(written: Written) -> None:
    assert written.faults("GW-HONEST") == []


def test_the_same_is_found_in_long_partitions_that_are_read_in_parts(
    written: Written, untouched: list[Difference], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 100)
    kafka = {"bootstrap.servers": written.broker}
    sizes = [[one.end - one.first for one in pack] for pack in blocks.packs(ends(kafka, TOPICS))]
    assert max(max(pack) for pack in sizes) > blocks.BLOCK
    assert max(len(pack) for pack in sizes) > 1
    assert sorted(written.differences()) == sorted(untouched)


def test_what_was_sent_again_is_named_and_is_no_fault(
    written: Written, untouched: list[Difference]
) -> None:
    assert written.faults("GW-RESENT") == []
    again = [one for one in untouched if "GW-RESENT" in one.detail]
    assert {one.kind for one in again} == {REPEATED}
    assert all(one.harmless for one in again)
    # 40 and 35 and 60 records were written, of 60.
    assert len(again) == 40 + (COUNT - 25) + COUNT - COUNT


def test_an_order_that_was_changed_on_the_way_is_named_and_each_has_its_row(
    written: Written, untouched: list[Difference]
) -> None:
    found = [(one.rule, one.about.partition(" ")[2]) for one in written.faults("GW-SWAPPED")]
    assert found
    assert set(found) == {(BROKEN, "order")}
    assert not [one for one in untouched if one.kind in (REORDERED, DROPPED)]
    rows = written.stored.ask(
        "SELECT count() AS n FROM weighing WHERE gateway_id = 'GW-SWAPPED'", {}
    )
    assert int(str(rows[0]["n"])) == COUNT


def test_records_that_never_came_are_a_gap(written: Written) -> None:
    found = written.faults("GW-DROPPED")
    assert [fault.rule for fault in found] == [GAP]
    assert "records 31 to 33" in found[0].detail


def test_a_dead_letter_is_named_as_one_and_is_no_gap(
    written: Written, untouched: list[Difference]
) -> None:
    """Two are still dead letters; one was sent again, behind all later numbers of its gateway."""
    entries = written.tickets["LETTERS"]
    standing = standing_of(written.stored)
    assert [f for f in standing.go_over(NOW, unsigned=True) if f.gateway == "GW-LETTERS"] == []
    found = [(one.log, one.seq, one.digest, one.reason) for one in standing.letters()]
    assert found == [
        (("GW-LETTERS", 1), entries[at].seq, entries[at].digest, "wrong_partition")
        for at in ASTRAY[1:]
    ]
    behind = proof.prove(written.stored.ask, CATALOG, str(entries[40].event_id))
    assert proof_check.check(behind).seq == entries[40].seq
    named = [one for one in untouched if one.kind == DEAD]
    assert len(named) == len(ASTRAY)
    assert all(one.harmless and one.detail.startswith("wrong_partition") for one in named)
    assert not [one for one in untouched if "GW-LETTERS" in one.detail]


def test_a_record_that_came_without_headers_has_its_row_and_is_named(
    written: Written, untouched: list[Difference]
) -> None:
    named = {fault.about: fault for fault in written.faults("GW-BARE")}
    assert "without the digests" in named["1/5000"].detail
    assert "custody.fact.v1/" in named["1/5000"].detail
    assert not [one for one in untouched if "GW-BARE" in one.detail]


def test_a_record_sent_again_with_other_digests_or_none_is_somebody_elses(
    written: Written, untouched: list[Difference]
) -> None:
    """It has the bytes of the first; a gateway sends what it has with the digests it has."""
    assert written.faults("GW-STRIPPED") == []
    again = [one for one in untouched if "GW-STRIPPED" in one.detail]
    assert len(again) == 3
    assert [one.kind for one in again if one.harmless] == [REPEATED]
    others = [one for one in again if one.kind == OTHERWISE]
    assert sorted(one.detail.rpartition(" here ")[2] for one in others) == [
        "with others",
        "without any",
    ]


def test_two_gateways_with_one_id_have_all_their_rows_and_are_named(
    written: Written, untouched: list[Difference]
) -> None:
    """One number, two events: the books count both, so both have a row, on any partition."""
    reused = [one for one in written.faults("GW-DOUBLE") if one.rule == REUSED]
    assert [one.about for one in reused] == sorted(f"1/{number}" for number in range(41, 61))
    assert not [one for one in untouched if one.kind == DROPPED]
    rows = written.stored.ask(
        "SELECT count() AS n, uniqExact(event_id) AS events FROM weighing"
        " WHERE gateway_id = 'GW-DOUBLE'",
        {},
    )
    assert {int(str(rows[0][name])) for name in ("n", "events")} == {COUNT + 20}


def test_an_event_that_was_sent_again_with_other_figures_is_named_and_has_one_row(
    written: Written, untouched: list[Difference]
) -> None:
    """The books count the first of an event, and so do the tables."""
    [twice] = [one for one in untouched if one.kind == TWICE]
    assert "GW-FALSE" in twice.detail
    assert twice.detail.count("custody.fact.v1/") == 1
    rows = written.stored.ask(
        "SELECT count() AS n, any(net_g) AS net_g FROM weighing"
        " WHERE gateway_id = 'GW-FALSE' AND gateway_seq = 1",
        {},
    )
    assert [int(str(value)) for value in rows[0].values()] == [1, 30_000_000]


def test_what_somebody_does_to_the_tables_is_named_by_its_place(written: Written) -> None:
    do = written.stored.warehouse.command
    table, mine = "custody.weighing", "gateway_id = 'GW-EDITED' AND gateway_seq"
    places = {
        int(str(row["gateway_seq"])): f"{row['topic']}/{row['partition']}@{row['offset']}"
        for row in written.stored.ask(
            "SELECT gateway_seq, topic, partition, offset FROM weighing"
            " WHERE gateway_id = 'GW-EDITED'",
            {},
        )
    }
    now = "SETTINGS mutations_sync = 2"
    for number, taken, further in ((1000, 5, 0), (1001, 6, BEYOND)):
        # In two steps: a name that is given anew would be the one that is asked for.
        rows = f"SELECT * FROM {table} WHERE {mine} = {taken}"  # noqa: S608
        anew = f"{number} AS gateway_seq, offset + {further} AS offset"
        do(f"INSERT INTO {table} SELECT * REPLACE({anew}) FROM ({rows})")  # noqa: S608
    do(f"ALTER TABLE {table} DELETE WHERE {mine} = 10 {now}")
    do(f"ALTER TABLE {table} UPDATE value = concat(value, 'x') WHERE {mine} = 20 {now}")
    later = "timestamp = addMilliseconds(timestamp, 100)"
    do(f"ALTER TABLE {table} UPDATE {later} WHERE {mine} = 30 {now}")
    found = {
        (one.kind, one.place)
        for one in written.differences()
        if not one.harmless and one.kind not in (TWICE, REORDERED, OTHERWISE)
    }
    topic, _, offset = places[6].rpartition("@")
    assert found == {
        (INSERTED, places[5]),
        (INSERTED, f"{topic}@{int(offset) + BEYOND}"),
        (DROPPED, places[10]),
        (CHANGED, places[20]),
        (CHANGED, places[30]),
    }
    rules = {fault.rule for fault in written.faults("GW-EDITED")}
    assert {GAP, BROKEN} <= rules
