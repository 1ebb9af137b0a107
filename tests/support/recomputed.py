"""Scripts that the docs give to outsiders: they do an alert's sums again from it alone."""

import importlib
import json
import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from custody.records import Alert
from schemas import codec, present
from tests.support import tree

FOLDER = tree.ROOT / "docs" / "detection"
LINES_MAX = 60
"""Of each of them, and of what they share."""
SHARED = (
    "likelihood",
    "weights",
    "candidates",
    "sizes",
    "sized",
    "everything",
    "fits",
    "report",
    "chances",
)

Sums = Mapping[Any, tuple[Any, Any]]
"""By figure what an alert says, and what follows from its others."""


class Script(Protocol):
    """A script as a module."""

    def mine(self, alert: dict[str, Any]) -> bool: ...

    def sums(self, alert: dict[str, Any]) -> Sums: ...


def names() -> list[str]:
    """Return the scripts, those they share not among them."""
    return sorted(path.stem for path in FOLDER.glob("recompute*.py"))


def script(name: str) -> Script:
    """Return one of the scripts, which find what they share beside them."""
    sys.path.insert(0, str(FOLDER))
    try:
        return cast(Script, importlib.import_module(name))
    finally:
        sys.path.remove(str(FOLDER))


def line_of(alert: Alert) -> dict[str, Any]:
    """Return an alert's line after its way through Kafka."""
    line = present.alert_line(cast(Alert, codec.decode("alert", codec.encode(alert))))
    return cast("dict[str, Any]", json.loads(json.dumps(line)))


def wrong(sums: Sums) -> dict[Any, tuple[Any, Any]]:
    """Return what an alert says otherwise than its other figures do."""
    return {name: pair for name, pair in sums.items() if not _same(*pair)}


def _same(said: Any, follows: Any) -> bool:  # noqa: ANN401  figures, names of severities, nothing
    if isinstance(said, float) and isinstance(follows, float):
        return math.isclose(said, follows, rel_tol=1e-6, abs_tol=1e-9)
    return bool(said == follows)


def said_by(name: str, lines: Sequence[dict[str, Any]]) -> tuple[int, list[str]]:
    """Run a script as a stranger does, elsewhere than here; return its exit code and lines."""
    done = subprocess.run(
        [sys.executable, str(FOLDER / f"{name}.py")],
        input="\n".join(json.dumps(line) for line in lines),
        capture_output=True,
        text=True,
        cwd="/",
        env={},
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()
