"""``GET /api/flow``: what mass came to each site and left it lately."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console import flow_rows
from console.answering import answer, asked_rows, stamp
from console.people.roles import Right
from console.visits import Visits
from console.watched import Watched
from custody.events import Micros
from schemas.present import rfc3339
from web.problem import Problem

_HOURS_MAX = 24 * 31
_HOUR_US = 3_600_000_000


def flow_router(found: Visits, watched: Watched) -> APIRouter:
    """Return the route of flows.

    Args:
        found: Tells who sends a request.
        watched: What they are read from.
    """
    router = APIRouter()

    @router.get("/api/flow", summary="Mass that came and left by site, in the last hours")
    def get_flow(request: Request) -> Response:
        found.reader(request, Right.SEE, "flow")
        hours = _hours(request.query_params.get("hours", "24"))
        until = watched.now()
        since = Micros(until - hours * _HOUR_US)
        values = {"since": stamp(since), "until": stamp(until)}
        rows = asked_rows(watched.ask, flow_rows.FLOWS, values)
        more = {"since": rfc3339(since), "until": rfc3339(until)}
        return answer(request, {"flow": rows}, more, watched.complete_to)

    return router


def _hours(text: str) -> int:
    hours = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    if not 1 <= hours <= _HOURS_MAX:
        raise Problem(400, "bad-query", f"hours={text[:40]}: a number from 1 to {_HOURS_MAX}")
    return hours
