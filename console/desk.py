"""What people do at the console, put on the HTTP answers of the warehouse process."""

from fastapi import FastAPI

from console.headers import Guarded
from console.people_http import people_router
from console.visits import Visits


def add_desk(app: FastAPI, found: Visits) -> None:
    """Add the routes of people, and the headers that browsers go by to every answer.

    Args:
        app: What answers.
        found: Tells who sends a request.
    """
    app.include_router(people_router(found))
    app.add_middleware(Guarded, secure=found.secure)
