"""What took an alert's reason away, as a statement."""

from collections.abc import Iterable

from console.answering import array_of, asked_rows
from console.rows import Ask, Row

CAUSES = """
SELECT id, what, event_type, kind, lot_id, site_id, occurred_at, document_no, void, is_correction,
    rule, family, statistic, subject
FROM
(
    SELECT
        event_id AS id, 'fact' AS what, toString(stem) AS event_type, toString(kind) AS kind,
        lot_id, toString(site_id) AS site_id, occurred_at, document_no, void,
        corrects IS NOT NULL AS is_correction, '' AS rule, '' AS family, '' AS statistic,
        '' AS subject
    FROM event
    WHERE lower(event_id) IN {letters:Array(String)} AND event_id IN {ids:Array(String)}
    UNION ALL
    (
        SELECT
            alert_id, 'alert', '', '', lot_id, '', occurred_at, '', false, false, toString(rule),
            toString(family), toString(statistic), subject
        FROM alert WHERE alert_id IN {ids:Array(String)}
        ORDER BY alert_id, version DESC, n DESC LIMIT 1 BY alert_id
    )
    UNION ALL
    (
        SELECT
            event_id, 'reference', '', toString(kind), '', '', valid_from, '', void,
            corrects IS NOT NULL, '', '', '', concat(toString(kind), '/', id)
        FROM reference WHERE event_id IN {ids:Array(String)}
        ORDER BY event_id LIMIT 1 BY event_id
    )
)
ORDER BY id, what LIMIT 1 BY id
"""
"""What has an id that a retraction names: a fact of whatever lot, the alert of an instrument whose
drift explains it, or a reference record. Facts are found by a filter of their ids in small letters
(``sinks/migrations/0029_search.sql``)."""


def causes_of(ask: Ask, versions: Iterable[Row]) -> list[Row]:
    """Return what took the reason away, one row for each that versions of alerts name.

    Args:
        ask: Reads the warehouse. Blocks.
        versions: Rows with ``state`` and ``cause``.

    Raises:
        Problem: It failed, or the warehouse is away.
    """
    named = {str(row["cause"]) for row in versions if row["state"] == "retracted" and row["cause"]}
    if not named:
        return []
    asked = {"ids": array_of(sorted(named)), "letters": array_of(sorted(map(str.lower, named)))}
    return asked_rows(ask, CAUSES, asked)
