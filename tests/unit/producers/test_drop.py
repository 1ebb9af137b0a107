"""The file drop: each content once, nothing half, nothing followed, everything answered."""

import errno
import gzip
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest

from custody.events import Micros
from producers import drop_place
from producers.drop import Drop
from producers.drop_file import UNREAD_MAX
from producers.drop_look import EMPTY_LOOKS
from producers.drop_name import safe, wrong_in
from producers.drop_read import READERS, Dropped, Fault, Reader, Row, Unreadable, lines
from producers.group import Answer
from producers.outbox import OutboxClosed
from producers.service import Gateway
from telemetry import metrics
from tests.support import gateway as support
from tests.support import inlets
from tests.support.gateway import ticket
from tests.support.inlets import codes, event_ids, looked, names, ndjson, result_of
from tests.support.tables import weighing


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with support.running(support.config(tmp_path / "gateway"), publish=False) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "drop"
    made.mkdir()
    return made


def health(one: Drop) -> tuple[object, object]:
    return one.state()["state"], one.state()["waiting"]


def test_a_file_of_good_lines_is_done_and_its_result_names_each_event(
    gateway: Gateway, folder: Path
) -> None:
    content = ndjson([ticket(no) for no in range(3)])
    (folder / "day.ndjson").write_text(content)
    looked(inlets.drop(gateway, folder))
    assert names(folder) == ["done/day.ndjson", "done/day.ndjson.result.json"]
    result = result_of(folder, "day.ndjson")
    assert result["outcome"] == "done"
    assert result["sha256"] == hashlib.sha256(content.encode()).hexdigest()
    assert result["counts"] == {"accepted": 3, "duplicate": 0, "refused": 0}
    assert isinstance(result["requests"], list)
    assert [item["row"] for item in result["requests"]] == [1, 2, 3]
    assert [item["event_id"] for item in result["requests"]] == event_ids(gateway.outbox.path)
    assert gateway.counts.value(metrics.DROP_FILES, "done") == 1


@pytest.mark.parametrize("name", ["one.json", "list.JSON", "lines.jsonl"])
def test_a_list_an_object_and_lines_are_read_by_the_end_of_the_name(
    gateway: Gateway, folder: Path, name: str
) -> None:
    given = ticket(1) if name == "one.json" else [ticket(1), ticket(2)]
    text = ndjson([ticket(1), ticket(2)]) if name == "lines.jsonl" else json.dumps(given)
    (folder / name).write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    looked(inlets.drop(gateway, folder))
    assert set(codes(result_of(folder, name))) == {"accepted"}


def test_a_file_with_refused_lines_fails_and_says_which_and_keeps_the_others(
    gateway: Gateway, folder: Path
) -> None:
    text = ndjson([ticket(1)]) + "\n{broken\n" + ndjson([{"type": "?"}, ticket(2)])
    (folder / "day.ndjson").write_text(text)
    looked(inlets.drop(gateway, folder))
    result = result_of(folder, "day.ndjson")
    assert (result["outcome"], result["reason"]) == ("failed", "refused_requests")
    assert codes(result) == ["accepted", "bad_value", "unknown_type", "accepted"]
    assert isinstance(result["requests"], list)
    assert [item["row"] for item in result["requests"]] == [1, 3, 4, 5]
    kept = gateway.outbox.refused(Micros(0), 10)
    assert [(row.sender, row.code) for row in kept] == [
        ("drop:day.ndjson", "bad_value"),
        ("drop:day.ndjson", "unknown_type"),
    ]
    assert kept[0].body == b"{broken\n"


def test_the_same_content_under_another_name_is_not_taken_again(
    gateway: Gateway, folder: Path
) -> None:
    one = inlets.drop(gateway, folder)
    for name in ("first.ndjson", "second.ndjson"):
        (folder / name).write_text(ndjson([ticket(1)]))
        looked(one)
    result = result_of(folder, "second.ndjson")
    assert result["outcome"] == "repeated"
    assert isinstance(result["taken_before"], dict)
    assert result["taken_before"]["file"] == "first.ndjson"
    assert result["counts"] == {"accepted": 0, "duplicate": 1, "refused": 0}
    assert result["taken_before"]["counts"] == {"accepted": 1, "duplicate": 0, "refused": 0}
    assert result["requests"] == []
    assert len(event_ids(gateway.outbox.path)) == 1


