"""The pages that people look at: static files, an address for each page, and the login before it.

No build step and no other host, so they work on a closed network. The files hold no data; what a
page shows it asks for under ``/api``. All pages are one document: ``shell.js`` finds by the address
which of them it is, so that an address is all there is to a page's state.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.visits import Visits
from custody.errors import Unavailable
from web import problem as problems
from web.files import File, file_of, files_of
from web.problem import Problem

HOME = "/now"
"""Where a browser goes after the login."""

_ASKED_ANEW: Mapping[str, str] = MappingProxyType({"Cache-Control": "no-cache"})
"""Answered with 304: after an update nobody sees half of two pages."""

_KEPT: Mapping[str, str] = MappingProxyType(
    {"Cache-Control": "public, max-age=31536000, immutable"}
)
"""For what has its version in its name."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the console.

    Attributes:
        path: Its address, as a route.
        has_charts: It draws; the drawing library is large, and other pages go without.
    """

    path: str
    has_charts: bool = False


PAGES: tuple[Page, ...] = (
    Page("/now", has_charts=True),
    Page("/alerts/{alert_id}", has_charts=True),
    Page("/handover"),
    Page("/gateways"),
    Page("/search"),
    Page("/lots/{subject:path}", has_charts=True),
    Page("/sites/{subject:path}", has_charts=True),
    Page("/processes/{subject:path}", has_charts=True),
    Page("/instruments/{subject:path}"),
    Page("/explore"),
    Page("/audit"),
)


class NoChartLibrary(Unavailable):
    """The package that carries the drawing library is not there."""

    def __init__(self) -> None:
        super().__init__(
            "the console's charts have no library",
            expected="the package plotly, which the extra custody[sink] brings",
            next_step="pip install 'custody[sink]'",
        )


def pages_router(found: Visits) -> APIRouter:
    """Return the routes of the pages and of their files.

    Args:
        found: Tells who sends a request.

    Raises:
        NoChartLibrary: The drawing library is not installed.
    """
    router = APIRouter()
    held = page_files()
    for page in PAGES:
        _add_page(router, found, page)

    @router.get("/pages/{name:path}", include_in_schema=False)
    def get_file(request: Request, name: str) -> Response:
        file = held.get(name)
        if file is None:
            raise Problem(404, "unknown-page", f"no file {name[:80]!r} of a page")
        return file.answer(request, _KEPT if name == chart_library() else _ASKED_ANEW)

    return router


def _add_page(router: APIRouter, found: Visits, page: Page) -> None:
    @router.get(page.path, include_in_schema=False)
    def get_page(request: Request) -> Response:
        return page_answer(request, found, has_charts=page.has_charts)


def page_answer(request: Request, found: Visits, *, has_charts: bool = False) -> Response:
    """Answer a browser with the document of the pages, or with the way to the login.

    Args:
        request: Of a page.
        found: Tells who sends it.
        has_charts: The page draws.
    """
    try:
        found.anyone(request)
    except Problem:
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(asked, safe='')}", 303)
    return _shown(has_charts=has_charts).answer(request, _ASKED_ANEW)


def wants_page(request: Request) -> bool:
    """Tell whether somebody types an address or follows a link: a program does not ask so."""
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")


def unknown_address(found: Visits) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Return what answers where the framework refuses: a browser at an unknown address gets a page.

    Args:
        found: Tells who sends a request.
    """

    async def on_http_error(request: Request, error: Exception) -> Response:
        refused = await problems.on_http_error(request, error)
        if refused.status_code != 404 or not wants_page(request):
            return refused
        page = await run_in_threadpool(page_answer, request, found)
        if page.status_code == 200:
            page.status_code = 404
        return page

    return on_http_error


@cache
def _shown(*, has_charts: bool) -> File:
    return document(page_files()["page.html"], has_charts=has_charts)


def page_files() -> dict[str, File]:
    """Return the files of the pages by name, their words and the drawing library among them.

    Raises:
        NoChartLibrary: The drawing library is not installed.
    """
    package = files("console")
    found = files_of(package.joinpath("pages"))
    found |= files_of(package.joinpath("words"), "words/")
    found[chart_library()] = _library()
    return found


def document(template: File, *, has_charts: bool) -> File:
    """Return the document of a page, with the drawing library where it draws."""
    script = f'<script src="/pages/{chart_library()}" defer></script>' if has_charts else ""
    return file_of("page.html", template.body.replace(b"<!-- charts -->", script.encode()))


@cache
def chart_library() -> str:
    """Return the name under which the drawing library is served: its version is in it."""
    return f"plotly-{version('plotly')}.min.js"


@cache
def _library() -> File:
    # Found, not imported: of the package only this file is used.
    spec = find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise NoChartLibrary
    place = Path(spec.submodule_search_locations[0], "package_data", "plotly.min.js")
    return file_of(place.name, place.read_bytes())


def next_of(asked: str) -> str:
    """Return where a browser goes after the login: a page of ours, whatever was asked for."""
    ours = asked.startswith("/") and not asked.startswith(("//", "/\\", "/login"))
    return asked if ours and asked.isprintable() and "\\" not in asked else HOME
