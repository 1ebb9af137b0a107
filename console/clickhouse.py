"""ClickHouse's HTTP protocol, as far as reading goes: for clickhouse-connect, Grafana, JDBC, curl.

A statement comes as ``query`` in the address, in the body, or begun in the one and ended in the
other. Settings and ``param_<name>`` stand in the address. An error is ClickHouse's text with its
number in ``X-ClickHouse-Exception-Code``.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console import errors
from console.access import Access
from console.asked import TRANSPORT, SettingRefused
from console.config import ConsoleConfig
from console.native import CUSTOM_SERIALISATION, NotInNative
from console.packing import chosen
from console.pages_http import HOME
from console.parameters import sent_parameters
from console.reader import Ask, Reader, Stopping
from console.request import statement_of
from console.rules import UNREADABLE, NotAllowed, Rule
from console.streaming import TEXT, Manner, Streamed
from console.who import Role
from custody.errors import CustodyError, Refused
from web.problem import Problem

_DATABASES = frozenset({"", "custody", "default", "__default__"})
"""What tools name where they mean ours; ``default`` is what they say when nobody said anything."""

_QUERY_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_KILL = re.compile(
    r"\s*KILL\s+QUERY\s+WHERE\s+query_id\s*=\s*'([^'\\]{1,100})'\s*(?:A?SYNC)?\s*;?\s*",
    re.IGNORECASE,
)
_NAMES = {
    errors.ACCESS_DENIED: "ACCESS_DENIED",
    errors.SYNTAX_ERROR: "SYNTAX_ERROR",
    errors.SETTING_CONSTRAINT_VIOLATION: "SETTING_CONSTRAINT_VIOLATION",
    errors.NOT_IMPLEMENTED: "NOT_IMPLEMENTED",
    errors.TOO_MANY_QUERIES: "TOO_MANY_SIMULTANEOUS_QUERIES",
    errors.AUTHENTICATION_FAILED: "AUTHENTICATION_FAILED",
    errors.SAME_ID_IS_RUNNING: "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING",
    errors.BAD_ARGUMENTS: "BAD_ARGUMENTS",
    errors.CANCELLED: "QUERY_WAS_CANCELLED",
    errors.NETWORK_ERROR: "NETWORK_ERROR",
    159: "TIMEOUT_EXCEEDED",
    241: "MEMORY_LIMIT_EXCEEDED",
    396: "TOO_MANY_ROWS_OR_BYTES",
}
_KILL_STATUS = {True: "finished", False: "waiting"}
"""The server's words for whether a query has ended by the time of the answer."""

_STATUSES = {
    errors.ACCESS_DENIED: 403,
    errors.AUTHENTICATION_FAILED: 403,
    errors.SYNTAX_ERROR: 400,
    errors.BAD_ARGUMENTS: 400,
    errors.NOT_IMPLEMENTED: 501,
    errors.SETTING_CONSTRAINT_VIOLATION: 400,
    errors.TOO_MANY_QUERIES: 429,
    errors.NETWORK_ERROR: 503,
    46: 400,  # UNKNOWN_FUNCTION
    47: 400,  # UNKNOWN_IDENTIFIER
    60: 404,  # UNKNOWN_TABLE
    159: 408,
    396: 413,
}
"""HTTP's number where it says more than 500 does."""


@dataclass(frozen=True, slots=True)
class Door:
    """What answers share.

    Attributes:
        config: Bounds.
        reader: Runs the statements.
        access: Says who asks.
        new_id: Makes the name of a query that has none.
        ended: Told how each query ended.
    """

    config: ConsoleConfig
    reader: Reader
    access: Access
    new_id: Callable[[], str]
    ended: Callable[[CustodyError | None], None]


class NotSpoken(Refused):
    """A part of the protocol that this door does not speak."""

    code = errors.NOT_IMPLEMENTED


def add_clickhouse(app: FastAPI, door: Door) -> None:
    """Add the protocol's paths: ``/``, ``/ping``."""

    @app.get("/ping", include_in_schema=False)
    async def ping() -> Response:
        return Response("Ok.\n", media_type=TEXT)

    @app.get("/", summary="ClickHouse's HTTP protocol: a statement as ?query=")
    async def get(request: Request) -> Response:
        if "query" not in request.query_params:
            # A program that asks whether somebody is there, or a person's browser.
            if "text/html" in request.headers.get("accept", ""):
                return RedirectResponse(HOME, 303)
            return Response("Ok.\n", media_type=TEXT)
        return await _answer(request, door)

    @app.post("/", summary="ClickHouse's HTTP protocol: a statement as ?query= and body")
    async def post(request: Request) -> Response:
        return await _answer(request, door)


async def _answer(request: Request, door: Door) -> Response:
    query = dict(request.query_params)
    sent = query.get("query_id", "")
    # It goes back in a header, also to who may not ask: one that is none is not sent back.
    query_id = sent if _QUERY_ID.fullmatch(sent) else door.new_id()
    try:
        role = door.access.role_of(request.headers, query)
    except Problem as problem:
        return _failure(problem.detail, errors.AUTHENTICATION_FAILED, query_id)
    try:
        if sent not in {"", query_id}:
            message = f"the query_id {sent[:40]!r} is none"
            raise Refused(message, expected="letters, digits, _ . : - , at most 100")
        statement = await _statement(request, query, door.config)
        killed = _KILL.fullmatch(statement)
        if killed:
            return await _kill(door, role, killed[1], query_id)
        ask = _ask(statement, role, query_id, request.headers, query)
        manner = _manner(door, query_id, request.headers, query)
    except Problem as problem:
        return _failure(problem.detail, errors.BAD_ARGUMENTS, query_id)
    except CustodyError as error:
        door.ended(error)
        return _failed(error, query_id)
    return Streamed(door.reader, ask, manner)


