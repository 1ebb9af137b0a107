"""What pages ask about alerts, as statements. Names are those of ``schemas/json/alert.json``."""

from collections.abc import Iterable

from console.answering import array_of
from console.cut import CUT
from console.rows import Row
from custody.alerts import SHELVING_OVER
from custody.worth import Stake

FURTHEST = """
    arrayMap(abs, `evidence.z`) AS far, indexOf(far, arrayMax(far)) AS furthest,
    `evidence.instruments`[furthest] AS instruments,
    toString(`evidence.quantity`[furthest]) AS furthest_quantity,
    `evidence.analyte`[furthest] AS furthest_analyte,
    `evidence.expected`[furthest] AS furthest_expected,
    `evidence.observed`[furthest] AS furthest_observed,
    `evidence.u`[furthest] AS furthest_u, `evidence.z`[furthest] AS furthest_z,
    toString(`evidence.unit`[furthest]) AS furthest_unit, length(far) AS evidence_rows
"""
"""What an alert measured that is furthest from what was expected, and by which instruments."""

_SITES = """
    arrayFilter
    (
        one -> one.probability > 0,
        arrayMap
        (
            (site, p) -> CAST((site, p), 'Tuple(site_id String, probability Float64)'),
            `other_sites.site_id`, `other_sites.probability`
        )
    ) AS other_sites
"""

WHERE = f"""
    arrayMap
    (
        (at, trip, site) -> CAST
        (
            (at, trip, site),
            'Tuple(stations Array(String), movement_id Nullable(String), site_id Nullable(String))'
        ),
        arraySlice(`causes.stations`, 1, 1), arraySlice(`causes.movement_id`, 1, 1),
        arraySlice(`causes.site_id`, 1, 1)
    ) AS causes, way, {_SITES}
"""
"""Where what an alert names began, on which trip, and whose material it is like: of the causes the
one that is named, as ``schemas/json/alert.json`` has it."""

STANDING = f"""
SELECT
    alert_id, version, state, rule, family, severity, subject, nullIf(lot_id, '') AS lot_id,
    process_id, movement_id, raised_at, occurred_at, onset_at, size, size_u, unit, statistic,
    record_value AS value, threshold, threshold_basis, reason, actor, why, assignee, until,
    resolution, mapFromArrays(`posterior.family`, `posterior.probability`) AS posterior,
    {FURTHEST}, {WHERE}, {", ".join(Stake._fields)}, timestamp AS said_at
FROM alert
INNER JOIN
(
    SELECT alert_id, tupleElement(last, 1) AS version, tupleElement(last, 2) AS n, why
    FROM
    (
        SELECT
            alert_id, max((version, n)) AS last,
            argMaxIf
            (
                reason, (version, n),
                actor IS NULL AND state != 'retracted' AND reason != '{SHELVING_OVER}'
            ) AS why
        FROM alert
        WHERE timestamp <= {{until:DateTime64(6, 'UTC')}}
        GROUP BY alert_id
        HAVING argMax(state, (version, n)) IN {{states:Array(String)}}
    )
) AS standing USING (alert_id, version, n)
ORDER BY indexOf(['low', 'medium', 'high', 'critical'], severity) DESC, raised_at, alert_id
{CUT}
"""  # noqa: S608  a constant
"""Alerts that stand in some states at a time, the worst first. ``why`` is what the evidence says:
the reason of a version that a person made is his, that of the end of shelving the clock's.
``instruments`` are those whose reading is furthest from what was expected."""

_WHOLE = f"""
SELECT
    alert_id, version, state, rule, family, severity, subject, nullIf(lot_id, '') AS lot_id,
    process_id, movement_id, onset_event_id, raised_by_event_id, raised_at, occurred_at, onset_at,
    onset_u_s, size, size_u, unit, statistic, record_value AS value, threshold, threshold_basis,
    reason, cause, actor, action_id, assignee, until, resolution, unobserved,
    `posterior.family` AS posterior_family, `posterior.probability` AS posterior_probability,
    `posterior.ln_e` AS posterior_ln_e,
    `evidence.quantity` AS evidence_quantity, `evidence.analyte` AS evidence_analyte,
    `evidence.expected` AS evidence_expected, `evidence.observed` AS evidence_observed,
    `evidence.u` AS evidence_u, `evidence.z` AS evidence_z, `evidence.unit` AS evidence_unit,
    `evidence.event_ids` AS evidence_event_ids, `evidence.instruments` AS evidence_instruments,
    `evidence.shift` AS evidence_shift, `evidence.ln_ratio` AS evidence_ln_ratio,
    `gated.event_id` AS gated_event_id, `gated.device_id` AS gated_device_id,
    `gated.site_id` AS gated_site_id, `gated.why` AS gated_why,
    `gated.value` AS gated_value, `gated.threshold` AS gated_threshold,
    `detectable.family` AS detectable_family, `detectable.size` AS detectable_size,
    `calibrations.device_id` AS calibrations_device_id, `calibrations.until` AS calibrations_until,
    `causes.family` AS causes_family, `causes.stations` AS causes_stations,
    `causes.movement_id` AS causes_movement_id, `causes.site_id` AS causes_site_id,
    `causes.probability` AS causes_probability, way, {_SITES},
    {", ".join(Stake._fields)}
FROM alert WHERE alert_id = {{alert:String}}
"""  # noqa: S608  a constant
_LAST = "ORDER BY version DESC, n DESC LIMIT 1"

