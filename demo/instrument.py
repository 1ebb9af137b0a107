"""Whether the drift of a scale was named as that: an alert of the instrument, as of this day.

An instrument has the same name on every day, and one chart, which goes on. So its alert is chosen
by when the drift began, not by a mark in its subject; days that came later may have ended it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from demo.day import Day, midnight_of
from demo.drift import Drift, weighed_by
from demo.outcome import Raised, number, raised
from runtime.client import Warehouse

FAMILY = "instrument_bias"
SIGMAS = 3.0
"""Within so many standard uncertainties the size must be what was put in."""
LOT_TEST = "e_value"
"""Statistic of the test that doubts a lot by all that was measured of it."""


@dataclass(frozen=True, slots=True)
class Charted:
    """A drift, the alert that names it, and what else it did.

    Attributes:
        drift: What was put in.
        weighed: Lots that the scale weighed before it began, and since.
        alert: What was said of it on this day, if anything.
        lacks: What is wrong with that; empty text for nothing.
        doubted: Untouched lots weighed since that a test of lots holds an open alert on.
    """

    drift: Drift
    weighed: tuple[int, int]
    alert: Raised | None
    lacks: str
    doubted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of an instrument on a day.

    Attributes:
        versions: Of alerts whose drift began on the day, oldest first.
        later: The chart has heard lots of a later day.
        late: It had heard them before it heard of this one, which it then did not take in.
    """

    versions: tuple[Raised, ...]
    later: bool = False
    late: bool = False


def subject_of(drift: Drift) -> str:
    """Return what the alert is about."""
    return f"instrument/{drift.device_id}"


def judge(day: Day, drift: Drift, said: Said, alerts: Sequence[Raised]) -> Charted:
    """Return whether a drift was named, and whether lots are doubted for it.

    Args:
        day: The day.
        drift: Its drift.
        said: What was said of the scale.
        alerts: Of the day's lots, latest versions.
    """
    first = weighed_by(drift.device_id, day.requests)
    since = {lot_id for lot_id, at in first.items() if at >= drift.since}
    # A later day, with scales of its own, ends what this one had found.
    versions = [v for v in said.versions if v.state == "open"] if said.later else said.versions
    alert = versions[-1] if versions else None
    touched = {fraud.lot_id for fraud in day.frauds}
    doubted = {
        a.lot_id
        for a in alerts
        if a.state == "open" and a.statistic == LOT_TEST and a.lot_id in since - touched
    }
    return Charted(
        drift,
        (len(first) - len(since), len(since)),
        alert,
        "" if alert is None and said.late else _lacks(drift, alert),
        tuple(sorted(doubted)),
    )


def _lacks(drift: Drift, alert: Raised | None) -> str:
    """Return what keeps an alert from naming a drift; empty text for nothing."""
    if alert is None:
        return f"no alert on {subject_of(drift)} that begins on this day"
    if alert.state != "open":
        return f"alert is {alert.state}"
    others = sorted({m.analyte for m in alert.evidence if m.analyte is not None})
    if alert.family != FAMILY or others:
        return f"called {' '.join([alert.family, *others])}, not {FAMILY}"
    if alert.size * drift.size <= 0.0:
        return "wrong sign"
    if abs(alert.size - math.log1p(drift.size)) > SIGMAS * alert.size_u:
        return f"size {alert.size:.2%} ± {alert.size_u:.2%}, put in were {drift.size:.2%}"
    return ""


def of_day(versions: Sequence[Raised], day: Day, drift: Drift) -> tuple[Raised, ...]:
    """Return those versions of alerts on a scale whose drift began on a day."""
    begin = midnight_of(day.seed)
    return tuple(
        v
        for v in versions
        if v.subject == subject_of(drift)
        and v.onset_at is not None
        and begin <= v.onset_at < begin + timedelta(days=1)
    )


def read_said(warehouse: Warehouse, day: Day, drift: Drift, mark: str) -> Said:
    """Return what was said of a scale on a day, every version of it.

    Args:
        warehouse: Where to ask.
        day: The day.
        drift: Its drift.
        mark: Text in the name of every lot of the day.
    """
    asked = {"subject": subject_of(drift)}
    versions = [raised(row) for row in warehouse.rows(_VERSIONS, asked)]
    end = midnight_of(day.seed) + timedelta(days=1)
    asked |= {"mark": mark, "end": str(round(end.timestamp()))}
    (heard,) = warehouse.rows(_HEARD, asked)
    later = bool(int(number(heard["later"])))
    return Said(of_day(versions, day, drift), later, later and _is_late(heard))


def _is_late(heard: Mapping[str, object]) -> bool:
    return str(heard["later_at"]) < str(heard["own_at"])


_VERSIONS = """
SELECT alert_id, state, family, subject, lot_id, movement_id, size, size_u, severity, reason,
    statistic, toString(onset_at) AS onset_at,
    `evidence.quantity` AS evidence_quantity, `evidence.analyte` AS evidence_analyte,
    `evidence.expected` AS evidence_expected, `evidence.observed` AS evidence_observed,
    `evidence.u` AS evidence_u, `evidence.z` AS evidence_z, `evidence.unit` AS evidence_unit,
    `evidence.instruments` AS evidence_instruments
FROM custody.alert
WHERE subject = {subject:String} AND rule = 'instrument_bias'
ORDER BY sender, n
"""

_HEARD = """
SELECT countIf(is_later) AS later,
    toString(minIf(known_at, is_later)) AS later_at, toString(minIf(known_at, is_own)) AS own_at
FROM (
    SELECT known_at, occurred_at >= fromUnixTimestamp(toInt64({end:String})) AS is_later,
        position(lot_id, {mark:String}) > 0 AS is_own
    FROM custody.residual
    WHERE thing = {subject:String} AND notEmpty(`figures.quantity`)
)
"""


def onset(at: datetime | None) -> str:
    """Return a time of day as sites write it; a dash for none."""
    return "-" if at is None else f"{at:%H:%M}"
