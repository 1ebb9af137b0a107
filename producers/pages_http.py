"""The gateway's own pages: the form for hand entry and the status page.

Plain files of the package, read once at the start: no build step, no other host, so they work
while the line is away. They hold no data; what they show they ask for like any other client, with
the reader's token where that is needed. The policy lets no script run but our files, and no text
become markup.
"""

import json
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from importlib.resources import files

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from producers.openapi import problem
from producers.report import REFUSED_MAX
from producers.service import Gateway
from web.files import File, file_of, files_of
from web.problem import Problem

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types custody"
)
"""``custody`` names the one policy of the pages' own: the address of the offline worker."""

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Asked for anew each time, answered with 304: after an update nobody sees half of two pages.
    "Cache-Control": "no-cache",
}

Admit = Callable[[Request], Collection[str]]
"""Tells whose refused requests a request may see: sites, none for all; raises ``Problem``."""


def page_files() -> dict[str, File]:
    """Return the files of the pages by name, such as ``form.js`` or ``words/fr.json``."""
    found = files_of(files("producers").joinpath("pages"))
    # What a phone keeps to open the form without the gateway.
    names = json.dumps(sorted(name for name in found if not name.endswith(".html")))
    found["files.json"] = file_of("files.json", names.encode())
    return found


def pages_router(gateway: Gateway, admit: Admit) -> APIRouter:
    """Return the routes of the pages.

    Args:
        gateway: Whose pages they are.
        admit: Who may see what was refused.
    """
    router = APIRouter()
    found = page_files()

    @router.get("/", include_in_schema=False)
    def get_root() -> Response:
        return RedirectResponse("/status", headers=HEADERS)

    @router.get("/status", include_in_schema=False)
    def get_status(request: Request) -> Response:
        return found["status.html"].answer(request, HEADERS)

    @router.get("/form", include_in_schema=False)
    def get_form(request: Request) -> Response:
        return found["form.html"].answer(request, HEADERS)

    @router.get("/pages/{name:path}", include_in_schema=False)
    def get_file(request: Request, name: str) -> Response:
        # Looked up, never opened by name: there is no path to escape from.
        file = found.get(name)
        if file is None:
            raise Problem(404, "unknown-page", f"no file {name!r} of a page")
        answer = file.answer(request, HEADERS)
        if name == "offline.js":
            answer.headers["Service-Worker-Allowed"] = "/form"
        return answer

    _add_refused(router, gateway, admit)
    return router


_GET_REFUSED = {
    "security": [{"token": []}],
    "parameters": [
        {
            "name": "limit",
            "in": "query",
            "description": "Most to return.",
            "schema": {"type": "integer", "minimum": 1, "maximum": REFUSED_MAX, "default": 20},
        }
    ],
    "responses": {
        "200": {
            "description": "Newest first, each with code, field, found and allowed.",
            "content": {
                "application/json": {"schema": {"type": "array", "items": {"type": "object"}}}
            },
        },
        "400": problem("The limit is no number in its bounds, or said twice."),
        "401": problem("No token."),
        "503": problem("The outbox cannot be read now; see Retry-After."),
    },
}


def _add_refused(router: APIRouter, gateway: Gateway, admit: Admit) -> None:
    @router.get("/v1/refused", summary="Ask what was refused lately", openapi_extra=_GET_REFUSED)
    def get_refused(request: Request) -> Response:
        sites = admit(request)
        limit = _limit(request.query_params.getlist("limit") or ["20"])
        try:
            items = gateway.refused_lately(limit, sites)
        except sqlite3.Error as error:
            raise Problem(503, "outbox-unreadable", str(error), {"Retry-After": "5"}) from error
        return Response(json.dumps(items), media_type="application/json")


def _limit(said: Sequence[str]) -> int:
    text = "&limit=".join(said)
    limit = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    if not 1 <= limit <= REFUSED_MAX:
        allowed = f"a number from 1 to {REFUSED_MAX}, said once"
        raise Problem(400, "bad-query", f"limit={text[:40]}: {allowed}")
    return limit
