"""``custody token``: shown once, listed without it, revoked for good."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from producers.access import open_access
from runtime.cli.main import run
from runtime.processes import now
from web.token import load_or_make

Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def custody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Said:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUSTODY_DATA_DIR", str(tmp_path))

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(["token", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_a_token_is_alone_on_standard_output_and_shown_once(custody: Said, tmp_path: Path) -> None:
    code, out, err = custody("create", "lims", "--site", "A", "--type", "assay", "--expires", "90d")
    (secret,) = out.splitlines()
    assert code == 0
    assert secret.startswith("custody_")
    assert "for A; assay; until 20" in err
    assert secret not in err
    shown = custody("list")[1] + custody("list", "--json")[1] + custody("revoke", "lims")[1]
    assert secret not in shown
    kept = b"".join(path.read_bytes() for path in (tmp_path / "gateway").iterdir())
    assert secret.encode() not in kept


def test_what_is_made_here_counts_at_the_gateway(custody: Said, tmp_path: Path) -> None:
    made = json.loads(custody("create", "scale", "--site", "B", "--site", "A", "--json")[1])
    access = open_access(tmp_path / "gateway", now)
    token = access.admit(f"Bearer {made['token']}")
    access.close()
    assert (token.name, token.sites) == ("scale", frozenset({"A", "B"}))
    (row,) = [json.loads(line) for line in custody("list", "--json")[1].splitlines()]
    assert row["last_used_at"] is not None
    del made["token"], made["last_used_at"], row["last_used_at"]
    assert row == made


@pytest.mark.parametrize("site", ["", " ", "A\n"])
def test_a_site_that_no_site_can_have_is_not_taken_for_every_site(custody: Said, site: str) -> None:
    code, out, err = custody("create", "lims", "--site", site)
    assert (code, out) == (2, "")
    assert "--site" in err
    assert "leave --site out" in err
    assert custody("list", "--json")[1] == ""


def test_a_full_disk_is_said_to_be_one(custody: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL

    def opened(*_: object, **__: object) -> sqlite3.Connection:
        raise full

    monkeypatch.setattr("producers.token_store._opened", opened)
    code, _, err = custody("create", "lims")
    assert code == 3
    assert "make room on the disk" in err
    assert "lost tokens" not in err


def test_a_list_says_what_state_each_token_is_in(custody: Said) -> None:
    assert custody("list")[1].split() == [
        "name", "state", "sites", "types", "expires", "last", "used",
    ]  # fmt: skip
    custody("create", "one")
    custody("create", "two", "--type", "action", "--type", "reference")
    custody("revoke", "one")
    rows = {row["name"]: row for row in map(json.loads, custody("list", "--json")[1].splitlines())}
    assert (rows["one"]["state"], rows["two"]["state"]) == ("revoked", "valid")
    assert rows["one"]["sites"] == ["all"]
    assert "reference" not in rows["one"]["types"]
    assert rows["two"]["types"] == ["action", "reference"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("create", "operator"), "not 'operator'"),
        (("create", "a b"), "letters, digits"),
        (("create", "x", "--type", "ticket"), "does not exist"),
        (("create", "x", "--site", "A", "--type", "action"), "belong to no site"),
        (("create", "x", "--expires", "3m"), "90d"),
        (("create", "x", "--expires", "0d"), "90d"),
        (("create", "x", "--expires", "-1d"), "90d"),
        (("revoke", "nobody"), "no token is called nobody"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_made(
    custody: Said, arguments: tuple[str, ...], why: str
) -> None:
    code, out, err = custody(*arguments)
    assert (code, out) == (2, "")
    assert why in err
    assert custody("list", "--json")[1] == ""


def test_the_operators_token_is_renewed_in_its_place(custody: Said, tmp_path: Path) -> None:
    file = tmp_path / "gateway" / "token"
    before = load_or_make(file)
    code, out, _ = custody("revoke", "operator")
    assert code == 0
    after = load_or_make(file)
    assert after != before
    assert after not in out
