"""SQL over HTTP, health and metrics of the warehouse process. Thin: read, ask, answer."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.config import ConsoleConfig
from console.problem import problem_of
from console.reader import Reader
from custody.errors import CustodyError
from telemetry import metrics as names
from telemetry.metrics import CONTENT_TYPE, Metrics
from web.problem import Problem, on_bug, on_http_error, on_problem

_TEXT = "text/plain; charset=utf-8"
_CONTENT_TYPES = {
    "JSONEachRow": "application/x-ndjson",
    "JSON": "application/json",
    "JSONCompact": "application/json",
    "CSV": "text/csv; charset=utf-8",
    "CSVWithNames": "text/csv; charset=utf-8",
    "Arrow": "application/vnd.apache.arrow.file",
    "ArrowStream": "application/vnd.apache.arrow.stream",
    "Parquet": "application/vnd.apache.parquet",
    "Native": "application/octet-stream",
}


class Health(Protocol):
    """How the process is; ``telemetry.http.Health`` is one."""

    def body(self) -> bytes:
        """Return the JSON answer."""
        ...

    @property
    def code(self) -> int:
        """HTTP status: 200 or 503."""
        ...


@dataclass(frozen=True, slots=True)
class Process:
    """What the process shows of itself.

    Attributes:
        metrics: What ``/metrics`` answers.
        health: Asked at every ``/health``; must not block.
        ready: Whether the tables are there and the sink has begun; ``/ready``.
    """

    metrics: Metrics
    health: Callable[[], Health]
    ready: Callable[[], bool]


def make_app(config: ConsoleConfig, reader: Reader, token: str, process: Process) -> FastAPI:
    """Return the HTTP answers of the warehouse process.

    Args:
        config: Bounds.
        reader: Runs the queries; closed by the caller.
        token: The bearer token that may ask.
        process: What it shows of itself.
    """
    app = FastAPI(
        title="custody warehouse",
        description="Read-only SQL over the warehouse.",
        version="1",
        docs_url=None,
        redoc_url=None,
    )
    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(Exception, on_bug)
    _add_sql(app, config, reader, token, process.metrics)
    _add_process(app, process)
    return app


def _add_sql(
    app: FastAPI, config: ConsoleConfig, reader: Reader, token: str, metrics: Metrics
) -> None:
    @app.post("/sql", summary="Run one statement that reads")
    async def sql(request: Request) -> Response:
        _authorise(request, token)
        statement = await _statement(request, config.query_characters_max)
        asked = request.query_params
        format_name = asked.get("format", "JSONEachRow")
        values = {k.removeprefix("param_"): v for k, v in asked.items() if k.startswith("param_")}
        try:
            body = await run_in_threadpool(reader.ask, statement, format_name, values)
        except CustodyError as error:
            problem = problem_of(error)
            outcome = "refused" if problem.status in {403, 413, 429} else "failed"
            metrics.add(names.SQL_QUERIES, outcome)
            raise problem from error
        metrics.add(names.SQL_QUERIES, "ok")
        return Response(body, 200, media_type=_CONTENT_TYPES.get(format_name, _TEXT))


def _add_process(app: FastAPI, process: Process) -> None:
    @app.get("/health", summary="Whether the sink gets on")
    async def health() -> Response:
        found = process.health()
        return Response(found.body(), found.code, media_type="application/json")

    @app.get("/ready", summary="Whether the tables are there")
    async def ready() -> Response:
        is_ready = process.ready()
        body = b'{"ready":true}' if is_ready else b'{"ready":false}'
        return Response(body, 200 if is_ready else 503, media_type="application/json")

    @app.get("/metrics", summary="Metrics for Prometheus")
    async def metrics() -> Response:
        return Response(process.metrics.exposition(), media_type=CONTENT_TYPE)


def _authorise(request: Request, token: str) -> None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), token.encode()):
        headers = {"WWW-Authenticate": "Bearer"}
        raise Problem(401, "no-token", "Authorization: Bearer <token> is needed", headers)


async def _statement(request: Request, characters_max: int) -> str:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > 4 * characters_max:
            break
    try:
        statement = body.decode()
    except UnicodeDecodeError as error:
        raise Problem(400, "not-text", "the query is not UTF-8 text") from error
    if len(statement) > characters_max:
        detail = f"a query has at most {characters_max:,} characters"
        raise Problem(413, "too-long", detail)
    return statement
