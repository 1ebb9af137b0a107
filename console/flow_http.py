"""``GET /api/flow``: what mass came to each site and left it lately."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console import flow_rows
from console.answering import answer, asked_rows, check_asked, lately, stamp
from console.people.roles import Right
from console.visits import Visits
from console.watched import Watched
from schemas.present import rfc3339


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
        check_asked(request, "hours")
        since, until = lately(request, watched.now(), hours=24)
        values = {"since": stamp(since), "until": stamp(until)}
        rows = asked_rows(watched.ask, flow_rows.FLOWS, values)
        more: dict[str, object] = {"since": rfc3339(since), "until": rfc3339(until)}
        if not rows:
            # A plant that stands, or a history that was sent later: say which it may be.
            [last] = asked_rows(watched.ask, flow_rows.LAST, {"since": stamp(since)})
            more |= last
        return answer(request, {"flow": rows}, more, watched.complete_to)

    return router
