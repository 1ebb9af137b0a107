"""``GET /v1/lots/{id}/status``: what a gate asks before a truck leaves."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console import lot_status
from console.answering import check_heard
from console.lot_status import CompleteTo, LotStatus
from console.people.roles import Right
from console.problem import problem_of
from console.rows import Ask, Row, time_of
from console.visits import Visits
from custody.errors import CustodyError


@dataclass(frozen=True, slots=True)
class Lots:
    """What the status of a lot is read from.

    Attributes:
        ask: Reads the warehouse.
        complete_to: Up to when it knows all facts.
        stores: Empty where what people do reaches the warehouse; else what keeps it.
        recent: Holds and releases of a lot that were seen on Kafka and may not be stored yet.
    """

    ask: Ask
    complete_to: CompleteTo
    stores: Callable[[], str]
    recent: Callable[[str], list[Row]] = lambda _: []


def lots_router(found: Visits, lots: Lots) -> APIRouter:
    """Return the routes of lots.

    Args:
        found: Tells who sends a request.
        lots: What the status is read from.
    """
    router = APIRouter()

    @router.get("/v1/lots/{lot_id:path}/status", summary="Whether a lot, or a load of it, may go")
    def get_status(request: Request, lot_id: str) -> Response:
        found.reader(request, Right.SEE, "lot status")
        check_heard(request, "movement_id")
        try:
            body = status_told(lots, lot_id, request.query_params.get("movement_id"))
            body["complete_to"] = lots.complete_to.get()
        except CustodyError as error:
            raise problem_of(error) from error
        return Response(json.dumps(body), media_type="application/json")

    return router


def status_told(lots: Lots, lot_id: str, movement: str | None) -> dict[str, object]:
    """Return whether a lot, or a load of it, may go, as the gate is told. Blocks.

    Up to when that is known is asked apart: it takes a second where there is much.

    Args:
        lots: What it is read from.
        lot_id: The lot.
        movement: The load; None, or an empty one, for all of the lot.
    """
    if not lot_id:
        return _said(lot_id, movement, lot_status.status_of([], [], movement, lot_status.UNNAMED))
    movement = movement or None
    actions = lot_status.deeds_of(lots.ask, lots.recent, lot_id)
    holds = lot_status.standing(actions)
    alerts = lots.ask(lot_status.OPEN_ALERTS, {"lot": lot_id})
    unknown = lots.stores()
    if not unknown and not actions and not lots.ask(lot_status.KNOWN, {"lot": lot_id}):
        unknown = "no fact of this lot is known"
    return _said(lot_id, movement, lot_status.status_of(holds, alerts, movement, unknown))


def _said(lot_id: str, movement: str | None, said: LotStatus) -> dict[str, object]:
    return {
        "lot_id": lot_id,
        "movement_id": movement,
        "status": said.status,
        "why": said.why,
        "holds": said.holds,
        "open_alerts": [row | {"raised_at": time_of(row["raised_at"])} for row in said.open_alerts],
    }
