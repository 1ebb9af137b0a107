"""What an action of a person needs, whatever it is about: its key, its checks, its outcome."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from console import actions
from console.gateway import Gateway
from console.people.door import Visitor
from console.people.roles import Right
from console.problem import problem_of
from console.rows import Ask, Row
from console.visits import Visits
from custody.errors import CustodyError
from custody.events import SHELVED_US_MAX, Micros
from schemas.present import rfc3339
from web import problem as problems
from web.problem import Problem

_Found = TypeVar("_Found")
_POLL_S = 0.2
_NAMED_MAX = 20
_NEEDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "comment": ("reason",),
        "shelve": ("reason", "until"),
        "resolve": ("resolution", "reason"),
        "hold": ("reason",),
        "release": ("reason",),
    }
)
"""What an action has to say, as the forms of the pages ask for it."""

_ONE_OF: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "action": ("acknowledge", "assign", "comment", "shelve", "resolve", "reopen"),
        "resolution": ("confirmed_fraud", "measurement_error", "explained", "false_alarm"),
    }
)
_KEY = re.compile(r"[!-~]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Acting:
    """What actions need.

    Attributes:
        gateway: Takes them.
        ask: Reads the warehouse.
        wait_s: How long an answer waits for what came of an action.
        now: Time of day.
        seen: Tells whether an action has been seen on Kafka already, by its id.
        recent: Holds and releases of a lot that were seen on Kafka and may not be stored yet.
    """

    gateway: Gateway
    ask: Ask
    now: Callable[[], Micros]
    wait_s: float = 5.0
    seen: Callable[[str], bool] = lambda _: False
    recent: Callable[[str], list[Row]] = lambda _: []


def check_action(found: Visits, now: Micros, body: Mapping[str, object]) -> None:
    """See that an action says what it needs, to somebody who is here, for a time to come.

    Whatever else is wrong with a field the gateway says, which judges it for everybody.

    Raises:
        Problem: 400 and 422.
    """
    check_needs(str(body.get("action")), body)
    _check_written(body)
    assignee, until = body.get("assignee"), body.get("until")
    if body.get("action") == "assign" and isinstance(assignee, str) and assignee:
        people = found.door.register.who_may(Right.ACT)
        if assignee not in people:
            known = ", ".join(people[:_NAMED_MAX]) + (", ..." if len(people) > _NAMED_MAX else "")
            detail = f"assignee: {assignee[:80]} is no user who may act; those are: {known}"
            raise Problem(400, "unknown-user", detail)
    if body.get("action") == "shelve" and isinstance(until, str):
        _check_end(until, now)


def what_of(body: Mapping[str, object]) -> str:
    """Return what somebody wants to do, as it is written down: no words but those of an action."""
    action = body.get("action")
    return str(action) if action in _ONE_OF["action"] else "unknown action"


def check_needs(action: str, body: Mapping[str, object]) -> None:
    """See that an action has the texts that its form asks for, whoever sends it.

    Raises:
        Problem: 422.
    """
    for name in _NEEDS.get(action, ()):
        value = body.get(name)
        if not isinstance(value, str) or not value.strip():
            detail = f"{name}: {action} needs it, as a text; it is missing or empty"
            raise Problem(422, "missing-field", detail)


def check_version(body: Mapping[str, object]) -> None:
    """See that an action says on which version of an alert it was made.

    Raises:
        Problem: 422.
    """
    version = body.get("version")
    if version is None:
        detail = "version: of the alert as it was seen, a whole number; it is missing"
        raise Problem(422, "missing-field", detail)
    if not isinstance(version, int) or isinstance(version, bool) or version < 0:
        raise Problem(422, "bad-field", f"version: {str(version)[:40]}; a whole number from 0")


def _check_written(body: Mapping[str, object]) -> None:
    """See what would be a conflict on an old version, although it could never be taken."""
    for name, allowed in _ONE_OF.items():
        value = body.get(name)
        if value not in allowed and (value is not None or name == "action"):
            detail = f"{name}: {str(value)[:40]}; one of {', '.join(allowed)}"
            raise Problem(422, "bad-field", detail)
    until = body.get("until")
    if until is not None and not _is_time(until):
        detail = f"until: {str(until)[:40]}; a time with its offset, as 2026-11-08T06:00:00Z"
        raise Problem(422, "bad-field", detail)


def _is_time(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _check_end(text: str, now: Micros) -> None:
    """See that an alert comes back, and that its time is not over yet."""
    after_us = datetime.fromisoformat(text).timestamp() * 1e6 - now
    if after_us <= 0:
        detail = f"until: {text[:40]} is past, it is {rfc3339(now)}; say a time to come"
        raise Problem(400, "past-time", detail)
    if after_us > SHELVED_US_MAX:
        days = SHELVED_US_MAX // 86_400_000_000
        detail = f"until: {text[:40]}; a time within {days} days, and then shelve again"
        raise Problem(422, "bad-field", detail)


async def until(acting: Acting, found: Callable[[], _Found]) -> _Found:
    """Ask until there is something, or for as long as an answer waits; return the last answer."""
    loop = asyncio.get_running_loop()
    end = loop.time() + acting.wait_s
    while True:
        rows = await run_in_threadpool(found)
        if rows or loop.time() >= end:
            return rows
        await asyncio.sleep(_POLL_S)


def versions_of(acting: Acting, alert_id: str) -> list[Row]:
    """Return the last versions of an alert, the newest first. Blocks; raises as ``rows_of``."""
    return rows_of(acting, actions.VERSIONS, {"alert": alert_id})


def rows_of(acting: Acting, statement: str, values: Mapping[str, str]) -> list[Row]:
    """Run a statement. Blocks.

    Raises:
        Problem: It failed, or the warehouse is away.
    """
    try:
        return acting.ask(statement, values)
    except CustodyError as error:
        raise problem_of(error) from error


@contextmanager
def noted(found: Visits, visitor: Visitor, what: str, about: str) -> Iterator[list[str]]:
    """Write down what came of a block: the last word it was given, or its problem."""
    note: list[str] = []
    try:
        yield note
    except Problem as problem:
        note.append(f"{problem.status} {problem.name}: {problem.detail}")
        raise
    finally:
        found.door.note(visitor, what, about, note[-1] if note else "failed")


def key_of(request: Request) -> str:
    """Return the key by which an action that is sent again is the same one.

    Raises:
        Problem: 400: there is none.
    """
    key = request.headers.get("idempotency-key", "")
    if not _KEY.fullmatch(key):
        detail = "Idempotency-Key: 1 to 128 visible characters, a new one for each action"
        raise Problem(400, "no-idempotency-key", detail)
    return key


def only(body: Mapping[str, object], *names: str) -> None:
    """See that a body says nothing that is not understood.

    Raises:
        Problem: 400.
    """
    unknown = [name for name in body if name not in names]
    if unknown:
        detail = f"unknown: {', '.join(unknown)[:200]}; known: {', '.join(names)}"
        raise Problem(400, "unknown-field", detail)


def json_answer(body: Mapping[str, object], status: int) -> Response:
    """Return an answer of JSON."""
    return Response(json.dumps(body), status, media_type="application/json")


def not_taken(why: str, **present: object) -> Response:
    """Return the answer to an action that was not taken: a conflict, with what is there now.

    Args:
        why: In words.
        present: What whoever acts again has to look at.
    """
    body = {
        "type": "/problems/conflict",
        "title": HTTPStatus.CONFLICT.phrase,
        "status": HTTPStatus.CONFLICT.value,
        "detail": f"not taken: {why}",
    }
    return Response(json.dumps(body | present), 409, media_type=problems.CONTENT_TYPE)
