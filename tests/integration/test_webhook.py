"""The webhook on a real broker and a real receiver that fails at times."""

import hashlib
import hmac
import itertools
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from typing_extensions import override

from console.webhook.cursor import FILE
from console.webhook.sender import Outside, Sender, WebhookConfig
from custody.events import Micros
from custody.records import Alert
from schemas import topics
from schemas.partition import partition_of
from schemas.registry import StaticCatalog
from telemetry import metrics as names
from telemetry.metrics import Metrics
from tests.support import golden, stack
from tests.support.gateway import wait_for
from tests.support.sinks import framed

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PARTITIONS = 4
SECRET = b"a secret of two"
_NUMBERS = itertools.count(time.time_ns())


@dataclass
class Receiver:
    """Takes posts, or not, as it is told; what it took, in order."""

    fail: int = 0
    taken: list[tuple[str, str]] = field(default_factory=list)
    tries: int = 0
    server: ThreadingHTTPServer = field(init=False)

    def __post_init__(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.tries += 1
                if receiver.fail:
                    receiver.fail -= 1
                    if receiver.fail % 2:
                        self.connection.close()
                        return
                    self.send_error(503)
                    return
                receiver.take(self.headers["Custody-Delivery"], self.headers, body)
                self.send_response(204)
                self.end_headers()

            @override
            def log_message(self, format: str, *args: object) -> None:
                """Stay silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def take(self, delivery: str, headers: object, body: bytes) -> None:
        stamp, _, signed = str(headers["Custody-Signature"]).partition(",v1=")  # type: ignore[index]
        at = stamp.removeprefix("t=")
        wanted = hmac.new(SECRET, at.encode() + b"." + body, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(signed, wanted)
        said = json.loads(body)
        assert delivery == f"{said['alert']['alert_id']}/{said['alert']['version']}"
        self.taken.append((delivery, said["why"]))


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        thread.join()
        receiver.server.server_close()


@contextmanager
def sending(config: WebhookConfig, metrics: Metrics, now_s: float = 1e9) -> Iterator[None]:
    """A sender that tries again at once, and whose clock goes an hour at each look."""
    stop = threading.Event()
    clock = itertools.count(round(now_s * 1e6), 3_600_000_000)
    outside = Outside(StaticCatalog(), metrics, lambda: Micros(next(clock)))
    sender = Sender(config, outside, lambda _: stop.wait(0.01))
    thread = threading.Thread(target=sender.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def has_begun(config: WebhookConfig) -> bool:
    """Whether the sender has noted what stood there before it began."""
    path = config.directory / FILE
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(path)) as file:
        return bool(file.execute("SELECT count(*) = 4 FROM place").fetchone()[0])
    return False


def say(bootstrap: str, *versions: tuple[str, int, str, str]) -> None:
    """Say versions: alert, version, state, severity; all of one lot, so in order."""
    producer = Producer({"bootstrap.servers": bootstrap})
    (alert, *_) = golden.records("alert")
    assert isinstance(alert, Alert)
    place = partition_of(b"L-HOOK", PARTITIONS)
    for alert_id, version, state, severity in versions:
        made = replace(
            alert,
            n=next(_NUMBERS),
            sender=f"hook/{place}",  # other tests number theirs on the same topic
            alert_id=alert_id,
            version=version,
            state=state,
            severity=severity,
            lot_id="L-HOOK",
        )
        producer.produce(topics.ALERT, framed(made), b"L-HOOK", place)
    assert producer.flush(30) == 0


@pytest.fixture
def config(kafka: str, tmp_path: Path) -> WebhookConfig:
    known = AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=30).topics
    if topics.ALERT not in known:
        stack.create_topics(kafka, [topics.ALERT], partitions=PARTITIONS)
    secret = tmp_path / "secret"
    secret.write_bytes(SECRET + b"\n")
    return WebhookConfig(
        url="http://127.0.0.1:1",
        secret_file=secret,
        directory=tmp_path,
        kafka={"bootstrap.servers": kafka},
    )


def test_what_matters_is_posted_once_through_failures_and_restarts(
    kafka: str, config: WebhookConfig
) -> None:
    metrics = Metrics("warehouse")
    a, b = (f"hook-{next(_NUMBERS)}" for _ in range(2))
    say(kafka, (a, 1, "open", "low"))
    with receiving() as receiver:
        config = replace(config, url=f"http://127.0.0.1:{receiver.server.server_port}/hook")
        with sending(config, metrics):
            wait_for(lambda: has_begun(config))
            say(kafka, (b, 1, "open", "high"), (b, 2, "acknowledged", "high"))
            wait_for(lambda: len(receiver.taken) == 1)
        receiver.fail = 5
        say(kafka, (a, 2, "open", "high"), (b, 2, "acknowledged", "high"))
        with sending(config, metrics):
            wait_for(lambda: len(receiver.taken) == 2)
            say(kafka, (b, 3, "resolved", "high"), (a, 3, "retracted", "high"))
            wait_for(lambda: len(receiver.taken) == 4)
        with sending(config, metrics):
            say(kafka, (a, 4, "open", "high"))
            wait_for(lambda: len(receiver.taken) == 5)
        assert receiver.taken == [
            (f"{b}/1", "opened"),
            (f"{a}/2", "worse"),
            (f"{b}/3", "resolved"),
            (f"{a}/3", "retracted"),
            (f"{a}/4", "opened"),
        ], "what stood before the first start is known, and not posted"
        assert receiver.tries == 10
    assert metrics.value(names.WEBHOOK_POSTS, "ok") == 5
    assert metrics.value(names.WEBHOOK_POSTS, "failed") == 5


def test_who_takes_nothing_for_a_day_gets_on_with_what_is_new(
    kafka: str, config: WebhookConfig
) -> None:
    metrics = Metrics("warehouse")
    a = f"hook-{next(_NUMBERS)}"
    with receiving() as receiver:
        config = replace(config, url=f"http://127.0.0.1:{receiver.server.server_port}/hook")
        with sending(config, metrics):
            wait_for(lambda: has_begun(config))
            receiver.fail = 10**9
            say(kafka, (a, 1, "open", "low"))
            wait_for(lambda: metrics.value(names.WEBHOOK_POSTS, "given_up") == 1)
            receiver.fail = 0
            say(kafka, (a, 2, "open", "high"))
            wait_for(lambda: bool(receiver.taken))
        assert receiver.taken == [(f"{a}/2", "worse")]
