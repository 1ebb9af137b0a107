"""An outbox is read as it stands, beside a running gateway and without one."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from custody.events import Micros
from producers import store, view
from producers.config import OutboxConfig
from producers.group import Submission
from producers.judge import accept
from producers.outbox import Outbox
from producers.view import NoOutbox
from tests.support import tree
from tests.support.gateway import NOW, terms, ticket, wait_for


def opened_outbox(directory: Path) -> Outbox:
    config = OutboxConfig(directory=directory, gateway_id="GW-TEST", disk_free_bytes_min=1)
    return Outbox(config, lambda: NOW)


def send(outbox: Outbox, *raws: object, at: Micros = NOW, sender: str = "scale-1") -> None:
    given = terms(gateway=outbox.gateway, known=outbox.known)
    outbox.submit(
        Submission(
            outcomes=[accept(raw, at, given) for raw in raws],
            bodies=[lambda: b'{"type":"?"}'] * len(raws),
            now=at,
            sender=sender,
        )
    ).result(10)


def test_the_state_of_a_running_outbox_is_told_by_partition(tmp_path: Path) -> None:
    outbox = opened_outbox(tmp_path)
    send(outbox, *(ticket(no) for no in range(20)), {"type": "?"})
    outbox.acknowledge([store.Ack(no, no, NOW) for no in (1, 2, 3)])
    wait_for(lambda: outbox.floor == 4)
    with view.opened(tmp_path) as seen:
        state = seen.state()
        entries = [entry for _, entry in seen.entries(every=True)]
    assert (state.gateway_id, state.epoch, state.seq) == ("GW-TEST", 1, 20)
    assert state.digest == entries[-1].digest
    assert (state.kept, state.refused, state.recorded_at) == (3, 1, NOW + 20)
    assert sum(one.count for one in state.waiting) == outbox.depth == 18
    for one in state.waiting:
        place = (one.topic, one.partition)
        mine = [e.no for e in entries if e.no > 3 and (e.topic, e.partition) == place]
        assert (one.count, one.first_no) == (len(mine), mine[0])
    assert (state.head_at, state.heads_waiting) == (NOW, 0)
    assert 0 < state.used_bytes <= state.file_bytes
    outbox.close()


def test_where_nothing_can_be_made_beside_it_a_stopped_outbox_is_read_and_no_older_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk SQLite cannot make its index; the file alone is all where its log is empty."""

    def full(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
        assert read_only, path
        raise sqlite3.OperationalError("disk I/O error")

    killed = tmp_path.with_name("killed")
    for no in (1, 2):
        outbox = opened_outbox(tmp_path)
        send(outbox, ticket(no))
        shutil.copytree(tmp_path, killed, dirs_exist_ok=True)
        outbox.close()
    monkeypatch.setattr(store, "connect", full)
    with view.opened(tmp_path) as seen:
        assert seen.state().seq == 2
    with pytest.raises(NoOutbox), view.opened(killed):
        pytest.fail("an older state was shown")


def test_a_stopped_outbox_is_read_and_another_start_finds_it_as_it_was(tmp_path: Path) -> None:
    outbox = opened_outbox(tmp_path)
    send(outbox, ticket(1))
    outbox.close()
    for _ in range(2):
        with view.opened(tmp_path) as seen:
            assert [line.seq for line in seen.lines(waiting=None, since=NOW, limit=9)] == [1, None]
    again = opened_outbox(tmp_path)
    assert again.gateway == ("GW-TEST", 1)
    again.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.unit.producers.test_view import opened_outbox, send, ticket
outbox = opened_outbox(Path(sys.argv[1]))
send(outbox, ticket(1), ticket(2))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_an_outbox_whose_gateway_was_killed_is_read_to_its_last_commit(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(tree.ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], env=environment, check=False
    )
    assert done.returncode == -signal.SIGKILL
    with view.opened(tmp_path) as seen:
        assert seen.state().seq == 2


def test_one_state_is_seen_while_more_is_taken(tmp_path: Path) -> None:
    outbox = opened_outbox(tmp_path)
    send(outbox, ticket(1))
    with view.opened(tmp_path) as seen:
        before = seen.state()
        send(outbox, ticket(2))
        assert replace(seen.state(), file_bytes=0) == replace(before, file_bytes=0)
        assert len(list(seen.entries(every=False))) == 2
    outbox.close()


def test_a_list_is_cut_by_state_time_and_number(tmp_path: Path) -> None:
    outbox = opened_outbox(tmp_path)
    send(outbox, ticket(1))
    later = Micros(NOW + 5_000_000)
    send(outbox, ticket(2), ticket(3), at=later)
    outbox.acknowledge([store.Ack(2, 70, NOW)])
    wait_for(lambda: outbox.depth == 3)
    with view.opened(tmp_path) as seen:
        published = seen.lines(waiting=False, since=Micros(0), limit=9)
        assert [(line.no, line.offset, line.published_at) for line in published] == [(2, 70, NOW)]
        waiting = seen.lines(waiting=True, since=later, limit=9)
        assert [line.seq for line in waiting] == [3, 2]
        assert [line.seq for line in seen.lines(waiting=None, since=later, limit=1)] == [3]
        assert [entry.no for _, entry in seen.entries(every=False)] == [1, 3, 4]
        assert [entry.no for _, entry in seen.entries(every=True)] == [1, 2, 3, 4]
    outbox.close()


def test_entries_are_read_in_pages_without_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("producers.view.READ_ENTRIES", 3)
    outbox = opened_outbox(tmp_path)
    send(outbox, *(ticket(no) for no in range(10)))
    with view.opened(tmp_path) as seen:
        assert [(epoch, e.no) for epoch, e in seen.entries(every=False)] == [
            (1, no) for no in range(1, 12)
        ]
    outbox.close()


def test_refused_requests_are_found_by_code_sender_and_time(tmp_path: Path) -> None:
    outbox = opened_outbox(tmp_path)
    send(outbox, {"type": "?"}, ticket(1, net_kg=1))
    send(outbox, {"type": "?"}, at=Micros(NOW + 9), sender="lims%")
    with view.opened(tmp_path) as seen:

        def found(*codes: str, sender: str = "", since: Micros = Micros(0)) -> list[int]:  # noqa: B008
            kept = seen.refused(codes=codes, sender=sender, since=since, limit=9)
            return [one.no for one in kept]

        assert found() == [3, 2, 1]
        assert found("unknown_type") == [3, 1]
        assert found("unknown_type", "net_mismatch") == [3, 2, 1]
        assert found(sender="scale") == [2, 1]
        assert found(sender="%") == [3], "a text, not a pattern"
        assert found(since=Micros(NOW + 1)) == [3]
        one = seen.refused_one(2)
        assert one is not None
        assert (one.code, one.sender, one.body) == ("net_mismatch", "scale-1", b'{"type":"?"}')
        assert seen.refused_one(4) is None
    outbox.close()


def test_what_is_no_outbox_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoOutbox, match="is not there"), view.opened(tmp_path):
        pass
    (tmp_path / view.FILE).write_bytes(b"not a database, and longer than its header is" * 9)
    with pytest.raises(NoOutbox, match="not a database"), view.opened(tmp_path):
        pass
    shutil.copy(tmp_path / view.FILE, tmp_path / "kept")
    (tmp_path / view.FILE).unlink()
    writer = store.create(tmp_path / view.FILE)
    store.put_meta(writer, {"format": 99})
    writer.close()
    with pytest.raises(store.OutboxUnreadable), view.opened(tmp_path):
        pass


def test_the_lock_leaves_no_file_but_itself(tmp_path: Path) -> None:
    outbox = opened_outbox(tmp_path)
    assert (tmp_path / "lock").stat().st_size == 0
    assert not list(tmp_path.glob("lock?*"))
    outbox.close()
    with pytest.raises(sqlite3.ProgrammingError):
        outbox._writer.execute("SELECT 1")
