-- What lies on a stockpile, or is in any other process, lies at the site where that stands. Views of
-- what lies at a site had lots alone: of a site with a pile, half was told and no line said so.
-- Columns that were there stay, in their order; the new ones stand after them.

CREATE OR REPLACE VIEW custody.v_lot_balance_at AS
WITH all_held AS
(
    SELECT
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
        WHERE match(account, '^(lot|process)/')
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
            WHERE known_at <= {known_at:DateTime64(6, 'UTC')}
        )
        ARRAY JOIN figures AS figure
        WHERE figure.3 != 0
        GROUP BY account, class, quantity
    ) AS said ON held.account = said.account AND held.class = said.class AND held.quantity = said.quantity
)
SELECT
    replaceRegexpOne(substring(account, 5), '/[^/]*$', '') AS lot_id,
    decodeURLComponent(extract(account, '[^/]*$')) AS place, account,
    class, quantity, unit, quality, value, u_standing, u_known_at, scale, u_random, u_source,
    u_systematic, u,
    '' AS process_id, 'lot' AS held_in
FROM all_held
WHERE startsWith(account, 'lot/')
UNION ALL
SELECT
    '' AS lot_id, works.place AS place, all_held.account AS account,
    class, quantity, unit, quality, value, u_standing, u_known_at, scale, u_random, u_source,
    u_systematic, u,
    substring(all_held.account, 9) AS process_id, if(kinds.kind = '', 'process', kinds.kind) AS held_in
FROM all_held
LEFT JOIN
(
    SELECT account, argMax(place, n) AS place FROM custody.balance
    WHERE startsWith(account, 'process/') AND known_at <= {known_at:DateTime64(6, 'UTC')}
    GROUP BY account
) AS works ON all_held.account = works.account
LEFT JOIN
(
    SELECT
        concat('process/', process_id) AS account,
        argMax(toString(kind), (occurred_at, recorded_at, event_id)) AS kind
    FROM custody.processing
    WHERE NOT void AND recorded_at <= {known_at:DateTime64(6, 'UTC')}
    GROUP BY account
) AS kinds ON all_held.account = kinds.account
WHERE startsWith(all_held.account, 'process/')
COMMENT 'What each lot held at each place, and what lay in each process (held_in: its kind, such as stockpile), at one time as known at another, one row per quantity, value and u in unit. u is that of the newest balance known then that held something (then) or, where facts came out of order, of the next later one (later), in proportion to the value; none: not known.';

CREATE OR REPLACE VIEW custody.v_stock
(
    `site_id` LowCardinality(String) COMMENT 'Site, or transit.',
    `quantity` LowCardinality(String) COMMENT 'wet, dry (masses) or an analyte (contained metal).',
    `lots` UInt64 COMMENT 'Lots that hold some of it. Unit: count.',
    `amount_kg` Decimal(38, 6) COMMENT 'What lies there. Unit: kilograms.',
    `u_kg` Float64 COMMENT 'Standard uncertainty of the sum: random parts in squares, parts of one source straight. Unit: kilograms.',
    `u_random_kg` Float64 COMMENT 'What averages out. Unit: kilograms.',
    `u_systematic_kg` Float64 COMMENT 'What does not: the parts of each source added straight, sources in squares. Unit: kilograms.',
    `processes` UInt64 COMMENT 'Stockpiles and other processes that hold some of it. Unit: count.',
    `in_processes_kg` Decimal(38, 6) COMMENT 'What of amount_kg lies on stockpiles and in other processes; v_lot_quantities has each. Unit: kilograms.'
)
AS SELECT
    place AS site_id, quantity, uniqExactIf(lot_id, lot_id != '') AS lots, sum(q.amount_kg) AS amount_kg,
    u_of_sum(q.u_random_kg, q.u_systematic_kg) AS u_kg,
    sqrt(sum(q.u_random_kg * q.u_random_kg)) AS u_random_kg,
    sqrt(arraySum(part -> part * part, mapValues(sumMap(q.u_systematic_kg)))) AS u_systematic_kg,
    uniqExactIf(process_id, lot_id = '') AS processes,
    sumIf(q.amount_kg, lot_id = '') AS in_processes_kg
FROM custody.v_lot_quantities AS q
WHERE q.amount_kg != 0
GROUP BY site_id, quantity
COMMENT 'What lies at each site now, in lots, on stockpiles and in other processes, and in transit: one row per quantity. As of any time: v_stock_at.';

