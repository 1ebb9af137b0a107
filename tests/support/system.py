"""A whole local stack of its own for a test: free ports, a temporary directory, real parts."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.drive import Target, target

_UP_TIMEOUT_S = 180
_CALL_TIMEOUT_S = 240


@dataclass(frozen=True, slots=True)
class System:
    """A running stack.

    Attributes:
        data_dir: Where everything it keeps lives.
    """

    data_dir: Path

    @property
    def target(self) -> Target:
        """Addresses and token, for clients."""
        return target(self.data_dir)

    def custody(
        self, *args: str, check: bool = True, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run one command of the product against this stack."""
        done = subprocess.run(
            [sys.executable, "-m", "runtime.cli.main", *args],
            input=stdin,
            env=environment(self.data_dir),
            capture_output=True,
            text=True,
            timeout=_CALL_TIMEOUT_S,
            check=False,
        )
        if check and done.returncode != 0:
            said = f"custody {' '.join(args)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
            message = f"{said}\n{self.last_said()}"
            raise AssertionError(message)
        return done

    def publish(self, requests: Iterable[Mapping[str, object]]) -> list[str]:
        """Publish requests, all of which are taken, and return the ids of their events."""
        text = "".join(json.dumps(request) + "\n" for request in requests)
        said = self.custody("publish", "--json", "-", stdin=text).stdout
        return [json.loads(line)["event_id"] for line in said.splitlines()]

    def lines(self, *args: str, check: bool = True) -> list[dict[str, object]]:
        """Return the objects that a command prints with ``--json``."""
        said = self.custody(*args, "--json", check=check).stdout
        return [json.loads(line) for line in said.splitlines()]

    def last_said(self, lines: int = 15) -> str:
        """Return the last lines of every process's log, for a failure nobody can look at later."""
        tails = []
        for log in sorted(self.data_dir.rglob("*.log")):
            found = log.read_text("utf-8", errors="replace").splitlines()[-lines:]
            tails += [f"--- {log.name}", *found]
        return "\n".join(tails)

    def pid(self, process: str) -> int | None:
        """Return the pid of one of the stack's processes; None while it is away."""
        status = json.loads(self.custody("status", "--json", check=False).stdout)
        for row in status["processes"]:
            if row["name"] == process:
                return int(row["pid"]) if row["pid"] else None
        raise KeyError(process)

    def sql(self, query: str) -> list[dict[str, object]]:
        """Return the rows of a query."""
        return self.lines("sql", query)


def environment(data_dir: Path) -> dict[str, str]:
    """Return the environment of a stack that lives in ``data_dir``."""
    return {**os.environ, "CUSTODY_DATA_DIR": str(data_dir)}


@contextmanager
def running(data_dir: Path) -> Iterator[System]:
    """Start a stack, hand it over, stop it."""
    system = System(data_dir)
    try:
        system.custody("up")
        yield system
    finally:
        system.custody("down", check=False)
