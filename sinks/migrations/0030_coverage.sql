-- What came to a site was multiplied out, a row of text for each transfer, metal and tier, with lists
-- of texts of its lot beside each. Shares of a lot are worked out once for each lot now, as numbers in
-- the order of the tiers, and what came is summed in that order; tiers get their names at the end.
-- What comes, and what takes off of it, is as of daily production (0024_flows.sql). Half the time.
CREATE OR REPLACE VIEW custody.v_coverage
(
    `site_id` String COMMENT 'Site that it came to, or that made it.',
    `month` Date COMMENT 'First day of the month in UTC.',
    `mineral` String COMMENT 'dry (the whole dry mass) or an analyte (contained metal).',
    `tier` String COMMENT 'How far the origin is known: site, region, country or unknown.',
    `amount_kg` Float64 COMMENT 'What came to the site in that month and is known that far. Unit: kilograms.',
    `total_kg` Float64 COMMENT 'All that came to the site in that month. Unit: kilograms.',
    `share_fraction` Float64 COMMENT 'amount_kg over total_kg; the tiers of a mineral add up to 1. Unit: fraction 0 to 1.'
)
AS WITH ['site', 'region', 'country', 'unknown'] AS tiers
SELECT
    site_id, month, mineral, tier, amount_kg,
    round(sum(amount_kg) OVER (PARTITION BY site_id, month, mineral), 6) AS total_kg,
    if(total_kg = 0, 0., amount_kg / total_kg) AS share_fraction
FROM
(
    SELECT site_id, month, mineral, tier, round(part / 1e6, 6) AS amount_kg
    FROM
    (
        SELECT
            site_id, month, moved.1 AS mineral,
            sumForEach(arrayMap(s -> moved.2 * s, if(empty(moved.3), [0., 0., 0., 1.], moved.3))) AS parts
        FROM
        (
            SELECT
                site_id, month,
                arrayJoin(arrayPushFront(
                    arrayMap(
                        (a, v) -> (a, sign * v, if(has(said_of, a), by_metal[indexOf(said_of, a)], by_dry)),
                        `metals.analyte`, `metals.value_mg`),
                    ('dry'::LowCardinality(String), sign * mass_dry_g * 1000, by_dry))) AS moved
            FROM
            (
                SELECT
                    arrives != '' AND NOT endsWith(arrives, '/other') AS comes,
                    if(comes, 1, -1) AS sign, splitByChar('/', if(comes, arrives, leaves))[1] AS site_id,
                    toStartOfMonth(effective_at) AS month, mass_dry_g, `metals.analyte`, `metals.value_mg`,
                    if(comes, credit, debit) AS account,
                    substring(account, 1, length(account) - length(site_id) - 1) AS owner
                FROM custody.transfer
                WHERE comes OR endsWith(leaves, '/restated') OR endsWith(leaves, '/produced')
            ) AS came
            LEFT JOIN
            (
                SELECT
                    owner, arrayDistinct(known.3) AS said_of,
                    arrayMap(t -> arraySum((l, s) -> if(l = t, s, 0.), known.1, known.2),
                        ['site', 'region', 'country']) AS dry_known,
                    arrayMap(
                        m -> arrayMap(t -> arraySum((l, s, a) -> if(l = t AND a = m, s, 0.), known.4, known.5, known.3),
                            ['site', 'region', 'country']),
                        said_of) AS metal_known,
                    arrayPushBack(dry_known, greatest(0., 1. - arraySum(dry_known))) AS by_dry,
                    arrayMap(one -> arrayPushBack(one, greatest(0., 1. - arraySum(one))), metal_known) AS by_metal
                FROM
                (
                    SELECT
                        owner,
                        argMax(
                            (`origins.level`, `origins.share`, `metal_origins.analyte`,
                             `metal_origins.level`, `metal_origins.share`), n) AS known
                    FROM custody.balance
                    WHERE lot_id != ''
                    GROUP BY owner
                )
            ) AS lot ON lot.owner = came.owner
        )
        GROUP BY site_id, month, mineral
    )
    ARRAY JOIN parts AS part, tiers AS tier
)
WHERE amount_kg != 0
COMMENT 'How much of what came to each site is traced, by mineral, month and how far its origin is known. How well one lot is proved says custody traceability.';
