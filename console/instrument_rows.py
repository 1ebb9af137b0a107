"""What pages ask about one instrument or laboratory, as statements."""

SEEN = """
SELECT site_id, kind, count() AS facts, min(occurred_at) AS first_at, max(occurred_at) AS last_at
FROM
(
    SELECT toString(site_id) AS site_id, toString(stem) AS kind, occurred_at
    FROM event WHERE device_id = {device:String}
        AND (partition, offset) NOT IN (SELECT partition, offset FROM repeated)
)
GROUP BY site_id, kind ORDER BY last_at DESC, site_id, kind LIMIT 100
"""
"""Where it has measured, and how often."""

KNOWN = """
SELECT kind, valid_from, valid_to, body FROM reference
WHERE kind IN ('device', 'laboratory') AND id = {device:String} AND NOT void
ORDER BY valid_from DESC, recorded_at DESC LIMIT 1
"""
"""What was said of it beforehand: its reference record, the last."""

LOTS = """
SELECT lot_id, event_id, event_type AS kind, document_no, site_id, occurred_at, mass_kg
FROM v_events
WHERE device_id = {device:String} AND lot_id != ''
ORDER BY occurred_at DESC, event_id LIMIT 50
"""
"""What it measured last, a row a fact."""
