"""Serves the HTTP answers from a thread, while the main thread does the sink's work."""

import threading
from types import TracebackType
from typing import Self

import uvicorn
from fastapi import FastAPI

from web.listen import listen

PORT_SETTING = "CUSTODY_CONSOLE__PORT"
_DRAIN_S = 5


class Server:
    """An HTTP server in a thread of its own.

    Args:
        app: What answers.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        proxied: A proxy on this machine stands before it and says who asks.

    Raises:
        PortTaken: The address is in use.
    """

    def __init__(self, app: FastAPI, host: str, port: int, *, proxied: bool = False) -> None:
        self._listener = listen(host, port, PORT_SETTING)
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                # Without a proxy, who asks could say that he is somebody else.
                proxy_headers=proxied,
                timeout_graceful_shutdown=_DRAIN_S,
            )
        )
        self._thread = threading.Thread(target=self._serve, name="console-http", daemon=True)

    @property
    def port(self) -> int:
        """The port in use."""
        return int(self._listener.getsockname()[1])

    def start(self) -> None:
        """Begin to answer; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Answer what is due, then stop; blocks until the thread has ended."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join()
        self._listener.close()

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

    def _serve(self) -> None:
        self._server.run(sockets=[self._listener])
