"""A gateway on a disk of its own that fills: ``python -m tests.support.gateway_disk DIRECTORY``.

Called in a mount namespace, where it puts a small file system on the directory. `custody gateway`
is started there again and again, as a service does, with not a byte left and with room, after it
was stopped and after it was killed. Prints what was seen.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from producers import reserve
from producers.fields import plain
from runtime.stack import ports
from tests.support import tree
from tests.support.filler import fill
from tests.support.gateway import ticket, wait_for

DISK_BYTES = 16 << 20
FREE_BYTES_MIN = 1 << 20

_RUN = "import sys; from runtime.cli.main import run; sys.exit(run(['gateway']))"

_SAID = {
    "CUSTODY_KAFKA__BOOTSTRAP": "broker.invalid:9092",
    "CUSTODY_REGISTRY__URL": "http://registry.invalid/apis/ccompat/v7",
    "CUSTODY_GATEWAY__DISK_FREE_BYTES_MIN": str(FREE_BYTES_MIN),
}


@dataclass(slots=True)
class Service:
    """`custody gateway` in a data directory: started, asked and ended."""

    directory: Path
    port: int = field(default_factory=ports.any_free)
    running: "subprocess.Popen[str] | None" = None

    def start(self) -> "Service":
        """Start it and wait until it answers."""
        own = {n: v for n, v in os.environ.items() if not n.startswith("CUSTODY_")}
        where = {
            "PYTHONPATH": str(tree.ROOT),
            "CUSTODY_DATA_DIR": str(self.directory),
            "CUSTODY_GATEWAY__PORT": str(self.port),
        }
        self.running = subprocess.Popen(
            [sys.executable, "-c", _RUN],
            env={**own, **_SAID, **where},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_for(lambda: self.health() is not None or self._code() is not None)
        return self

    def _code(self) -> int | None:
        assert self.running is not None
        return self.running.poll()

    def health(self) -> httpx.Response | None:
        with suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{self.port}/health", timeout=10)
        return None

    def post(self, no: int) -> httpx.Response:
        token = (self.directory / "gateway" / "token").read_text().strip()
        return httpx.post(
            f"http://127.0.0.1:{self.port}/v1/events",
            json=plain(ticket(no)),
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )

    def seen(self, no: int) -> dict[str, object]:
        """What it says of itself, and to a ticket."""
        if self._code() is not None:
            return {"ended": self._code()}
        health, answer = self.health(), self.post(no)
        assert health is not None
        return {
            "health": health.status_code,
            "reason": health.json()["reason"],
            "waiting": health.json()["waiting"],
            "post": answer.status_code,
            "retry_after": answer.headers.get("retry-after"),
            "form": httpx.get(f"http://127.0.0.1:{self.port}/form", timeout=10).status_code,
        }

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal; returns the exit code and what was said on standard error."""
        assert self.running is not None
        self.running.send_signal(number)
        _, said = self.running.communicate(timeout=60)
        return self.running.returncode, said


def made_older(data: Path) -> None:
    """Make an outbox as one was before refused requests had a share to themselves."""
    with closing(sqlite3.connect(data / "gateway" / "outbox.sqlite3")) as outbox:
        for name in ("insert", "delete"):
            outbox.execute(f"DROP TRIGGER refused_{name}")
        outbox.execute("DELETE FROM meta WHERE name LIKE 'refused_%'")
        outbox.commit()
    (data / "gateway" / reserve.FILE).unlink()


def main(disk: Path) -> None:
    size = f"size={DISK_BYTES}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "none", str(disk)], check=True)
    said: dict[str, object] = {}
    service, data = Service(disk / "plant"), disk / "plant"
    said["with_room"] = service.start().seen(1)
    wait_for((data / "gateway" / reserve.FILE).exists)
    service.end()
    filler = fill(disk)
    said["stopped"] = service.start().seen(2)
    said["ended"] = service.end()[0]
    fill(disk)
    said["stopped_again"] = service.start().seen(3)
    service.end(signal.SIGKILL)
    fill(disk)
    said["killed"] = service.start().seen(4)
    filler.unlink()
    wait_for(lambda: service.post(5).status_code == 202)
    said["room_again"] = service.seen(6)
    service.end(signal.SIGKILL)

    made_older(data)
    fill(disk)
    said["older"] = service.start().seen(7)
    said["older_said"] = service.end()[1]
    first = Service(disk / "new")
    said["first"] = first.start().seen(1)
    said["first_said"] = first.end()[1]
    print(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
