"""What is stored against what gateways have signed, on the real engine: who cheats is named."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from custody.audit import BROKEN, GAP, REUSED, REWRITTEN, SIGNATURE, UNKNOWN, Fault
from custody.events import LotWeighed, Micros
from producers.chain import Entry
from producers.signing import Signer
from runtime.audit import proof, proof_check
from runtime.audit.rows import Edited, edited
from runtime.audit.standing import Standing
from schemas.codec import frame
from schemas.present import rfc3339
from tests.support.gateway import NOW
from tests.support.signing import Plant, forged, seen_of
from tests.support.sinks import CATALOG, PARTITIONS
from tests.support.stored import PARTITION, Stored, opened, seal, standing_of

pytestmark = [pytest.mark.integration, pytest.mark.slow]

TABLES = ("weighing", "reference", "head", "ingest_batches")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    with opened(tmp_path_factory.mktemp("audit")) as found:
        yield found


OPS = Plant("GW-OPS", 9)


@pytest.fixture
def stored(warehouse: Stored) -> Stored:
    global OPS  # noqa: PLW0603  one operator per test
    OPS = Plant("GW-OPS", 9)
    for table in TABLES:
        warehouse.warehouse.command(f"TRUNCATE TABLE custody.{table}")
    warehouse.next.clear()
    return warehouse


def faults(stored: Stored, *, unsigned: bool = True) -> list[Fault]:
    return standing_of(stored).go_over(NOW, unsigned=unsigned)


def found(stored: Stored) -> list[tuple[str, str, str]]:
    return [(fault.rule, fault.gateway, fault.about) for fault in faults(stored)]


def fill(stored: Stored, plant: Plant, numbers: int = 40) -> tuple[list[Entry], list[Entry]]:
    """Keys of plant and operator, tickets and a head after each twenty; returns both."""
    keys = [plant.key(OPS), OPS.key(OPS)]
    tickets: list[Entry] = []
    signed: list[Entry] = []
    for first in range(0, numbers, 20):
        tickets += plant.tickets(range(first, first + 20))
        signed.append(plant.head())
    stored.put_entries([*keys, *tickets, *signed, OPS.head()])
    return tickets, signed


def test_what_nobody_has_touched_is_without_a_fault(stored: Stored) -> None:
    fill(stored, Plant("GW-A", 1))

    audit = standing_of(stored)
    assert audit.go_over(NOW) == []
    assert (audit.records, audit.heads) == (42, 3)


def change(stored: Stored, what: str, where: str) -> None:
    stored.warehouse.command(
        f"ALTER TABLE custody.weighing UPDATE {what} WHERE {where} SETTINGS mutations_sync = 2"
    )


def test_changed_bytes_are_named_by_their_number(stored: Stored) -> None:
    fill(stored, Plant("GW-A", 1))
    change(stored, "value = concat(substring(value, 1, length(value) - 1), 'x')", "gateway_seq = 7")

    assert found(stored) == [(BROKEN, "GW-A", "1/7")]
    assert "changed" in faults(stored)[0].detail


def test_a_record_with_a_digest_made_to_fit_is_named_by_the_one_after_it(stored: Stored) -> None:
    tickets, _ = fill(stored, Plant("GW-A", 1))
    other = Plant("GW-A", 1)
    forged = other.tickets([*range(6), 900])[-1]
    assert forged.prev == tickets[6].prev
    value = frame(CATALOG.schema_id("weighing"), forged.body)
    body = f"unhex('{value.hex()}')"
    change(
        stored,
        f"value = {body}, digest = unhex('{(forged.digest or b'').hex()}')",
        "gateway_seq = 7",
    )

    assert found(stored) == [(BROKEN, "GW-A", "1/7")]


def test_a_dropped_middle_is_a_gap_and_gone_when_it_comes(stored: Stored) -> None:
    plant = Plant("GW-A", 1)
    keys, tickets, head = [plant.key(OPS)], plant.tickets(range(40)), plant.head()
    stored.put_entries([*keys, *tickets[:10], *tickets[13:], head, OPS.key(OPS), OPS.head()])
    audit = standing_of(stored, 60_000_000)

    assert audit.go_over(NOW) == []
    gap = Fault(GAP, "GW-A", "1/11", "records 11 to 13 of epoch 1 are not there")
    assert audit.go_over(Micros(NOW + 61_000_000)) == [gap]
    stored.put_entries([plant.head()])
    assert audit.go_over(Micros(NOW + 71_000_000)) == [gap]

    stored.next["custody.fact.v1"] = 10
    change(stored, "offset = offset + 3", "gateway_seq > 10")
    stored.put_entries(tickets[10:13])
    assert audit.go_over(Micros(NOW + 81_000_000)) == []


def test_a_changed_order_is_named(stored: Stored) -> None:
    fill(stored, Plant("GW-A", 1))
    change(stored, "offset = if(gateway_seq = 7, 1007, 1006)", "gateway_seq IN (7, 8)")

    assert (BROKEN, "GW-A", "1/8 order") in found(stored)


def test_a_history_rewritten_with_its_own_key_contradicts_a_head_that_another_signed(
    stored: Stored,
) -> None:
    honest, witness = Plant("GW-A", 1), Plant("GW-B", 2)
    honest.tickets(range(20))
    before = honest.head()
    rewritten = Plant("GW-A", 1)
    tickets = rewritten.tickets([*range(5), 900, *range(6, 20)])
    after = rewritten.head()
    own = witness.tickets([1])
    stored.put_entries([rewritten.key(OPS), witness.key(OPS), OPS.key(OPS), *tickets, *own, after])
    assert found(stored) == []

    stored.put_entries([witness.head((seen_of(before),))])
    said = faults(stored)
    assert [(one.rule, one.gateway, one.about) for one in said] == [(REWRITTEN, "GW-A", "1/20")]
    assert "signed by GW-B" in said[0].detail
    assert "first 20 records" in said[0].detail


def test_a_head_of_a_passed_size_is_held_against_it_while_the_audit_goes_on(
    stored: Stored,
) -> None:
    plant, witness = Plant("GW-A", 1), Plant("GW-B", 2)
    stored.put_entries([plant.key(OPS), witness.key(OPS), OPS.key(OPS), *plant.tickets(range(20))])
    first = plant.head()
    stored.put_entries([first, *plant.tickets(range(20, 40)), plant.head()])
    audit = standing_of(stored)
    assert audit.go_over(NOW) == []

    stored.put_entries([witness.head((seen_of(first),))])
    assert audit.go_over(NOW) == []
    wrong = replace(seen_of(first), size=7)
    stored.put_entries([witness.head((wrong,))])
    assert [fault.rule for fault in audit.go_over(NOW)] == [REWRITTEN]


def test_two_gateways_with_one_name_are_named(stored: Stored) -> None:
    one, clone = Plant("GW-A", 1), Plant("GW-A", 1)
    keys = [one.key(OPS), OPS.key(OPS)]
    shared = one.tickets(range(10))
    clone.tickets(range(10))
    stored.put_entries([*keys, *shared, one.head()])
    mine, others = one.tickets(range(10, 15)), clone.tickets(range(50, 55))
    clone.minute = 5
    stored.put_entries([*mine, one.head(), clone.head()])
    assert (REUSED, "GW-A", "epoch 1") in found(stored)

    stored.put_entries(others)
    assert {(REUSED, "GW-A", f"1/{seq}") for seq in range(11, 16)} <= set(found(stored))


@pytest.mark.parametrize("more", [1, 4])
def test_a_copied_disk_is_two_writers_and_no_history_that_was_made_anew(
    stored: Stored, more: int
) -> None:
    """Whichever is followed first, and whether the audit began before the copy wrote or after."""
    one, clone = Plant("GW-A", 1), Plant("GW-A", 1)
    shared = one.tickets(range(10))
    clone.tickets(range(10))
    stored.put_entries([one.key(OPS), OPS.key(OPS), *shared, one.head()])
    audit = standing_of(stored)
    assert audit.go_over(NOW) == []
    mine, others = one.tickets(range(10, 10 + more)), clone.tickets(range(50, 50 + more))
    clone.minute = 5
    stored.put_entries([*mine, one.head()])
    seal(stored)
    assert audit.go_over(NOW) == []
    stored.put_entries([*others, clone.head()])
    seal(stored)
    twice = [f"1/{seq}" for seq in range(11, 11 + more)]
    expected = [(REUSED, "GW-A", about) for about in [*twice, "epoch 1"]]
    assert [(f.rule, f.gateway, f.about) for f in audit.go_over(NOW)] == expected

    # The copy is stopped; the first goes on.
    stored.put_entries([*one.tickets(range(20, 23)), one.head()])
    seal(stored)
    assert [(f.rule, f.gateway, f.about) for f in audit.go_over(NOW)] == expected
    assert sorted(found(stored)) == expected


def test_a_second_record_under_a_number_is_named_without_a_head_of_either(stored: Stored) -> None:
    """One under a number that has been gone over, and two under one no head speaks of."""
    one, clone = Plant("GW-A", 1), Plant("GW-A", 1)
    stored.put_entries([one.key(OPS), OPS.key(OPS), *one.tickets(range(10)), one.head()])
    stored.put_entries([OPS.head()])
    seal(stored)
    audit = standing_of(stored)
    assert audit.go_over(NOW) == []

    others = [*clone.tickets(range(100, 110)), *clone.tickets(range(110, 111))]
    stored.put_entries([*one.tickets(range(10, 11)), others[3], others[10]])
    assert audit.go_over(NOW) == [], "only what is confirmed counts"
    seal(stored)
    named = audit.go_over(NOW)
    assert [(f.rule, f.about) for f in named] == [(REUSED, "1/11"), (REUSED, "1/4")]
    assert named[0].detail.count("custody.fact.v1/") == 2
    assert audit.go_over(NOW) == named


def test_whose_key_is_not_known_or_not_his_is_named(stored: Stored) -> None:
    plant = Plant("GW-A", 1)
    stored.put_entries([*plant.tickets(range(3)), plant.head(), OPS.key(OPS), OPS.head()])
    audit = standing_of(stored)
    assert [f.rule for f in audit.go_over(NOW)] == [UNKNOWN]

    stored.put_entries([plant.key(OPS, Signer("GW-A", bytes([7] * 32)))])
    assert [f.rule for f in audit.go_over(NOW)] == [SIGNATURE]


def test_an_edited_head_is_said_not_to_be_what_its_key_signed(stored: Stored) -> None:
    fill(stored, Plant("GW-A", 1))
    stored.warehouse.command(
        "ALTER TABLE custody.head UPDATE size = 5 WHERE gateway_id = 'GW-A' AND size = 20"
        " SETTINGS mutations_sync = 2"
    )
    [detail] = [f.detail for f in faults(stored) if f.rule == SIGNATURE]
    key = Plant("GW-A", 1).signer.key_id
    assert f"the signature of key {key} does not fit what the head says" in detail
    assert "not by its key" not in detail


def test_heads_of_before_the_first_record_of_a_key_are_judged_by_that_key(stored: Stored) -> None:
    """The documented load says "valid from now", of a gateway that has signed for an hour."""
    plant = Plant("GW-A", 1)
    stored.put_entries([*plant.tickets(range(3)), plant.head(), OPS.key(OPS), OPS.head()])
    audit = standing_of(stored)
    assert [f.rule for f in audit.go_over(NOW)] == [UNKNOWN]

    registered = rfc3339(Micros(NOW + 90_000_000))
    stored.put_entries([plant.key(OPS, since=registered), plant.head()])
    assert audit.go_over(NOW) == [], "as the alert has it"
    assert faults(stored) == [], "as one that reads all has it"

    other = Plant("GW-A", 7, epoch=2)
    stored.put_entries([other.head()])
    [named] = faults(stored)
    assert (named.rule, named.about) == (SIGNATURE, f"key {other.signer.key_id}")


def test_records_of_a_gateway_nobody_knows_are_named_without_a_head_of_it(stored: Stored) -> None:
    """Whoever may write to Kafka needs no head to have a record counted."""
    fill(stored, Plant("GW-A", 1))
    seal(stored)
    audit = standing_of(stored, 60_000_000)
    assert audit.go_over(NOW) == []

    ghost = Plant("GW-GHOST", 3)
    forged = ghost.tickets([1, 2])
    place = f"custody.fact.v1/{PARTITION}@{stored.next['custody.fact.v1']}"
    stored.put_entries(forged)
    seal(stored)
    assert audit.go_over(NOW) == [], "its record of reference data may be on its way"
    [named] = audit.go_over(Micros(NOW + 60_000_000))
    assert (named.rule, named.gateway, named.about) == (UNKNOWN, "GW-GHOST", "GW-GHOST")
    assert place in named.detail
    assert faults(stored) == [named], "one that reads everything needs no grace"

    stored.put_entries([ghost.head()])
    assert audit.go_over(Micros(NOW + 70_000_000)) == [named], "one finding, whatever shows it"
    stored.put_entries([ghost.key(OPS)])
    assert audit.go_over(Micros(NOW + 80_000_000)) == []


def minutes(count: float) -> Micros:
    return Micros(NOW + int(count * 60_000_000))


def seven(stored: Stored) -> tuple[Plant, list[Entry], Standing]:
    """A gateway at number 7 that has signed so a minute after, gone over without a fault."""
    plant = Plant("GW-A", 1)
    tickets = plant.tickets(range(7))
    stored.put_entries([plant.key(OPS), OPS.key(OPS), *tickets, plant.head(), OPS.head()])
    seal(stored)
    audit = standing_of(stored, 60_000_000)
    assert audit.go_over(minutes(1)) == []
    return plant, tickets, audit


# Dated as what it was copied from, when it was sent, and so that no head is ever later.
@pytest.mark.parametrize("dated", [None, minutes(1.5), minutes(1_000_000)])
def test_a_record_far_ahead_of_its_gateway_is_named_by_the_next_heads(
    stored: Stored, dated: Micros | None
) -> None:
    plant, tickets, audit = seven(stored)
    place = f"custody.fact.v1/{PARTITION}@{stored.next['custody.fact.v1']}"
    stored.put_entries([forged(tickets[2], 5000, dated)])
    seal(stored)
    audit.go_over(minutes(1.5))
    stored.put_entries([plant.head(), plant.head()])
    [named] = audit.go_over(minutes(3))
    assert (named.rule, named.gateway, named.about) == (BROKEN, "GW-A", "1/5000 beyond")
    assert place in named.detail
    assert "signed 7 records of epoch 1" in named.detail


def test_a_record_far_ahead_keeps_nobody_from_following_what_its_gateway_writes(
    stored: Stored,
) -> None:
    plant, tickets, audit = seven(stored)
    stored.put_entries([forged(tickets[2], 5000), plant.head()])
    own = plant.tickets(range(7, 20))
    stored.put_entries([*own, plant.head()])
    seal(stored)
    before = audit.records
    assert [fault.about for fault in audit.go_over(minutes(4))] == ["1/5000 beyond"]
    assert audit.records == before + 13
    # Who reads everything follows the chain to it, which names it.
    assert found(stored) == [
        (BROKEN, "GW-A", "1/5000"),
        (BROKEN, "GW-A", "1/5000 order"),
        (GAP, "GW-A", "1/21"),
    ]


def test_a_record_is_none_of_its_gateways_until_a_head_counts_it(stored: Stored) -> None:
    """Well written on the last one, so that nothing else speaks against it."""
    plant, _, audit = seven(stored)
    idle = plant.head()
    [own] = plant.tickets([7])
    stored.put_entries([own])
    seal(stored)
    assert audit.go_over(minutes(0)) == []
    stored.put_entries([idle])
    assert [fault.about for fault in audit.go_over(minutes(2))] == ["1/8 beyond"]
    stored.put_entries([plant.head()])
    assert audit.go_over(minutes(3)) == []


# As a thief would date it, and so that its age says nothing; with the digest of a first record.
@pytest.mark.parametrize("dated", [None, minutes(1_000_000)])
def test_a_record_of_a_gateway_that_has_signed_nothing_yet_is_named_until_it_has(
    stored: Stored, dated: Micros | None
) -> None:
    """Its key is entered, it was never started: there was no head to hold the record against."""
    plant, thief = Plant("GW-A", 1), Plant("GW-A", 1)
    stored.put_entries([plant.key(OPS), OPS.key(OPS), OPS.head()])
    seal(stored)
    audit = standing_of(stored, 60_000_000)
    assert audit.go_over(minutes(0)) == []
    place = f"custody.fact.v1/{PARTITION}@{stored.next['custody.fact.v1']}"
    stored.put_entries(thief.tickets([1]) if dated is None else thief.later([1], dated))
    seal(stored)
    assert audit.go_over(minutes(1)) == [], "its first head may be on its way"
    assert audit.go_over(minutes(2.9)) == []
    [named] = audit.go_over(minutes(3))
    assert (named.rule, named.gateway, named.about) == (SIGNATURE, "GW-A", "no head")
    assert place in named.detail
    again = standing_of(stored, 60_000_000)
    again.remember([("GW-A", SIGNATURE, "no head")])
    assert again.go_over(minutes(3.1)) == [named], "it had its time before the auditor started"
    assert standing_of(stored).go_over(minutes(3), unsigned=True) == ([named] if not dated else [])

    plant.minute = 4
    stored.put_entries([plant.head()])
    assert [(f.rule, f.about) for f in audit.go_over(minutes(6))] == [(BROKEN, "1/1 beyond")]


def test_a_gateway_whose_first_head_comes_days_after_its_first_record_was_made_is_not_accused(
    stored: Stored,
) -> None:
    plant = Plant("GW-A", 1)
    stored.put_entries([plant.key(OPS), OPS.key(OPS), OPS.head(), *plant.tickets(range(3))])
    seal(stored)
    audit = standing_of(stored, 60_000_000)
    assert audit.go_over(minutes(5_000)) == []
    stored.put_entries([plant.head()])
    assert audit.go_over(minutes(5_001)) == []


def test_heads_that_come_late_and_a_clock_that_runs_ahead_accuse_nobody(stored: Stored) -> None:
    """Records get through, their heads an hour later in turn, and the clock is hours ahead."""
    plant, _, audit = seven(stored)
    late: list[Entry] = []
    records: list[Entry] = []
    plant.minute = 300
    for first in range(7, 67, 20):
        records += plant.later(range(first, first + 20), minutes(plant.minute))
        late.append(plant.head())
    stored.put_entries(records)
    seal(stored)
    assert audit.go_over(minutes(5)) == []
    for at, head in enumerate(late):
        stored.put_entries([head])
        assert audit.go_over(minutes(65 + at)) == []


def test_a_new_epoch_has_time_for_its_first_head_and_one_that_is_over_is_followed_to_its_end(
    stored: Stored,
) -> None:
    plant, tickets, audit = seven(stored)
    tail, again = plant.tickets(range(7, 9)), Plant("GW-A", 1, epoch=2)
    again.minute = plant.minute
    begun = again.later(range(50, 53), minutes(2))
    stored.put_entries([*tail, *begun])
    seal(stored)
    assert audit.go_over(minutes(2)) == []
    stored.put_entries([again.head()])
    assert audit.go_over(minutes(4)) == [], "the last of an epoch have no head to come"

    stored.put_entries([forged(tickets[2], 5000), forged(tickets[3], 1, minutes(2), epoch=3)])
    seal(stored)
    again.minute += 3
    stored.put_entries([again.head()])
    audit.go_over(minutes(7))
    assert [(f.rule, f.about) for f in audit.go_over(minutes(9))] == [
        (BROKEN, "1/5000"),
        (BROKEN, "3/1 beyond"),
        (GAP, "1/10"),
    ]


def test_an_edited_column_is_named_with_its_row(stored: Stored) -> None:
    fill(stored, Plant("GW-A", 1))

    def rows() -> list[Edited]:
        arrow = partial(stored.reader.ask, format_name="ArrowStream", parameters={})
        return list(edited(stored.ask, arrow, CATALOG, PARTITIONS, lambda _: None))

    assert rows() == []
    change(stored, "net_g = net_g + 1, vehicle_id = 'X'", "gateway_seq = 7")
    assert [(table, columns) for table, _, columns in rows()] == [
        ("weighing", ("net_g", "vehicle_id"))
    ]
    assert found(stored) == []


def test_a_proof_needs_nothing_but_the_key_and_no_byte_of_it_can_be_changed(
    stored: Stored,
) -> None:
    plant = Plant("GW-A", 1)
    tickets, _ = fill(stored, plant)
    made = proof.prove(stored.ask, CATALOG, str(tickets[12].event_id))

    proved = proof_check.check(made, plant.signer.public)
    assert isinstance(proved.record, LotWeighed)
    assert (proved.record.ticket_no, proved.seq, proved.head.size) == ("T-12", 13, 20)
    for name, wrong in {
        "event_id": tickets[13].event_id,
        "gateway_seq": 14,
        "body": made["body"][:-8] + "AAAAAAA=",
        "prev": made["digest"],
        "digest": made["prev"],
        "path": made["path"][:-1],
        "head": {**made["head"], "size": 21},
        "schema": {"type": "string"},
        "format": "x",
        "note": made["note"].replace("20", "21", 1),
        "public_key": None,
    }.items():
        with pytest.raises(proof_check.NotProved):
            proof_check.check({**made, name: wrong}, None)
    silent = {name: value for name, value in made.items() if name != "note"}
    with pytest.raises(proof_check.NotProved, match="note"):
        proof_check.check(silent, None)
    with pytest.raises(proof_check.NotProved, match="not signed by this key") as other:
        proof_check.check(made, Plant("GW-B", 2).signer.public)
    named = made["head"]
    expected = f"the public key of {named['gateway_id']} that has the id {named['key_id']}"
    assert expected in str(other.value)


def test_a_proof_of_what_no_head_speaks_of_has_to_wait(stored: Stored) -> None:
    plant = Plant("GW-A", 1)
    tickets = plant.tickets(range(3))
    stored.put_entries([plant.key(OPS), *tickets])

    with pytest.raises(proof.NotSignedYet):
        proof.prove(stored.ask, CATALOG, str(tickets[1].event_id))
    with pytest.raises(proof.NotStored):
        proof.prove(stored.ask, CATALOG, "00000000-0000-8000-8000-000000000000")
