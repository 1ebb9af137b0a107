"""What each kind of problem is: where the ``type`` of a problem leads (RFC 9457, 3.1.1).

``type`` is a reference to the server that answered: ``GET /problems/NAME`` says there what it is
and what to do, in a plain text. ``docs/problems.md`` is written from the same table.
"""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from web.problem import Problem

KINDS: Mapping[str, str] = {
    "bad-event-id": "the id asked for is no UUID: 8-4-4-4-12 hexadecimal digits",
    "bad-field": "a field of the body has no such value; detail says which it may have",
    "bad-form": "the form that was posted cannot be read",
    "bad-gzip": "the body is no gzip, or damaged; pack it again, or send it as it is",
    "bad-json": "the body is no JSON, and nothing of it was taken; detail says where",
    "bad-query": "a parameter behind the ? is unknown or has no such value; detail says which",
    "beyond-bounds": "a query ran into a bound; ask for less: a lot, a month, a LIMIT",
    "body-too-slow": "the body did not come in time; send smaller lists",
    "busy": "as many queries run or wait as may; ask again after Retry-After",
    "conflict": "the alert, or what is held, is not what it was; look again, and act on what it is",
    "foreign-origin": "the request comes from a page of another site",
    "gateway-away": "the gateway that takes actions does not answer; try again after Retry-After",
    "head-too-large": "request line and headers are longer than any that is needed",
    "internal": "a fault of custody; the log of the process has the rest",
    "key-used": "this Idempotency-Key was used for another action; take a new one",
    "missing-field": "a field of the body is missing, or no text",
    "no-csrf-token": "the page is older than the session; load it again",
    "no-idempotency-key": "an action needs a header Idempotency-Key of the sender's choice",
    "no-session": "nobody is logged in; log in at /login",
    "no-such-query": "no query of this id runs or waits",
    "no-token": "no token, or one that is not known: Authorization: Bearer and the token",
    "not-allowed": "the statement does what may not be done here, such as write",
    "not-for-this-role": "the role of whoever asks does not include this",
    "not-for-this-token": "a request is of a site or type the token is not for; nothing was taken",
    "not-json": "Content-Type: application/json is needed",
    "not-live": "as many watch as may, or nothing can be told live now; try again",
    "not-text": "the statement is no text in UTF-8",
    "outbox-closed": "the outbox takes nothing now, full or without a disk; nothing was taken",
    "outbox-unreadable": "the outbox cannot be read now; try again after Retry-After",
    "password-to-be-changed": "the password was typed by somebody else and has to be changed first",
    "past-time": "a time that is to come is past; send one to come, or none",
    "query-failed": "the engine did not take the statement; detail has its words",
    "rate-limit": "more requests than the token's rate; try again after Retry-After",
    "refused": "the gateway refused the action; detail says why",
    "token-expired": "the token's time is over; custody token create makes another",
    "token-revoked": "the token was withdrawn; ask who withdrew it",
    "too-large": "the body is larger than one may be, or of too many short values",
    "too-long": "the statement is longer than one may be",
    "too-many-attempts": "too many wrong passwords; try again after Retry-After",
    "too-many-items": "the list has more requests than one may; send smaller lists",
    "too-much-at-once": "other large bodies are coming; send it again after Retry-After",
    "unavailable": "the warehouse does not answer; try again after Retry-After",
    "unfit-password": "the new password is not one that may be taken; detail says why",
    "unknown": "no fact, transfer or reference record has this id, as known then",
    "unknown-alert": "no alert has this id",
    "unknown-encoding": "a Content-Encoding other than gzip",
    "unknown-event": "this gateway never took the event, or of a site the token is not for",
    "unknown-field": "the body has a field that is not known; detail has those that are",
    "unknown-load": "no trip of that lot has such a number; look at the waybill",
    "unknown-lot": "no fact of this lot is known; detail says how to hold one still to come",
    "unknown-page": "no page or file of this name",
    "unknown-schema": "no schema of this name",
    "unknown-user": "the alert is given to nobody who may act; GET /api/people has those who may",
    "wrong-password": "name and password do not go together",
}
"""By the last part of ``type``; those of the framework are named as HTTP names its statuses."""


def meaning(name: str) -> str | None:
    """Return what a kind of problem is; None where there is none of this name."""
    plain = {status.phrase.lower().replace(" ", "-"): status for status in HTTPStatus}
    status = plain.get(name)
    of_http = None if status is None else f"{status.value}: {status.description or status.phrase}"
    return KINDS.get(name, of_http)


def add_problem_kinds(app: Starlette) -> None:
    """Answer ``GET /problems/NAME``, to anybody: who has no token is told what that means, too."""

    def kind(request: Request) -> Response:
        name = request.path_params["name"]
        found = meaning(name)
        if found is None:
            raise Problem(404, "not-found", f"no kind of problem is called {name[:80]!r}")
        return PlainTextResponse(f"{name}\n\n{found}\n")

    app.add_route("/problems/{name}", kind, include_in_schema=False)
