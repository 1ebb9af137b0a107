-- What may be claimed of answers: up to when everything is in, and how good what is in is.
-- Said by the warehouse process every CUSTODY_SINK__WATERMARK_INTERVAL_S, where it has moved: the
-- workers' progress stands in Kafka only, so no view could reckon it.
CREATE TABLE IF NOT EXISTS custody.watermark
(
    `site_id` LowCardinality(String) COMMENT 'Site; empty for all together.',
    `complete_to` DateTime64(6, 'UTC') COMMENT 'Everything recorded at or before is in facts and books. Unit: UTC.',
    `said_at` DateTime64(6, 'UTC') COMMENT 'When that was found. Unit: UTC.'
)
ENGINE = MergeTree
ORDER BY (site_id, said_at)
TTL toDateTime(said_at) + INTERVAL 30 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Up to when everything is in, as it moved; what was complete once stays so.';

CREATE OR REPLACE VIEW custody.v_watermark
(
    `site_id` String COMMENT 'Site; empty for all together, where the slowest gateway decides.',
    `complete_to` DateTime64(6, 'UTC') COMMENT 'Everything recorded at or before is in: an answer with known_at not after it never changes again. Unit: UTC.',
    `said_at` DateTime64(6, 'UTC') COMMENT 'When that was found. Unit: UTC.'
)
AS SELECT
    toString(site_id) AS site_id, max(w.complete_to) AS complete_to,
    argMin(w.said_at, (-toUnixTimestamp64Micro(w.complete_to), w.said_at)) AS said_at
FROM custody.watermark AS w
GROUP BY site_id
COMMENT 'Up to when everything is in, facts and books, per site.';

-- Holes are looked for in records not much older than the heads that speak of them: months before
-- are not read, and the answer is as before.
CREATE OR REPLACE VIEW custody.v_complete_to
(
    `gateway_id` String COMMENT 'Gateway.',
    `gateway_epoch` Int32 COMMENT 'Incarnation of its outbox.',
    `complete_seq` Int64 COMMENT 'Number up to which every record is a row. Unit: count.',
    `last_seq` Int64 COMMENT 'Greatest number that is a row. Unit: count.',
    `complete_to` Nullable(DateTime64(6, 'UTC')) COMMENT 'Everything the gateway took until then is a row; null before its first head. Unit: UTC.'
)
AS WITH
    newest AS
    (
        SELECT
            gateway_id, max(gateway_epoch) AS epoch,
            argMax(last_seq, (gateway_epoch, last_seq)) AS head_seq
        FROM custody.head
        GROUP BY gateway_id
    ),
    (
        SELECT min(since)
        FROM
        (
            SELECT
                h.gateway_id,
                if(countIf(h.last_seq <= n.head_seq - 50000) = 0, min(h.at),
                    maxIf(h.at, h.last_seq <= n.head_seq - 50000)) - INTERVAL 1 HOUR AS since
            FROM custody.head AS h
            INNER JOIN newest AS n ON h.gateway_id = n.gateway_id AND h.gateway_epoch = n.epoch
            GROUP BY h.gateway_id
        )
    ) AS first_at
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
        SELECT gateway_id, gateway_epoch, gateway_seq FROM custody.events_all WHERE recorded_at >= first_at
        UNION ALL
        SELECT gateway_id, gateway_epoch, gateway_seq FROM custody.reference
        UNION ALL
        SELECT gateway_id, gateway_epoch, gateway_seq FROM custody.action
    ) AS numbered
    LEFT JOIN newest ON numbered.gateway_id = newest.gateway_id
    WHERE newest.gateway_id = '' OR (gateway_epoch = epoch AND gateway_seq > head_seq - 50000)
    GROUP BY gateway_id, gateway_epoch
) AS stored
LEFT JOIN custody.head AS heads
    ON stored.gateway_id = heads.gateway_id AND stored.gateway_epoch = heads.gateway_epoch
GROUP BY gateway_id, gateway_epoch, complete_seq, last_seq
COMMENT 'Up to when everything each gateway accepted is a row: the time of its newest head of which no number is missing. Holes are looked for among the last 50,000 numbers; custody verify looks at all. NULL: it has said no head yet.';

-- The u of a sum over lots, to the last bit the same in whatever order rows are read.
CREATE OR REPLACE VIEW custody.v_stock_at AS
SELECT
    site_id, class, quantity, unit, quality, lots, value,
    sqrt(arraySum(arraySort(squares))) AS u_random,
    (arraySort(arrayDistinct(parts.1)),
     arrayMap(s -> arraySum(p -> if(p.1 = s, p.2, 0.), parts), arraySort(arrayDistinct(parts.1)))) AS sources,
    without_u,
    if(class = 'attribute', NULL,
        sqrt(pow(u_random, 2) + arraySum(s -> s * s, sources.2))) AS u
