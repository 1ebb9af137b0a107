"""``custody up`` on real parts: ready, idempotent, healed after kills, clean at the end."""

import json
import os
import signal
from pathlib import Path

import psutil
import pytest

from runtime.paths import DataDir
from runtime.stack import addresses
from runtime.stack.command import wait_until
from tests.support.system import System, running

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

_NAMES = ["kafka", "registry", "gateway", "worker-1", "warehouse"]


def test_stack_is_up_once_healed_after_kills_and_gone_when_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path / "data") as system:
        before = _pids(system)
        assert list(before) == _NAMES
        system.custody("up")
        assert _pids(system) == before, "a second up starts nothing"
        first = DataDir(system.data_dir).first_password
        assert first.stat().st_mode & 0o777 == 0o600
        assert f"admin, password in {first}" in system.custody("status").stdout
        monkeypatch.setenv("CUSTODY_WORKER__COUNT", "2")
        assert "other settings; custody down" in system.custody("up").stderr
        monkeypatch.delenv("CUSTODY_WORKER__COUNT")

        for name in ("gateway", "registry"):
            os.kill(before[name], signal.SIGKILL)
        wait_until(lambda: _healthy(system), "the killed processes", 90.0, "custody status")
        again = {row["name"]: row for row in _status(system)["processes"]}
        assert [again[name]["restarts"] for name in _NAMES] == [0, 1, 1, 0, 0]

        ports = addresses.read(DataDir(system.data_dir).addresses)
        said = system.custody("down").stdout
        assert said.startswith("stopped 5 processes in ")
        assert not [row["pid"] for row in again.values() if psutil.pid_exists(int(str(row["pid"])))]
        assert system.custody("down").stdout == "nothing was running\n"
        assert system.custody("status", check=False).returncode == 1
        assert addresses.read(DataDir(system.data_dir).addresses) == ports


def _status(system: System) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = json.loads(
        system.custody("status", "--json", check=False).stdout
    )
    return found


def _healthy(system: System) -> bool:
    return system.custody("status", check=False).returncode == 0


def _pids(system: System) -> dict[str, int]:
    return {str(row["name"]): int(str(row["pid"])) for row in _status(system)["processes"]}
