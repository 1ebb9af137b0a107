"""`custody outbox` and `custody refused`: what they show, write and send."""

import base64
import errno
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import pytest

from custody.digest import GENESIS, first_break
from custody.events import Micros
from producers import view
from producers.content import canonical
from producers.fields import plain
from producers.outcome import Record
from producers.requests import MODELS
from producers.service import Gateway, Options
from runtime.cli.main import run
from runtime.client import JsonObject
from schemas.codec import decode
from tests.support.gateway import NOW, config, golden, running, ticket

SOME_ID, UNSEEN_ID = (f"0199f3c0-6d1e-7c4a-9b1f-2a5d8c3e7f9{no}" for no in (0, 1))


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    monkeypatch.setenv("CUSTODY_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with running(config(tmp_path / "gateway"), publish=False) as started:
        monkeypatch.setattr("runtime.cli.refused.connect.gateway", lambda: _asked(started))
        yield started


class _Asked:
    """The running gateway, without HTTP in between."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def publish_texts(
        self, texts: Sequence[str], options: Mapping[str, str] | None = None
    ) -> list[JsonObject]:
        backfill = (options or {}).get("backfill") == "true"
        raws = [json.loads(text) for text in texts]
        answers = self._gateway.take(raws, Options(backfill=backfill), "again").result(10)
        return [dict(answer.item) for answer in answers]


@contextmanager
def _asked(gateway: Gateway) -> Iterator[_Asked]:
    yield _Asked(gateway)


def test_an_export_onto_a_full_disk_leaves_no_half_file(
    gateway: Gateway,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    take(gateway, ticket(1))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("runtime.cli.outbox.os.fsync", full)
    out = tmp_path / "stick" / "waiting.ndjson"
    out.parent.mkdir()
    assert run(["outbox", "export", "--out", str(out)]) != 0
    assert "No space left on device" in capsys.readouterr().err
    assert list(out.parent.iterdir()) == []


def take(gateway: Gateway, *raws: object) -> None:
    gateway.take(raws, Options(), "scale-1").result(10)


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert run(list(arguments)) == code
    return capsys.readouterr().out


def rows(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_status_shows_the_limit_and_what_waits_where(
    gateway: Gateway, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUSTODY_GATEWAY__OUTBOX_BYTES_MAX", str(32 << 20))
    take(gateway, *(ticket(no) for no in range(9)), {"type": "?"})
    [status] = rows(said(capsys, "outbox", "status", "--json"))
    partitions = status["partitions"]
    assert isinstance(partitions, list)
    assert sum(one["count"] for one in partitions) == status["waiting"] == gateway.outbox.depth
    used = gateway.outbox.room
    assert (status["gateway_id"], status["gateway_seq"]) == ("GW-TEST", 9)
    # Nine tenths for records, a tenth for refused requests.
    assert (status["limit_bytes"], status["refused_limit_bytes"]) == (30_198_989, 3_355_443)
    assert (status["refused_kept"], status["refused_unkept"]) == (1, 0)
    assert status["refused_full"] is False
    assert status["used_bytes"] == pytest.approx(used.used_bytes, abs=1 << 17)
    text = said(capsys, "outbox", "status")
    assert "GW-TEST, epoch 1, seq 9" in text
    assert "of 30 MB" in text
    assert "custody.fact.v1" in text


def test_list_shows_the_latest_first_within_its_bounds(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    take(gateway, *(ticket(no) for no in range(9)))
    shown = rows(said(capsys, "outbox", "list", "--waiting", "--limit", "3", "--json"))
    assert [row["gateway_seq"] for row in shown] == [9, 8, 7]
    assert said(capsys, "outbox", "list", "--published").count("\n") == 1, "the heading alone"
    assert rows(said(capsys, "outbox", "list", "--since", "2100-01-01", "--json")) == []
    assert said(capsys, "outbox", "list", "--since", "yesterday", code=2) == ""


def test_an_export_holds_each_waiting_record_whole(
    gateway: Gateway, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    take(gateway, golden("weighing"), golden("reference"), golden("processing"), golden("assay"))
    out = tmp_path / "stick" / "waiting.ndjson"
    assert run(["outbox", "export", "--out", str(out)]) == 3, "no such directory"
    out.parent.mkdir()
    text = said(capsys, "outbox", "export", "--out", str(out))
    assert text == f"{gateway.outbox.depth} records in {out}\n"
    assert [path.name for path in out.parent.iterdir()] == ["waiting.ndjson"]
    found = rows(out.read_text("utf-8"))
    with view.opened(tmp_path / "gateway") as seen:
        entries = [entry for _, entry in seen.entries(every=True)]
    assert [row["no"] for row in found] == [entry.no for entry in entries]
    facts = [(r, e) for r, e in zip(found, entries, strict=True) if e.seq is not None]
    for row, entry in facts:
        assert base64.b64decode(str(row["body_base64"])) == entry.body
        content = row["content"]
        assert isinstance(content, dict)
        assert content["gateway_seq"] == entry.seq
        assert content == json.loads(json.dumps(asdict(decode(entry.stem, entry.body))))
    assert first_break(GENESIS, [_link(row) for row, _ in facts]) is None


def exported(tmp_path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> Path:
    out = tmp_path / "waiting.ndjson"
    said(capsys, "outbox", "export", "--out", str(out), *more)
    return out


def facts(directory: Path) -> dict[str, set[tuple[str, int, bytes]]]:
    """What an outbox holds by event id: places, and what is said there whoever took it when."""
    found: dict[str, set[tuple[str, int, bytes]]] = {}
    with view.opened(directory) as seen:
        for _, entry in seen.entries(every=True):
            if entry.event_id is not None:
                record = cast("Record", decode(entry.stem, entry.body))
                place = (entry.topic, entry.partition, canonical(record))
                found.setdefault(entry.event_id, set()).add(place)
    return found


def test_an_export_published_elsewhere_ends_as_the_same_facts_and_here_as_duplicates(
    gateway: Gateway,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    take(gateway, *(golden(stem) for stem in MODELS), ticket(1, corrects=UNSEEN_ID, void=True))
    own_ids = {"event_id": SOME_ID, "process_id": "P-78"}
    take(gateway, {**golden("processing"), **own_ids})
    out = exported(tmp_path, capsys)
    # A reference stands in a line for each partition; its copies and the heads are passed over.
    sent = len(MODELS) + 1 + 2 * 5 - 1
    here = said(capsys, "publish", str(out))
    assert here == f"accepted 0, duplicate {sent}, refused 0\n"

    with running(config(tmp_path / "other", gateway_id="GW-OTHER"), publish=False) as other:
        monkeypatch.setattr("runtime.cli.events.connect.gateway", lambda: _asked(other))
        take(other, golden("weighing"))
        there = said(capsys, "publish", str(out)).partition(";")[0].strip()
        assert there == f"accepted {sent - 1}, duplicate 1, refused 0"
        assert facts(tmp_path / "other") == facts(tmp_path / "gateway")
        assert said(capsys, "publish", str(out)).startswith(f"accepted 0, duplicate {sent}")


@pytest.mark.parametrize(
    ("field", "bend", "code"),
    [
        ("body_base64", lambda body: "AAAA" + body[4:], "damaged_export"),
        ("body_base64", lambda _: "no base64", "damaged_export"),
        ("content", lambda content: {**content, "net_g": 1}, "damaged_export"),
        ("headers", lambda _: {}, "damaged_export"),
        ("schema_fingerprint", lambda text: text[:-1], "damaged_export"),
        ("type", lambda _: "transfer", "unknown_type"),
    ],
)
def test_a_line_that_is_not_as_it_was_exported_is_refused_and_the_others_are_taken(
    gateway: Gateway,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    field: str,
    bend: Callable[[Any], object],
    code: str,
) -> None:
    take(gateway, ticket(1), ticket(2))
    out = exported(tmp_path, capsys)
    lines = rows(out.read_text("utf-8"))
    at = next(no for no, row in enumerate(lines) if row["gateway_seq"] == 1)
    lines[at][field] = bend(lines[at][field])
    out.write_text("".join(json.dumps(row) + "\n" for row in lines), "utf-8")
    answers = rows(said(capsys, "publish", "--json", str(out), code=1))
    assert [(a["line"], a.get("code") or a["result"]) for a in answers] == [
        (at + 1, code),
        (at + 2, "duplicate"),
    ]


def test_a_record_of_another_version_says_so(
    gateway: Gateway,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    take(gateway, ticket(1))
    monkeypatch.setattr("runtime.exported.avro.fingerprint", lambda _: bytes(32))
    [answer] = rows(said(capsys, "publish", "--json", str(exported(tmp_path, capsys)), code=1))
    assert (answer["code"], answer["field"]) == ("other_schema", "schema_fingerprint")
    assert "exported by the version that reads it" in str(answer["allowed"])


def _link(row: Mapping[str, object]) -> tuple[bytes, bytes, bytes, bytes]:
    headers = row["headers"]
    assert isinstance(headers, dict)
    assert bytes.fromhex(headers["gateway"]) == b"GW-TEST"
    fingerprint = bytes.fromhex(str(row["schema_fingerprint"]))
    prev, digest = bytes.fromhex(headers["prev"]), bytes.fromhex(headers["digest"])
    return prev, fingerprint, base64.b64decode(str(row["body_base64"])), digest


def test_where_there_is_no_outbox_the_command_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CUSTODY_DATA_DIR", str(tmp_path / "nowhere"))
    assert run(["outbox", "status"]) == 3
    assert "CUSTODY_DATA_DIR" in capsys.readouterr().err


def test_refused_requests_are_listed_and_shown(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = ticket(1, net_kg=29_000)
    take(gateway, {"type": "?"}, bad)
    listed = rows(said(capsys, "refused", "list", "--code", "net_mismatch", "--json"))
    assert [(row["no"], row["sender"], row["field"]) for row in listed] == [
        (2, "scale-1", "net_kg")
    ]
    assert rows(said(capsys, "refused", "list", "--sender", "lims", "--json")) == []
    assert said(capsys, "refused", "list").count("\n") == 3
    assert json.loads(said(capsys, "refused", "show", "2", "--raw")) == plain(bad)
    shown = said(capsys, "refused", "show", "2")
    assert "net_mismatch" in shown
    assert "within 20: gross_kg - tare_kg" in shown
    said(capsys, "refused", "show", "3", code=2)


def test_a_list_that_is_cut_says_so_beside_its_rows(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    take(gateway, *({"type": "?"} for _ in range(3)))
    for limit, cut in (("2", True), ("3", False)):
        assert run(["refused", "list", "--limit", limit, "--json"]) == 0
        out, err = capsys.readouterr()
        assert len(rows(out)) == int(limit)
        assert ("there are more (--limit)" in err) == cut


def test_a_mended_request_is_taken_and_its_repeat_is_a_duplicate(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    take(gateway, ticket(1, net_kg=29_000))
    [again] = rows(said(capsys, "refused", "resend", "1", "--json", code=1))
    assert again["code"] == "net_mismatch"
    mend = ("refused", "resend", "1", "--set", "net_kg=30000", "--json")
    [taken] = rows(said(capsys, *mend))
    assert (taken["no"], taken["result"]) == (1, "accepted")
    [repeat] = rows(said(capsys, *mend))
    assert (repeat["result"], repeat["event_id"]) == ("duplicate", taken["event_id"])


def test_what_was_sent_again_is_marked_with_its_result_and_the_rest_is_open(
    gateway: Gateway, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    take(gateway, ticket(1, net_kg=29_000), ticket(2, net_kg=29_000), {"type": "?"})
    for at, arguments, code in (
        (NOW, ("1", "--set", "net_kg=30000"), 0),
        (NOW, ("2", "--set", "net_kg=28000"), 1),
        (Micros(NOW + 1_000_000), ("1", "--set", "net_kg=30000"), 0),
    ):
        monkeypatch.setattr("runtime.cli.refused.now", lambda at=at: at)
        said(capsys, "refused", "resend", *arguments, code=code)
    listed = rows(said(capsys, "refused", "list", "--json"))
    assert [(row["no"], row["resent_at"], row["resent_result"]) for row in listed] == [
        (4, None, None),
        (3, None, None),
        (2, "2026-11-05T07:12:00Z", "refused"),
        (1, "2026-11-05T07:12:01Z", "duplicate"),
    ]
    # The second one is refused anew, as the fourth: one thing to mend is open once.
    still = rows(said(capsys, "refused", "list", "--open", "--json"))
    assert [row["no"] for row in still] == [4, 3]
    assert "2026-11-05T07:12:01Z  duplicate" in said(capsys, "refused", "list")
    assert "2026-11-05T07:12:00Z" in said(capsys, "refused", "show", "2")


def test_what_cannot_be_noted_is_said_after_the_answer(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    take(gateway, ticket(1, net_kg=29_000))
    blocker = sqlite3.connect(gateway.outbox.path, isolation_level=None)
    blocker.execute(
        "CREATE TRIGGER full BEFORE INSERT ON resent BEGIN SELECT RAISE(FAIL, 'x'); END"
    )
    blocker.close()
    capsys.readouterr()
    assert run(["refused", "resend", "1", "--set", "net_kg=30000"]) == 3
    told = capsys.readouterr()
    assert "accepted" in told.out
    assert "sent again, and not noted" in told.err
    assert "it is a duplicate" in told.err


def test_an_outbox_that_has_no_notes_yet_is_listed(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    take(gateway, ticket(1, net_kg=29_000))
    older = sqlite3.connect(gateway.outbox.path, isolation_level=None)
    older.execute("DROP TABLE resent")
    older.close()
    assert [r["no"] for r in rows(said(capsys, "refused", "list", "--open", "--json"))] == [1]
    said(capsys, "refused", "resend", "1", "--set", "net_kg=30000")
    assert said(capsys, "refused", "list", "--open", "--json") == ""


def test_a_file_takes_the_place_of_one_request(
    gateway: Gateway, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    take(gateway, ticket(1, net_kg=29_000), ticket(2, net_kg=29_000))
    mended = tmp_path / "mended.json"
    mended.write_text(json.dumps(plain(ticket(1))))
    assert "accepted" in said(capsys, "refused", "resend", "1", "--edit", str(mended))
    said(capsys, "refused", "resend", "1", "2", "--edit", str(mended), code=2)


def test_an_old_request_is_taken_as_a_backfill(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    take(gateway, ticket(1, occurred_at="2016-11-03T06:42:10Z"))
    said(capsys, "refused", "resend", "1", code=1)
    assert "accepted" in said(capsys, "refused", "resend", "1", "--backfill")


def test_a_request_that_was_cut_says_why_it_cannot_be_sent(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    take(gateway, {**golden("lot"), "tags": ["Z" * 40] * 2_001})
    [row] = rows(said(capsys, "refused", "list", "--json"))
    assert row["whole"] is False
    assert run(["refused", "resend", "1"]) == 2
    assert "65,536 bytes that are kept" in capsys.readouterr().err


def test_a_request_that_was_taken_stays_so_whatever_is_sent_under_its_number_later(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    take(gateway, {**ticket(1), "net_kg": 29_000})
    said(capsys, "refused", "resend", "1", "--set", "net_kg=30000")
    said(capsys, "refused", "resend", "1", code=1)
    results = [row["resent_result"] for row in rows(said(capsys, "refused", "list", "--json"))]
    assert results == [None, "accepted"], "the second one is kept anew, and open"


def test_drop_says_what_it_would_free_and_drops_only_when_told(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    take(gateway, {"type": "a"}, {"type": "b"}, {"type": "c"})
    [dry] = rows(said(capsys, "refused", "drop", "--all", "--json"))
    assert (dry["requests"], dry["dropped"]) == (3, False)
    [wet] = rows(said(capsys, "refused", "drop", "2", "--delete", "--json"))
    assert (wet["requests"], wet["dropped"]) == (1, True)
    assert [row["no"] for row in rows(said(capsys, "refused", "list", "--json"))] == [3, 1]
    said(capsys, "refused", "drop", "2", code=2)
    said(capsys, "refused", "drop", "--all", "--before", "2026-11-03", code=2)
    said(capsys, "refused", "drop", "--delete", code=2)
    assert said(capsys, "refused", "drop", "--before", "2000-01-01", "--delete").startswith("0 ")
    said(capsys, "refused", "drop", "--all", "--delete")
    assert rows(said(capsys, "refused", "list", "--json")) == []
