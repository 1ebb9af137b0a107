"""The outbox: durable before the answer, no holes, duplicates known, epochs told apart."""

import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from custody.digest import GENESIS, first_break
from custody.events import LotWeighed, Micros
from producers import reserve, store
from producers.chain import Entry
from producers.config import OutboxConfig
from producers.group import Answer, Submission
from producers.judge import accept
from producers.lock import OutboxInUse
from producers.outbox import Outbox, OutboxClosed
from schemas.codec import decode
from tests.support.gateway import NOW, golden, terms, ticket


def config(directory: Path, **changes: float) -> OutboxConfig:
    small = {"disk_free_bytes_min": 1 << 20, **changes}
    return OutboxConfig(directory=directory, gateway_id="GW-TEST", **small)  # type: ignore[arg-type]


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    opened = Outbox(config(tmp_path), lambda: NOW)
    yield opened
    opened.close()


def send(outbox: Outbox, *raws: object, atomic: bool = False, now: Micros = NOW) -> list[Answer]:
    given = terms(gateway=outbox.gateway, known=outbox.known)
    return outbox.submit(
        Submission(
            outcomes=[accept(raw, now, given) for raw in raws],
            bodies=[lambda: b"{}"] * len(raws),
            now=now,
            sender="test",
            atomic=atomic,
        )
    ).result(10)


def results(answers: list[Answer]) -> list[object]:
    return [answer.item.get("code") or answer.item["result"] for answer in answers]


def seqs(answers: list[Answer]) -> list[object]:
    return [a.item["gateway_seq"] for a in answers if a.item["result"] == "accepted"]


def facts(outbox: Outbox) -> list[Entry]:
    connection = store.connect(outbox.path, read_only=True)
    entries = store.read_entries(connection, 0, 10_000)
    connection.close()
    return [entry for entry in entries if entry.seq is not None]


def test_numbers_have_no_holes_under_refusals_and_duplicates(outbox: Outbox) -> None:
    answers = send(outbox, ticket(1), {"type": "?"}, ticket(1), ticket(1, net_kg=29_990), ticket(2))
    assert results(answers) == [
        "accepted",
        "unknown_type",
        "duplicate",
        "duplicate_conflict",
        "accepted",
    ]
    assert seqs(answers) == [1, 2]


def test_an_atomic_list_is_taken_whole_or_not_at_all(outbox: Outbox) -> None:
    answers = send(outbox, ticket(1), {"type": "?"}, ticket(2), atomic=True)
    assert results(answers) == ["atomic_list", "unknown_type", "atomic_list"]
    assert facts(outbox) == []
    assert [kept.code for kept in outbox.refused(Micros(0), 10)] == ["unknown_type"]
    answers = send(outbox, ticket(1), ticket(2), golden("reference"), atomic=True)
    assert results(answers) == ["accepted"] * 3
    assert seqs(answers) == [1, 2, 3]
    assert [entry.seq for entry in facts(outbox)] == [1, 2, 3, 4, 5, 6]


def test_an_atomic_list_with_a_conflict_among_itself_is_not_taken(outbox: Outbox) -> None:
    answers = send(outbox, ticket(1), ticket(1, net_kg=29_990), atomic=True)
    assert results(answers) == ["atomic_list", "duplicate_conflict"]
    assert facts(outbox) == []
    assert seqs(send(outbox, ticket(1))) == [1]


def test_the_chain_goes_on_after_a_restart(tmp_path: Path) -> None:
    entries: list[Entry] = []
    for no in range(3):
        opened = Outbox(config(tmp_path), lambda: NOW)
        assert seqs(send(opened, ticket(2 * no), ticket(2 * no + 1))) == [2 * no + 1, 2 * no + 2]
        assert opened.gateway == ("GW-TEST", 1)
        entries = facts(opened)
        opened.close()
    assert (
        first_break(
            GENESIS,
            [(e.prev or b"", e.fingerprint, e.body, e.digest or b"") for e in entries],
        )
        is None
    )


