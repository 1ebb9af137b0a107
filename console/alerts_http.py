"""Alerts for pages: what stands, and all that is known of one."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console import alert_rows
from console.answering import answer, array_of, asked_rows, check_asked, lately, stamp
from console.cause_rows import causes_of
from console.cut import left_out
from console.people.roles import Right
from console.rows import Row
from console.visits import Visits
from console.watched import Watched
from custody.alerts import CHARTS
from custody.severity import RANKS
from schemas.present import rfc3339
from web.problem import Problem

STATES = ("open", "acknowledged", "shelved")
"""Of an alert that nobody has settled."""

_COUNTED = ", ".join(
    [f"countIf(state != 'shelved' AND severity = '{one}') AS {one}" for one in RANKS]
    + ["countIf(state = 'shelved') AS shelved"]
)
"""How those behind the end of the list are counted: as the page counts what it draws."""

EVER = "2200-01-01 00:00:00"
"""Later than anything: what is asked until then is asked of now."""


def alerts_router(found: Visits, watched: Watched) -> APIRouter:
    """Return the routes of alerts.

    Args:
        found: Tells who sends a request.
        watched: What they are read from.
    """
    router = APIRouter()

    @router.get("/api/alerts", summary="Alerts that nobody has settled, the worst first")
    def get_alerts(request: Request) -> Response:
        found.reader(request, Right.SEE, "alerts")
        check_asked(request)
        asked = {"states": array_of(STATES), "until": EVER}
        rows = asked_rows(watched.ask, alert_rows.STANDING, asked)
        nothing: Row = dict.fromkeys((*RANKS, "shelved"), 0)
        more = left_out(watched.ask, alert_rows.STANDING, asked, rows, _COUNTED)
        return answer(request, {"alerts": rows}, {"left_out": nothing | more}, watched.complete_to)

    @router.get("/api/retractions", summary="Alerts that the facts took back, the last first")
    def get_retractions(request: Request) -> Response:
        found.reader(request, Right.SEE, "retractions")
        check_asked(request, "hours")
        since, until = lately(request, watched.now(), hours=8)
        rows = asked_rows(watched.ask, alert_rows.RETRACTIONS, {"since": stamp(since)})
        tables = {"retractions": rows, "retracted_by": causes_of(watched.ask, rows)}
        more = {"since": rfc3339(since), "until": rfc3339(until)}
        return answer(request, tables, more, watched.complete_to)

    @router.get("/api/alerts/{alert_id}", summary="An alert, what it rests on, what became of it")
    def get_alert(request: Request, alert_id: str) -> Response:
        found.reader(request, Right.SEE, "alert")
        check_asked(request)
        return _alert(request, watched, alert_id)

    return router


def _alert(request: Request, watched: Watched, alert_id: str) -> Response:
    asked = {"alert": alert_id}
    rows = asked_rows(watched.ask, alert_rows.LATEST, asked)
    if not rows:
        raise Problem(404, "unknown-alert", f"no alert {alert_id[:80]}")
    alert, lists = alert_rows.nested(rows[0])
    rested = None
    if not lists["evidence"] and not lists["posterior"]:
        rested, lists = _rested(watched, alert, lists)
    versions = asked_rows(watched.ask, alert_rows.VERSIONS, asked)[::-1]
    about = {"subject": str(alert["subject"]), **asked}
    comments = asked_rows(watched.ask, alert_rows.COMMENTS, about)[::-1]
    tables = {**lists, "versions": versions, "comments": comments, "facts": list[Row]()}
    tables["retracted_by"] = causes_of(watched.ask, versions, str(alert["subject"]))
    tables["facts"] = _facts(watched, alert | (rested or {}), lists["evidence"])
    tables["evidence"] = alert_rows.located(lists["evidence"], tables["facts"])
    more = {"alert": alert, "rested": rested}
    return answer(request, tables, more, watched.complete_to)


def _facts(watched: Watched, alert: Row, evidence: list[Row]) -> list[Row]:
    """Return the facts that an alert names: of its lot, or of a chart's many."""
    if alert["lot_id"]:
        named = array_of(alert_rows.events_of(alert, evidence))
        values = {"lot": str(alert["lot_id"]), "events": named}
        return asked_rows(watched.ask, alert_rows.FACTS, values)
    if alert["rule"] not in CHARTS:
        return []
    values = alert_rows.of_thing(alert, evidence)
    return asked_rows(watched.ask, alert_rows.FACTS_OF_THING, values)


def _rested(
    watched: Watched, alert: Row, lists: dict[str, list[Row]]
) -> tuple[Row | None, dict[str, list[Row]]]:
    """Return the last version that had evidence, and its lists; None and as they are for none."""
    rows = asked_rows(watched.ask, alert_rows.RESTED, {"alert": str(alert["alert_id"])})
    if not rows:
        return None, lists
    then, its = alert_rows.nested(rows[0])
    return {name: then[name] for name in ("version", *alert_rows.ONSET)}, its
