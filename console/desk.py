"""What people do at the console, put on the HTTP answers of the warehouse process."""

from dataclasses import dataclass

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from console.acting import Acting
from console.actions_http import actions_router
from console.alerts_http import alerts_router
from console.answers import Answers
from console.answers_http import answers_router
from console.flow_http import flow_router
from console.group_http import group_router
from console.headers import Guarded
from console.holds_http import holds_router
from console.live_http import Live, live_router
from console.lots_http import Lots, lots_router
from console.pages_http import pages_router, unknown_address
from console.people_http import people_router
from console.rounds_http import rounds_router
from console.sql_http import Asking, sql_router
from console.visits import Visits
from console.watched import Watched


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """What people do here; None for what is not there.

    Attributes:
        acting: What actions need.
        lots: What the status of a lot is read from.
        live: What is watched.
        asking: What SQL needs.
        watched: What pages read.
        answers: What pages ask of lots, sites and processes.
    """

    acting: Acting | None = None
    lots: Lots | None = None
    live: Live | None = None
    asking: Asking | None = None
    watched: Watched | None = None
    answers: Answers | None = None


def add_desk(app: FastAPI, found: Visits, rooms: Rooms) -> None:
    """Add the routes of people, and the headers that browsers go by to every answer.

    Args:
        app: What answers.
        found: Tells who sends a request.
        rooms: What people do here.
    """
    app.include_router(people_router(found))
    app.include_router(pages_router(found))
    if rooms.acting is not None:
        app.include_router(actions_router(found, rooms.acting))
        app.include_router(group_router(found, rooms.acting))
        app.include_router(holds_router(found, rooms.acting))
    if rooms.lots is not None:
        app.include_router(lots_router(found, rooms.lots))
    if rooms.live is not None:
        app.include_router(live_router(found, rooms.live))
    if rooms.asking is not None:
        app.include_router(sql_router(found, rooms.asking))
    if rooms.watched is not None:
        app.include_router(alerts_router(found, rooms.watched))
        app.include_router(flow_router(found, rooms.watched))
        app.include_router(rounds_router(found, rooms.watched))
    if rooms.answers is not None:
        app.include_router(answers_router(found, rooms.answers))
    app.add_exception_handler(HTTPException, unknown_address(found))
    app.add_middleware(Guarded, secure=found.secure)