LATEST = _WHOLE + _LAST
"""An alert as it is now, with all it rests on; lists side by side, for ``nested``."""

RESTED = f"{_WHOLE} AND (notEmpty(`evidence.z`) OR notEmpty(`posterior.family`)) {_LAST}"
"""The last version that said what it rests on: an exact rule's that is retracted says nothing."""

VERSIONS = """
SELECT
    version, state, family, severity, size, size_u, unit, record_value AS value, threshold,
    raised_by_event_id, raised_at, reason, cause, actor, assignee, until, resolution,
    timestamp AS said_at
FROM alert WHERE alert_id = {alert:String}
ORDER BY version DESC, n DESC LIMIT 1 BY version
LIMIT 1000
"""
"""What an alert was, one row a version, the last first."""

RETRACTIONS = """
SELECT alert_id, severity, statistic, rule, family, subject, state, cause, reason,
    timestamp AS said_at
FROM
(
    SELECT * FROM alert WHERE alert_id IN
    (
        SELECT alert_id FROM alert
        WHERE timestamp > {since:DateTime64(6, 'UTC')} AND state = 'retracted'
    )
    ORDER BY alert_id, version DESC, n DESC LIMIT 1 BY alert_id
)
WHERE state = 'retracted'
ORDER BY said_at DESC, alert_id
LIMIT 100
"""
"""Alerts that the facts took back after a time and did not raise again, the last first."""

COMMENTS = """
SELECT event_id, action, version, actor, reason, recorded_at
FROM action WHERE subject = {subject:String} AND alert_id = {alert:String} AND action = 'comment'
ORDER BY recorded_at DESC, event_id DESC LIMIT 1000
"""
"""What people said of an alert, the last first: of all they do, only a word makes no version."""

FACTS = """
SELECT event_id, lot_id, event_type, kind, site_id, occurred_at, recorded_at, document_no, mass_kg
FROM v_events
WHERE lot_id = {lot:String} AND event_id IN {events:Array(String)}
ORDER BY occurred_at, event_id
"""
"""The facts that an alert names, of its lot."""

FACTS_OF_THING = """
SELECT event_id, lot_id, event_type, kind, site_id, occurred_at, recorded_at, document_no, mass_kg
FROM v_events
WHERE event_id IN {events:Array(String)} AND lot_id IN
(
    SELECT lot_id FROM residual
    WHERE thing = {subject:String} AND (
        occurred_at >= {since:DateTime64(6, 'UTC')}
        OR arrayExists(t -> t >= {since:DateTime64(6, 'UTC')}, figures.occurred_at)
    )
    ORDER BY occurred_at DESC LIMIT 4096
)
ORDER BY occurred_at, event_id
"""
"""Those of an alert of a chart, which are of many lots, by what these say of the instrument or way
since a time: facts stand by lot, and by their ids alone all would have to be read."""

ONSET = (
    "onset_event_id", "onset_at", "onset_u_s", "threshold_basis", "movement_id", "unobserved",
    "value", "threshold", "way", "other_sites", *Stake._fields,
)  # fmt: skip
"""What an alert says of its evidence beside the lists."""

_NESTED = ("posterior", "evidence", "gated", "detectable", "calibrations", "causes")


def nested(row: Row) -> tuple[Row, dict[str, list[Row]]]:
    """Return an alert without its lists, and its lists as rows.

    Args:
        row: Of ``LATEST``: each list is columns side by side, such as ``evidence_z``.
    """
    tables: dict[str, list[Row]] = {}
    plain = dict(row)
    for name in _NESTED:
        begin = f"{name}_"
        columns = {key: plain.pop(key) for key in row if key.startswith(begin)}
        values = [value for value in columns.values() if isinstance(value, list)]
        names = [key.removeprefix(begin) for key in columns]
        tables[name] = [dict(zip(names, one, strict=True)) for one in zip(*values, strict=True)]
    return plain, tables


def events_of(row: Row, evidence: list[Row]) -> list[str]:
    """Return the ids of all facts that an alert names."""
    named = [str(row[name]) for name in ("onset_event_id", "raised_by_event_id") if row.get(name)]
    for one in evidence:
        ids = one["event_ids"]
        named += [str(event) for event in ids] if isinstance(ids, list) else []
    return list(dict.fromkeys(named))


def of_thing(alert: Row, evidence: list[Row]) -> dict[str, str]:
    """Return the parameters of ``FACTS_OF_THING`` for an alert of a chart."""
    since = str(alert["onset_at"] or alert["occurred_at"]).replace("T", " ").removesuffix("Z")
    events = array_of(events_of(alert, evidence))
    return {"subject": str(alert["subject"]), "events": events, "since": since}


def located(evidence: Iterable[Row], facts: Iterable[Row]) -> list[Row]:
    """Return evidence with ``lot_id``, ``site_id`` and ``occurred_at`` of its first fact.

    Args:
        evidence: Rows with ``event_ids``.
        facts: Those that are known; of others the three are None.
    """
    known = {row["event_id"]: row for row in facts}
    nothing: Row = dict.fromkeys(_PLACE)
    found: list[Row] = []
    for row in evidence:
        ids = row["event_ids"]
        first = known.get(ids[0], nothing) if isinstance(ids, list) and ids else nothing
        found.append(row | {name: first[name] for name in _PLACE})
    return found


_PLACE = ("lot_id", "site_id", "occurred_at")
