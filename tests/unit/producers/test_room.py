"""The limit of the outbox: warned of, made room for by what is published, then 503, then open."""

import logging
from pathlib import Path

import pytest

from custody.events import Micros
from producers import resent, store
from producers.config import OutboxConfig
from producers.group import Submission
from producers.judge import accept
from producers.outbox import Outbox, OutboxClosed
from producers.room import FULL, WARN_SHARE, Room
from tests.support.gateway import NOW, terms, ticket, wait_for

LIMIT = 400_000


def config(directory: Path, bytes_max: int = LIMIT) -> OutboxConfig:
    return OutboxConfig(
        directory=directory, gateway_id="GW-TEST", disk_free_bytes_min=1, bytes_max=bytes_max
    )


def send(outbox: Outbox, *numbers: int) -> None:
    given = terms(gateway=outbox.gateway, known=outbox.known)
    outbox.submit(
        Submission(
            outcomes=[accept(ticket(no), NOW, given) for no in numbers],
            bodies=[lambda: b"{}"] * len(numbers),
            now=NOW,
        )
    ).result(10)


def numbers_in(outbox: Outbox) -> list[int]:
    connection = store.connect(outbox.path, read_only=True)
    entries = store.read_entries(connection, 0, 100_000)
    connection.close()
    return [entry.no for entry in entries]


def fill(outbox: Outbox, first: int = 0) -> int:
    """Send lists until it is full; return how many requests were taken."""
    for no in range(first, first + 10_000, 20):
        try:
            send(outbox, *range(no, no + 20))
        except OutboxClosed:
            break
    else:
        pytest.fail("never full")
    closed = outbox.closed
    assert closed is not None
    assert closed.reason == FULL
    return no - first


def acknowledge(outbox: Outbox, numbers: list[int], at: Micros = NOW) -> None:
    """Hand in answers of Kafka, and wait until they are on disk."""
    outbox.acknowledge([store.Ack(no, no, at) for no in numbers])
    wait_for(lambda: outbox.floor > numbers[-1])


def test_at_the_limit_nothing_is_taken_and_nothing_that_waits_is_dropped(tmp_path: Path) -> None:
    outbox = Outbox(config(tmp_path), lambda: NOW)
    taken = fill(outbox)
    assert taken > 100
    assert outbox.depth == len(numbers_in(outbox)) > taken
    with pytest.raises(OutboxClosed):
        send(outbox, -1)
    assert outbox.depth == len(numbers_in(outbox))
    outbox.close()


def test_what_is_published_makes_room_and_the_outbox_opens_by_itself(tmp_path: Path) -> None:
    outbox = Outbox(config(tmp_path), lambda: NOW)
    fill(outbox)
    waiting = numbers_in(outbox)
    acknowledge(outbox, waiting[: len(waiting) // 2])
    for no in range(10_000, 10_010):
        send(outbox, no)
    assert outbox.closed is None
    left = set(numbers_in(outbox))
    assert set(waiting[len(waiting) // 2 :]) <= left, "what waits stays"
    assert not set(waiting[:3]) & left, "the oldest published went"
    outbox.close()


def test_young_published_records_go_at_the_limit_whatever_the_clock_says(tmp_path: Path) -> None:
    outbox = Outbox(config(tmp_path), lambda: NOW)
    fill(outbox)
    acknowledge(outbox, numbers_in(outbox), Micros(NOW + 86_400_000_000))
    send(outbox, 10_000)
    assert outbox.closed is None
    outbox.close()


def test_a_size_far_above_the_limit_is_pruned_in_one_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("producers.room.PRUNE_ROWS", 50)
    outbox = Outbox(config(tmp_path, 1 << 30), lambda: NOW)
    count = 500
    send(outbox, *range(count))
    acknowledge(outbox, numbers_in(outbox))
    outbox.close()
    writer = store.create(tmp_path / "outbox.sqlite3")
    before = store.used_bytes(writer)
    room = Room(config(tmp_path, before * 2 // 3), writer)
    assert room.refusal(count, 1) is None
    assert store.used_bytes(writer) <= before * 2 // 3
    writer.close()


def test_the_warning_comes_once_at_its_share_of_the_limit(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = Outbox(config(tmp_path), lambda: NOW)
    assert outbox.room.used_share < WARN_SHARE
    with caplog.at_level(logging.WARNING):
        fill(outbox)
    said = [record for record in caplog.records if record.message == "outbox fills"]
    assert len(said) == 1
    assert outbox.room.is_filling
    assert outbox.room.used_share > 1 > WARN_SHARE
    outbox.close()


def test_pruning_looks_again_after_the_clock_was_set_back(tmp_path: Path) -> None:
    writer = store.create(tmp_path / "outbox.sqlite3")
    room = Room(config(tmp_path), writer)
    store.put_refused(writer, [store.Refused(NOW, "test", "not_json", "{}", b"")])
    room.prune(NOW, 1)
    assert len(store.get_refused(writer, Micros(0), 9)) == 1
    resent.note(tmp_path, [(1, "accepted")], NOW)
    late = Micros(NOW + 91 * 86_400_000_000)
    room.prune(late, 1)
    assert writer.execute("SELECT * FROM resent").fetchall() == [], "a number may come again"
    assert store.get_refused(writer, Micros(0), 9) == []
    store.put_refused(writer, [store.Refused(Micros(0), "test", "not_json", "{}", b"")])
    room.prune(Micros(late - 86_400_000_000), 1)
    assert store.get_refused(writer, Micros(0), 9) == []
    writer.close()