async def _statement(request: Request, query: Mapping[str, str], config: ConsoleConfig) -> str:
    if request.headers.get("content-type", "").startswith("multipart/"):
        message = "form fields and external tables are not taken here"
        raise NotSpoken(message, next_step="send the statement as the body")
    if request.headers.get("content-encoding", "identity") != "identity":
        message = "a packed statement is not taken here"
        raise NotSpoken(message, next_step="send it as it is")
    body = await statement_of(request, config.query_characters_max)
    parts = [part for part in (query.get("query", ""), body) if part.strip()]
    return "\n".join(parts)


async def _kill(door: Door, role: Role, wanted: str, query_id: str) -> Response:
    stopping = await run_in_threadpool(door.reader.cancel, wanted, role)
    said = f"{_KILL_STATUS[stopping.ended] if stopping else 'not found'}\t{wanted}\n"
    headers = {"X-ClickHouse-Query-Id": query_id, "X-ClickHouse-Format": "TabSeparated"}
    answer = Response(said, headers=headers, media_type=TEXT)
    answer.background = told_again(stopping)
    return answer


def told_again(stopping: Stopping | None) -> BackgroundTask | None:
    """Return what is left to do after the answer: to tell the engine until the query ends."""
    if stopping is None or stopping.ended:
        return None
    return BackgroundTask(stopping.insist)


def _ask(
    statement: str,
    role: Role,
    query_id: str,
    headers: Mapping[str, str],
    query: Mapping[str, str],
) -> Ask:
    database = query.get("database", headers.get("x-clickhouse-database", ""))
    if database not in _DATABASES:
        raise NotAllowed(Rule.TABLE, f"database={database}")
    for name in ("compress", "decompress"):
        if query.get(name, "0") not in {"", "0", "false"}:
            message = f"{name}=1, blocks packed in ClickHouse's own way, is not spoken here"
            raise NotSpoken(message, next_step="compress=0 with enable_http_compression=1")
    return Ask(
        statement=statement,
        role=role,
        query_id=query_id,
        format=headers.get("x-clickhouse-format", query.get("default_format", "TabSeparated")),
        parameters=sent_parameters(query),
        settings={
            name: value
            for name, value in query.items()
            if name not in TRANSPORT and not name.startswith("param_")
        },
    )


def _manner(
    door: Door, query_id: str, headers: Mapping[str, str], query: Mapping[str, str]
) -> Manner:
    is_packed = query.get("enable_http_compression", "0") in {"1", "true"}
    version = query.get("client_protocol_version", "0")
    tag = door.new_id()[:16].ljust(16, "0")
    return Manner(
        failed=lambda error: _failed(error, query_id),
        broken=lambda error: _broken(error, tag),
        ended=door.ended,
        codec=chosen(headers.get("accept-encoding", "")) if is_packed else "",
        framed_native=version.isdecimal() and int(version) >= CUSTOM_SERIALISATION,
        headers={
            "x-clickhouse-timezone": "UTC",
            "x-clickhouse-server-display-name": "custody",
            "x-clickhouse-exception-tag": tag,
        },
    )


def code_of(error: CustodyError) -> int:
    """Return ClickHouse's number for an error."""
    match error:
        case NotAllowed() if error.rule in UNREADABLE:
            return errors.SYNTAX_ERROR
        case NotAllowed():
            return errors.ACCESS_DENIED
        case SettingRefused():
            return errors.SETTING_CONSTRAINT_VIOLATION
        case NotInNative():
            return errors.NOT_IMPLEMENTED
        case _:
            return int(getattr(error, "code", errors.BAD_ARGUMENTS))


def _text(error: CustodyError) -> str:
    code = code_of(error)
    said = str(error)
    if f"Code: {code}." in said:
        return said[said.index(f"Code: {code}.") :]
    return f"Code: {code}. DB::Exception: {said}. ({_NAMES.get(code, 'ERROR')})"


def _failed(error: CustodyError, query_id: str) -> Response:
    return _failure(_text(error), code_of(error), query_id)


def _failure(text: str, code: int, query_id: str) -> Response:
    said = (
        text
        if text.startswith("Code: ")
        else f"Code: {code}. DB::Exception: {text}. ({_NAMES[code]})"
    )
    headers = {"X-ClickHouse-Exception-Code": str(code), "X-ClickHouse-Query-Id": query_id}
    if code == errors.TOO_MANY_QUERIES:
        headers["Retry-After"] = "5"
    if code == errors.AUTHENTICATION_FAILED:
        headers["WWW-Authenticate"] = 'Basic realm="custody"'
    status = _STATUSES.get(code, 500)
    return Response(said + "\n", status, headers, media_type=TEXT)


def _broken(error: CustodyError, tag: str) -> bytes:
    """An error behind rows, marked as clients look for it: by the tag of the answer's header."""
    said = _text(error).encode()
    mark = b"__exception__\r\n"
    return (
        b"\r\n" + mark + f"{tag}\r\n".encode() + said + f"\n{len(said)} {tag}\r\n".encode() + mark
    )
