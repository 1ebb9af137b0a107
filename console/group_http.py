"""``POST /api/alerts/actions``: one action on many alerts, each settled or refused by itself."""

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from console import group_actions, visits
from console.acting import (
    Acting,
    check_action,
    json_answer,
    key_of,
    noted,
    only,
    rows_of,
    until,
    what_of,
)
from console.answering import array_of
from console.group_actions import Group
from console.people.door import Visitor
from console.people.roles import Right
from console.rows import Row
from console.visits import Visits


def group_router(found: Visits, acting: Acting) -> APIRouter:
    """Return the route of actions on many alerts.

    Args:
        found: Tells who sends a request.
        acting: What actions need.
    """
    router = APIRouter()

    @router.post("/api/alerts/actions", summary="Act on many alerts at once, each as it was seen")
    async def post_actions(request: Request) -> Response:
        visitor = await run_in_threadpool(found.changer, request)
        body = await visits.json_body(request)
        what = what_of(body)
        found.door.require(visitor, Right.ACT, what, "many alerts")
        with noted(found, visitor, what, "many alerts") as note:
            only(body, "action", "alerts", *group_actions.FIELDS)
            group = Group(group_actions.wanted_of(body), visitor.user.name, key_of(request))
            await run_in_threadpool(check_action, found, acting.now(), body)
            await _act(acting, group, body)
            told = group.told()
            await run_in_threadpool(_note_each, found, visitor, what, told)
            note.append(_counted(told))
        return json_answer({"results": told}, 200)

    return router


async def _act(acting: Acting, group: Group, body: Mapping[str, object]) -> None:
    def versions() -> dict[str, list[Row]]:
        named = {"alerts": array_of(group.waiting() or group.wanted)}
        return group_actions.by_alert(rows_of(acting, group_actions.VERSIONS, named))

    asked = group.requests(body, await run_in_threadpool(versions))
    if asked:
        requests = [request for _, request in asked]
        items = await run_in_threadpool(acting.gateway.post_all, requests)
        group.accepted([alert_id for alert_id, _ in asked], items)
    if group.waiting():
        await until(acting, lambda: group.answered(versions()))


def _note_each(found: Visits, visitor: Visitor, what: str, told: list[dict[str, object]]) -> None:
    found.door.note_all(visitor, what, [(str(one["alert_id"]), str(one["result"])) for one in told])


def _counted(told: list[dict[str, object]]) -> str:
    names = [str(one["result"]) for one in told]
    return ", ".join(f"{names.count(name)} {name}" for name in dict.fromkeys(names))