def test_a_list_may_be_utf_16_and_lines_may_not(gateway: Gateway, folder: Path) -> None:
    """As docs/gateway.md has it: the first bytes tell of one value, and lines are cut before."""
    (folder / "day.json").write_bytes(f"[{ndjson([ticket(1)])}]".encode("utf-16"))
    (folder / "day.ndjson").write_bytes(ndjson([ticket(2), ticket(3)]).encode("utf-16"))
    looked(inlets.drop(gateway, folder))
    assert codes(result_of(folder, "day.json")) == ["accepted"]
    lines = result_of(folder, "day.ndjson")
    assert set(codes(lines)) == {"bad_value"}
    assert len(event_ids(gateway.outbox.path)) == 1


def test_a_second_file_of_one_name_is_kept_beside_the_first(gateway: Gateway, folder: Path) -> None:
    one = inlets.drop(gateway, folder)
    for no in range(3):
        (folder / "day.ndjson").write_text(ndjson([ticket(no)]))
        looked(one)
    kept = [name for name in names(folder) if not name.endswith("result.json")]
    assert kept == ["done/day.ndjson", "done/day~1.ndjson", "done/day~2.ndjson"]
    assert result_of(folder, "day~2.ndjson")["file"] == "day.ndjson"


def test_a_failed_file_that_comes_again_is_read_again(gateway: Gateway, folder: Path) -> None:
    one = inlets.drop(gateway, folder)
    for _ in range(2):
        (folder / "day.ndjson").write_text(ndjson([ticket(1), {"type": "?"}]))
        looked(one)
    assert codes(result_of(folder, "day.ndjson")) == ["accepted", "unknown_type"]
    assert codes(result_of(folder, "day~1.ndjson")) == ["duplicate", "unknown_type"]


def test_a_file_that_grows_is_left_alone_until_two_looks_find_it_the_same(
    gateway: Gateway, folder: Path
) -> None:
    one, path = inlets.drop(gateway, folder), folder / "day.ndjson"
    path.touch()
    looked(one)
    for no in range(3):
        with path.open("a") as file:
            file.write(ndjson([ticket(no)]))
        one._look_once()
        assert path.exists()
    assert health(one) == ("watching", 1)
    one._look_once()
    assert not path.exists()
    assert health(one) == ("watching", 0)
    assert len(event_ids(gateway.outbox.path)) == 3


@pytest.mark.parametrize(
    "name", ["day.ndjson.part", "day.tmp", "day.FilePart", ".hidden.ndjson", "~day.ndjson",
             "mapping.toml", "day.csv.mapping.toml"],
)  # fmt: skip
def test_what_is_hidden_or_half_written_by_its_name_is_left_alone(
    gateway: Gateway, folder: Path, name: str
) -> None:
    (folder / name).write_text(ndjson([ticket(1)]))
    one = looked(inlets.drop(gateway, folder))
    assert names(folder) == [name]
    assert health(one) == ("watching", 0)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a\nb.ndjson", "characters"),
        ("up\\..\\day.ndjson", "characters"),
        ("day\u202enosjdn.ndjson", "characters"),
        ("day\udce9.ndjson", "characters"),
        ("CON.ndjson", "device"),
        ("day.ndjson ", "space"),
        ("day.ndjson.result.json", "results"),
        ("é" * 110 + ".ndjson", "bytes"),
    ],
)
def test_a_bad_name_is_put_aside_under_a_good_one(
    gateway: Gateway, folder: Path, name: str, why: str
) -> None:
    (folder / name).write_text(ndjson([ticket(1)]))
    looked(inlets.drop(gateway, folder))
    (kept, result) = sorted((folder / "failed").iterdir())
    assert wrong_in(kept.name) is None
    assert kept.name == safe(name)
    found = json.loads(result.read_text())
    assert found["reason"] == "bad_name"
    assert why in found["detail"]
    assert event_ids(gateway.outbox.path) == []


