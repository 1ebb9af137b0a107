"""Refused requests have a share to themselves: full, they are answered, and records go on."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from custody.events import Micros
from producers import refused_drop, refused_share, store, view
from producers.config import OutboxConfig
from producers.group import Answer, Submission
from producers.judge import accept
from producers.outbox import Outbox
from tests.support.gateway import NOW, terms, ticket, wait_for

LIMIT = 4_000_000
BODY = b"7" * 8_000


def opened(directory: Path) -> Outbox:
    config = OutboxConfig(
        directory=directory, gateway_id="GW-TEST", disk_free_bytes_min=1, bytes_max=LIMIT
    )
    return Outbox(config, lambda: NOW)


def send(outbox: Outbox, *raws: object, atomic: bool = False) -> list[Answer]:
    given = terms(gateway=outbox.gateway, known=outbox.known)
    return outbox.submit(
        Submission(
            outcomes=[accept(raw, NOW, given) for raw in raws],
            bodies=[lambda: BODY] * len(raws),
            now=NOW,
            sender="scale-1@127.0.0.1",
            atomic=atomic,
        )
    ).result(10)


def kept(answers: list[Answer]) -> int:
    assert {answer.item["result"] for answer in answers} == {"refused"}
    return sum("kept" not in answer.item for answer in answers)


def test_refused_requests_alone_neither_close_it_nor_evict_what_is_published(
    tmp_path: Path,
) -> None:
    outbox = opened(tmp_path)
    send(outbox, *(ticket(no) for no in range(50)))
    outbox.acknowledge([store.Ack(no, no, NOW) for no in range(1, 51)])
    wait_for(lambda: outbox.floor > 50)
    taken = sum(kept(send(outbox, *[{"type": "?"}] * 100)) for _ in range(10))
    assert 20 < taken < 100, "some are kept, and most are not"
    assert kept(send(outbox, {"type": "?"}, atomic=True)) == 0
    [good] = send(outbox, ticket(1_000))
    assert good.item["result"] == "accepted"
    assert outbox.closed is None
    with view.opened(tmp_path) as seen:
        state = seen.state()
        assert len(seen.lines(waiting=False, since=Micros(0), limit=99)) >= 50
    assert (state.refused, state.refused_unkept) == (taken, 1_001 - taken)
    assert LIMIT // 10 - 20_000 < state.refused_bytes <= LIMIT // 10
    assert refused_share.is_full(state.refused_bytes, LIMIT)
    outbox.close()


def test_dropped_requests_make_room_for_the_next_in_a_gateway_that_runs(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    taken = kept(send(outbox, *[{"type": "?"}] * 100))
    some = refused_drop.Choice(numbers=range(1, 11))
    with view.opened(tmp_path) as seen:
        count, size = refused_drop.chosen(seen, some)
    assert (count, refused_drop.drop(tmp_path, some)) == (10, 10)
    assert refused_drop.drop(tmp_path, some) == 0
    assert kept(send(outbox, *[{"type": "?"}] * 100)) == 10
    assert size == pytest.approx(10 * 12_400, rel=0.02)
    assert refused_drop.drop(tmp_path, refused_drop.Choice(before=NOW)) == 0
    assert refused_drop.drop(tmp_path, refused_drop.Choice()) == taken
    send(outbox, ticket(1))
    assert outbox.room.refused_bytes == 0
    outbox.close()


def test_what_an_older_version_kept_is_counted_once(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite3"
    rows = [store.Refused(NOW, "schürfer", "not_json", "{}", b"7" * size) for size in (9, 9_000)]
    with closing(store.create(path)) as old:
        for name in ("refused_insert", "refused_delete"):
            old.execute(f"DROP TRIGGER {name}")
        old.execute("DELETE FROM meta WHERE name LIKE 'refused%'")
        store.put_refused(old, rows)
    reckoned = sum(refused_share.reckoned_bytes(row.sender, row.reason, row.body) for row in rows)
    with closing(sqlite3.connect(path)) as unbegun:
        assert refused_share.kept_bytes(unbegun) == reckoned
    for _ in range(2):
        with closing(store.create(path)) as writer:
            assert refused_share.kept_bytes(writer) == reckoned
    with closing(store.create(path)) as writer:
        store.forget_refused(writer, Micros(NOW + 1))
        assert refused_share.kept_bytes(writer) == 0


@pytest.mark.parametrize("sizes", [(8_000,), (1_950, 1_980), (100, 3_600), (30,), (65_000, 3_900)])
def test_rows_never_take_more_of_the_file_than_they_are_reckoned_at(
    tmp_path: Path, sizes: tuple[int, ...]
) -> None:
    with closing(store.create(tmp_path / "outbox.sqlite3")) as writer:
        before = store.used_bytes(writer)
        bodies = [b"7" * sizes[no % len(sizes)] for no in range(2_000_000 // sum(sizes))]
        writer.execute("BEGIN")
        store.put_refused(
            writer, (store.Refused(NOW, "test", "bad_value", "{}", body) for body in bodies)
        )
        writer.execute("COMMIT")
        slack = 4 * refused_share.PAGE_BYTES
        grown = store.used_bytes(writer) - before
        assert grown <= refused_share.kept_bytes(writer) + slack


def numbers(directory: Path) -> list[int]:
    with view.opened(directory) as seen:
        return sorted(
            one.no for one in seen.refused(codes=(), sender="", since=Micros(0), limit=99)
        )


def test_a_number_that_was_given_never_names_another_request(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    send(outbox, *[{"type": "?"}] * 3)
    refused_drop.drop(tmp_path, refused_drop.Choice(numbers=[3]))
    send(outbox, {"type": "?"}, {"type": "?"})
    assert numbers(tmp_path) == [1, 2, 4, 5]
    refused_drop.drop(tmp_path, refused_drop.Choice())
    outbox.close()
    outbox = opened(tmp_path)
    send(outbox, {"type": "?"})
    assert numbers(tmp_path) == [6]
    outbox.close()


def test_numbers_of_what_was_kept_long_enough_are_not_given_again(tmp_path: Path) -> None:
    row = store.Refused(NOW, "test", "not_json", "{}", b"")
    with closing(store.create(tmp_path / "outbox.sqlite3")) as writer:
        store.put_refused(writer, [row, row])
        store.forget_refused(writer, Micros(NOW + 1))
        store.put_refused(writer, [row])
    assert numbers(tmp_path) == [3]


def test_dropping_beside_an_older_gateway_gives_no_number_again(tmp_path: Path) -> None:
    row = store.Refused(NOW, "test", "not_json", "{}", b"")
    with closing(store.create(tmp_path / "outbox.sqlite3")) as old:
        old.execute("DROP TRIGGER IF EXISTS refused_gone")
        store.put_refused(old, [row, row])
    assert refused_drop.drop(tmp_path, refused_drop.Choice()) == 2
    with closing(store.create(tmp_path / "outbox.sqlite3")) as writer:
        store.put_refused(writer, [row])
    assert numbers(tmp_path) == [3]
