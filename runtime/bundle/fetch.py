"""Download locked wheels with pip: the index, proxy and certificates are those of its settings."""

import hashlib
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from custody.errors import Unavailable
from runtime.bundle.wheels import PLATFORMS, PYTHONS, Wheel, wheels_for

_TIMEOUT_S = 1_800
_RETRIES = 2

Pip = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]
"""Runs pip with arguments."""


class WheelsNotFetched(Unavailable):
    """pip did not bring what is locked."""

    def __init__(self, platform_name: str, why: str) -> None:
        super().__init__(
            f"the gateway's wheels for {platform_name} were not downloaded: {why}",
            expected="the index of pip's settings within reach, with the files"
            " runtime/bundle/gateway.lock.json names",
            next_step="check the network, HTTPS_PROXY and pip config list, then run it again",
        )


def pip(arguments: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    """Run pip of this Python and return what it said. Blocks."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(  # noqa: S603  our own arguments
        command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )


def fetch(
    platform_name: str, pythons: Sequence[str], directory: Path, run: Pip = pip
) -> list[Wheel]:
    """Download the wheels of a platform and check their hashes. Blocks.

    Args:
        platform_name: A name of ``PLATFORMS``.
        pythons: For which versions of Python.
        directory: Where to; it exists and is empty.
        run: Stands in for pip in tests.

    Returns:
        The wheels, each once, in order of their files.

    Raises:
        WheelsNotFetched: The index is not reached, or lacks one, or gave another file.
    """
    done: dict[str, Wheel] = {}
    for python in pythons:
        wanted = [w for w in wheels_for(platform_name, python) if w.file not in done]
        if wanted:
            said = run(_arguments(platform_name, python, wanted, directory))
            if said.returncode != 0:
                raise WheelsNotFetched(platform_name, _why(said.stderr))
        done |= {wheel.file: wheel for wheel in wanted}
    for wheel in done.values():
        check(directory / wheel.file, wheel, platform_name)
    return [done[file] for file in sorted(done)]


def check(path: Path, wheel: Wheel, platform_name: str) -> None:
    """See that a file is the locked one.

    Raises:
        WheelsNotFetched: It is not there, or another one.
    """
    if not path.exists():
        raise WheelsNotFetched(platform_name, f"{wheel.file} did not come")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != wheel.sha256:
        raise WheelsNotFetched(platform_name, f"{wheel.file} has SHA-256 {found}")


def requirements(wheels: Sequence[Wheel]) -> str:
    """Return a requirements file that takes these files and no other, in pip's format."""
    hashes: dict[str, list[str]] = {}
    for wheel in wheels:
        hashes.setdefault(f"{wheel.name}=={wheel.version}", []).append(wheel.sha256)
    lines = [
        " ".join([pin, *(f"--hash=sha256:{digest}" for digest in sorted(digests))])
        for pin, digests in sorted(hashes.items())
    ]
    return "\n".join(lines) + "\n"


def _arguments(
    platform_name: str, python: str, wheels: Sequence[Wheel], directory: Path
) -> list[str]:
    assert python in PYTHONS, "the command line knows no other"
    wanted = directory / "requirements.txt"
    wanted.write_text(requirements(wheels), encoding="utf-8")
    tags = [f"--platform={tag}" for tag in PLATFORMS[platform_name]]
    return [
        *("download", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes"),
        *(f"--retries={_RETRIES}", f"--dest={directory}", *tags, f"--python-version={python}"),
        *("--implementation=cp", f"--abi=cp{python.replace('.', '')}", "--abi=abi3"),
        *("--abi=none", f"--requirement={wanted}"),
    ]


def _why(said: str) -> str:
    """Return what pip gave as its reason: why no answer came, else the last error it named."""
    # Of an index that is away pip says at the end that there is no such version.
    away = re.search(r"after connection broken by '(.+)': /", said)
    if away is not None:
        return f"the index did not answer: {re.sub(r'<[^>]*>: ?', '', away.group(1))}"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["pip said nothing"])[-1]