def test_links_folders_and_pipes_are_refused_and_neither_followed_nor_moved(
    gateway: Gateway, folder: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.ndjson"
    secret.write_text(ndjson([ticket(1)]))
    (folder / "link.ndjson").symlink_to(secret)
    (folder / "away.ndjson").symlink_to(tmp_path / "not there")
    (folder / "folder.ndjson").mkdir()
    os.mkfifo(folder / "pipe.ndjson")
    one = looked(inlets.drop(gateway, folder))
    for name in ("link.ndjson", "away.ndjson", "folder.ndjson", "pipe.ndjson"):
        assert os.path.lexists(folder / name)
        assert result_of(folder, name)["reason"] == "not_a_file"
    assert secret.exists()
    assert event_ids(gateway.outbox.path) == []
    for path in (folder / "failed").iterdir():
        path.unlink()
    looked(one)
    assert list((folder / "failed").iterdir()) == [], "said once"


def test_a_link_put_where_files_are_taken_from_is_not_followed(
    gateway: Gateway, folder: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.ndjson"
    secret.write_text(ndjson([ticket(1)]))
    (folder / "taking").mkdir()
    (folder / "taking" / "day.ndjson").symlink_to(secret)
    looked(inlets.drop(gateway, folder))
    assert result_of(folder, "day.ndjson")["reason"] == "unreadable"
    assert event_ids(gateway.outbox.path) == []


@pytest.mark.parametrize("name", ["done", "failed", "taking"])
def test_a_link_in_place_of_our_own_folder_is_not_written_through(
    gateway: Gateway, folder: Path, tmp_path: Path, name: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / name).symlink_to(elsewhere)
    (folder / "day.ndjson").write_text(ndjson([ticket(1)]))
    one = looked(inlets.drop(gateway, folder))
    assert list(elsewhere.iterdir()) == []
    assert one.state()["state"] == "folder_away"
    assert (folder / "day.ndjson").exists()


def test_a_file_over_its_bound_is_refused_before_it_is_read(gateway: Gateway, folder: Path) -> None:
    (folder / "day.ndjson").write_text(ndjson([ticket(no) for no in range(9)]))
    (folder / "day.json").write_text(json.dumps([ticket(1)] * 9, default=float))
    looked(inlets.drop(gateway, folder, file_bytes_max=999, list_bytes_max=999))
    for name in ("day.ndjson", "day.json"):
        result = result_of(folder, name)
        assert (result["reason"], result["sha256"]) == ("too_large", None)
    assert event_ids(gateway.outbox.path) == []


def test_a_line_over_its_bound_is_refused_and_the_next_ones_are_read(
    gateway: Gateway, folder: Path
) -> None:
    long = '{"type": "' + "x" * 10_000_000 + '"}\n'
    (folder / "day.ndjson").write_text(ndjson([ticket(1)]) + long + ndjson([ticket(2)]))
    looked(inlets.drop(gateway, folder))
    result = result_of(folder, "day.ndjson")
    assert codes(result) == ["accepted", "too_many_items", "accepted"]
    assert len(gateway.outbox.refused(Micros(0), 10)[0].body) == 65_536


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("day.pdf", b"anything", "unknown_kind"),
        ("noend", b"anything", "unknown_kind"),
        ("day.json", b"[1, 2", "not_json"),
        ("day.json", b"7", "not_json"),
        ("day.json", b'{"net_kg": 1, "net_kg": 2}', "not_json"),
        ("day.json", b"\xff\xfe\xff", "not_json"),
        ("day.json", b"[" * 50_000, "not_json"),
        ("day.json", b"[]," * 100_000, "too_large"),
        ("day.ndjson", b"\x00\n" * (UNREAD_MAX + 1), "unreadable_rows"),
        ("day.json", gzip.compress(b"[]", mtime=0), "not_json"),
    ],
)
def test_what_is_no_file_of_requests_fails_as_a_whole_by_name(
    gateway: Gateway, folder: Path, name: str, content: bytes, reason: str
) -> None:
    (folder / name).write_bytes(content)
    looked(inlets.drop(gateway, folder))
    assert result_of(folder, name)["reason"] == reason
    assert event_ids(gateway.outbox.path) == []


