"""The gateway's HTTP API. Thin: read, ask ``Gateway``, answer."""

import asyncio
import hmac
import json
import time
from collections.abc import Collection

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from custody.errors import Unavailable
from custody.ids import parse_event_id
from producers import body, json_schemas
from producers.config import HttpConfig
from producers.group import Answer
from producers.openapi import GET_EVENT, OPTIONS, POST_EVENTS, with_models
from producers.pages_http import pages_router
from producers.service import Gateway, Options
from telemetry import metrics
from web.problem import Problem, on_bug, on_http_error, on_problem

RETRY_AFTER_S = 5
"""What a sender is asked to wait when the outbox takes nothing."""


_SAID = {"true": True, "1": True, "false": False, "0": False}


def make_app(gateway: Gateway, token: str, config: HttpConfig | None = None) -> FastAPI:
    """Return the API of a gateway.

    Args:
        gateway: What answers; started and closed by the caller.
        token: The bearer token that may post and ask.
        config: Limits; those of the gateway's configuration by default.
    """
    limits = config or gateway.config.http
    app = FastAPI(
        title="custody gateway",
        description="Takes facts of plants: on disk before the answer, in Kafka after it.",
        version="1",
        docs_url=None,
        redoc_url=None,
    )
    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(Exception, on_bug)
    _add_events(app, gateway, token, limits)
    _add_reading(app, gateway)
    app.include_router(pages_router(gateway, lambda request: _authorise(request, token)))
    describe = app.openapi
    # FastAPI's own way of extending the description is to replace the method.
    app.openapi = lambda: with_models(describe())  # type: ignore[method-assign]
    return app


def _add_events(app: FastAPI, gateway: Gateway, token: str, limits: HttpConfig) -> None:
    bucket = _Bucket(limits.rate_per_s, limits.rate_burst)

    @app.post(
        "/v1/events",
        status_code=202,
        summary="Post one request or a list",
        openapi_extra=POST_EVENTS,
    )
    async def post_events(request: Request) -> Response:
        started = time.perf_counter()
        _authorise(request, token)
        encoding = request.headers.get("content-encoding", "").lower()
        parsed = body.parse(await body.read(request.stream(), encoding, limits.body_bytes_max))
        raws = parsed if isinstance(parsed, list) else [parsed]
        if len(raws) > limits.items_max:
            raise Problem(413, "too-many-items", f"at most {limits.items_max} requests in a list")
        bucket.take(len(raws))
        answers = await _durable(gateway, raws, _options(request), _sender(request))
        items = [answer.item for answer in answers]
        gateway.counts.observe(metrics.ACCEPT_SECONDS, time.perf_counter() - started)
        return _json(items if isinstance(parsed, list) else items[0], 202)

    @app.get(
        "/v1/events/{event_id}",
        summary="Ask for an event's way so far",
        openapi_extra=GET_EVENT,
    )
    def get_event(request: Request, event_id: str) -> Response:
        _authorise(request, token)
        known = parse_event_id(event_id)
        if known is None:
            raise Problem(400, "bad-event-id", f"{event_id!r} is no UUID")
        found = gateway.event(known)
        if found is None:
            raise Problem(404, "unknown-event", f"this gateway never took {known}")
        return _json(found)


def _add_reading(app: FastAPI, gateway: Gateway) -> None:
    @app.get("/schemas/{name}", summary="Get a published JSON Schema")
    def get_schema(name: str) -> Response:
        found = json_schemas.published(name)
        if found is None:
            raise Problem(404, "unknown-schema", f"no schema {name!r}; try request-weighing.json")
        return Response(found, media_type="application/schema+json")

    @app.get("/health", summary="Ask how the gateway is; 503 when it fails")
    def get_health() -> Response:
        health = gateway.health()
        return Response(health.body(), health.code, media_type="application/json")

    @app.get("/metrics", summary="Get the figures in Prometheus' text format")
    def get_metrics() -> Response:
        return Response(gateway.counts.exposition(), media_type=metrics.CONTENT_TYPE)


async def _durable(
    gateway: Gateway, raws: list[object], options: Options, sender: str
) -> list[Answer]:
    try:
        return await asyncio.wrap_future(gateway.take(raws, options, sender))
    except Unavailable as error:
        headers = {"Retry-After": str(RETRY_AFTER_S)}
        raise Problem(503, "outbox-closed", str(error), headers) from error


def _options(request: Request) -> Options:
    """Return the query's options. By hand: the framework's way costs as much as the answer."""
    given = {name: _SAID.get(value.lower()) for name, value in request.query_params.items()}
    unknown = [name for name, value in given.items() if name not in OPTIONS or value is None]
    if unknown:
        detail = f"not understood: {', '.join(unknown)}; known: {', '.join(OPTIONS)}, true or false"
        raise Problem(400, "bad-query", detail)
    return Options(**{name: bool(value) for name, value in given.items()})


def _authorise(request: Request, token: str) -> Collection[str]:
    """Return the sites whose refused requests the asker may see; none stands for all."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), token.encode()):
        headers = {"WWW-Authenticate": "Bearer"}
        raise Problem(401, "no-token", "Authorization: Bearer <token> is needed", headers)
    return ()


def _sender(request: Request) -> str:
    return "unknown" if request.client is None else request.client.host


def _json(value: object, status: int = 200) -> Response:
    # Escaped, so that half a surrogate pair quoted from a bad request does not break the answer.
    return Response(json.dumps(value), status, media_type="application/json")


class _Bucket:
    """A token bucket over requests, for all senders: there is one token so far."""

    def __init__(self, rate_per_s: float | None, burst: int) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._level = float(burst)
        self._at = time.monotonic()

    def take(self, count: int) -> None:
        """Take from the bucket or refuse.

        Raises:
            Problem: 429 with the seconds until there is enough.
        """
        if self._rate_per_s is None:
            return
        now = time.monotonic()
        self._level = min(self._burst, self._level + (now - self._at) * self._rate_per_s)
        self._at = now
        # A list larger than the bucket passes when it is full, and leaves a debt.
        missing = min(count, self._burst) - self._level
        if missing > 0:
            wait_s = int(missing / self._rate_per_s) + 1
            detail = f"more than {self._rate_per_s:g} requests per second"
            raise Problem(429, "rate-limit", detail, {"Retry-After": str(wait_s)})
        self._level -= count
