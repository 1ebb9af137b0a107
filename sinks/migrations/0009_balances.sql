-- Balances as of any time. A statement asks for what was so at one time as known at another: the
-- transfers with effective_at <= at and known_at <= known_at, summed. A view with parameters is
-- called like a function: SELECT * FROM v_lot_balance_at(at = '...', known_at = '...').
CREATE OR REPLACE VIEW custody.v_transfers AS
SELECT
    effective_at, known_at, kind, debit, credit, lot_id, process_id, movement_id,
    mass_wet_g, mass_dry_g, `metals.analyte` AS analyte, `metals.value_mg` AS metal_mg,
    `origins.id` AS origin, `origins.share` AS origin_share,
    cause_event_id, replaces_event_id, replaces_kind, sender, n,
    `attributes.name` AS attribute, `attributes.unit` AS attribute_unit,
    `attributes.quality` AS attribute_quality, `attributes.value_micro` AS attribute_micro,
    `shares.dimension` AS share_dimension, `shares.label` AS share_label, `shares.share` AS share,
    `metal_origins.analyte` AS metal_origin_analyte, `metal_origins.id` AS metal_origin,
    `metal_origins.share` AS metal_origin_share
FROM custody.transfer
COMMENT 'Every movement of an amount from one account (debit) to another (credit): grams, milligrams, millionths of attribute_unit; shares are fractions 0 to 1.';

CREATE OR REPLACE VIEW custody.v_postings AS
SELECT
    account, other_account, side,
    posted.1 AS class, posted.2 AS quantity, posted.3 AS unit, posted.4 AS quality,
    if(side = 'credit', 1, -1) * posted.5 AS amount,
    effective_at, known_at, kind, lot_id, process_id, movement_id, cause_event_id,
    replaces_event_id, sender, n
FROM
(
    SELECT *, debit AS account, credit AS other_account, 'debit' AS side FROM custody.transfer
    UNION ALL
    SELECT *, credit AS account, debit AS other_account, 'credit' AS side FROM custody.transfer
)
ARRAY JOIN arrayConcat(
    [('mass', 'wet', 'g', '', mass_wet_g), ('mass', 'dry', 'g', '', mass_dry_g)],
    arrayMap((a, v) -> ('metal', a::String, 'mg', '', v), `metals.analyte`, `metals.value_mg`),
    arrayMap((a, u, q, v) -> ('attribute', a::String, concat('micro ', u), q, v),
        `attributes.name`, `attributes.unit`, `attributes.quality`, `attributes.value_micro`)
) AS posted
COMMENT 'Every transfer as rows, one per account and quantity; amount is signed and in unit: what enters is positive.';

CREATE OR REPLACE VIEW custody.v_account_proof AS
SELECT
    account, class, quantity, unit, quality,
    sum(moved) AS by_transfers, sum(said) AS by_balance,
    by_transfers - by_balance AS difference
FROM
(
    SELECT account, class, quantity, unit, quality, amount AS moved, toInt64(0) AS said
    FROM custody.v_postings WHERE match(account, '^(lot|process)/')
    UNION ALL
    SELECT
        account, posted.1, posted.2, posted.3, posted.4, toInt64(0), posted.5
    FROM
    (
        SELECT
            account, mass_wet_g, mass_dry_g, `metals.analyte`, `metals.value_mg`,
            `attributes.name`, `attributes.unit`, `attributes.quality`, `attributes.value_micro`
        FROM custody.balance ORDER BY account, n DESC LIMIT 1 BY account
    )
    ARRAY JOIN arrayConcat(
        [('mass', 'wet', 'g', '', mass_wet_g), ('mass', 'dry', 'g', '', mass_dry_g)],
        arrayMap((a, v) -> ('metal', a::String, 'mg', '', v), `metals.analyte`, `metals.value_mg`),
        arrayMap((a, u, q, v) -> ('attribute', a::String, concat('micro ', u), q, v),
            `attributes.name`, `attributes.unit`, `attributes.quality`, `attributes.value_micro`)
    ) AS posted
)
GROUP BY account, class, quantity, unit, quality
COMMENT 'Proof of the books: per account of a lot or process and quantity, the sum of all transfers and the latest balance, in unit; difference is 0 where they agree.';

