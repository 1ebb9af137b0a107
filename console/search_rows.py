"""From an id to what has it, as a statement."""

SEARCH = """
SELECT DISTINCT kind, id, lot_id, process_id, site_id, at FROM
(
    (
        SELECT 'alert' AS kind, alert_id AS id, lot_id, process_id, '' AS site_id, raised_at AS at
        FROM alert WHERE alert_id = {q:String} ORDER BY version DESC LIMIT 1
    )
    UNION ALL
    (
        SELECT 'lot', lot_id, lot_id, NULL, site_id, occurred_at
        FROM lot WHERE startsWith(lot_id, {q:String})
        ORDER BY lot_id = {q:String} DESC, lot_id LIMIT 1 BY lot_id LIMIT 20
    )
    UNION ALL
    (
        SELECT 'event', event_id, lot_id, NULL, site_id, occurred_at
        FROM events_all WHERE event_id = {q:String} LIMIT 1
    )
    UNION ALL
    (
        SELECT 'movement', assumeNotNull(movement_id), lot_id, NULL, site_id, occurred_at
        FROM facts_all WHERE movement_id = {q:String}
        ORDER BY occurred_at LIMIT 1 BY lot_id LIMIT 10
    )
    UNION ALL
    (
        SELECT 'process', process_id, '', process_id, site_id, occurred_at
        FROM processing WHERE startsWith(process_id, {q:String})
        ORDER BY process_id = {q:String} DESC, process_id LIMIT 1 BY process_id LIMIT 20
    )
    UNION ALL
    (
        SELECT toString(kind), id, '', NULL, if(kind = 'site', id, ''), valid_from
        FROM reference
        WHERE kind IN ('site', 'device', 'laboratory', 'gateway') AND startsWith(id, {q:String})
        ORDER BY id = {q:String} DESC, id, valid_from DESC LIMIT 1 BY kind, id LIMIT 20
    )
    UNION ALL
    (
        SELECT 'site', toString(site_id), '', NULL, toString(site_id), max(occurred_at)
        FROM events_all WHERE site_id = {q:String} GROUP BY site_id
    )
    UNION ALL
    (
        SELECT 'gateway', toString(gateway_id), '', NULL, '', max(at)
        FROM head WHERE gateway_id = {q:String} GROUP BY gateway_id
    )
    UNION ALL
    (
        SELECT
            splitByChar('/', thing)[1], {q:String}, lot_id, NULL, ifNull(site_id, ''), occurred_at
        FROM sighting
        WHERE thing IN arrayMap(one -> concat(one, '/', {q:String}),
            ['seal', 'tag', 'vehicle', 'certificate', 'instrument', 'route', 'gateway'])
        ORDER BY occurred_at DESC LIMIT 1 BY thing, lot_id LIMIT 20
    )
)
ORDER BY id = {q:String} DESC, kind, id, at
LIMIT 1 BY kind, id, lot_id
LIMIT 60
"""
"""What has an id, or begins with it where that is a lot, a process or something of the plant's."""
