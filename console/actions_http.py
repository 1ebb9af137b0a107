"""Actions of people over HTTP: to the gateway, and back with what came of them."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from console import actions, lot_status, visits
from console.acting import (
    Acting,
    check_action,
    json_answer,
    key_of,
    noted,
    only,
    rows_of,
    until,
    versions_of,
)
from console.people.roles import Right
from console.rows import Row
from console.visits import Visits
from web import problem as problems
from web.problem import Problem

_UNKNOWN = "unknown"
"""Field of a hold: that the lot is meant although nothing is known of it yet."""

_STORED = (
    "SELECT 1 AS stored FROM action WHERE subject = {subject:String} AND event_id = {id:String}"
)


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
        only(body, "action", "version", *actions.ALERT_FIELDS)
        with noted(found, visitor, what, alert_id) as note:
            await run_in_threadpool(check_action, found, acting.now(), body)
            answer = await _act(acting, alert_id, body, visitor.user.name, key_of(request))
            note.append("taken" if answer.status_code == 200 else "not taken")
            if answer.status_code == 202:
                note.append("on its way")
        return answer

    @router.get("/api/people", summary="Who may act: to whom an alert can be given")
    def get_people(request: Request) -> Response:
        found.visitor(request, Right.ACT, "people")
        return json_answer({"people": found.door.register.who_may(Right.ACT)}, 200)

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
        with noted(found, visitor, action, about) as note:
            if action == "hold":
                only(body, *actions.HOLD_FIELDS, _UNKNOWN)
                await run_in_threadpool(_check_hold, acting, lot_id, body)
            else:
                only(body, *actions.HOLD_FIELDS)
            asked = actions.hold_request(action, lot_id, body, visitor.user.name, key_of(request))
            item = await run_in_threadpool(acting.gateway.post, asked)
            stored = await until(acting, lambda: _is_stored(acting, asked))
            note.append("taken" if stored else "on its way")
            said = {"result": note[-1], "event_id": asked["event_id"], "gateway": item}
            return json_answer(said, 200 if stored else 202)


def _check_hold(acting: Acting, lot_id: str, body: Mapping[str, object]) -> None:
    """See that a hold says why, and is of a lot that somebody has heard of or is meant so."""
    if not visits.text_of(dict(body), "reason").strip():
        raise Problem(400, "missing-field", "reason: why the lot is held; it is empty")
    meant = body.get(_UNKNOWN, False)
    if not isinstance(meant, bool):
        raise Problem(400, "bad-field", f"{_UNKNOWN}: true or false")
    if not meant and not rows_of(acting, lot_status.KNOWN, {"lot": lot_id}):
        detail = (
            f"lot {lot_id[:80]}: no fact of it is known, so a mistyped id would hold nothing;"
            f' look at how it is written, or send "{_UNKNOWN}": true to hold it before it comes'
        )
        raise Problem(404, "unknown-lot", detail)


async def _act(
    acting: Acting, alert_id: str, body: Mapping[str, object], actor: str, key: str
) -> Response:
    event_id = actions.event_id_of(actor, key)
    versions = await run_in_threadpool(versions_of, acting, alert_id)
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
        return json_answer(said | {"alert": actions.present(versions)}, 200)

    def answered() -> list[Row]:
        now = versions_of(acting, alert_id)
        return now if actions.made_by(now, event_id) else []

    after = await until(acting, answered)
    made = actions.made_by(after or [], event_id)
    if not after or made is None:
        return json_answer(said | {"result": "on its way"}, 202)
    if actions.is_conflict(made):
        return _conflict(after, str(made["reason"]).removeprefix(actions.CONFLICT).strip())
    return json_answer(
        said | {"version": int(str(made["version"])), "alert": actions.present(after)}, 200
    )


def _is_stored(acting: Acting, asked: Mapping[str, object]) -> list[Row]:
    event_id = str(asked["event_id"])
    if acting.seen(event_id):
        return [{"stored": 1}]
    return rows_of(acting, _STORED, {"subject": str(asked["subject"]), "id": event_id})


def _conflict(versions: list[Row], why: str) -> Response:
    body = {
        "type": "/problems/conflict",
        "title": HTTPStatus.CONFLICT.phrase,
        "status": 409,
        "detail": f"not taken: {why}; look again, and act on what is there now",
        "present": actions.present(versions),
    }
    return Response(json.dumps(body), 409, media_type=problems.CONTENT_TYPE)
