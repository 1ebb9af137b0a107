"""Holds and releases over HTTP: to the gateway, and back once they are known here."""

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from console import actions, lot_status, visits
from console.acting import (
    Acting,
    check_needs,
    json_answer,
    key_of,
    not_taken,
    noted,
    only,
    rows_of,
    until,
)
from console.people.roles import Right
from console.problem import problem_of
from console.rows import Row
from console.visits import Visits
from custody.errors import CustodyError
from custody.exact import HOLDS_MAX
from web.problem import Problem

_UNKNOWN = "unknown"
"""Field of a hold: that the lot is meant although nothing is known of it yet."""

_FIELDS = {"hold": (*actions.HOLD_FIELDS, _UNKNOWN), "release": actions.RELEASE_FIELDS}

_NAMED_MAX = 20

_STORED = (
    "SELECT 1 AS stored FROM action WHERE subject = {subject:String} AND event_id = {id:String}"
)


class _HoldsForbidIt(Exception):
    """What stands does not allow it: no such hold to release, or too many for one more."""

    def __init__(self, why: str, holds: list[Row]) -> None:
        super().__init__(why)
        self.holds = holds


def holds_router(found: Visits, acting: Acting) -> APIRouter:
    """Return the routes of holds and releases.

    Args:
        found: Tells who sends a request.
        acting: What actions need.
    """
    router = APIRouter()

    @router.post("/api/lots/{lot_id:path}/hold", summary="Hold a lot or a load")
    async def post_hold(request: Request, lot_id: str) -> Response:
        return await _take(found, acting, request, "hold", lot_id)

    @router.post("/api/lots/{lot_id:path}/release", summary="End a hold of a lot or a load")
    async def post_release(request: Request, lot_id: str) -> Response:
        return await _take(found, acting, request, "release", lot_id)

    return router


async def _take(
    found: Visits, acting: Acting, request: Request, action: str, lot_id: str
) -> Response:
    visitor = await run_in_threadpool(found.changer, request)
    body = await visits.json_body(request)
    found.door.require(visitor, Right.ACT, action, f"lot/{lot_id}")
    about = f"lot/{lot_id} {body.get('movement_id', '')}".rstrip()
    with noted(found, visitor, action, about) as note:
        asked = actions.hold_request(action, lot_id, body, visitor.user.name, key_of(request))
        only(body, *(_FIELDS[action]))
        check_needs(action, body)
        try:
            if action == "hold":
                await run_in_threadpool(_check_hold, acting, lot_id, body)
                await run_in_threadpool(_check_room, acting, lot_id, asked)
            else:
                asked |= await run_in_threadpool(_ended, acting, lot_id, asked)
        except _HoldsForbidIt as error:
            note.append(f"not taken: {error}")
            why = f"{error}; holds that stand: {_listed(error.holds)}"
            return not_taken(why, holds=error.holds)
        item = await run_in_threadpool(acting.gateway.post, asked)
        stored = await until(acting, lambda: _is_stored(acting, asked))
        note.append("taken" if stored else "on its way")
        said = {"result": note[-1], "event_id": asked["event_id"], "gateway": item}
        return json_answer(said, 200 if stored else 202)


def _check_hold(acting: Acting, lot_id: str, body: Mapping[str, object]) -> None:
    """See that a hold is of a lot, and a load of it, that are known, or are meant so."""
    meant = body.get(_UNKNOWN, False)
    if not isinstance(meant, bool):
        raise Problem(400, "bad-field", f"{_UNKNOWN}: true or false")
    if not lot_id:
        raise Problem(404, "unknown-lot", f"{lot_status.UNNAMED}, so it would hold nothing")
    if meant:
        return
    if not rows_of(acting, lot_status.KNOWN, {"lot": lot_id}):
        detail = (
            f"lot {lot_id[:80]}: no fact of it is known, so a mistyped id would hold nothing;"
            f' look at how it is written, or send "{_UNKNOWN}": true to hold it before it comes'
        )
        raise Problem(404, "unknown-lot", detail)
    load = body.get("movement_id")
    named = {"lot": lot_id, "load": str(load)}
    if load is not None and not rows_of(acting, lot_status.LOAD_KNOWN, named):
        detail = (
            f"movement_id: {str(load)[:80]} is no trip of lot {lot_id[:80]} that is known, so a"
            f' mistyped one would hold nothing; send "{_UNKNOWN}": true to hold it before it leaves'
        )
        raise Problem(404, "unknown-load", detail)


def _check_room(acting: Acting, lot_id: str, asked: Mapping[str, object]) -> None:
    """See that the worker keeps one more hold of a lot.

    Raises:
        _HoldsForbidIt: As many stand as it keeps.
    """
    holds = lot_status.standing(_deeds(acting, lot_id))
    if asked["event_id"] in {one["hold_id"] for one in holds} or len(holds) < HOLDS_MAX:
        return
    why = f"{len(holds)} holds of lot {lot_id[:80]} stand, and no more are kept; release one first"
    raise _HoldsForbidIt(why, holds)


def _deeds(acting: Acting, lot_id: str) -> list[Row]:
    try:
        return lot_status.deeds_of(acting.ask, acting.recent, lot_id)
    except CustodyError as error:
        raise problem_of(error) from error


def _ended(acting: Acting, lot_id: str, asked: Mapping[str, object]) -> dict[str, object]:
    """Return which hold a release ends: the one it names, else the only one that stands.

    What is sent says its name, so a hold that comes in between stands.

    Raises:
        _HoldsForbidIt: There is none such, or more than one.
    """
    deeds = _deeds(acting, lot_id)
    before = next((row for row in deeds if row["event_id"] == asked["event_id"]), None)
    named, load = asked.get("hold_id"), asked.get("movement_id")
    if before is not None:
        # Sent again: it ended that one.
        return _said(named or before["hold_id"], load or before["movement_id"])
    holds = lot_status.standing(deeds)
    if named is not None:
        meant = [one for one in holds if one["hold_id"] == named]
    else:
        meant = [one for one in holds if one["movement_id"] == load]
    if len(meant) == 1 and load in (None, meant[0]["movement_id"]):
        return _said(meant[0]["hold_id"], meant[0]["movement_id"])
    what = f"lot {lot_id[:80]}" if load is None else f"load {str(load)[:80]} of lot {lot_id[:80]}"
    if named is not None:
        why = f"no hold {str(named)[:80]} of {what} stands"
    elif not meant:
        why = f"{what} is not held"
    else:
        why = f"{len(meant)} holds of {what} stand; say in hold_id which one ends"
    raise _HoldsForbidIt(why, holds)


def _said(hold: object, load: object) -> dict[str, object]:
    said = {"hold_id": hold, "movement_id": load}
    return {name: value for name, value in said.items() if value is not None}


def _is_stored(acting: Acting, asked: Mapping[str, object]) -> list[Row]:
    event_id = str(asked["event_id"])
    if acting.seen(event_id):
        return [{"stored": 1}]
    return rows_of(acting, _STORED, {"subject": str(asked["subject"]), "id": event_id})


def _listed(holds: list[Row]) -> str:
    told = [
        f"{one['hold_id']} by {one['actor']} since {one['since']}"
        f" ({one['movement_id'] or 'all of the lot'})"
        for one in holds[:_NAMED_MAX]
    ]
    more = ["..."] if len(holds) > _NAMED_MAX else []
    return "; ".join([*told, *more]) or "none"
