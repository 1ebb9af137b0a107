"""How the gateway listens: TLS, and limits on what a sender may hold open.

A gateway stands in a plant's network, where a broken handheld opens connections by the hundred
and a scanner of the IT department sends what it likes. Each may cost little and not for long.
"""

import asyncio
import ipaddress
import ssl

import h11
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

from producers.config import HttpConfig, TlsConfig
from web import certificate
from web.certificate import Given
from web.problem import Problem

HEAD_BYTES_MAX = 16 * 1024
"""Request line and headers together; as each header has four bytes at least, their number, too."""

HEAD_TIMEOUT_S = 10.0
"""How long request line and headers may take, from the connection or from their first byte."""

KEEP_ALIVE_S = 5
"""How long a connection without a request stays open after an answer."""

CONNECTIONS_MAX = 512
"""Connections at a time; beyond it a request gets 503."""

DRAIN_S = 5
"""How long a stop waits for answers that are due."""


class TimedProtocol(H11Protocol):
    """HTTP/1.1 that closes a connection whose request does not begin or goes on for ever."""

    _due: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._due = self.loop.call_later(HEAD_TIMEOUT_S, transport.abort)

    @override
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._due is None:
            self._due = self.loop.call_later(HEAD_TIMEOUT_S, self.transport.abort)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _stop_waiting(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None


def limited(app: ASGIApp) -> ASGIApp:
    """Refuse a request whose head is too large; the parser sees to that only while one is coming.

    A head that comes whole in one read of the socket has never been incomplete.
    """

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _head_bytes(scope) > HEAD_BYTES_MAX:
            detail = f"request line and headers take more than {HEAD_BYTES_MAX} bytes"
            await Problem(400, "head-too-large", detail).response()(scope, receive, send)
            return
        await app(scope, receive, send)

    return checked


def _head_bytes(scope: Scope) -> int:
    headers = sum(len(name) + len(value) + len(": \r\n") for name, value in scope["headers"])
    return headers + len(scope["raw_path"]) + len(scope["query_string"])


def server(app: FastAPI, config: HttpConfig) -> uvicorn.Server:
    """Return a server of the API, not started.

    Raises:
        CertificateUnusable: A file of the settings cannot be used.
    """
    settings = uvicorn.Config(
        limited(app),
        http=TimedProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=DRAIN_S,
        timeout_keep_alive=KEEP_ALIVE_S,
        limit_concurrency=CONNECTIONS_MAX,
        h11_max_incomplete_event_size=HEAD_BYTES_MAX,
    )
    settings.load()
    if config.tls is not None:
        settings.ssl = _context(config.tls)
    return uvicorn.Server(settings)


def unencrypted(config: HttpConfig) -> str:
    """Return what to warn of; empty where nobody else can read tokens on their way."""
    if config.tls is not None or _is_loopback(config.host):
        return ""
    return (
        f"tokens and facts travel unencrypted to {config.host}:"
        " set CUSTODY_GATEWAY__TLS_CERT_FILE and CUSTODY_GATEWAY__TLS_KEY_FILE"
    )


def _context(tls: TlsConfig) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    certificate.show(
        context,
        Given("CUSTODY_GATEWAY__TLS_CERT_FILE", tls.cert_file),
        Given("CUSTODY_GATEWAY__TLS_KEY_FILE", tls.key_file),
    )
    if tls.client_ca_file is not None:
        certificate.ask(context, Given("CUSTODY_GATEWAY__TLS_CLIENT_CA_FILE", tls.client_ca_file))
    return context


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