FROM
(
    SELECT
        place AS site_id, class, quantity, unit, quality, uniqExact(lot_id) AS lots,
        sum(b.value) AS value, groupArray(pow(ifNull(b.u_random, 0.), 2)) AS squares,
        arraySort(arrayFlatten(groupArray(arrayZip(b.u_source, b.u_systematic)))) AS parts,
        countIf(u_standing = 'none') AS without_u
    FROM custody.v_lot_balance_at(
        at = {at:DateTime64(6, 'UTC')}, known_at = {known_at:DateTime64(6, 'UTC')}) AS b
    WHERE b.value != 0
    GROUP BY site_id, class, quantity, unit, quality
)
COMMENT 'What lay at each site (and in transit) at one time as known at another: value and u in unit. Random parts add in squares, parts of one source straight and then in squares; without_u lots have no u in it.';

CREATE OR REPLACE VIEW custody.v_data_quality
(
    `measure` LowCardinality(String) COMMENT 'What is counted; meaning says it in words.',
    `about` String COMMENT 'Site, topic or gateway it is counted for.',
    `value` Float64 COMMENT 'The figure, in unit.',
    `unit` LowCardinality(String) COMMENT 'Unit of value: count, hours or seconds.',
    `meaning` String COMMENT 'What it means.'
)
AS SELECT measure, about, value, unit, meaning
FROM
(
    SELECT
        site_id AS about,
        [
            ('facts', toFloat64(count()), 'count', 'facts of the site'),
            ('late_facts', toFloat64(countIf(recorded_at > occurred_at + INTERVAL 1 DAY)), 'count', 'recorded more than a day after they happened'),
            ('delay_p95', quantileExact(0.95)(dateDiff('second', occurred_at, recorded_at)) / 3600, 'hours', 'from happening to being recorded, for 95 of 100 facts at most'),
            ('future_facts', toFloat64(countIf(occurred_at > recorded_at + INTERVAL 5 MINUTE)), 'count', 'said to have happened after they were recorded: a clock is wrong'),
            ('skewed_clocks', toFloat64(countIf(abs(ifNull(clock_skew_ms, 0)) > 60000)), 'count', 'from a sender whose clock was more than a minute off'),
            ('corrections', toFloat64(countIf(corrects IS NOT NULL)), 'count', 'that correct or withdraw another fact'),
            ('no_lot', toFloat64(countIf(lot_id = '' AND _table != 'processing')), 'count', 'about no lot: checks of instruments'),
            ('no_source_ref', toFloat64(countIf(source_ref IS NULL)), 'count', 'without a document of the sender')
        ] AS figures
    FROM custody.events_all
    GROUP BY site_id
    UNION ALL
    SELECT
        site_id,
        [('unknown_devices', toFloat64(uniqExact(device)), 'count', 'instruments and laboratories without a reference record: their uncertainty is assumed')]
    FROM
    (
        SELECT DISTINCT site_id, toString(device_id) AS device FROM custody.weighing
        UNION ALL SELECT DISTINCT site_id, toString(device_id) FROM custody.xrf
        UNION ALL SELECT DISTINCT site_id, toString(lab_id) FROM custody.assay
    )
    WHERE device NOT IN (SELECT id FROM custody.reference WHERE kind IN ('device', 'laboratory'))
    GROUP BY site_id
    UNION ALL
    SELECT
        topic,
        [
            ('duplicates', toFloat64(sum(duplicates)), 'count', 'records that came again and were dropped'),
            ('dead_letters', toFloat64(sum(dead_letters)), 'count', 'records that could not be read; v_dead_letters has each'),
            ('not_stored', toFloat64(sum(not_stored)), 'count', 'records of a kind that has no table')
        ]
    FROM custody.ingest_batches
    GROUP BY topic
    UNION ALL
    SELECT
        gateway_id,
        [
            ('gap', toFloat64(last_seq - complete_seq), 'count', 'numbers from the first missing one to the last: waited for, or lost'),
            ('behind', toFloat64(ifNull(dateDiff('second', complete_to, now64(6, 'UTC')), -1)), 'seconds', 'since the time up to which the gateway is complete; -1: it has said no head')
        ]
    FROM custody.v_complete_to
)
ARRAY JOIN
    figures.1 AS measure, figures.2 AS value, figures.3 AS unit, figures.4 AS meaning
COMMENT 'How good what is stored is: late, future and corrected facts, unknown instruments, duplicates, dead letters, gaps, how far behind.';
