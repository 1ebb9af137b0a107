"""Errors of a query as problem details."""

from console.asked import SettingRefused
from console.errors import Beyond, Busy
from console.rules import UNREADABLE, NotAllowed
from custody.errors import CustodyError, Refused
from web.problem import Problem

RETRY_AFTER_S = 5


def problem_of(error: CustodyError) -> Problem:
    """Return the answer to a query that failed."""
    wait = {"Retry-After": str(RETRY_AFTER_S)}
    match error:
        case NotAllowed() if error.rule in UNREADABLE:
            return Problem(400, "query-failed", str(error))
        case NotAllowed() | SettingRefused():
            return Problem(403, "not-allowed", str(error))
        case Beyond():
            return Problem(413, "beyond-bounds", str(error))
        case Refused():
            return Problem(400, "query-failed", str(error))
        case Busy():
            return Problem(429, "busy", str(error), wait)
        case _:
            return Problem(503, "unavailable", str(error), wait)
