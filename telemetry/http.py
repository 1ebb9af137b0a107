"""A small server of ``/metrics`` and ``/health`` for processes that have no HTTP of their own."""

import json
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from typing_extensions import override

from telemetry.metrics import CONTENT_TYPE, Metrics


@dataclass(frozen=True, slots=True)
class Health:
    """How a process is.

    Attributes:
        ok: False when it is stuck or stopping: the answer is then 503.
        reason: Why it is not ok; empty when it is.
        fields: Numbers that show it, such as lag and seconds since progress.
    """

    ok: bool
    reason: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)

    def body(self) -> bytes:
        """Return the JSON answer; ``pid`` says who answers where two might listen."""
        head = {
            "status": "ok" if self.ok else "failing",
            "reason": self.reason,
            "pid": os.getpid(),
        }
        return json.dumps({**head, **self.fields}, default=str).encode()

    @property
    def code(self) -> int:
        """HTTP status: 200 or 503."""
        return 200 if self.ok else 503


class OpsServer:
    """Answers ``/metrics`` and ``/health`` from threads of its own.

    Args:
        host: Address to bind, such as ``127.0.0.1``.
        port: Port to bind; 0 takes a free one.
        metrics: What ``/metrics`` shows.
        health: Asked at every ``/health``, on a thread of the server; must not block for long.

    Raises:
        OSError: The port is taken.
    """

    def __init__(
        self, host: str, port: int, metrics: Metrics, health: Callable[[], Health]
    ) -> None:
        handler = type("Handler", (_Handler,), {"metrics": metrics, "health": staticmethod(health)})
        self._server = ThreadingHTTPServer((host, port), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="ops-http", daemon=True
        )

    @property
    def port(self) -> int:
        """The port in use."""
        return self._server.server_port

    def start(self) -> None:
        """Begin to answer; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port; blocks until the thread has ended."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class _Handler(BaseHTTPRequestHandler):
    metrics: Metrics
    health: Callable[[], Health]

    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/metrics":
                self._answer(200, CONTENT_TYPE, self.metrics.exposition())
            case "/health":
                health = self.health()
                self._answer(health.code, "application/json", health.body())
            case _:
                self._answer(404, "application/json", b'{"title":"not found"}')

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: scrapes are not news."""

    def _answer(self, code: int, content_type: str, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