def test_an_empty_file_is_given_time_and_then_fails_by_name(gateway: Gateway, folder: Path) -> None:
    one = inlets.drop(gateway, folder)
    for name in ("day.ndjson", "late.ndjson", "day.csv"):
        (folder / name).touch()
    for _ in range(EMPTY_LOOKS - 1):
        one._look_once()
    assert names(folder) == ["day.csv", "day.ndjson", "late.ndjson"]
    # Its writer comes at the last moment: it is read like any other.
    (folder / "late.ndjson").write_text(ndjson([ticket(1)]))
    looked(one)
    for name in ("day.ndjson", "day.csv"):
        result = result_of(folder, name)
        assert (result["outcome"], result["reason"]) == ("failed", "empty")
        assert "0 bytes" in str(result["detail"])
        assert (folder / "failed" / name).exists()
    assert codes(result_of(folder, "late.ndjson")) == ["accepted"]
    # The same name with content, and the next empty one, are files of their own.
    (folder / "day.ndjson").write_text(ndjson([ticket(2)]))
    looked(one)
    assert (folder / "done" / "day.ndjson").exists()


def test_an_empty_file_that_is_touched_is_still_somebody_s(gateway: Gateway, folder: Path) -> None:
    one = inlets.drop(gateway, folder)
    for no in range(2 * EMPTY_LOOKS):
        (folder / "day.ndjson").touch()
        os.utime(folder / "day.ndjson", ns=(no, no))
        one._look_once()
    assert names(folder) == ["day.ndjson"]


def test_an_empty_list_is_done(gateway: Gateway, folder: Path) -> None:
    (folder / "day.json").write_text("[]")
    looked(inlets.drop(gateway, folder))
    assert result_of(folder, "day.json")["outcome"] == "done"


