"""SQL over HTTP, health and metrics of the warehouse process. Thin: read, ask, answer."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from console.access import Access
from console.clickhouse import Door, add_clickhouse, told_again
from console.complete import CompleteTo
from console.config import ConsoleConfig
from console.parameters import escaped, sent_parameters
from console.problem import problem_of
from console.reader import Ask, Reader
from console.request import statement_of
from console.streaming import Manner, Streamed
from custody.errors import CustodyError
from custody.events import Micros
from telemetry import metrics as names
from telemetry.metrics import CONTENT_TYPE, Metrics
from web.problem import Problem, on_bug, on_http_error, on_problem
from web.problem_kinds import add_problem_kinds

_ASKED_TO_STOP = {
    "status": "asked to stop",
    "detail": "the engine heeds it between two blocks of rows; GET /v1/queries lists it until then",
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
        complete_to: Up to when everything is in, microseconds; None where that is not known. Said
            with every answer (``console/complete.py``).
        sites: The same by site.
    """

    metrics: Metrics
    health: Callable[[], Health]
    ready: Callable[[], bool]
    complete_to: Callable[[], Micros | None] = lambda: None
    sites: Callable[[], Mapping[str, Micros]] = lambda: MappingProxyType({})


def make_app(config: ConsoleConfig, reader: Reader, access: Access, process: Process) -> FastAPI:
    """Return the HTTP answers of the warehouse process.

    Args:
        config: Bounds.
        reader: Runs the queries; closed by the caller.
        access: Says who may ask.
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
    add_problem_kinds(app)
    door = Door(
        config,
        reader,
        access,
        new_id=lambda: secrets.token_hex(16),
        ended=lambda error: process.metrics.add(names.SQL_QUERIES, outcome_of(error)),
    )
    add_clickhouse(app, door)
    _add_sql(app, door)
    _add_queries(app, door)
    _add_process(app, process)
    app.add_middleware(CompleteTo, complete_to=process.complete_to, sites=process.sites)
    return app


def outcome_of(error: CustodyError | None) -> str:
    """Return how a query ended, as it is counted."""
    if error is None:
        return "ok"
    return "refused" if problem_of(error).status in {403, 413, 429} else "failed"


def _add_sql(app: FastAPI, door: Door) -> None:
    @app.post("/sql", summary="Run one statement that reads")
    async def sql(request: Request) -> Response:
        role = door.access.role_of(request.headers)
        asked = request.query_params
        statement = await statement_of(request, door.config.query_characters_max)
        query_id = door.new_id()
        ask = Ask(
            statement=statement,
            role=role,
            query_id=query_id,
            format=asked.get("format", "JSONEachRow"),
            parameters=escaped(sent_parameters(asked)),
        )
        manner = Manner(
            failed=lambda error: problem_of(error).response(),
            broken=lambda error: str(error).encode(),
            ended=door.ended,
            # All of it is held until it is whole: what was answered 200 is no half answer.
            head_bytes=door.config.result_bytes_max,
        )
        return Streamed(door.reader, ask, manner)


def _add_queries(app: FastAPI, door: Door) -> None:
    @app.get("/v1/queries", summary="Names of the queries that run or wait")
    async def queries(request: Request) -> list[str]:
        return door.reader.running(door.access.role_of(request.headers))

    @app.delete("/v1/queries/{query_id}", summary="Stop a query; 202 where it has yet to heed")
    async def cancel(query_id: str, request: Request) -> Response:
        role = door.access.role_of(request.headers)
        try:
            stopping = await run_in_threadpool(door.reader.cancel, query_id, role)
        except CustodyError as error:
            raise problem_of(error) from error
        if stopping is None:
            raise Problem(404, "no-such-query", f"no query {query_id!r} runs or waits")
        if stopping.ended:
            return Response(status_code=204)
        return JSONResponse(_ASKED_TO_STOP, 202, background=told_again(stopping))


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
