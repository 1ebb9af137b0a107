"""The gateway's HTTP API. Thin: read, ask ``Gateway``, answer."""

import asyncio
import json
import time
from dataclasses import replace

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from custody.errors import Unavailable
from custody.ids import parse_event_id
from producers import body, json_schemas
from producers.access import Access
from producers.config import HttpConfig
from producers.group import Answer
from producers.openapi import (
    GET_EVENT,
    GET_HEALTH,
    GET_METRICS,
    GET_SCHEMA,
    OPTIONS,
    POST_EVENTS,
    with_models,
)
from producers.pages_http import pages_router
from producers.service import Gateway, Options
from producers.tokens import Token, denial
from telemetry import metrics
from web.problem import Problem, on_bug, on_http_error, on_problem
from web.problem_kinds import add_problem_kinds

_SAID = {"true": True, "1": True, "false": False, "0": False}


def make_app(gateway: Gateway, access: Access, config: HttpConfig | None = None) -> FastAPI:
    """Return the API of a gateway.

    Args:
        gateway: What answers; started and closed by the caller.
        access: Whose tokens may post and ask for what.
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
    add_problem_kinds(app)
    _add_events(app, gateway, access, limits)
    _add_reading(app, gateway)
    app.include_router(
        pages_router(
            gateway, lambda request: access.admit(request.headers.get("authorization", "")).sites
        )
    )
    describe = app.openapi
    # FastAPI's own way of extending the description is to replace the method.
    app.openapi = lambda: with_models(describe())  # type: ignore[method-assign]
    return app


def _add_events(app: FastAPI, gateway: Gateway, access: Access, limits: HttpConfig) -> None:
    bodies = body.Bodies(limits.body_bytes_max, limits.body_timeout_s)

    @app.post(
        "/v1/events",
        status_code=202,
        summary="Post one request or a list",
        openapi_extra=POST_EVENTS,
    )
    async def post_events(request: Request) -> Response:
        started = time.perf_counter()
        token = access.admit(request.headers.get("authorization", ""))
        async with bodies.parsed(request) as parsed:
            raws = parsed if isinstance(parsed, list) else [parsed]
            if len(raws) > limits.items_max:
                what = f"at most {limits.items_max} requests in a list"
                raise Problem(413, "too-many-items", what)
            access.take(token, len(raws), limits)
            _may_post(token, gateway, parsed)
            skew_ms = gateway.skew_ms(request.headers.get("date"))
            options = replace(_options(request), clock_skew_ms=skew_ms)
            answers = await _durable(gateway, raws, options, _sender(token, request))
            is_list = isinstance(parsed, list)
            # Their room is given to the next with the end of this block.
            del parsed, raws
        items = [answer.item for answer in answers]
        gateway.counts.observe(metrics.ACCEPT_SECONDS, time.perf_counter() - started)
        return _json(items if is_list else items[0], 202)

    @app.get(
        "/v1/events/{event_id}",
        summary="Ask for an event's way so far",
        openapi_extra=GET_EVENT,
    )
    def get_event(request: Request, event_id: str) -> Response:
        token = access.admit(request.headers.get("authorization", ""))
        known = parse_event_id(event_id)
        if known is None:
            raise Problem(400, "bad-event-id", f"{event_id!r} is no UUID")
        # Of another site's event not even that it is here: ids follow from the numbers of tickets.
        hidden = bool(token.sites) and gateway.sites.of(known) not in token.sites
        found = None if hidden else gateway.event(known)
        if found is None:
            raise Problem(404, "unknown-event", f"this gateway never took {known}")
        return _json(found)


def _add_reading(app: FastAPI, gateway: Gateway) -> None:
    @app.get("/schemas/{name}", summary="Get a published JSON Schema", openapi_extra=GET_SCHEMA)
    def get_schema(name: str) -> Response:
        found = json_schemas.published(name)
        if found is None:
            raise Problem(404, "unknown-schema", f"no schema {name!r}; try request-weighing.json")
        return Response(found, media_type="application/schema+json")

    @app.get(
        "/health", summary="Ask how the gateway is; 503 when it fails", openapi_extra=GET_HEALTH
    )
    def get_health() -> Response:
        health = gateway.health()
        return Response(health.body(), health.code, media_type="application/json")

    @app.get(
        "/metrics",
        summary="Get the figures in Prometheus' text format",
        openapi_extra=GET_METRICS,
    )
    def get_metrics() -> Response:
        return Response(gateway.counts.exposition(), media_type=metrics.CONTENT_TYPE)


async def _durable(
    gateway: Gateway, raws: list[object], options: Options, sender: str
) -> list[Answer]:
    try:
        return await asyncio.wrap_future(gateway.take(raws, options, sender))
    except Unavailable as error:
        headers = {"Retry-After": str(body.RETRY_AFTER_S)}
        detail = f"{error.what}; nothing of it was taken, send it again later"
        raise Problem(503, "outbox-closed", detail, headers) from error


def _options(request: Request) -> Options:
    """Return the query's options. By hand: the framework's way costs as much as the answer."""
    pairs = request.query_params.multi_items()
    given = {name: _SAID.get(value.lower()) for name, value in pairs}
    if len(given) < len(pairs):
        twice = ", ".join(name for name in given if [n for n, _ in pairs].count(name) > 1)
        detail = f"said more than once: {twice}; say each once, nobody can tell which is meant"
        raise Problem(400, "bad-query", detail)
    unknown = [name for name, value in given.items() if name not in OPTIONS or value is None]
    if unknown:
        detail = f"not understood: {', '.join(unknown)}; known: {', '.join(OPTIONS)}, true or false"
        raise Problem(400, "bad-query", detail)
    return Options(**{name: bool(value) for name, value in given.items()})


def _may_post(token: Token, gateway: Gateway, parsed: object) -> None:
    """Refuse the whole post where one request is not the token's to send.

    Not the one alone: a sender with another's facts in his list has mixed something up, and what
    he would otherwise have to find out from one result among hundreds is said to him at once.

    Raises:
        Problem: 403 with the place in the list, and what the token is for.
    """
    is_list = isinstance(parsed, list)
    found = denial(token, parsed if isinstance(parsed, list) else [parsed], gateway.sites.of)
    if found is not None:
        index, why = found
        what = f"request {index} of the list (from 0) {why}; nothing was taken" if is_list else why
        raise Problem(403, "not-for-this-token", what)


def _sender(token: Token, request: Request) -> str:
    return f"{token.name}@{'unknown' if request.client is None else request.client.host}"


def _json(value: object, status: int = 200) -> Response:
    # Escaped, so that half a surrogate pair quoted from a bad request does not break the answer.
    return Response(json.dumps(value), status, media_type="application/json")
