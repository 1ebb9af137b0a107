-- Origins as now known, as the masses are: a posting keeps what was known when it was made, and where
-- origins are known later than masses, what is posted then has the new ones only. Summed, that was
-- less than nothing of an origin, and more than all unknown. A lot's newest balance has its origins,
-- also where nothing of it is left.
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
AS SELECT
    site_id, month, mineral, tier, round(sum(part) / 1e6, 6) AS amount_kg,
    round(sum(amount_kg) OVER (PARTITION BY site_id, month, mineral), 6) AS total_kg,
    if(total_kg = 0, 0., amount_kg / total_kg) AS share_fraction
FROM
(
    SELECT
        site_id, toStartOfMonth(effective_at) AS month,
        known.1 AS mineral, level AS tier, sign * known.2 * share AS part
    FROM
    (
        SELECT
            splitByChar('/', if(comes, credit, debit))[-1] AS site_id, if(comes, 1, -1) AS sign,
            effective_at,
            arrayJoin(arrayConcat(
                [('dry', mass_dry_g * 1000, arrayMap(l -> l::String, `origins.level`), `origins.share`)],
                arrayMap(
                    (a, v) -> (
                        a::String, v,
                        if(has(`metal_origins.analyte`, a),
                            arrayFilter((l, m) -> m = a, `metal_origins.level`, `metal_origins.analyte`),
                            arrayMap(l -> l::String, `origins.level`)),
                        if(has(`metal_origins.analyte`, a),
                            arrayFilter((s, m) -> m = a, `metal_origins.share`, `metal_origins.analyte`),
                            `origins.share`)),
                    `metals.analyte`, `metals.value_mg`)
            )) AS known
        FROM
        (
            SELECT
                moved.*, known.1 AS `origins.level`, known.2 AS `origins.share`,
                known.3 AS `metal_origins.analyte`, known.4 AS `metal_origins.level`,
                known.5 AS `metal_origins.share`
            FROM
            (
                SELECT
                    debit, credit, effective_at, mass_dry_g, `metals.analyte`, `metals.value_mg`,
                    startsWith(credit, 'lot/')
                        AND match(debit, '^(origin|outside|process|lot|unaccounted)/') AS comes,
                    startsWith(debit, 'lot/')
                        AND (startsWith(credit, 'unaccounted/') OR (startsWith(credit, 'process/')
                        AND coalesce(replaces_kind, kind) = 'measured')) AS taken_off,
                    if(comes, credit, debit) AS account,
                    substring(account, 1, length(account) - position(reverse(account), '/')) AS owner
                FROM custody.transfer
            ) AS moved
            LEFT JOIN
            (
                SELECT
                    owner,
                    argMax(
                        (`origins.level`, `origins.share`, `metal_origins.analyte`,
                         `metal_origins.level`, `metal_origins.share`), n) AS known
                FROM custody.balance
                WHERE lot_id != ''
                GROUP BY owner
            ) AS lot ON lot.owner = moved.owner
        )
        WHERE (comes OR taken_off) AND site_id != 'transit'
            AND NOT (startsWith(debit, 'lot/') AND startsWith(credit, 'lot/')
            AND splitByChar('/', debit)[-1] = splitByChar('/', credit)[-1])
    )
    ARRAY JOIN
        arrayPushBack(known.3, 'unknown') AS level,
        arrayPushBack(known.4, greatest(0., 1. - arraySum(known.4))) AS share
)
GROUP BY site_id, month, mineral, tier
HAVING amount_kg != 0
COMMENT 'How much of what came to each site is traced, by mineral, month and how far its origin is known. How well one lot is proved says custody traceability.';
