"""What pages ask about the flow of mass, as statements."""

FLOWS = """
SELECT
    site_id, flow,
    toFloat64(sum(sign * wet_g)) / 1000 AS mass_wet_kg,
    toFloat64(sum(sign * dry_g)) / 1000 AS mass_dry_kg,
    toInt64(sum(moves)) AS transfers
FROM
(
    SELECT
        mass_wet_g AS wet_g, mass_dry_g AS dry_g, 1 AS moves,
        splitByChar('/', debit) AS source, splitByChar('/', credit) AS target,
        if(source[1] = 'lot', decodeURLComponent(source[-1]), '') AS from_place,
        if(target[1] = 'lot', decodeURLComponent(target[-1]), '') AS to_place,
        coalesce(replaces_kind, kind) = 'measured' AND target[1] = 'process' AS back,
        arrayJoin([
            (to_place, transform(source[1], ['origin', 'outside', 'process', 'lot'],
                ['mined', 'bought', 'produced', 'received'], ''), 1),
            (from_place, if(back, 'produced', transform(target[1], ['outside', 'process', 'lot'],
                ['sold', 'consumed', 'shipped'], '')), if(back, -1, 1))
        ]) AS side,
        side.1 AS site_id, side.2 AS flow, side.3 AS sign
    FROM transfer
    WHERE effective_at > {since:DateTime64(6, 'UTC')}
        AND effective_at <= {until:DateTime64(6, 'UTC')}
        AND from_place != to_place
)
WHERE site_id NOT IN ('', 'transit') AND flow != ''
GROUP BY site_id, flow
HAVING mass_dry_kg != 0 OR mass_wet_kg != 0
ORDER BY site_id, flow
"""
"""Mass that came to each site and left it in a time, as transfers now say it.

The flows are those of ``v_daily_production``, which knows whole days only."""

LAST = """
SELECT maxOrNull(effective_at) AS last_at FROM transfer
WHERE effective_at <= {since:DateTime64(6, 'UTC')}
"""
"""When mass moved last before a time; null where none did."""
