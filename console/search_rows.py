"""From an id to what has it."""

from console.answering import asked_rows
from console.rows import Ask, Row

_THINGS = ("seal", "tag", "vehicle", "certificate", "instrument", "route", "gateway")
_PATHS = "({})".format(", ".join(f"concat('{kind}/', {{q:String}})" for kind in _THINGS))
"""Names of shared things that have the id; a tuple: by that the order of the table is used."""

_LOTS_READ_MAX = 1_000
"""Lots that begin with what was typed whose facts are read for one that nobody declared: the first
in their order, which is that of the table, so no more is read. The one of that very id is first."""

SEARCH = f"""
SELECT DISTINCT kind, id, lot_id, process_id, site_id, at, alert_id FROM
(
    (
        SELECT
            'alert' AS kind, alert_id AS id, lot_id, process_id, '' AS site_id, raised_at AS at,
            alert_id
        FROM alert WHERE alert_id = {{q:String}} ORDER BY version DESC LIMIT 1
    )
    UNION ALL
    (
        SELECT 'lot', lot_id, lot_id, NULL, site_id, occurred_at, ''
        FROM lot WHERE startsWith(lot_id, {{q:String}})
        ORDER BY lot_id = {{q:String}} DESC, lot_id LIMIT 1 BY lot_id LIMIT 20
    )
    UNION ALL
    (
        SELECT 'lot', lot_id, lot_id, NULL, toString(site_id), occurred_at, ''
        FROM
        (
            SELECT lot_id, site_id, occurred_at FROM event
            WHERE startsWith(lot_id, {{q:String}}) AND lot_id != ''
            ORDER BY lot_id, occurred_at LIMIT 1 BY lot_id LIMIT {_LOTS_READ_MAX}
        )
        WHERE lot_id NOT IN (SELECT lot_id FROM lot WHERE startsWith(lot_id, {{q:String}}))
        ORDER BY lot_id LIMIT 20
    )
    UNION ALL
    (
        SELECT
            'lot', assumeNotNull(output_lot_id) AS made, made, NULL, site_id, occurred_at, ''
        FROM processing
        WHERE startsWith(output_lot_id, {{q:String}})
            AND made NOT IN (SELECT lot_id FROM lot WHERE startsWith(lot_id, {{q:String}}))
        ORDER BY made = {{q:String}} DESC, made LIMIT 1 BY made LIMIT 20
    )
    UNION ALL
    (
        SELECT 'event', event_id, lot_id, NULL, site_id, occurred_at, ''
        FROM event WHERE lower(event_id) = lower({{q:String}}) AND event_id = {{q:String}} LIMIT 1
    )
    UNION ALL
    (
        SELECT
            transform
            (
                toString(stem), ['weighing', 'assay', 'xrf'], ['ticket', 'certificate', 'shot'],
                'claim'
            ),
            document_no, lot_id, NULL, toString(site_id), occurred_at, ''
        FROM event
        WHERE lower(document_no) = lower({{q:String}}) AND document_no = {{q:String}}
            AND stem IN ('weighing', 'assay', 'claim', 'xrf')
        ORDER BY occurred_at DESC LIMIT 1 BY stem, lot_id LIMIT 20
    )
    UNION ALL
    (
        SELECT 'movement', movement_id, lot_id, NULL, toString(site_id), occurred_at, ''
        FROM event WHERE lower(movement_id) = lower({{q:String}}) AND movement_id = {{q:String}}
        ORDER BY occurred_at LIMIT 1 BY lot_id LIMIT 10
    )
    UNION ALL
    (
        SELECT 'process', process_id, '', process_id, site_id, occurred_at, ''
        FROM processing WHERE startsWith(process_id, {{q:String}})
        ORDER BY process_id = {{q:String}} DESC, process_id LIMIT 1 BY process_id LIMIT 20
    )
    UNION ALL
    (
        SELECT toString(kind), id, '', NULL, if(kind = 'site', id, ''), valid_from, ''
        FROM reference
        WHERE kind IN ('site', 'device', 'laboratory', 'gateway')
            AND
            (
                startsWith(id, {{q:String}}) OR event_id = lower({{q:String}})
                OR startsWith(lower(JSONExtractString(body, 'name')), lower({{q:String}}))
            )
        ORDER BY id = {{q:String}} DESC, id, valid_from DESC LIMIT 1 BY kind, id LIMIT 20
    )
    UNION ALL
    (
        SELECT 'site', toString(site_id), '', NULL, toString(site_id), max(occurred_at), ''
        FROM event WHERE site_id = {{q:String}} GROUP BY site_id
    )
    UNION ALL
    (
        SELECT 'instrument', toString(device_id), '', NULL, toString(site_id), max(occurred_at), ''
        FROM event WHERE device_id = {{q:String}} GROUP BY device_id, site_id LIMIT 10
    )
    UNION ALL
    (
        SELECT 'gateway', toString(gateway_id), '', NULL, '', max(at), ''
        FROM head WHERE gateway_id = {{q:String}} GROUP BY gateway_id
    )
    UNION ALL
    (
        SELECT
            splitByChar('/', thing)[1], {{q:String}}, lot_id, NULL, ifNull(site_id, ''),
            occurred_at, ''
        FROM sighting
        WHERE thing IN {_PATHS}
        ORDER BY occurred_at DESC LIMIT 1 BY thing, lot_id LIMIT 20
    )
    UNION ALL
    (
        SELECT
            if(action IN ('hold', 'release'), toString(action), 'action'), event_id,
            if(startsWith(subject, 'lot/'), substring(subject, 5), ''),
            if(startsWith(subject, 'process/'), substring(subject, 9), NULL), '', recorded_at,
            ifNull(alert_id, '')
        FROM action WHERE event_id = lower({{q:String}}) LIMIT 1
    )
)
ORDER BY id = {{q:String}} DESC, kind, id, at
LIMIT 1 BY kind, id, lot_id
LIMIT 60
"""  # noqa: S608  constants
"""What has an id, or begins with it where that is a lot, a process or something of the plant's,
which has a name, too. A lot that nobody declared is one that a process made, or that has facts.
What somebody did leads to the alert or the lot; ``alert_id`` is empty elsewhere.

Of facts a filter over what is typed, in small letters, leaves the granules that may have it
(``sinks/migrations/0029_search.sql``); so that one filter serves both questions, the id is asked
for in small letters here, too.
"""

