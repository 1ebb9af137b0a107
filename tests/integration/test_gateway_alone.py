"""`custody gateway` as a plant starts it: no line, no name resolved, no registry; and small."""

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from producers.fields import plain
from runtime.stack import ports
from tests.support import tree
from tests.support.gateway import ticket, wait_for

pytestmark = pytest.mark.integration

HEAVY = ("aiokafka", "chdb", "faust", "jgo", "matplotlib", "msgspec", "numpy", "pyarrow", "scipy")
"""What a gateway must never load."""

RESIDENT_BYTES_MAX = 150_000_000

_RUN = """
import json, sys
from runtime.cli.main import run
code = run(["gateway"])
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
sys.exit(code)
"""


@dataclass(frozen=True, slots=True)
class Alone:
    """A gateway whose broker and registry have names that nobody resolves (RFC 6761)."""

    process: "subprocess.Popen[str]"
    directory: Path
    url: str

    def post(self, requests: list[object]) -> list[dict[str, object]]:
        token = (self.directory / "gateway" / "token").read_text().strip()
        answer = httpx.post(
            f"{self.url}/v1/events",
            json=requests,
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )
        assert answer.status_code == 202, answer.text
        results: list[dict[str, object]] = answer.json()
        return results

    def post_packed(self, body: bytes) -> int:
        """Post a body that is gzip; returns the status of the answer."""
        token = (self.directory / "gateway" / "token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}", "Content-Encoding": "gzip"}
        url = f"{self.url}/v1/events"
        return httpx.post(url, content=body, headers=headers, timeout=60).status_code

    def health(self) -> httpx.Response | None:
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/health", timeout=10)
        return None

    def is_healthy(self) -> bool:
        assert self.process.poll() is None, "the gateway ended"
        found = self.health()
        return found is not None and found.status_code == 200

    def peak_bytes(self) -> int:
        """Largest resident size so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Alone]:
    port = ports.any_free()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CUSTODY_")},
        "PYTHONPATH": str(tree.ROOT),
        "CUSTODY_DATA_DIR": str(tmp_path),
        "CUSTODY_KAFKA__BOOTSTRAP": "broker.invalid:9092",
        "CUSTODY_REGISTRY__URL": "http://registry.invalid/apis/ccompat/v7",
        "CUSTODY_GATEWAY__PORT": str(port),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", _RUN],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    started = Alone(process, tmp_path, f"http://127.0.0.1:{port}")
    try:
        wait_for(started.is_healthy)
        yield started
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_it_starts_accepts_and_ends_without_line_names_or_registry(alone: Alone) -> None:
    posts = [[plain(ticket(100 * post + no)) for no in range(100)] for post in range(20)]
    for requests in posts:
        assert [answer["result"] for answer in alone.post(requests)] == ["accepted"] * 100
    found = alone.health()
    assert found is not None
    assert (found.status_code, found.json()["registry"]) == (200, "unknown")
    assert found.json()["broker"] in {"unknown", "away"}
    assert found.json()["waiting"] >= 2_000
    if sys.platform == "linux":
        assert alone.peak_bytes() <= RESIDENT_BYTES_MAX
    alone.process.send_signal(signal.SIGTERM)
    said, errors = alone.process.communicate(timeout=60)
    assert alone.process.returncode == 0, errors
    loaded = set(json.loads(said.splitlines()[-1]))
    assert "confluent_kafka" in loaded
    assert loaded & set(HEAVY) == set()


HEAVIEST = {
    "short values": b"[" + b"[]," * 2_000_000 + b"[]]",
    "names that no other has": b"{" + b",".join(b'"%x":1.5' % n for n in range(80_000)) + b"}",
    "a thousand requests, all refused and kept": b"[%s]"
    % b",".join([b'{"type":"weighing","no":"%s"}' % (b"7" * 8_000)] * 1_000),
    "one wide character": ('"' + "a" * 2_500_000 + '\U0001f600"').encode(),
}


@pytest.mark.skipif(sys.platform != "linux", reason="how large it is is read from /proc")
def test_a_dozen_bodies_of_the_heaviest_kind_at_once_leave_it_small(alone: Alone) -> None:
    """Eight kB that inflate to eight MB of empty lists took 219 MB, twelve at once.

    A thousand requests of 8 kB, refused and kept, took 187 MB: in pages of the outbox's file.
    """
    with ThreadPoolExecutor(12) as senders:
        for name, body in HEAVIEST.items():
            codes = set(senders.map(alone.post_packed, [gzip.compress(body, 1)] * 12))
            assert codes == ({413} if name == "short values" else {202}), name
            assert alone.peak_bytes() <= RESIDENT_BYTES_MAX, name
