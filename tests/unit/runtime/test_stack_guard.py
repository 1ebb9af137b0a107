"""When a process that ended is not started again."""

from pathlib import Path

import pytest

from runtime.stack import guard
from runtime.stack.guard import Guard


def test_four_exits_in_a_minute_are_restarts() -> None:
    watched = Guard(5, 60.0)
    for at_s in range(4):
        watched.exited(70, at_s)
    assert watched.may_start()


def test_fifth_exit_within_the_window_is_a_stop_with_a_reason() -> None:
    watched = Guard(5, 60.0)
    for at_s in (0, 15, 30, 45, 60):
        watched.exited(70, at_s)
    assert not watched.may_start()
    assert watched.exits.reason == (
        "5 exits in 60 s, the last with code 70 (asked to be started anew)"
    )


def test_window_slides() -> None:
    watched = Guard(5, 60.0)
    for at_s in (0, 1, 2, 3, 60.5, 61.5, 62.5):
        watched.exited(-9, at_s)
    assert watched.may_start()
    assert watched.exits.count == 7


@pytest.mark.parametrize("code", [2, 4])
def test_exit_no_start_can_cure_is_a_stop_at_once(code: int) -> None:
    watched = Guard(5, 60.0)
    watched.exited(code, 0.0)
    assert not watched.may_start()


def test_asking_for_a_start_forgives() -> None:
    watched = Guard(1, 60.0)
    watched.exited(1, 0.0)
    watched.forgive()
    assert watched.may_start()
    assert watched.exits.count == 1


def test_exits_are_read_as_they_were_written(tmp_path: Path) -> None:
    watched = Guard(5, 60.0)
    watched.exited(-9, 0.0)
    guard.write(tmp_path / "x.exits.json", watched.exits)
    assert guard.read(tmp_path / "x.exits.json") == watched.exits
    assert guard.read(tmp_path / "absent.json") == guard.Exits()
    assert guard.describe(-9) == "by SIGKILL"
