"""A gateway for tests: in this process, or as one of its own that can be killed."""

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import httpx
from confluent_kafka import Consumer, Message, TopicPartition

from custody.events import Micros
from producers.access import Access
from producers.config import GatewayConfig, HttpConfig, OutboxConfig, PublisherConfig
from producers.http import make_app
from producers.judge import Terms
from producers.known import Known
from producers.publisher import TOPICS
from producers.server import server as served
from producers.service import Gateway
from runtime.stack import ports
from schemas.registry import StaticCatalog
from tests.support import stack
from web.listen import listen

NOW = Micros(1_793_862_720_000_000)
"""2026-11-05T07:12:00Z: two days after the facts of the golden requests."""

GOLDEN = Path(__file__).parent.parent / "golden"
NOWHERE = "127.0.0.1:1"
PARTITIONS = 4


def golden(stem: str) -> dict[str, object]:
    """The example request of a stem, parsed as the gateway parses it."""
    text = (GOLDEN / stem / "request.json").read_text()
    parsed: dict[str, object] = json.loads(text, parse_float=Decimal)
    return parsed


def terms(**changes: object) -> Terms:
    """Terms of a gateway that knows nothing yet."""
    given: dict[str, object] = {
        "gateway": ("GW-TEST", 1),
        "partitions": PARTITIONS,
        "known": Known(),
        **changes,
    }
    return Terms(**given)  # type: ignore[arg-type]  # a builder for tests


def ticket(no: int, **changes: object) -> dict[str, object]:
    """A weighing that differs from others by its ticket and lot."""
    return {**golden("weighing"), "ticket_no": f"T-{no}", "lot_id": f"L-{no % 97}", **changes}


def wall_clock() -> Micros:
    return Micros(time.time_ns() // 1000)


def config(
    directory: Path, bootstrap: str = NOWHERE, gateway_id: str = "GW-TEST", port: int = 0
) -> GatewayConfig:
    return GatewayConfig(
        outbox=OutboxConfig(
            directory=directory,
            gateway_id=gateway_id,
            partitions=PARTITIONS,
            disk_free_bytes_min=1 << 20,
        ),
        publisher=PublisherConfig(kafka={"bootstrap.servers": bootstrap}),
        http=HttpConfig(port=port),
    )


@contextmanager
def running(
    given: GatewayConfig, *, publish: bool = True, clock: Callable[[], Micros] = wall_clock
) -> Iterator[Gateway]:
    """A gateway in this process."""
    gateway = Gateway(given, StaticCatalog(), "static", clock)
    try:
        if publish:
            gateway.start()
        yield gateway
    finally:
        gateway.close()


@contextmanager
def serving(
    gateway: Gateway, token: str | Access, limits: HttpConfig | None = None
) -> Iterator[str]:
    """The API of a gateway on a free port of this process; gives its URL."""
    with closing(listen("127.0.0.1", 0, "none")) as listener:
        access = token if isinstance(token, Access) else Access.single(token)
        given = limits or gateway.config.http
        server = served(make_app(gateway, access, given), given)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            scheme = "http" if given.tls is None else "https"
            yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def ensure_topics(bootstrap: str) -> None:
    """The gateway's topics, whoever made them first."""
    from confluent_kafka.admin import AdminClient

    known = AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=30).topics
    missing = [name for name in TOPICS if name not in known]
    if missing:
        stack.create_topics(bootstrap, missing, partitions=PARTITIONS)


@dataclass(frozen=True, slots=True)
class Published:
    """A record as it stands in Kafka."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: Mapping[str, bytes]


def read_all(bootstrap: str, topics: Sequence[str] = TOPICS) -> list[Published]:
    """Everything in some topics up to their present ends, in order per partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "reader-of-everything",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 10,
        }
    )
    places = [TopicPartition(t, p) for t, p in itertools.product(topics, range(PARTITIONS))]
    try:
        ends = {
            (place.topic, place.partition): consumer.get_watermark_offsets(place, timeout=30)
            for place in places
        }
        left = sum(high - low for low, high in ends.values())
        consumer.assign([TopicPartition(*place, ends[place][0]) for place in ends])
        found: list[Published] = []
        while left:
            message = consumer.poll(30)
            assert message is not None, f"{left} records missing"
            assert message.error() is None, message.error()
            record = _published(message)
            if record.offset < ends[record.topic, record.partition][1]:
                found.append(record)
                left -= 1
    finally:
        consumer.close()
    return sorted(found, key=lambda record: (record.topic, record.partition, record.offset))


def _published(message: Message) -> Published:
    headers = message.headers() or []
    pairs = headers.items() if isinstance(headers, dict) else headers
    return Published(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        message.key() or b"",
        message.value() or b"",
        {name: value for name, value in pairs if isinstance(value, bytes)},
    )


def wait_for(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Block until something holds; fail the test where it never does."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s"
        time.sleep(0.02)


def waiting(process: "Process") -> int:
    """Entries that Kafka has not acknowledged."""
    return int(httpx.get(f"{process.url}/health").json()["waiting"])


@dataclass(slots=True)
class Process:
    """A gateway as a process of its own; the same directory and port at every start."""

    directory: Path
    bootstrap: str
    gateway_id: str = "GW-TEST"
    port: int = field(default_factory=ports.any_free)
    _running: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._running is not None
        return self._running.pid

    @property
    def token(self) -> str:
        return (self.directory / "token").read_text().strip()

    def start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "tests.support.gateway",
            str(self.directory),
            self.bootstrap,
            self.gateway_id,
            str(self.port),
        ]
        with (self.directory.parent / f"{self.directory.name}.log").open("ab") as log:
            self._running = subprocess.Popen(command, stderr=log, cwd=GOLDEN.parent.parent)
        wait_for(self._answers)

    def kill(self) -> None:
        """kill -9."""
        assert self._running is not None
        self._running.kill()
        self._running.wait()

    def terminate(self) -> int:
        """SIGTERM; gives the exit code."""
        assert self._running is not None
        self._running.send_signal(signal.SIGTERM)
        return self._running.wait(30)

    def _answers(self) -> bool:
        assert self._running is not None
        assert self._running.poll() is None, "the gateway ended"
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/health").status_code == 200
        return False


def main() -> None:
    """Run a gateway in the foreground; see ``Process``."""
    from producers.run import run
    from telemetry import logs

    directory, bootstrap, gateway_id, port = sys.argv[1:]
    logs.configure(f"gateway {os.getpid()}")
    run(
        config(Path(directory), bootstrap, gateway_id, port=int(port)),
        catalog=StaticCatalog(),
        registry="static",
        clock=wall_clock,
    )


if __name__ == "__main__":
    main()
