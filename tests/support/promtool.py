"""Prometheus's own checker: from the PATH, or out of Debian's package, which is not installed."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_KEPT = Path(sys.prefix) / "promtool"
_TIMEOUT_S = 300


def found() -> str | None:
    """Path of promtool; None where it is not on this machine and cannot be had by apt.

    The package is only unpacked: installing it would start a server. Blocks for seconds the first
    time in an environment, which keeps it.
    """
    if there := shutil.which("promtool") or shutil.which(_KEPT / "promtool"):
        return there
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return None
    with tempfile.TemporaryDirectory() as folder:
        if not _downloaded(folder) and not (_lists_updated() and _downloaded(folder)):
            return None
        [package] = Path(folder).glob("prometheus_*.deb")
        subprocess.run(["dpkg-deb", "-x", package, folder], check=True, timeout=_TIMEOUT_S)
        _KEPT.mkdir(exist_ok=True)
        shutil.copy2(Path(folder) / "usr" / "bin" / "promtool", _KEPT / "promtool")
    return str(_KEPT / "promtool")


def _downloaded(folder: str) -> bool:
    return _ran("apt-get", "-q", "download", "prometheus", cwd=folder)


def _lists_updated() -> bool:
    return os.geteuid() == 0 and _ran("apt-get", "-q", "update", cwd="/")


def _ran(*command: str, cwd: str) -> bool:
    done = subprocess.run(command, cwd=cwd, capture_output=True, check=False, timeout=_TIMEOUT_S)
    return done.returncode == 0
