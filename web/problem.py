"""Errors of the API as RFC 9457 problem details: one shape for all of them."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

CONTENT_TYPE = "application/problem+json"


class Problem(Exception):
    """A request as a whole cannot be answered.

    Args:
        status: HTTP status.
        name: Stable name, the last part of ``type``.
        detail: What is wrong with this request.
        headers: Further headers, such as ``Retry-After``.
    """

    def __init__(
        self, status: int, name: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.name = name
        self.detail = detail
        self.headers = dict(headers or {})

    @property
    def type(self) -> str:
        """Where the kind of problem is explained, relative to the server that answers."""
        return f"/problems/{self.name}"

    def response(self) -> Response:
        """Return the answer."""
        body = {
            "type": self.type,
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        return Response(json.dumps(body), self.status, self.headers, CONTENT_TYPE)


async def on_problem(request: Request, error: Exception) -> Response:
    """Answer a ``Problem``."""
    del request
    assert isinstance(error, Problem), error
    return error.response()


async def on_http_error(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses by itself: no such path, no such method."""
    status = int(getattr(error, "status_code", 500))
    name = HTTPStatus(status).phrase.lower().replace(" ", "-")
    detail = f"{request.method} {request.url.path}"
    return Problem(status, name, detail, getattr(error, "headers", None)).response()


async def on_bug(request: Request, error: Exception) -> Response:
    """Answer what should not have happened; the log has the rest."""
    del error
    return Problem(500, "internal", f"{request.method} {request.url.path} failed").response()