def test_a_restored_copy_begins_the_next_epoch_at_one(tmp_path: Path) -> None:
    first = Outbox(config(tmp_path), lambda: NOW)
    send(first, ticket(1))
    first.close()
    shutil.copy(tmp_path / "outbox.sqlite3", tmp_path / "copy")
    second = Outbox(config(tmp_path), lambda: NOW)
    send(second, ticket(2))
    second.close()
    shutil.copy(tmp_path / "copy", tmp_path / "outbox.sqlite3")
    third = Outbox(config(tmp_path), lambda: NOW)
    assert third.gateway == ("GW-TEST", 2)
    assert seqs(send(third, ticket(2))) == [1]
    assert results(send(third, ticket(1))) == ["duplicate"]
    third.close()


def test_the_mark_of_a_copy_has_the_first_gateway_begin_an_epoch_above_it(tmp_path: Path) -> None:
    """As docs/runbooks/TamperFound.md says of two gateways under one name."""
    first = Outbox(config(tmp_path / "first"), lambda: NOW)
    send(first, ticket(1), ticket(2))
    first.close()
    shutil.copytree(tmp_path / "first", tmp_path / "copy")
    (tmp_path / "copy" / "outbox.sqlite3").unlink()
    copy = Outbox(config(tmp_path / "copy"), lambda: NOW)
    assert copy.gateway == ("GW-TEST", 2)
    copy.close()
    shutil.copy(tmp_path / "copy" / "epoch.json", tmp_path / "first" / "epoch.json")
    again = Outbox(config(tmp_path / "first"), lambda: NOW)
    assert again.gateway == ("GW-TEST", 3)
    assert [e.seq for e in facts(again)] == [1, 2]
    assert results(send(again, ticket(1), ticket(3))) == ["duplicate", "accepted"]
    again.close()


def test_a_new_outbox_beside_an_old_mark_begins_the_next_epoch(tmp_path: Path) -> None:
    first = Outbox(config(tmp_path), lambda: NOW)
    send(first, ticket(1))
    first.close()
    for path in tmp_path.glob("outbox.sqlite3*"):
        path.unlink()
    second = Outbox(config(tmp_path), lambda: NOW)
    assert second.gateway == ("GW-TEST", 2)
    second.close()


def modes(directory: Path) -> dict[str, int]:
    # The lock is empty, and the reserve holds what is of no use to anybody.
    found = [path for path in directory.iterdir() if path.name not in ("lock", reserve.FILE)]
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in found}


DATABASE = ("outbox.sqlite3", "outbox.sqlite3-wal", "outbox.sqlite3-shm")
PRIVATE = dict.fromkeys((*DATABASE, "epoch.json", "signing.key"), 0o600)


@pytest.mark.skipif(os.name != "posix", reason="files have no modes there")
def test_an_outbox_is_its_owners_alone_also_one_that_was_open_to_others(tmp_path: Path) -> None:
    outbox = Outbox(config(tmp_path), lambda: NOW)
    send(outbox, ticket(1))
    assert modes(tmp_path) == PRIVATE
    # What is beside it when a gateway was killed.
    kept = tmp_path.with_name("kept")
    shutil.copytree(tmp_path, kept)
    outbox.close()
    for path in kept.iterdir():
        path.chmod(0o644)
    reopened = Outbox(config(kept), lambda: NOW)
    assert modes(kept) == PRIVATE
    assert results(send(reopened, ticket(1), ticket(2))) == ["duplicate", "accepted"]
    assert modes(kept) == PRIVATE
    reopened.close()


def test_two_processes_cannot_share_an_outbox(outbox: Outbox) -> None:
    with pytest.raises(OutboxInUse):
        Outbox(config(outbox.path.parent), lambda: NOW)


def test_an_outbox_of_another_gateway_is_not_opened(tmp_path: Path) -> None:
    Outbox(config(tmp_path), lambda: NOW).close()
    other = OutboxConfig(directory=tmp_path, gateway_id="GW-OTHER")
    with pytest.raises(store.OutboxUnreadable):
        Outbox(other, lambda: NOW)


