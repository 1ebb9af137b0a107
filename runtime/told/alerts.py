"""Alerts about something, each with its evidence, as pages list them."""

from collections.abc import Mapping, Sequence
from typing import cast

from console import alert_rows
from console.rows import Row, time_of
from custody.alerts import CHARTS
from runtime.asof import Ask
from runtime.lineage import listed

_COLUMNS = (
    "alert_id, version, state, rule, family, severity, subject, lot_id, process_id, movement_id,"
    " occurred_at, raised_at, onset_at, size, size_u, unit, statistic, value, threshold, reason,"
    " evidence_quantity, evidence_analyte, evidence_expected, evidence_observed, evidence_u,"
    " evidence_z, evidence_unit, evidence_event_ids, evidence_instruments"
)
_TIMES = ("occurred_at", "raised_at", "onset_at")
_EVIDENCE = (
    "quantity", "analyte", "expected", "observed", "u", "z", "unit", "event_ids", "instruments",
)  # fmt: skip


def about(ask: Ask, subjects: Sequence[str], known: str) -> list[Row]:
    """Return the alerts about owners as known at a time, open ones first; blocks.

    Args:
        ask: Runs SQL.
        subjects: Owner paths, such as ``process/P-1``.
        known: As text for the warehouse; alerts that were raised later are left out.
    """
    if not subjects:
        return []
    statement = (
        f"SELECT {_COLUMNS} FROM v_alerts WHERE subject IN {listed(subjects)}"  # noqa: S608  escaped
        " AND raised_at <= {known:DateTime64(6, 'UTC')}"
        " ORDER BY state NOT IN ('open', 'acknowledged', 'shelved'), raised_at DESC, alert_id"
    )
    found = [_row(row) for row in ask(statement, {"known": known})]
    for row in found:
        row["evidence"] = _located(ask, row)
    return found


def _located(ask: Ask, alert: Row) -> list[Row]:
    """Return the evidence; of a chart's alert, whose rows are lots, with lot, site and time."""
    evidence = cast("list[Row]", alert["evidence"])
    if alert["rule"] not in CHARTS:
        return evidence
    facts = ask(alert_rows.FACTS_OF_THING, alert_rows.of_thing(alert, evidence))
    timed = [{**fact, "occurred_at": time_of(fact["occurred_at"])} for fact in facts]
    return alert_rows.located(evidence, timed)


def _row(row: Mapping[str, object]) -> Row:
    arrays = [cast("list[object]", row[f"evidence_{name}"]) for name in _EVIDENCE]
    plain = {key: value for key, value in row.items() if not key.startswith("evidence_")}
    said = {name: time_of(row[name]) for name in _TIMES}
    evidence = [dict(zip(_EVIDENCE, one, strict=True)) for one in zip(*arrays, strict=True)]
    return {**plain, **said, "evidence": evidence}
