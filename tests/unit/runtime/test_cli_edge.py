"""Errors become three short lines and an exit code; nothing becomes a traceback."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from custody.errors import Corrupt, CustodyError, Refused, Unavailable
from runtime.cli import main as edge
from runtime.stack.up import NoRoom, check_room


@pytest.mark.parametrize(
    ("error", "code"), [(Refused, 2), (Unavailable, 3), (Corrupt, 4), (CustodyError, 3)]
)
def test_each_kind_of_error_has_its_exit_code(
    error: type[CustodyError],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails() -> None:
        raise error("lot 1: broken", expected="a whole lot", next_step="custody trace 1")

    _serve(monkeypatch, fails)
    assert edge.run(["fails"]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "error: lot 1: broken",
        "  expected: a whole lot",
        "  next: custody trace 1",
    ]


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise Refused("broken")

    _serve(monkeypatch, fails)
    with pytest.raises(Refused):
        edge.run(["--debug", "fails"])


def test_ctrl_c_is_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    _serve(monkeypatch, interrupted)
    assert edge.run(["fails"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_wrong_use_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert edge.run(["no-such-verb"]) == 2
    assert "No such command" in capsys.readouterr().err


def test_result_of_a_command_is_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    _serve(monkeypatch, lambda: 1)
    assert edge.run(["fails"]) == 1


def test_closed_pipe_is_quiet() -> None:
    command = f"{sys.executable} -m runtime.cli.main config | true"
    done = subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_verb_is_where_the_table_says() -> None:
    context = click.Context(edge.cli)
    for verb in edge.COMMANDS:
        command = edge.cli.get_command(context, verb)
        assert command is not None
        assert command.help, verb


def test_directory_that_cannot_be_written_is_refused_before_anything_starts(
    tmp_path: Path,
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    with pytest.raises(NoRoom, match="CUSTODY_DATA_DIR"):
        check_room(file / "data", 1)


def test_disk_with_too_little_room_is_refused_with_the_number(tmp_path: Path) -> None:
    with pytest.raises(NoRoom, match=r"expected: a directory we may write with \d+ MB free"):
        check_room(tmp_path, 10**9)
    assert list(tmp_path.iterdir()) == []


def _serve(monkeypatch: pytest.MonkeyPatch, body: object) -> None:
    assert callable(body)
    command = click.Command("fails", callback=body)
    monkeypatch.setattr(edge.cli, "get_command", lambda _context, _name: command)
