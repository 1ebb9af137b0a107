"""Actions of people on an alert over HTTP: to the gateway, and back with what came of them."""

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from console import actions, visits
from console.acting import (
    Acting,
    check_action,
    check_version,
    json_answer,
    key_of,
    not_taken,
    noted,
    only,
    until,
    versions_of,
    what_of,
)
from console.answering import check_heard
from console.people.roles import Right
from console.rows import Row
from console.visits import Visits
from web.problem import Problem


def actions_router(found: Visits, acting: Acting) -> APIRouter:
    """Return the routes of actions on one alert.

    Args:
        found: Tells who sends a request.
        acting: What actions need.
    """
    router = APIRouter()

    @router.post("/api/alerts/{alert_id}/actions", summary="Act on an alert as it was seen")
    async def post_action(request: Request, alert_id: str) -> Response:
        visitor = await run_in_threadpool(found.changer, request)
        body = await visits.json_body(request)
        what = what_of(body)
        found.door.require(visitor, Right.ACT, what, alert_id)
        only(body, "action", "version", *actions.ALERT_FIELDS)
        with noted(found, visitor, what, alert_id) as note:
            check_version(body)
            await run_in_threadpool(check_action, found, acting.now(), body)
            answer = await _act(acting, alert_id, body, visitor.user.name, key_of(request))
            note.append("taken" if answer.status_code == 200 else "not taken")
            if answer.status_code == 202:
                note.append("on its way")
        return answer

    @router.get("/api/people", summary="Who may act: to whom an alert can be given")
    def get_people(request: Request) -> Response:
        found.visitor(request, Right.ACT, "people")
        check_heard(request)
        return json_answer({"people": found.door.register.who_may(Right.ACT)}, 200)

    return router


async def _act(
    acting: Acting, alert_id: str, body: Mapping[str, object], actor: str, key: str
) -> Response:
    event_id = actions.event_id_of(actor, key)
    versions = await run_in_threadpool(versions_of, acting, alert_id)
    if not versions:
        raise Problem(404, "unknown-alert", f"no alert {alert_id[:80]}")
    made = actions.made_by(versions, event_id)
    is_comment = body.get("action") == "comment"
    seen = body.get("version")
    is_fresh = isinstance(seen, int) and actions.is_fresh(versions, seen)
    if made is None and not is_comment and not is_fresh:
        return _conflict(versions, f"made on version {seen}")
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
        return _conflict(after, actions.why_not(made))
    return json_answer(
        said | {"version": int(str(made["version"])), "alert": actions.present(after)}, 200
    )


def _conflict(versions: list[Row], why: str) -> Response:
    said = f"{why}; look again, and act on what is there now"
    return not_taken(said, present=actions.present(versions))
