"""What the supervisor's hooks make of circus's calls."""

from pathlib import Path

import pytest

from runtime.stack import guard
from runtime.stack.daemon import _Hooks
from runtime.stack.guard import Guard


class _Watcher:
    def __init__(self, status: str) -> None:
        self._status = status

    def status(self) -> str:
        return self._status


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "x.exits.json"


def _call(hooks: _Hooks, name: str, **arguments: object) -> object:
    hook, _ = hooks.table()[name]
    assert callable(hook)
    return hook(**arguments)


def test_exit_that_was_never_reaped_is_counted_at_the_next_spawn(file: Path) -> None:
    hooks = _Hooks(Guard(5, 60.0), file)
    _call(hooks, "before_start")
    for _ in range(3):
        assert _call(hooks, "before_spawn") is True
    assert guard.read(file) == guard.Exits(count=2, last_code=None)


def test_exit_that_was_reaped_is_counted_once(file: Path) -> None:
    hooks = _Hooks(Guard(5, 60.0), file)
    _call(hooks, "before_start")
    _call(hooks, "before_spawn")
    _call(hooks, "after_reap", watcher=_Watcher("active"), exit_code=70)
    _call(hooks, "before_spawn")
    assert guard.read(file) == guard.Exits(count=1, last_code=70)


def test_stop_that_was_asked_for_is_no_exit(file: Path) -> None:
    hooks = _Hooks(Guard(5, 60.0), file)
    _call(hooks, "before_start")
    _call(hooks, "before_spawn")
    _call(hooks, "after_reap", watcher=_Watcher("stopping"), exit_code=0)
    assert guard.read(file).count == 0


def test_sixth_spawn_within_the_window_is_refused(file: Path) -> None:
    hooks = _Hooks(Guard(5, 60.0), file)
    _call(hooks, "before_start")
    assert [_call(hooks, "before_spawn") for _ in range(6)] == [True] * 5 + [False]
    assert guard.read(file).reason == "5 exits in 60 s, the last unseen"
