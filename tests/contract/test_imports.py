"""The import contracts bite: a violation planted in a copy breaks the contract it should."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import tree

PLANTED = (
    ("producers/outcome.py", "import sinks.config", "Layers"),
    ("schemas/topics.py", "import producers.outcome", "Layers"),
    ("telemetry/logs.py", "import schemas.topics", "Layers"),
    ("streams/config.py", "import runtime.settings", "Layers"),
    ("custody/units.py", "import time", "The core is pure"),
    ("custody/units.py", "import logging", "The core is pure"),
    ("sinks/config.py", "import fastavro", "fastavro has one home"),
    ("runtime/paths.py", "import faust", "faust has one home"),
    ("producers/outcome.py", "import numpy", "The gateway stays small"),
    ("producers/outcome.py", "import schemas.columns", "The gateway stays small"),
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("planted")
    shutil.copy(tree.ROOT / "pyproject.toml", root)
    for package in tree.PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(tree.ROOT / package, root / package, ignore=ignored)
    return root


def _lint(root: Path) -> "subprocess.CompletedProcess[str]":
    command = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [str(command), "--no-cache"], cwd=root, capture_output=True, text=True, check=False
    )


def test_the_contracts_hold(copy: Path) -> None:
    done = _lint(copy)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("module", "line", "contract"), PLANTED)
def test_a_planted_violation_breaks_its_contract(
    copy: Path, module: str, line: str, contract: str
) -> None:
    planted = copy / module
    before = planted.read_text("utf-8")
    planted.write_text(f"{before}\n{line}\n", "utf-8")
    try:
        done = _lint(copy)
    finally:
        planted.write_text(before, "utf-8")
    assert done.returncode == 1
    assert f"{contract} BROKEN" in done.stdout
