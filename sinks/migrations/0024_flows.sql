-- Daily production by two sums in each part of the transfers, what comes and what leaves, each by
-- what the answer shows: site and flow. The projection daily had all pairs of places as its keys, so
-- four times the rows, and every question worked out from the pairs what each of them means.

-- The engine fills these two from the accounts; nobody writes them, and SELECT * leaves them out.
ALTER TABLE custody.transfer ADD COLUMN IF NOT EXISTS arrives LowCardinality(String) MATERIALIZED
    if(NOT startsWith(credit, 'lot/') OR splitByChar('/', credit)[-1] IN ('', 'transit') OR (startsWith(debit, 'lot/') AND splitByChar('/', debit)[-1] = splitByChar('/', credit)[-1]), '',
        concat(splitByChar('/', credit)[-1], '/', transform(splitByChar('/', debit)[1],
            ['origin', 'outside', 'process', 'lot', 'unaccounted'],
            ['mined', 'bought', 'produced', 'received', 'restated'], 'other')))
    COMMENT 'Site and flow of what arrives in the lot on the credit side, as CONC-HOY/received; empty where nothing arrives at a site. Source: warehouse, from the accounts.';

-- What is measured of an output later belongs to what was produced, also where it is given back.
ALTER TABLE custody.transfer ADD COLUMN IF NOT EXISTS leaves LowCardinality(String) MATERIALIZED
    if(NOT startsWith(debit, 'lot/') OR splitByChar('/', debit)[-1] IN ('', 'transit') OR (startsWith(credit, 'lot/') AND splitByChar('/', debit)[-1] = splitByChar('/', credit)[-1]), '',
        concat(splitByChar('/', debit)[-1], '/',
            if(coalesce(replaces_kind, kind) = 'measured' AND startsWith(credit, 'process/'), 'produced',
                transform(splitByChar('/', credit)[1], ['outside', 'process', 'lot', 'unaccounted'],
                    ['sold', 'consumed', 'shipped', 'restated'], 'other'))))
    COMMENT 'Site and flow of what leaves the lot on the debit side, as MINE-BIR/shipped; empty where nothing leaves a site. Source: warehouse, from the accounts.';

ALTER TABLE custody.transfer ADD PROJECTION IF NOT EXISTS arriving
(
    SELECT
        toDate32(effective_at), arrives,
        sum(mass_wet_g), sum(mass_dry_g), sumMap(`metals.analyte`, `metals.value_mg`), count()
    GROUP BY toDate32(effective_at), arrives
);

ALTER TABLE custody.transfer MATERIALIZE PROJECTION arriving;

ALTER TABLE custody.transfer ADD PROJECTION IF NOT EXISTS leaving
(
    SELECT
        toDate32(effective_at), leaves,
        sum(mass_wet_g), sum(mass_dry_g), sumMap(`metals.analyte`, `metals.value_mg`), count()
    GROUP BY toDate32(effective_at), leaves
);

ALTER TABLE custody.transfer MATERIALIZE PROJECTION leaving;

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
SETTINGS optimize_use_implicit_projections = 0
COMMENT 'What each site mined, made, took in and sent, by day and flow, over all history: sums of transfers, as now known.';

-- Nothing asks it any more, and each insert would make it.
ALTER TABLE custody.transfer DROP PROJECTION IF EXISTS daily;
