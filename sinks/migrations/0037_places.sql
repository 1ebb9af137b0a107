-- A site's name may have slashes, as a URI has. In the account of a lot its own are written %2F (and
-- its percent signs %25), so that the place is what follows the last slash; views say it as it was
-- given. Before, a site was cut at its last slash, and what comes before it was taken for the lot's.

CREATE OR REPLACE VIEW custody.v_lot_balance_at AS
SELECT
    replaceRegexpOne(substring(held.account, 5), '/[^/]*$', '') AS lot_id,
    decodeURLComponent(extract(held.account, '[^/]*$')) AS place,
    held.account AS account, held.class AS class, held.quantity AS quantity, held.unit AS unit,
    held.quality AS quality, held.value AS value,
    multiIf(
        held.class = 'attribute' OR said.u_was = '' OR (value != 0 AND said.recorded = 0), 'none',
        said.u_was
    ) AS u_standing,
    if(u_standing = 'none', NULL, said.u_known_at) AS u_known_at,
    if(said.recorded = 0, 0., abs(value / said.recorded)) AS scale,
    if(u_standing = 'none', NULL, said.random * scale) AS u_random,
    if(u_standing = 'none', [], said.source) AS u_source,
    if(u_standing = 'none', [], arrayMap(u -> u * scale, said.systematic)) AS u_systematic,
    if(u_standing = 'none', NULL,
        sqrt(pow(u_random, 2) + arraySum(u -> u * u, u_systematic))) AS u
FROM
(
    SELECT account, class, quantity, unit, quality, sum(amount) AS value
    FROM custody.v_postings
    WHERE startsWith(account, 'lot/')
        AND effective_at <= {at:DateTime64(6, 'UTC')} AND known_at <= {known_at:DateTime64(6, 'UTC')}
    GROUP BY account, class, quantity, unit, quality
) AS held
LEFT JOIN
(
    SELECT
        account, figure.2 AS class, figure.1 AS quantity,
        argMax(
            (figure.3, figure.4, figure.5, figure.6, known_at, standing),
            (standing = 'then', if(standing = 'then', n, -toUnixTimestamp64Micro(at)), n)
        ) AS newest,
        tupleElement(newest, 1) AS recorded, tupleElement(newest, 2) AS random,
        tupleElement(newest, 3) AS source, tupleElement(newest, 4) AS systematic,
        tupleElement(newest, 5) AS u_known_at, tupleElement(newest, 6) AS u_was
    FROM
    (
        SELECT
            account, n, at, known_at,
            if(at <= {at:DateTime64(6, 'UTC')}, 'then', 'later') AS standing,
            arrayConcat(
                [('wet', 'mass', mass_wet_g, mass_wet_u_random_g,
                    arrayMap(s -> s::String, `mass_wet_u_systematic_g.source`),
                    `mass_wet_u_systematic_g.u`),
                 ('dry', 'mass', mass_dry_g, mass_dry_u_random_g,
                    arrayMap(s -> s::String, `mass_dry_u_systematic_g.source`),
                    `mass_dry_u_systematic_g.u`)],
                arrayMap((a, v, r, s, u) -> (a::String, 'metal', v, r, arrayMap(x -> x::String, s), u),
                    `metals.analyte`, `metals.value_mg`, `metals.u_random_mg`,
                    `metals.u_systematic_mg.source`, `metals.u_systematic_mg.u`)
            ) AS figures
        FROM custody.balance
        WHERE startsWith(account, 'lot/') AND known_at <= {known_at:DateTime64(6, 'UTC')}
    )
    ARRAY JOIN figures AS figure
    WHERE figure.3 != 0
    GROUP BY account, class, quantity
) AS said ON held.account = said.account AND held.class = said.class AND held.quantity = said.quantity
COMMENT 'What each lot held at each place at one time as known at another, one row per quantity, value and u in unit. u is that of the newest balance known then that held something (then) or, where facts came out of order, of the next later one (later), in proportion to the value; none: not known.';

CREATE OR REPLACE VIEW custody.v_metal_balance AS
SELECT
    site_id, class, quantity, unit, quality,
    sumIf(amount, before) AS opening,
    sumIf(amount, NOT before AND line = 'origin') AS from_origin,
    sumIf(amount, NOT before AND line = 'receipts') AS receipts,
    sumIf(amount, NOT before AND line = 'bought') AS bought,
    sumIf(amount, NOT before AND line = 'process_out') AS process_out,
    sumIf(amount, NOT before AND line = 'shipments') AS shipments,
    sumIf(amount, NOT before AND line = 'sold') AS sold,
    sumIf(amount, NOT before AND line = 'process_in') AS process_in,
    sumIf(amount, NOT before AND line = 'restated') AS restated,
    sumIf(amount, NOT before AND line = 'other') AS other,
    sum(amount) AS closing
