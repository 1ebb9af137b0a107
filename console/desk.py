"""What people do at the console, put on the HTTP answers of the warehouse process."""

from fastapi import FastAPI

from console.actions_http import Acting, actions_router
from console.headers import Guarded
from console.live_http import Live, live_router
from console.lots_http import Lots, lots_router
from console.people_http import people_router
from console.visits import Visits


def add_desk(
    app: FastAPI,
    found: Visits,
    acting: Acting | None = None,
    lots: Lots | None = None,
    live: Live | None = None,
) -> None:
    """Add the routes of people, and the headers that browsers go by to every answer.

    Args:
        app: What answers.
        found: Tells who sends a request.
        acting: What actions need; None where there is nothing to act on.
        lots: What the status of a lot is read from; None where there are none.
        live: What is watched; None where nothing is.
    """
    app.include_router(people_router(found))
    if acting is not None:
        app.include_router(actions_router(found, acting))
    if lots is not None:
        app.include_router(lots_router(found, lots))
    if live is not None:
        app.include_router(live_router(found, live))
    app.add_middleware(Guarded, secure=found.secure)
