"""What pages ask about alerts, as statements. Names are those of ``schemas/json/alert.json``."""

STANDING = """
SELECT
    alert_id, version, state, rule, family, severity, subject, nullIf(lot_id, '') AS lot_id,
    process_id, movement_id, raised_at, occurred_at, onset_at, size, size_u, unit, statistic,
    record_value AS value, threshold, threshold_basis, reason, assignee, until, resolution,
    mapFromArrays(`posterior.family`, `posterior.probability`) AS posterior,
    arrayMap(abs, `evidence.z`) AS far,
    `evidence.instruments`[indexOf(far, arrayMax(far))] AS instruments,
    timestamp AS said_at
FROM alert
WHERE (alert_id, version, n) IN
(
    SELECT alert_id, tupleElement(last, 1), tupleElement(last, 2)
    FROM
    (
        SELECT alert_id, max((version, n)) AS last
        FROM alert
        GROUP BY alert_id
        HAVING argMax(state, (version, n)) IN {states:Array(String)}
    )
)
ORDER BY indexOf(['low', 'medium', 'high', 'critical'], severity) DESC, raised_at, alert_id
LIMIT 5000
"""
"""Alerts that stand in some states, the worst first; of each the instruments whose reading is
furthest from what was expected."""