def test_a_closed_outbox_makes_a_file_wait_and_loses_nothing(
    gateway: Gateway, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taking = inlets.taking_of(gateway)
    seen: list[object] = []

    def take(raws: Sequence[object], sender: str) -> "Future[list[Answer]]":
        if len(seen) == 3:
            return taking(raws, sender)
        seen.append(health(one))
        closed: Future[list[Answer]] = Future()
        closed.set_exception(OutboxClosed("full", "no room"))
        return closed

    monkeypatch.setattr("producers.drop_file.RETRY_S", 0.0)
    one = inlets.drop(gateway, folder, take=take)
    (folder / "day.ndjson").write_text(ndjson([ticket(no) for no in range(3)]))
    looked(one)
    assert seen[1:] == [("outbox_closed", 1)] * 2
    assert health(one) == ("watching", 0)
    assert codes(result_of(folder, "day.ndjson")) == ["accepted"] * 3


def test_a_stop_leaves_a_file_that_the_next_start_goes_on_with(
    gateway: Gateway, folder: Path
) -> None:
    taking = inlets.taking_of(gateway)

    def take(raws: Sequence[object], sender: str) -> "Future[list[Answer]]":
        first._stop.set()
        return taking(raws, sender)

    first = inlets.drop(gateway, folder, take=take, batch_requests_max=2)
    (folder / "day.ndjson").write_text(ndjson([ticket(no) for no in range(6)]))
    looked(first)
    assert names(folder) == ["taking/day.ndjson"]
    assert len(event_ids(gateway.outbox.path)) == 2
    inlets.drop(gateway, folder)._look_once()
    result = result_of(folder, "day.ndjson")
    assert result["counts"] == {"accepted": 6, "duplicate": 0, "refused": 0}
    assert len(event_ids(gateway.outbox.path)) == 6


def test_a_file_that_changes_while_it_is_read_is_left_to_its_writer(
    gateway: Gateway, folder: Path
) -> None:
    def growing(dropped: Dropped) -> Iterator[Row]:
        yield from lines(dropped)
        if not grown:
            grown.append(True)
            with dropped.path.open("a") as file:
                file.write(ndjson([ticket(2)]))

    grown: list[bool] = []
    readers = {".ndjson": Reader(growing, lambda limits: limits.file_bytes_max)}
    one = inlets.drop(gateway, folder, readers=readers)
    (folder / "day.ndjson").write_text(ndjson([ticket(1)]))
    looked(one)
    assert names(folder) == ["day.ndjson"]
    looked(one)
    assert codes(result_of(folder, "day.ndjson")) == ["duplicate", "accepted"]


def test_a_folder_that_is_away_is_a_state_and_no_folder_is_made_in_its_place(
    gateway: Gateway, folder: Path, tmp_path: Path
) -> None:
    one = looked(inlets.drop(gateway, folder))
    folder.rename(tmp_path / "unmounted")
    one._look_once()
    assert one.state()["state"] == "folder_away"
    assert not folder.exists()
    (tmp_path / "unmounted").rename(folder)
    (folder / "day.ndjson").write_text(ndjson([ticket(1)]))
    looked(one)
    assert health(one) == ("watching", 0)
    assert codes(result_of(folder, "day.ndjson")) == ["accepted"]


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_folder_that_cannot_be_written_is_a_state_and_is_tried_again(
    gateway: Gateway, folder: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def failing(*_: object) -> None:
        raise OSError(code, os.strerror(code), "day.ndjson")

    (folder / "day.ndjson").write_text(ndjson([ticket(1)]))
    one = inlets.drop(gateway, folder)
    with monkeypatch.context() as broken:
        broken.setattr(drop_place, "move", failing)
        broken.setattr(Path, "touch", failing)
        looked(one)
        assert one.state()["state"] == "folder_unusable"
        assert one.state()["reason"] == f"{os.strerror(code)}: day.ndjson"
    one._look_once()
    assert codes(result_of(folder, "day.ndjson")) == ["accepted"]
    assert gateway.health().ok


def test_a_file_that_somebody_has_open_on_windows_waits(
    gateway: Gateway, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shared(*_: object) -> None:
        raise PermissionError(errno.EACCES, "in use", "day.ndjson")

    (folder / "day.ndjson").write_text(ndjson([ticket(1)]))
    one = inlets.drop(gateway, folder)
    with monkeypatch.context() as busy:
        busy.setattr(drop_place, "move", shared)
        looked(one)
        assert health(one) == ("watching", 1)
    one._look_once()
    assert health(one) == ("watching", 0)


def test_folders_on_other_file_systems_are_moved_to_by_copy(
    gateway: Gateway, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def apart(_source: Path, _target: Path) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    content = ndjson([ticket(1)])
    (folder / "day.ndjson").write_text(content)
    with monkeypatch.context() as other:
        other.setattr(Path, "rename", apart)
        looked(inlets.drop(gateway, folder))
    assert names(folder) == ["done/day.ndjson", "done/day.ndjson.result.json"]
    assert (folder / "done" / "day.ndjson").read_text() == content


def test_a_reader_chosen_by_the_end_of_the_name_may_read_what_lies_beside(
    gateway: Gateway, folder: Path
) -> None:
    """The seam of further kinds: a mapping beside the file makes it another file."""

    def rows(dropped: Dropped) -> Iterator[Row]:
        if not (dropped.folder / f"{dropped.name}.mapping.toml").exists():
            raise Unreadable(*nothing)
        for no, line in enumerate(dropped.file, start=1):
            ticket_no = line.decode().strip()
            # Two requests of one row.
            yield no, ticket(1, ticket_no=f"{ticket_no}a")
            yield no, ticket(1, ticket_no=f"{ticket_no}b")

    nothing = (Fault.UNREADABLE, "no mapping")
    beside: Callable[[Path, str], Sequence[Path]] = lambda at, name: [  # noqa: E731  a seam's shape
        path for path in [at / f"{name}.mapping.toml"] if path.exists()
    ]
    csv = Reader(rows, lambda limits: limits.file_bytes_max, beside)
    one = inlets.drop(gateway, folder, readers={**READERS, ".csv": csv}, batch_requests_max=3)
    (folder / "day.csv").write_text("T1\nT2\n")
    looked(one)
    assert result_of(folder, "day.csv")["reason"] == "unreadable"
    (folder / "day.csv.mapping.toml").write_text("mapping = 1")
    (folder / "day.csv").write_text("T1\nT2\n")
    looked(one)
    result = json.loads((folder / "done" / "day.csv.result.json").read_text())
    assert [item["row"] for item in result["requests"]] == [1, 1, 2, 2]
    (folder / "again.csv").write_text("T1\nT2\n")
    (folder / "again.csv.mapping.toml").write_text("mapping = 2")
    looked(one)
    assert codes(result_of(folder, "again.csv")) == ["duplicate"] * 4


def test_a_table_is_read_by_the_mapping_beside_it(gateway: Gateway, folder: Path) -> None:
    examples = Path(__file__).parents[3] / "examples"
    one = inlets.drop(gateway, folder)
    (folder / "jour.csv").write_bytes((examples / "pont-bascule.csv").read_bytes())
    looked(one)
    result = result_of(folder, "jour.csv")
    assert (result["reason"], result["detail"]) == (
        "unreadable",
        "no jour.csv.mapping.toml and no mapping.toml beside it",
    )

    (folder / "mapping.toml").write_bytes((examples / "pont-bascule.toml").read_bytes())
    (folder / "jour.csv").write_bytes((examples / "pont-bascule.csv").read_bytes())
    looked(one)
    result = json.loads((folder / "done" / "jour.csv.result.json").read_text())
    assert set(codes(result)) == {"accepted", "skipped"}
    (folder / "jour.csv").write_bytes(b"no table at all")
    looked(one)
    failed = json.loads((folder / "failed" / "jour.csv.result.json").read_text())
    assert failed["reason"] == "unreadable"


@pytest.mark.parametrize("taken", ["day.csv.mapping.toml", "mapping.toml"])
@pytest.mark.parametrize("what", ["a link", "a link to nothing", "a link beside it", "a folder"])
def test_a_mapping_that_is_no_file_is_named_and_no_other_is_used(
    gateway: Gateway, folder: Path, tmp_path: Path, taken: str, what: str
) -> None:
    """A link was passed over for ``mapping.toml``: 0.25 was read as per cent and not as a share."""
    (tmp_path / "other.toml").write_text(weighing())
    (folder / "third.toml").write_text(weighing())
    if taken != "mapping.toml":
        (folder / "mapping.toml").write_text(weighing())
    to = {"a link beside it": "third.toml", "a link to nothing": "gone.toml"}
    if what == "a folder":
        (folder / taken).mkdir()
    else:
        (folder / taken).symlink_to(to.get(what, tmp_path / "other.toml"))
    (folder / "day.csv").write_text("ticket,at,lot,net\nT-1,2026-11-03 06:42,L-1,30000\n")
    looked(inlets.drop(gateway, folder))
    result = result_of(folder, "day.csv")
    kind = "a folder" if what == "a folder" else "a link"
    assert (result["outcome"], result["reason"]) == ("failed", "unreadable")
    assert result["detail"] == f"{taken} is {kind}: a mapping has to be a file"
    assert event_ids(gateway.outbox.path) == []


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_rows_that_a_mapping_leaves_out_stand_in_the_result(
    gateway: Gateway, folder: Path, batch: int
) -> None:
    """A pattern too wide left out tickets, and nothing anywhere said so."""
    rule = 'skip_where = [{ column = "ticket", matches = ["total*"] }]'
    (folder / "mapping.toml").write_text(weighing(rule))
    at = "2026-11-03 06:42"
    rows = f"TOTALENERGIES-1,{at},L-1,30000\nT-2,{at},L-1,30000\n\nTotal,,,60000\n"
    (folder / "day.csv").write_text(f"ticket,at,lot,net\n{rows}")
    looked(inlets.drop(gateway, folder, batch_requests_max=batch))
    result = json.loads((folder / "done" / "day.csv.result.json").read_text())
    assert result["counts"] == {"accepted": 1, "duplicate": 0, "refused": 0}
    assert result["skipped"] == 2
    assert [(one["row"], one["result"]) for one in result["requests"]] == [
        (2, "skipped"), (3, "accepted"), (5, "skipped"),
    ]  # fmt: skip


def test_a_reader_that_trips_over_a_bug_puts_its_file_aside(gateway: Gateway, folder: Path) -> None:
    def rows(dropped: Dropped) -> Iterator[Row]:
        yield 1, ticket(1)
        yield 2, ticket(2)
        raise ZeroDivisionError(dropped.name)

    readers = {**READERS, ".bug": Reader(rows, lambda limits: limits.file_bytes_max)}
    (folder / "a.bug").write_text("x")
    (folder / "b.ndjson").write_text(ndjson([ticket(3)]))
    looked(inlets.drop(gateway, folder, readers=readers, batch_requests_max=1))
    result = result_of(folder, "a.bug")
    assert (result["reason"], result["detail"]) == ("internal", "ZeroDivisionError")
    assert codes(result) == ["accepted", "accepted"]
    assert codes(result_of(folder, "b.ndjson")) == ["accepted"]
