"""Alerts for pages: what stands."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console import alert_rows
from console.answering import answer, asked_rows
from console.people.roles import Right
from console.visits import Visits
from console.watched import Watched

STATES = ("open", "acknowledged", "shelved")
"""Of an alert that nobody has settled."""


def alerts_router(found: Visits, watched: Watched) -> APIRouter:
    """Return the routes of alerts.

    Args:
        found: Tells who sends a request.
        watched: What they are read from.
    """
    router = APIRouter()

    @router.get("/api/alerts", summary="Alerts that nobody has settled, the worst first")
    def get_alerts(request: Request) -> Response:
        found.reader(request, Right.SEE, "alerts")
        states = ", ".join(f"'{state}'" for state in STATES)
        rows = asked_rows(watched.ask, alert_rows.STANDING, {"states": f"[{states}]"})
        return answer(request, {"alerts": rows}, {}, watched.complete_to)

    return router
