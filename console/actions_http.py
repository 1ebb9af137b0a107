"""Actions of people over HTTP: to the gateway, and back with what came of them."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from console import actions, lot_status, visits
from console.gateway import Gateway
from console.people.door import Visitor
from console.people.roles import Right
from console.problem import problem_of
from console.rows import Ask, Row
from console.visits import Visits
from custody.errors import CustodyError
from custody.events import Micros
from schemas.present import rfc3339
from web import problem as problems
from web.problem import Problem

_POLL_S = 0.2
_NAMED_MAX = 20
_UNKNOWN = "unknown"
"""Field of a hold: that the lot is meant although nothing is known of it yet."""

_KEY = re.compile(r"[!-~]{1,128}", re.ASCII)

_STORED = (
    "SELECT 1 AS stored FROM action WHERE subject = {subject:String} AND event_id = {id:String}"
)


@dataclass(frozen=True, slots=True)
class Acting:
    """What actions need.

    Attributes:
        gateway: Takes them.
        ask: Reads the warehouse.
        wait_s: How long an answer waits for what came of an action.
        now: Time of day.
        seen: Tells whether an action has been seen on Kafka already, by its id.
    """

    gateway: Gateway
    ask: Ask
    now: Callable[[], Micros]
    wait_s: float = 5.0
    seen: Callable[[str], bool] = lambda _: False


def actions_router(found: Visits, acting: Acting) -> APIRouter:
    """Return the routes of actions.

    Args:
        found: Tells who sends a request.
        acting: What actions need.
    """
    router = APIRouter()

    @router.post("/api/alerts/{alert_id}/actions", summary="Act on an alert as it was seen")
    async def post_action(request: Request, alert_id: str) -> Response:
        visitor = await run_in_threadpool(found.changer, request)
        body = await visits.json_body(request)
        what = str(body.get("action"))[:40]
        found.door.require(visitor, Right.ACT, what, alert_id)
        _only(body, "action", "version", *actions.ALERT_FIELDS)
        with _noted(found, visitor, what, alert_id) as note:
            await run_in_threadpool(_check_action, found, acting.now(), body)
            answer = await _act(acting, alert_id, body, visitor.user.name, _key(request))
            note.append("taken" if answer.status_code == 200 else "not taken")
            if answer.status_code == 202:
                note.append("on its way")
        return answer

    @router.get("/api/people", summary="Who may act: to whom an alert can be given")
    def get_people(request: Request) -> Response:
        found.visitor(request, Right.ACT, "people")
        return _json({"people": found.door.register.who_may(Right.ACT)}, 200)

    for action in ("hold", "release"):
        _add_hold(router, found, acting, action)
    return router


def _add_hold(router: APIRouter, found: Visits, acting: Acting, action: str) -> None:
    @router.post(f"/api/lots/{{lot_id:path}}/{action}", summary=f"{action.title()} a lot or a load")
    async def post_hold(request: Request, lot_id: str) -> Response:
        visitor = await run_in_threadpool(found.changer, request)
        body = await visits.json_body(request)
        found.door.require(visitor, Right.ACT, action, f"lot/{lot_id}")
        about = f"lot/{lot_id} {body.get('movement_id', '')}".rstrip()
        with _noted(found, visitor, action, about) as note:
            if action == "hold":
                _only(body, *actions.HOLD_FIELDS, _UNKNOWN)
                await run_in_threadpool(_check_hold, acting, lot_id, body)
            else:
                _only(body, *actions.HOLD_FIELDS)
            asked = actions.hold_request(action, lot_id, body, visitor.user.name, _key(request))
            item = await run_in_threadpool(acting.gateway.post, asked)
            stored = await _until(acting, lambda: _is_stored(acting, asked))
            note.append("taken" if stored else "on its way")
            said = {"result": note[-1], "event_id": asked["event_id"], "gateway": item}
            return _json(said, 200 if stored else 202)


def _check_action(found: Visits, now: Micros, body: Mapping[str, object]) -> None:
    """See that an alert is given to somebody who is here, and shelved for a time to come.

    How a field is written is for the gateway to judge, which judges it for everybody.
    """
    assignee, until = body.get("assignee"), body.get("until")
    if body.get("action") == "assign" and isinstance(assignee, str) and assignee:
        people = found.door.register.who_may(Right.ACT)
        if assignee not in people:
            known = ", ".join(people[:_NAMED_MAX]) + (", ..." if len(people) > _NAMED_MAX else "")
            detail = f"assignee: {assignee[:80]} is no user who may act; those are: {known}"
            raise Problem(400, "unknown-user", detail)
    if body.get("action") == "shelve" and isinstance(until, str) and _is_past(until, now):
        detail = f"until: {until[:40]} is past, it is {rfc3339(now)}; say a time to come, or none"
        raise Problem(400, "past-time", detail)


def _is_past(text: str, now: Micros) -> bool:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return False
    # Without an offset the gateway refuses it.
    return at.tzinfo is not None and at.timestamp() * 1e6 <= now


def _check_hold(acting: Acting, lot_id: str, body: Mapping[str, object]) -> None:
    """See that a hold says why, and is of a lot that somebody has heard of or is meant so."""
    if not visits.text_of(dict(body), "reason").strip():
        raise Problem(400, "missing-field", "reason: why the lot is held; it is empty")
    meant = body.get(_UNKNOWN, False)
    if not isinstance(meant, bool):
        raise Problem(400, "bad-field", f"{_UNKNOWN}: true or false")
    if not meant and not _asked(acting, lot_status.KNOWN, {"lot": lot_id}):
        detail = (
            f"lot {lot_id[:80]}: no fact of it is known, so a mistyped id would hold nothing;"
            f' look at how it is written, or send "{_UNKNOWN}": true to hold it before it comes'
        )
        raise Problem(404, "unknown-lot", detail)


async def _act(
    acting: Acting, alert_id: str, body: Mapping[str, object], actor: str, key: str
) -> Response:
    event_id = actions.event_id_of(actor, key)
    versions = await run_in_threadpool(_versions, acting, alert_id)
    if not versions:
        raise Problem(404, "unknown-alert", f"no alert {alert_id[:80]}")
    made = actions.made_by(versions, event_id)
    is_comment = body.get("action") == "comment"
    if made is None and not is_comment and body.get("version") != int(str(versions[0]["version"])):
        return _conflict(versions, f"made on version {body.get('version')}")
    asked = actions.alert_request(alert_id, str(versions[0]["subject"]), body, actor, key)
    item = await run_in_threadpool(acting.gateway.post, asked)
    said = {"result": "taken", "event_id": event_id, "gateway": item}
    if is_comment:
        # It makes no version; accepted is all there is to it.
        return _json(said | {"alert": actions.present(versions)}, 200)

    def answered() -> list[Row]:
        now = _versions(acting, alert_id)
        return now if actions.made_by(now, event_id) else []

    after = await _until(acting, answered)
    made = actions.made_by(after or [], event_id)
    if not after or made is None:
        return _json(said | {"result": "on its way"}, 202)
    if actions.is_conflict(made):
        return _conflict(after, str(made["reason"]).removeprefix(actions.CONFLICT).strip())
    return _json(
        said | {"version": int(str(made["version"])), "alert": actions.present(after)}, 200
    )


async def _until(acting: Acting, found: Callable[[], list[Row]]) -> list[Row]:
    """Ask until there is something, or for as long as an answer waits."""
    loop = asyncio.get_running_loop()
    end = loop.time() + acting.wait_s
    while True:
        rows = await run_in_threadpool(found)
        if rows or loop.time() >= end:
            return rows
        await asyncio.sleep(_POLL_S)


def _is_stored(acting: Acting, asked: Mapping[str, object]) -> list[Row]:
    event_id = str(asked["event_id"])
    if acting.seen(event_id):
        return [{"stored": 1}]
    return _asked(acting, _STORED, {"subject": str(asked["subject"]), "id": event_id})


def _versions(acting: Acting, alert_id: str) -> list[Row]:
    return _asked(acting, actions.VERSIONS, {"alert": alert_id})


def _asked(acting: Acting, statement: str, values: Mapping[str, str]) -> list[Row]:
    try:
        return acting.ask(statement, values)
    except CustodyError as error:
        raise problem_of(error) from error


@contextmanager
def _noted(found: Visits, visitor: Visitor, what: str, about: str) -> Iterator[list[str]]:
    """Write down what came of a block: the last word it was given, or its problem."""
    note: list[str] = []
    try:
        yield note
    except Problem as problem:
        note.append(f"{problem.status} {problem.name}: {problem.detail}")
        raise
    finally:
        found.door.note(visitor, what, about, note[-1] if note else "failed")


def _key(request: Request) -> str:
    key = request.headers.get("idempotency-key", "")
    if not _KEY.fullmatch(key):
        detail = "Idempotency-Key: 1 to 128 visible characters, a new one for each action"
        raise Problem(400, "no-idempotency-key", detail)
    return key


def _only(body: Mapping[str, object], *names: str) -> None:
    unknown = [name for name in body if name not in names]
    if unknown:
        detail = f"unknown: {', '.join(unknown)[:200]}; known: {', '.join(names)}"
        raise Problem(400, "unknown-field", detail)


def _conflict(versions: list[Row], why: str) -> Response:
    body = {
        "type": "/problems/conflict",
        "title": HTTPStatus.CONFLICT.phrase,
        "status": 409,
        "detail": f"not taken: {why}; look again, and act on what is there now",
        "present": actions.present(versions),
    }
    return Response(json.dumps(body), 409, media_type=problems.CONTENT_TYPE)


def _json(body: Mapping[str, object], status: int) -> Response:
    return Response(json.dumps(body), status, media_type="application/json")