CREATE OR REPLACE VIEW custody.v_lot_balance_at AS
SELECT
    replaceRegexpOne(substring(held.account, 5), '/[^/]*$', '') AS lot_id,
    extract(held.account, '[^/]*$') AS place,
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

CREATE OR REPLACE VIEW custody.v_stock_at AS
SELECT
    site_id, class, quantity, unit, quality, lots, value, u_random, sources, without_u,
    if(class = 'attribute', NULL,
        sqrt(pow(u_random, 2) + arraySum(s -> s * s, sources.2))) AS u
FROM
(
    SELECT
        place AS site_id, class, quantity, unit, quality, uniqExact(lot_id) AS lots,
        sum(b.value) AS value, sqrt(sum(pow(ifNull(b.u_random, 0), 2))) AS u_random,
        sumMap(u_source, u_systematic) AS sources,
        countIf(u_standing = 'none') AS without_u
    FROM custody.v_lot_balance_at(
        at = {at:DateTime64(6, 'UTC')}, known_at = {known_at:DateTime64(6, 'UTC')}) AS b
    WHERE b.value != 0
    GROUP BY site_id, class, quantity, unit, quality
)
COMMENT 'What lay at each site (and in transit) at one time as known at another: value and u in unit. Random parts add in squares, parts of one source straight and then in squares; without_u lots have no u in it.';

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
        extract(account, '[^/]*$') AS site_id, class, quantity, unit, quality, amount,
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
        extract(p.account, '[^/]*$')) AS site_id,
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
        any(extract(credit, '[^/]*$')) AS place
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

CREATE OR REPLACE VIEW custody.v_complete_to AS
SELECT
    stored.gateway_id AS gateway_id, stored.gateway_epoch AS gateway_epoch,
    stored.complete_seq AS complete_seq, stored.last_seq AS last_seq,
    nullIf(maxIf(heads.at, heads.last_seq <= stored.complete_seq), toDateTime64(0, 6, 'UTC')) AS complete_to
FROM
(
    SELECT
        gateway_id, gateway_epoch, max(gateway_seq) AS last_seq,
        arraySort(groupUniqArray(gateway_seq)) AS seqs,
        arrayFirstIndex((s, i) -> s != seqs[1] + i - 1, seqs, arrayEnumerate(seqs)) AS hole,
        if(hole = 0, seqs[-1], seqs[hole - 1]) AS complete_seq
    FROM
    (
        SELECT gateway_id, gateway_epoch, gateway_seq FROM custody.events_all
        UNION ALL
        SELECT gateway_id, gateway_epoch, gateway_seq FROM custody.reference
        UNION ALL
        SELECT gateway_id, gateway_epoch, gateway_seq FROM custody.action
    ) AS numbered
    LEFT JOIN
    (
        SELECT gateway_id, max(gateway_epoch) AS epoch,
            argMax(last_seq, (gateway_epoch, last_seq)) AS head_seq
        FROM custody.head GROUP BY gateway_id
    ) AS newest ON numbered.gateway_id = newest.gateway_id
    WHERE newest.gateway_id = '' OR (gateway_epoch = epoch AND gateway_seq > head_seq - 50000)
    GROUP BY gateway_id, gateway_epoch
) AS stored
LEFT JOIN custody.head AS heads
    ON stored.gateway_id = heads.gateway_id AND stored.gateway_epoch = heads.gateway_epoch
GROUP BY gateway_id, gateway_epoch, complete_seq, last_seq
COMMENT 'Up to when everything each gateway accepted is a row: the time of its newest head of which no number is missing. Holes are looked for among the last 50,000 numbers; custody verify looks at all. NULL: it has said no head yet.';