CREATE OR REPLACE VIEW custody.v_stock_at AS
SELECT
    site_id, class, quantity, unit, quality, lots, value,
    sqrt(arraySum(arraySort(squares))) AS u_random,
    (arraySort(arrayDistinct(parts.1)),
     arrayMap(s -> arraySum(p -> if(p.1 = s, p.2, 0.), parts), arraySort(arrayDistinct(parts.1)))) AS sources,
    without_u,
    if(class = 'attribute', NULL,
        sqrt(pow(u_random, 2) + arraySum(s -> s * s, sources.2))) AS u,
    processes, value_in_processes
FROM
(
    SELECT
        place AS site_id, class, quantity, unit, quality, uniqExactIf(lot_id, lot_id != '') AS lots,
        sum(b.value) AS value, groupArray(pow(ifNull(b.u_random, 0.), 2)) AS squares,
        arraySort(arrayFlatten(groupArray(arrayZip(b.u_source, b.u_systematic)))) AS parts,
        countIf(u_standing = 'none') AS without_u,
        uniqExactIf(process_id, lot_id = '') AS processes, sumIf(b.value, lot_id = '') AS value_in_processes
    FROM custody.v_lot_balance_at(
        at = {at:DateTime64(6, 'UTC')}, known_at = {known_at:DateTime64(6, 'UTC')}) AS b
    WHERE b.value != 0
    GROUP BY site_id, class, quantity, unit, quality
)
COMMENT 'What lay at each site, in lots, on stockpiles and in other processes (and in transit), at one time as known at another: value and u in unit. Random parts add in squares, parts of one source straight and then in squares; of without_u lots and processes no u is in it.';

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
    sum(amount) AS closing,
    sumIf(amount, NOT before AND line = 'fed') AS fed,
    sumIf(amount, NOT before AND line = 'drawn') AS drawn,
    sumIf(amount, NOT before AND line = 'added') AS added,
    sumIf(amount, NOT before AND line = 'lost') AS lost,
    sumIf(amount, NOT before AND line = 'converted') AS converted,
    sumIf(amount, NOT before AND line = 'process_rest') AS process_rest,
    sumIf(amount, before AND in_process) AS opening_in_processes,
    sumIf(amount, in_process) AS closing_in_processes
FROM
(
    SELECT
        decodeURLComponent(extract(account, '[^/]*$')) AS site_id, class, quantity, unit, quality, amount,
        false AS in_process, effective_at < {period_start:DateTime64(6, 'UTC')} AS before,
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
    UNION ALL
    SELECT
        works.place AS site_id, class, quantity, unit, quality, amount,
        true AS in_process, effective_at < {period_start:DateTime64(6, 'UTC')} AS before,
        multiIf(
            startsWith(other_account, 'lot/'), if(side = 'credit', 'fed', 'drawn'),
            startsWith(other_account, 'origin/'), 'added',
            startsWith(other_account, 'loss/'), 'lost',
            startsWith(other_account, 'conversion/'), 'converted',
            startsWith(other_account, 'unaccounted/'), 'process_rest',
            'other'
        ) AS line
    FROM custody.v_postings AS p
    LEFT JOIN
    (
        SELECT account, argMax(place, n) AS place FROM custody.balance
        WHERE startsWith(account, 'process/') AND known_at <= {known_at:DateTime64(6, 'UTC')}
        GROUP BY account
    ) AS works ON p.account = works.account
    WHERE startsWith(p.account, 'process/') AND effective_at < {period_end:DateTime64(6, 'UTC')}
        AND p.known_at <= {known_at:DateTime64(6, 'UTC')}
)
GROUP BY site_id, class, quantity, unit, quality
COMMENT 'The balance of each site (and of transit) over a period, end exclusive, as known at a time: opening and the signed lines add up to closing, in unit. restated is what better measurements added or took. What lies in processes that stand at the site is in it: fed and drawn are the other side of process_in and process_out.';

