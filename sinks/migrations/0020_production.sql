-- What each site mined, made, took and sent by day, over all history: a projection inside each part
-- of the transfers, so that it cannot differ from them, and compensations make its sums right. What
-- is measured of an output later belongs to what was produced, also where it is given back. Of other
-- accounts than lots only the kind is a key: by process there would be nearly as many sums as rows.
ALTER TABLE custody.transfer ADD PROJECTION IF NOT EXISTS daily
(
    SELECT
        toDate32(effective_at), splitByChar('/', debit)[1], if(startsWith(debit, 'lot/'), splitByChar('/', debit)[-1], ''),
        splitByChar('/', credit)[1], if(startsWith(credit, 'lot/'), splitByChar('/', credit)[-1], ''),
        coalesce(replaces_kind, kind) = 'measured',
        sum(mass_wet_g), sum(mass_dry_g), sumMap(`metals.analyte`, `metals.value_mg`), count()
    GROUP BY
        toDate32(effective_at), splitByChar('/', debit)[1], if(startsWith(debit, 'lot/'), splitByChar('/', debit)[-1], ''),
        splitByChar('/', credit)[1], if(startsWith(credit, 'lot/'), splitByChar('/', credit)[-1], ''),
        coalesce(replaces_kind, kind) = 'measured'
);

ALTER TABLE custody.transfer MATERIALIZE PROJECTION daily;

CREATE OR REPLACE VIEW custody.v_daily_production
(
    `site_id` String COMMENT 'Site.',
    `day` Date32 COMMENT 'Day in UTC on which it was so.',
    `flow` LowCardinality(String) COMMENT 'mined (from the ground, by a first weighing), bought, produced (out of a process), received, consumed (into a process), sold, shipped, or restated (what better measurements and stocktakings added or took).',
    `mass_wet_kg` Decimal(38, 3) COMMENT 'Wet mass of the flow, positive in the direction of its name; restated is signed. Unit: kilograms.',
    `mass_dry_kg` Decimal(38, 3) COMMENT 'Dry mass of the flow, likewise. Unit: kilograms.',
    `metal_kg` Map(LowCardinality(String), Decimal(18, 6)) COMMENT 'Contained metal of the flow by analyte, likewise; metal_kg[\'Cu\']. Unit: kilograms.',
    `transfers` Int64 COMMENT 'Transfers it is the sum of, compensations included. Unit: count.'
)
AS SELECT
    site_id, day, flow,
    toDecimal128(sum(sign * wet_g), 3) / 1000 AS mass_wet_kg,
    toDecimal128(sum(sign * dry_g), 3) / 1000 AS mass_dry_kg,
    mapFromArrays(
        tupleElement(sumMap(analytes, arrayMap(v -> sign * v, amounts_mg)) AS metals, 1),
        arrayMap(v -> reinterpret(v, 'Decimal(18, 6)'), tupleElement(metals, 2))
    ) AS metal_kg,
    toInt64(sum(moves)) AS transfers
FROM
(
    SELECT
        day, wet_g, dry_g, metals_moved.1 AS analytes, metals_moved.2 AS amounts_mg, moves,
        side.1 AS site_id, side.2 AS flow, side.3 AS sign
    FROM
    (
        SELECT
            toDate32(effective_at) AS day,
            splitByChar('/', debit)[1] AS from_class,
            if(startsWith(debit, 'lot/'), splitByChar('/', debit)[-1], '') AS from_place,
            splitByChar('/', credit)[1] AS to_class,
            if(startsWith(credit, 'lot/'), splitByChar('/', credit)[-1], '') AS to_place,
            coalesce(replaces_kind, kind) = 'measured' AS measured,
            measured AND from_class = 'lot' AND to_class = 'process' AS back,
            sum(mass_wet_g) AS wet_g, sum(mass_dry_g) AS dry_g,
            sumMap(`metals.analyte`, `metals.value_mg`) AS metals_moved, count() AS moves
        FROM custody.transfer
        GROUP BY day, from_class, from_place, to_class, to_place, measured
    )
    ARRAY JOIN
        [
            (if(to_class = 'lot', to_place, ''),
             transform(from_class, ['origin', 'outside', 'process', 'lot', 'unaccounted'],
                ['mined', 'bought', 'produced', 'received', 'restated'], 'other'), 1),
            (if(from_class = 'lot', from_place, ''),
             if(back, 'produced', transform(to_class, ['outside', 'process', 'lot', 'unaccounted'],
                ['sold', 'consumed', 'shipped', 'restated'], 'other')),
             if(back OR to_class = 'unaccounted', -1, 1))
        ] AS side
    WHERE site_id NOT IN ('', 'transit') AND NOT (from_class = to_class AND from_place = to_place)
)
GROUP BY site_id, day, flow
COMMENT 'What each site mined, made, took in and sent, by day and flow, over all history: sums of transfers, as now known.';

-- How much of what came to a site is traced, and how far: the origins that travel with the mass. What
-- better measurements add or take off is part of what came.
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
                *,
                startsWith(credit, 'lot/')
                    AND match(debit, '^(origin|outside|process|lot|unaccounted)/') AS comes,
                startsWith(debit, 'lot/')
                    AND (startsWith(credit, 'unaccounted/') OR (startsWith(credit, 'process/')
                    AND coalesce(replaces_kind, kind) = 'measured')) AS taken_off
            FROM custody.transfer
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