FROM
(
    SELECT
        decodeURLComponent(extract(account, '[^/]*$')) AS site_id, class, quantity, unit, quality, amount,
        effective_at < {period_start:DateTime64(6, 'UTC')} AS before,
        multiIf(
            startsWith(other_account, 'origin/'), 'origin',
            startsWith(other_account, 'outside/'), if(side = 'credit', 'bought', 'sold'),
            startsWith(other_account, 'process/'), if(side = 'credit', 'process_out', 'process_in'),
            startsWith(other_account, 'lot/'), if(side = 'credit', 'receipts', 'shipments'),
            startsWith(other_account, 'unaccounted/'), 'restated',
            'other'
        ) AS line
    FROM custody.v_postings
    WHERE startsWith(account, 'lot/') AND effective_at < {period_end:DateTime64(6, 'UTC')}
        AND known_at <= {known_at:DateTime64(6, 'UTC')}
)
GROUP BY site_id, class, quantity, unit, quality
COMMENT 'The balance of each site (and of transit) over a period, end exclusive, as known at a time: opening and the signed lines add up to closing, in unit. restated is what better measurements added or took.';

CREATE OR REPLACE VIEW custody.v_unaccounted AS
SELECT
    multiIf(p.account LIKE 'process/%', 'process', p.account LIKE '%/transit', 'leg', 'stock') AS found_in,
    multiIf(found_in = 'process', works.place, found_in = 'leg', legs.place,
        decodeURLComponent(extract(p.account, '[^/]*$'))) AS site_id,
    p.account AS account, p.event_id AS event_id, p.movement_id AS movement_id,
    p.class AS class, p.quantity AS quantity, p.unit AS unit, p.quality AS quality,
    p.lost AS lost, p.effective_at AS effective_at, p.sender AS sender, p.first_n AS first_n,
    p.last_n AS last_n
FROM
(
    SELECT
        account, ifNull(replaces_event_id, cause_event_id) AS event_id,
        ifNull(any(b.movement_id), '') AS movement_id, class, quantity, unit, quality,
        -sum(amount) AS lost, max(b.effective_at) AS effective_at, any(b.sender) AS sender,
        min(b.n) AS first_n, max(b.n) AS last_n
    FROM custody.v_postings AS b
    WHERE startsWith(other_account, 'unaccounted/') AND match(account, '^(lot|process)/')
        AND b.effective_at >= {period_start:DateTime64(6, 'UTC')}
        AND b.effective_at < {period_end:DateTime64(6, 'UTC')}
        AND b.known_at <= {known_at:DateTime64(6, 'UTC')}
    GROUP BY account, event_id, class, quantity, unit, quality
    HAVING lost != 0
) AS p
LEFT JOIN
(
    SELECT concat('lot/', lot_id, '/transit') AS account, cause_event_id AS event_id,
        any(decodeURLComponent(extract(credit, '[^/]*$'))) AS place
    FROM custody.transfer
    WHERE kind = 'receipt' AND replaces_event_id IS NULL
    GROUP BY account, event_id
) AS legs ON p.account = legs.account AND p.event_id = legs.event_id
LEFT JOIN
(
    SELECT account, argMax(place, n) AS place FROM custody.balance
    WHERE startsWith(account, 'process/') GROUP BY account
) AS works ON p.account = works.account
COMMENT 'What was unaccounted for over a period, end exclusive, as known at a time: one row per account, event and quantity; lost is positive where less was found, in unit. A leg counts at the site where it ends, a process where it stands.';

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
    decodeURLComponent(splitByChar('/', side)[1]) AS site_id, day, splitByChar('/', side)[2] AS flow,
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
                    if(comes, 1, -1) AS sign, splitByChar('/', if(comes, arrives, leaves))[1] AS encoded,
                    decodeURLComponent(encoded) AS site_id,
                    toStartOfMonth(effective_at) AS month, mass_dry_g, `metals.analyte`, `metals.value_mg`,
                    if(comes, credit, debit) AS account,
                    substring(account, 1, length(account) - length(encoded) - 1) AS owner
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
