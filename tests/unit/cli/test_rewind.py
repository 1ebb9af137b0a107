"""``custody warehouse rewind``: says what stands, and forgets it where it is told to."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from runtime import ends
from runtime.cli.main import cli
from schemas import topics
from sinks import rewind
from sinks.config import GROUP

Say = Callable[..., Result]


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Groups that were forgotten; the broker is another test's (``test_sink_fire``)."""
    done: list[str] = []

    def forget(kafka: object, group: str, patience_s: float, waits: Callable[[], None]) -> bool:  # noqa: ARG001
        waits()
        done.append(group)
        return True

    monkeypatch.setattr(rewind, "forget", forget)
    monkeypatch.setattr(ends, "committed", lambda *_: {topics.FACT: {0: 12, 1: 0}})
    return done


@pytest.fixture
def say(tmp_path: Path) -> Say:
    environment = {"CUSTODY_DATA_DIR": str(tmp_path), "CUSTODY_KAFKA__BOOTSTRAP": "127.0.0.1:1"}
    return lambda *options: CliRunner().invoke(
        cli, ["warehouse", "rewind", *options], env=environment
    )


def test_without_send_nothing_is_forgotten(say: Say, forgotten: list[str]) -> None:
    said = say()
    assert said.exit_code == 0, said.output
    assert said.stdout.splitlines() == [
        f"{topics.FACT}/0  committed up to 12",
        f"1 offsets of {GROUP}; --send forgets them",
    ]
    assert forgotten == []


def test_with_send_all_are_forgotten(say: Say, forgotten: list[str]) -> None:
    said = say("--send", "--json")
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout) == {
        "group": GROUP, "committed": {f"{topics.FACT}/0": 12}, "forgotten": True,
    }  # fmt: skip
    assert "waiting until the broker has let go" in said.stderr
    assert forgotten == [GROUP]