def test_a_full_outbox_takes_nothing_and_says_so(tmp_path: Path) -> None:
    opened = Outbox(config(tmp_path, bytes_max=1), lambda: NOW)
    with pytest.raises(OutboxClosed) as closed:
        send(opened, ticket(1))
    assert closed.value.reason == "full"
    assert opened.closed is not None
    opened.close()


def test_a_full_disk_takes_nothing_and_leaves_no_hole(tmp_path: Path) -> None:
    opened = Outbox(config(tmp_path, disk_free_bytes_min=1 << 60), lambda: NOW)
    with pytest.raises(OutboxClosed) as closed:
        send(opened, ticket(1))
    assert closed.value.reason == "disk"
    opened.close()
    again = Outbox(config(tmp_path), lambda: NOW)
    assert seqs(send(again, ticket(1))) == [1]
    again.close()


def test_a_commit_that_fails_leaves_no_hole_and_no_trace(outbox: Outbox) -> None:
    """Another writer holds the file: SQLite answers busy, as it would answer a broken disk."""
    outbox._writer.execute("PRAGMA busy_timeout = 0")
    blocker = sqlite3.connect(outbox.path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(OutboxClosed):
        send(outbox, ticket(1))
    blocker.execute("ROLLBACK")
    blocker.close()
    assert seqs(send(outbox, ticket(1), ticket(2))) == [1, 2]
    assert outbox.closed is None


def test_a_correction_of_something_unseen_is_accepted_with_a_warning(outbox: Outbox) -> None:
    first = send(outbox, ticket(1))[0].item["event_id"]
    known = send(outbox, ticket(1, corrects=first))[0]
    unseen = send(outbox, ticket(2, corrects="00000000-0000-8000-8000-000000000000"))[0]
    assert "correction_of_unseen" not in str(known.item["warnings"])
    assert "correction_of_unseen" in str(unseen.item["warnings"])


def test_references_outlive_a_restart(tmp_path: Path) -> None:
    first = Outbox(config(tmp_path), lambda: NOW)
    send(first, golden("reference"))
    first.close()
    second = Outbox(config(tmp_path), lambda: NOW)
    assert second.known.has("device", "WB-KOV-1", NOW)
    second.close()


def test_parts_known_from_before_are_not_taken_again(outbox: Outbox) -> None:
    whole = golden("processing")
    alone = {
        name: whole[name]
        for name in whole
        if name not in {"outputs", "losses", "attributes", "close"}
    }
    send(outbox, alone)
    answer = send(outbox, whole)[0].item
    assert answer["result"] == "accepted"
    parts = answer["parts"]
    assert isinstance(parts, list)
    assert [part["part"] for part in parts] == ["output", "loss", "added", "close"]
    again = send(outbox, whole)[0].item
    assert again["result"] == "duplicate"
    # Who lost the answer still learns the id of each part, to correct it by.
    named = again["parts"]
    assert isinstance(named, list)
    assert [part["part"] for part in named] == ["input", "output", "loss", "added", "close"]
    assert {part["event_id"] for part in parts} < {part["event_id"] for part in named}


def test_one_contradicting_part_refuses_the_whole_process(outbox: Outbox) -> None:
    whole = golden("processing")
    send(outbox, whole)
    other = {**whole, "outputs": [{"lot_id": "C-24-0021", "mass_wet_kg": 9}], "close": False}
    assert results(send(outbox, other)) == ["duplicate_conflict"]
    own = {**whole, "event_id": "0199f3c0-6d1e-7c4a-9b1f-2a5d8c3e7f10"}
    assert results(send(outbox, own, own)) == ["accepted", "duplicate"]
    assert results(send(outbox, {**own, "close": False})) == ["duplicate_conflict"]


def test_the_way_of_an_event_is_told(outbox: Outbox) -> None:
    event_id = str(send(outbox, ticket(1))[0].item["event_id"])
    found = outbox.way(event_id)
    assert found is not None
    (stage,) = found[1]
    assert (stage.seq, stage.topic, stage.published_at) == (1, "custody.fact.v1", None)
    assert outbox.way("00000000-0000-8000-8000-000000000000") is None


def test_published_entries_are_forgotten_in_time_but_their_ids_never(tmp_path: Path) -> None:
    first = Outbox(config(tmp_path, keep_published_s=0.0), lambda: NOW)
    send(first, ticket(1))
    entries = store.read_entries(first._reader, 0, 10)
    first.acknowledge([store.Ack(entry.no, entry.no, NOW) for entry in entries])
    first.close()
    later = Outbox(config(tmp_path, keep_published_s=0.0), lambda: Micros(NOW + 90_000_000))
    assert results(send(later, ticket(1))) == ["duplicate"]
    later.close()
    connection = store.connect(tmp_path / "outbox.sqlite3", read_only=True)
    assert [e.stem for e in store.read_entries(connection, 0, 10)] == ["head"]
    connection.close()


def taken_at(outbox: Outbox) -> list[int]:
    """When records were taken, in order of their numbers, as they say themselves."""
    said: list[int] = []
    for entry in facts(outbox):
        record = decode("weighing", entry.body)
        assert isinstance(record, LotWeighed)
        assert record.recorded_at == entry.accepted_at
        said.append(record.recorded_at)
    return said


def test_recorded_at_never_goes_backwards_whatever_the_clock_does(tmp_path: Path) -> None:
    day = 86_400_000_000
    times = [NOW, NOW + day, NOW - day, NOW + day - 1, NOW + day + 7]
    given: list[int] = []
    for no, at in enumerate(times):
        opened = Outbox(config(tmp_path), partial(Micros, at))
        send(opened, ticket(no), now=Micros(at))
        given = taken_at(opened)
        opened.close()
    wanted = [NOW, NOW + day, NOW + day, NOW + day, NOW + day + 7]
    assert given == sorted(set(given))
    assert all(0 <= at - least <= len(times) for at, least in zip(given, wanted, strict=True))


def test_of_two_corrections_in_one_list_the_later_is_recorded_later(outbox: Outbox) -> None:
    send(outbox, *(ticket(no) for no in range(20)))
    assert taken_at(outbox) == sorted(set(taken_at(outbox)))


def test_the_last_time_outlives_the_records_that_bore_it(tmp_path: Path) -> None:
    first = Outbox(config(tmp_path), lambda: NOW)
    send(first, ticket(1))
    first.close()
    connection = sqlite3.connect(tmp_path / "outbox.sqlite3", isolation_level=None)
    connection.execute("DELETE FROM entry")
    connection.close()
    second = Outbox(config(tmp_path), lambda: Micros(NOW - 1))
    send(second, ticket(2), now=Micros(NOW - 1))
    assert taken_at(second) == [NOW + 2]
    second.close()


def test_an_outbox_that_kept_no_last_time_takes_it_from_its_records(tmp_path: Path) -> None:
    first = Outbox(config(tmp_path), lambda: NOW)
    send(first, ticket(1))
    first.close()
    connection = sqlite3.connect(tmp_path / "outbox.sqlite3", isolation_level=None)
    assert connection.execute("DELETE FROM meta WHERE name = 'recorded_at'").rowcount == 1
    connection.close()
    second = Outbox(config(tmp_path), lambda: Micros(NOW - 5))
    send(second, ticket(2), now=Micros(NOW - 5))
    assert taken_at(second) == [NOW + 1, NOW + 2]
    second.close()


def test_a_clock_that_was_set_back_stops_no_heads(tmp_path: Path) -> None:
    clock = [NOW]
    opened = Outbox(config(tmp_path), lambda: clock[0])
    send(opened, ticket(1))
    clock[0] = Micros(NOW - 3_600_000_000)
    send(opened, ticket(2), now=clock[0])
    connection = store.connect(opened.path, read_only=True)
    heads = [e for e in store.read_entries(connection, 0, 100) if e.seq is None]
    connection.close()
    opened.close()
    assert [entry.accepted_at for entry in heads] == [NOW, NOW + 1]