CREATE OR REPLACE VIEW custody.v_columns
(
    `view` String COMMENT 'View; with parameters it is called like a function.',
    `position` UInt64 COMMENT 'Place of the column in it, from 1. Unit: count.',
    `name` String COMMENT 'Column.',
    `type` String COMMENT 'Its type; empty for views with parameters, which DESCRIBE tells.',
    `meaning` String COMMENT 'What it means, and its unit.'
)
AS SELECT toString(table) AS view, toUInt64(position) AS position, name, type, comment AS meaning
FROM system.columns
WHERE database = 'custody' AND startsWith(table, 'v_')
UNION ALL
SELECT told.1, toUInt64(told.2), told.3, '', told.4
FROM
(
    SELECT arrayJoin([
        ('v_lot_balance_at', 1, 'lot_id', 'Lot; empty for what lay in a process.'),
        ('v_lot_balance_at', 2, 'place', 'Site, or transit.'),
        ('v_lot_balance_at', 3, 'account', 'Account, as a path.'),
        ('v_lot_balance_at', 4, 'class', 'mass, metal or attribute.'),
        ('v_lot_balance_at', 5, 'quantity', 'wet, dry, an analyte or an attribute.'),
        ('v_lot_balance_at', 6, 'unit', 'Unit of value and of every u: g, mg or micro <unit>.'),
        ('v_lot_balance_at', 7, 'quality', 'How an attribute is known; empty for masses and metals.'),
        ('v_lot_balance_at', 8, 'value', 'What it held, exactly; in unit.'),
        ('v_lot_balance_at', 9, 'u_standing', 'Which balance u is of: then, later (facts came out of order) or none.'),
        ('v_lot_balance_at', 10, 'u_known_at', 'When that balance became known. Unit: UTC.'),
        ('v_lot_balance_at', 11, 'scale', 'What its u was multiplied with, where the amount differs. Unit: none.'),
        ('v_lot_balance_at', 12, 'u_random', 'Random part of u, in unit.'),
        ('v_lot_balance_at', 13, 'u_source', 'Devices, laboratories and tables the systematic parts come from.'),
        ('v_lot_balance_at', 14, 'u_systematic', 'Systematic parts of u, signed, in the order of u_source; in unit.'),
        ('v_lot_balance_at', 15, 'u', 'Combined standard uncertainty, in unit; null where it is not known.'),
        ('v_lot_balance_at', 16, 'process_id', 'Process; empty for what a lot held.'),
        ('v_lot_balance_at', 17, 'held_in', 'lot, or the kind of the process, such as stockpile; process where no side names one.'),
        ('v_stock_at', 1, 'site_id', 'Site, or transit.'),
        ('v_stock_at', 2, 'class', 'mass, metal or attribute.'),
        ('v_stock_at', 3, 'quantity', 'wet, dry, an analyte or an attribute.'),
        ('v_stock_at', 4, 'unit', 'Unit of value and of every u: g, mg or micro <unit>.'),
        ('v_stock_at', 5, 'quality', 'How an attribute is known; empty for masses and metals.'),
        ('v_stock_at', 6, 'lots', 'Lots that held some of it. Unit: count.'),
        ('v_stock_at', 7, 'value', 'What lay there, exactly; in unit.'),
        ('v_stock_at', 8, 'u_random', 'Random parts added in squares, in unit.'),
        ('v_stock_at', 9, 'sources', 'Systematic parts by source, added straight: names and u in unit.'),
        ('v_stock_at', 10, 'without_u', 'Lots and processes whose u is not known and not in u. Unit: count.'),
        ('v_stock_at', 11, 'u', 'Combined standard uncertainty of the sum, in unit; null for attributes.'),
        ('v_stock_at', 12, 'processes', 'Stockpiles and other processes that held some of it. Unit: count.'),
        ('v_stock_at', 13, 'value_in_processes', 'What of value lay in those, in unit.'),
        ('v_metal_balance', 1, 'site_id', 'Site, or transit.'),
        ('v_metal_balance', 2, 'class', 'mass, metal or attribute.'),
        ('v_metal_balance', 3, 'quantity', 'wet, dry, an analyte or an attribute.'),
        ('v_metal_balance', 4, 'unit', 'Unit of all lines: g, mg or micro <unit>.'),
        ('v_metal_balance', 5, 'quality', 'How an attribute is known; empty for masses and metals.'),
        ('v_metal_balance', 6, 'opening', 'What lay there when the period began, in unit.'),
        ('v_metal_balance', 7, 'from_origin', 'Mined: from the ground by a first weighing, in unit.'),
        ('v_metal_balance', 8, 'receipts', 'Came from other places, in unit.'),
        ('v_metal_balance', 9, 'bought', 'Came from outside the books, in unit.'),
        ('v_metal_balance', 10, 'process_out', 'Came out of processes, in unit.'),
        ('v_metal_balance', 11, 'shipments', 'Left for other places, negative; in unit.'),
        ('v_metal_balance', 12, 'sold', 'Left the books, negative; in unit.'),
        ('v_metal_balance', 13, 'process_in', 'Went into processes, negative; in unit.'),
        ('v_metal_balance', 14, 'restated', 'What better measurements and stocktakings added or took, in unit.'),
        ('v_metal_balance', 15, 'other', 'Anything else, in unit; 0 in sound books.'),
        ('v_metal_balance', 16, 'closing', 'What lay there when the period ended: the sum of the lines, in unit.'),
        ('v_metal_balance', 17, 'fed', 'Came into processes that stand there, the other side of process_in; in unit.'),
        ('v_metal_balance', 18, 'drawn', 'Came out of processes that stand there, negative, the other side of process_out; in unit.'),
        ('v_metal_balance', 19, 'added', 'Came into processes from outside the books: what a first survey found, what was added; in unit.'),
        ('v_metal_balance', 20, 'lost', 'Declared losses of processes, negative; in unit.'),
        ('v_metal_balance', 21, 'converted', 'What reactions of processes added or took, in unit.'),
        ('v_metal_balance', 22, 'process_rest', 'What processes could not account for, negative where less was found; in unit.'),
        ('v_metal_balance', 23, 'opening_in_processes', 'What of opening lay on stockpiles and in other processes, in unit.'),
        ('v_metal_balance', 24, 'closing_in_processes', 'What of closing lay on stockpiles and in other processes, in unit.'),
        ('v_unaccounted', 1, 'found_in', 'leg, stock or process.'),
        ('v_unaccounted', 2, 'site_id', 'Site where the leg ends, the stock lies or the process stands.'),
        ('v_unaccounted', 3, 'account', 'Account it was missing from, as a path.'),
        ('v_unaccounted', 4, 'event_id', 'Fact that showed it.'),
        ('v_unaccounted', 5, 'movement_id', 'Vehicle trip; empty where there is none.'),
        ('v_unaccounted', 6, 'class', 'mass, metal or attribute.'),
        ('v_unaccounted', 7, 'quantity', 'wet, dry, an analyte or an attribute.'),
        ('v_unaccounted', 8, 'unit', 'Unit of lost: g, mg or micro <unit>.'),
        ('v_unaccounted', 9, 'quality', 'How an attribute is known; empty for masses and metals.'),
        ('v_unaccounted', 10, 'lost', 'Positive where less was found than was to be, in unit.'),
        ('v_unaccounted', 11, 'effective_at', 'When it was so. Unit: UTC.'),
        ('v_unaccounted', 12, 'sender', 'Worker that posted it.'),
        ('v_unaccounted', 13, 'first_n', 'First number of its postings. Unit: count.'),
        ('v_unaccounted', 14, 'last_n', 'Last number of its postings. Unit: count.'),
        ('v_lineage', 1, 'step', 'Hand-overs from the lot, 0 for what went into it last. Unit: count.'),
        ('v_lineage', 2, 'parent', 'Owner that gave, as a path: lot/<lot> or process/<process>.'),
        ('v_lineage', 3, 'child', 'Owner that received, as a path.'),
        ('v_lineage', 4, 'mass_wet_g', 'Wet mass handed over. Unit: grams.'),
        ('v_lineage', 5, 'mass_dry_g', 'Dry mass handed over. Unit: grams.'),
        ('v_lineage', 6, 'analyte', 'Elements or compounds, in the order of metal_mg.'),
        ('v_lineage', 7, 'metal_mg', 'Contained metal handed over. Unit: milligrams.'),
        ('v_lineage', 8, 'mass_wet_kg', 'Wet mass handed over. Unit: kilograms.'),
        ('v_lineage', 9, 'mass_dry_kg', 'Dry mass handed over. Unit: kilograms.'),
        ('v_lineage', 10, 'metal_kg', 'Contained metal handed over by analyte; metal_kg[\'Cu\']. Unit: kilograms.')
    ]) AS told
)
COMMENT 'Every column of every view, and what it means.';
