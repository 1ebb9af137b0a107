"""``custody user``: people made, changed and shut out from the machine itself."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.people import register
from runtime.cli.main import cli
from tests.support.visitors import CHEAP, PASSWORD


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUSTODY_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(register, "Cost", lambda: CHEAP)


def call(*arguments: str, stdin: str = PASSWORD + "\n") -> Result:
    # Through the whole command line: alone, a group remembers a help of its own.
    return CliRunner().invoke(cli, ["user", *arguments], input=stdin, catch_exceptions=False)


def test_a_user_is_made_changed_and_shut_out_and_each_is_written_down() -> None:
    assert call("add", "ann", "--role", "admin", "--keep").output == "ann is admin\n"
    made = json.loads(call("add", "bob", "--role", "viewer", "--json").output)
    assert (made["name"], made["state"]) == ("bob", "password to be changed")
    assert call("role", "bob", "operator").output == "bob is operator now\n"
    assert call("passwd", "bob", "--keep").exit_code == 0
    assert json.loads(call("disable", "bob", "--json").output)["state"] == "disabled"
    assert "disabled" in call("list").output
    assert call("enable", "bob").output == "bob may come in\n"
    rows = [json.loads(line) for line in call("list", "--json").output.splitlines()]
    assert [(row["name"], row["role"], row["state"]) for row in rows] == [
        ("ann", "admin", "active"),
        ("bob", "operator", "active"),
    ]
    log = [json.loads(line) for line in call("log", "--json", "--limit", "3").output.splitlines()]
    assert [(row["what"], row["about"]) for row in log] == [
        ("user enable", "bob"),
        ("user disable", "bob"),
        ("user passwd", "bob"),
    ]
    assert log[0]["actor"].startswith("os:")
    assert "command line" in call("log").output


def test_the_password_is_no_argument() -> None:
    assert call("add", "ann", "--role", "admin", "--password", "x").exit_code == 2