SPELLINGS = f"""
SELECT DISTINCT spelt FROM
(
    SELECT alert_id AS spelt FROM alert WHERE lower(spelt) = lower({{q:String}})
    UNION ALL
    SELECT substring(lot_id, 1, length({{q:String}})) AS spelt
    FROM lot WHERE startsWith(lower(lot_id), lower({{q:String}}))
    UNION ALL
    SELECT substring(assumeNotNull(output_lot_id), 1, length({{q:String}})) AS spelt
    FROM processing WHERE startsWith(lower(output_lot_id), lower({{q:String}}))
    UNION ALL
    SELECT substring(process_id, 1, length({{q:String}})) AS spelt
    FROM processing WHERE startsWith(lower(process_id), lower({{q:String}}))
    UNION ALL
    SELECT substring(id, 1, length({{q:String}})) AS spelt
    FROM reference WHERE startsWith(lower(id), lower({{q:String}}))
    UNION ALL
    SELECT event_id AS spelt FROM event WHERE lower(event_id) = lower({{q:String}})
    UNION ALL
    SELECT document_no AS spelt FROM event WHERE lower(document_no) = lower({{q:String}})
    UNION ALL
    SELECT movement_id AS spelt FROM event WHERE lower(movement_id) = lower({{q:String}})
    UNION ALL
    SELECT toString(site_id) AS spelt
    FROM (SELECT site_id, max(occurred_at) FROM event GROUP BY site_id)
    WHERE lower(spelt) = lower({{q:String}})
    UNION ALL
    SELECT toString(device_id) AS spelt
    FROM (SELECT device_id, max(occurred_at) FROM event GROUP BY device_id)
    WHERE lower(spelt) = lower({{q:String}})
    UNION ALL
    SELECT toString(gateway_id) AS spelt FROM head WHERE lower(spelt) = lower({{q:String}})
    UNION ALL
    SELECT substring(thing, position(thing, '/') + 1) AS spelt
    FROM sighting
    WHERE lower(thing) IN {_PATHS.replace("{q:String}", "lower({q:String})")}
)
WHERE spelt != {{q:String}}
ORDER BY spelt LIMIT 4
"""  # noqa: S608  constants
"""How an id is spelt that was typed in other letters, such as ``l-24-01`` for ``L-24-01``; asked
only where nothing has the id as it was typed. Lots, processes, alerts and reference data are read
whole: they are few beside facts."""


def hits(ask: Ask, q: str) -> list[Row]:
    """Return what has an id as it was typed; where nothing has, in other letters. Blocks.

    Args:
        ask: Reads the warehouse.
        q: The id; of some kinds its beginning.

    Raises:
        Problem: It failed, or the warehouse is away.
    """
    rows = asked_rows(ask, SEARCH, {"q": q})
    if rows:
        return rows
    spelt = [str(one["spelt"]) for one in asked_rows(ask, SPELLINGS, {"q": q})]
    return [row for one in spelt for row in asked_rows(ask, SEARCH, {"q": one})]
