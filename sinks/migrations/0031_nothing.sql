-- A flow that was posted and taken back in whole is none: a lot that is weighed before its process has
-- said that it made it is posted as mined first, and stood there with zeros ever after.
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
    splitByChar('/', side)[1] AS site_id, day, splitByChar('/', side)[2] AS flow,
    toDecimal128(sum(sign * wet_g), 3) / 1000 AS mass_wet_kg,
    toDecimal128(sum(sign * dry_g), 3) / 1000 AS mass_dry_kg,
    mapFromArrays(
        tupleElement(sumMap(metals_moved.1, arrayMap(v -> sign * v, metals_moved.2)) AS metals, 1),
        arrayMap(v -> reinterpret(v, 'Decimal(18, 6)'), tupleElement(metals, 2))
    ) AS metal_kg,
    toInt64(sum(moves)) AS transfers
FROM
(
    SELECT
        toDate32(effective_at) AS day, arrives AS side, 1 AS sign, sum(mass_wet_g) AS wet_g,
        sum(mass_dry_g) AS dry_g, sumMap(`metals.analyte`, `metals.value_mg`) AS metals_moved,
        count() AS moves
    FROM custody.transfer
    WHERE arrives != ''
    GROUP BY day, side
    UNION ALL
    SELECT
        toDate32(effective_at) AS day, leaves AS side,
        if(endsWith(leaves, '/restated') OR endsWith(leaves, '/produced'), -1, 1) AS sign,
        sum(mass_wet_g) AS wet_g, sum(mass_dry_g) AS dry_g, sumMap(`metals.analyte`, `metals.value_mg`) AS metals_moved,
        count() AS moves
    FROM custody.transfer
    WHERE leaves != ''
    GROUP BY day, side
)
GROUP BY side, day
HAVING sum(sign * wet_g) != 0 OR sum(sign * dry_g) != 0
    OR arrayExists(v -> v != 0, tupleElement(metals, 2))
SETTINGS optimize_use_implicit_projections = 0
COMMENT 'What each site mined, made, took in and sent, by day and flow, over all history: sums of transfers, as now known.';
