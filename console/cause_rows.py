"""What took an alert's reason away, as a statement."""

from collections.abc import Iterable

from console.answering import array_of, asked_rows
from console.rows import Ask, Row

_FACT = """
        event_id AS id, 'fact' AS what, toString(stem) AS event_type, toString(kind) AS kind,
        lot_id, toString(site_id) AS site_id, occurred_at, document_no, void,
        corrects IS NOT NULL AS is_correction, '' AS rule, '' AS family, '' AS statistic,
        '' AS subject
"""

CAUSES = f"""
SELECT * FROM
(
    SELECT {_FACT}
    FROM event WHERE lot_id IN {{lots:Array(String)}} AND event_id IN {{ids:Array(String)}}
    UNION ALL
    (
        SELECT
            alert_id, 'alert', '', '', lot_id, '', occurred_at, '', false, false, toString(rule),
            toString(family), toString(statistic), subject
        FROM alert WHERE alert_id IN {{ids:Array(String)}}
        ORDER BY alert_id, version DESC, n DESC LIMIT 1 BY alert_id
    )
    UNION ALL
    (
        SELECT
            event_id, 'reference', '', toString(kind), '', '', valid_from, '', void,
            corrects IS NOT NULL, '', '', '', concat(toString(kind), '/', id)
        FROM reference WHERE event_id IN {{ids:Array(String)}}
        ORDER BY event_id LIMIT 1 BY event_id
    )
)
ORDER BY id, what LIMIT 1 BY id
"""  # noqa: S608  constants
"""What has an id that a retraction names: a fact of the lots it is about, in whose order facts are,
the alert of an instrument whose drift explains it, or a reference record."""

ELSEWHERE = f"""
SELECT {_FACT}
FROM event WHERE lower(event_id) IN {{letters:Array(String)}} AND event_id IN {{ids:Array(String)}}
ORDER BY id LIMIT 1 BY id
"""  # noqa: S608  constants
"""A fact of any other lot, or of none, by a filter (``sinks/migrations/0029_search.sql``): of many
ids at once it would leave every granule, and few are left for it."""


def causes_of(ask: Ask, versions: Iterable[Row], subject: str = "") -> list[Row]:
    """Return what took the reason away, one row for each that versions of alerts name.

    Args:
        ask: Reads the warehouse. Blocks.
        versions: Rows with ``state`` and ``cause``, and ``subject`` where they are of many alerts.
        subject: What they are about, where they are all of one.

    Raises:
        Problem: It failed, or the warehouse is away.
    """
    gone = [row for row in versions if row["state"] == "retracted" and row["cause"]]
    named = {str(row["cause"]) for row in gone}
    if not named:
        return []
    about = {str(row.get("subject") or subject) for row in gone}
    lots = [one.removeprefix("lot/") for one in about if one.startswith("lot/")]
    asked = {"ids": array_of(sorted(named)), "lots": array_of(sorted(lots))}
    found = asked_rows(ask, CAUSES, asked)
    rest = sorted(named - {str(row["id"]) for row in found})
    if rest:
        letters = array_of(one.lower() for one in rest)
        found += asked_rows(ask, ELSEWHERE, {"ids": array_of(rest), "letters": letters})
    return found
