"""What is asked on a round: what a shift hands over, what is held, gateways, what has an id."""

from collections.abc import Mapping
from datetime import UTC, datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console import (
    alert_rows,
    cut,
    gateway_rows,
    handover_rows,
    hold_rows,
    instrument_rows,
    search_rows,
)
from console.alerts_http import EVER, STATES
from console.answering import answer, array_of, asked_rows, check_asked, stamp
from console.cause_rows import causes_of
from console.people.roles import Right
from console.rows import Row
from console.visits import Visits
from console.watched import Watched
from custody.events import Micros
from schemas.present import rfc3339
from web.problem import Problem

_SHIFT_US = 8 * 3_600_000_000
_DAYS_MAX = 31
_QUERY_MAX = 200


def rounds_router(found: Visits, watched: Watched) -> APIRouter:
    """Return the routes of handover, holds, gateways, search and instruments.

    Args:
        found: Tells who sends a request.
        watched: What they are read from.
    """
    router = APIRouter()

    @router.get("/api/handover", summary="What opened, changed and stays open between two times")
    def get_handover(request: Request) -> Response:
        found.reader(request, Right.SEE, "handover")
        check_asked(request, "since", "until")
        return _handover(request, watched)

    @router.get("/api/holds", summary="Lots and loads that are held now, the oldest first")
    def get_holds(request: Request) -> Response:
        found.reader(request, Right.SEE, "holds")
        check_asked(request)
        rows = asked_rows(watched.ask, hold_rows.HOLDS, {"until": EVER})
        return answer(request, {"holds": rows}, {}, watched.complete_to)

    @router.get("/api/gateways", summary="When each gateway was last heard, and what is missing")
    def get_gateways(request: Request) -> Response:
        found.reader(request, Right.SEE, "gateways")
        check_asked(request)
        rows = asked_rows(watched.ask, gateway_rows.GATEWAYS, {"now": stamp(watched.now())})
        return answer(request, {"gateways": rows}, {}, watched.complete_to)

    @router.get("/api/search", summary="What has an id, or begins with it")
    def get_search(request: Request) -> Response:
        found.reader(request, Right.SEE, "search")
        check_asked(request, "q")
        q = request.query_params.get("q", "").strip()
        if not q or len(q) > _QUERY_MAX:
            raise Problem(400, "bad-query", f"q: an id of 1 to {_QUERY_MAX} characters")
        return answer(
            request, {"hits": search_rows.hits(watched.ask, q)}, {"q": q}, watched.complete_to
        )

    @router.get("/api/instruments/{device:path}", summary="Where one measured, and what last")
    def get_instrument(request: Request, device: str) -> Response:
        found.reader(request, Right.SEE, "instrument")
        check_asked(request)
        return _instrument(request, watched, device)

    return router


def _instrument(request: Request, watched: Watched, device: str) -> Response:
    asked = {"device": device}
    seen = asked_rows(watched.ask, instrument_rows.SEEN, asked)
    known = asked_rows(watched.ask, instrument_rows.KNOWN, asked)
    # What no instrument measured has an empty id of one.
    if not device or not (seen or known):
        detail = f"no fact and no reference record has the instrument {device[:80]}"
        raise Problem(404, "unknown", detail)
    lots = asked_rows(watched.ask, instrument_rows.LOTS, asked)
    tables = {"lots": lots, "seen": seen, "known": known}
    return answer(request, tables, {"id": device}, watched.complete_to)


def _handover(request: Request, watched: Watched) -> Response:
    asked = request.query_params
    until = _time(asked, "until", watched.now())
    since = _time(asked, "since", Micros(until - _SHIFT_US))
    if not 0 < until - since <= _DAYS_MAX * 24 * 3_600_000_000:
        raise Problem(400, "bad-query", f"since before until, and at most {_DAYS_MAX} days")
    try:
        span = {"since": stamp(since), "until": stamp(until)}
    except OverflowError as error:
        raise Problem(400, "bad-query", "since and until: years 1 to 9999, in UTC") from error
    standing = {"states": array_of(STATES), "until": span["until"]}
    lists = {
        "changes": (handover_rows.CHANGES, span),
        "standing": (alert_rows.STANDING, standing),
        "holds": (hold_rows.HOLDS, {"until": span["until"]}),
        "deeds": (handover_rows.DEEDS, span),
    }
    rows = {name: asked_rows(watched.ask, *whence) for name, whence in lists.items()}
    left_out: Row = dict.fromkeys(("standing", "held", "deeds", "changed", "opened"), 0)
    for name, whence in lists.items():
        counted = handover_rows.COUNTED[name]
        left_out |= cut.left_out(watched.ask, *whence, rows[name], counted)
    # The last come first where a list is cut; they are read in their order.
    changes, deeds = rows["changes"][::-1], rows["deeds"][::-1]
    tables = {
        "changes": changes,
        "retracted_by": causes_of(watched.ask, changes),
        "standing": _by_whom(watched, rows["standing"], span),
        "holds": rows["holds"],
        "deeds": deeds,
    }
    more = {"since": rfc3339(since), "until": rfc3339(until), "left_out": left_out}
    return answer(request, tables, more, watched.complete_to)


def _by_whom(watched: Watched, standing: list[Row], span: Mapping[str, str]) -> list[Row]:
    """Return alerts with ``brought_by``: who acknowledged or shelved those that are."""
    rows = asked_rows(watched.ask, handover_rows.BROUGHT, {"until": span["until"]})
    known = {row["alert_id"]: row["brought_by"] for row in rows}
    return [
        row | {"brought_by": None if row["state"] == "open" else known.get(row["alert_id"])}
        for row in standing
    ]


def _time(asked: Mapping[str, str], name: str, usual: Micros) -> Micros:
    text = asked.get(name, "")
    if not text:
        return usual
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        detail = f"{name}={text[:40]}: a time such as 2026-11-07T06:00:00Z"
        raise Problem(400, "bad-query", detail) from error
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return Micros(round(at.timestamp() * 1_000_000))
