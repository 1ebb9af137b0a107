-- What was said to be complete is taken back where it is no longer so: a row that somebody has
-- deleted, or one that a gateway nobody knew had kept for days, is missing below it. The last word
-- counts, not the greatest.
ALTER TABLE custody.watermark
    MODIFY COMMENT 'Up to when everything is in, as it moved: on, and back where a row was found missing below it.';

CREATE OR REPLACE VIEW custody.v_watermark
(
    `site_id` String COMMENT 'Site; empty for all together, where the slowest gateway decides.',
    `complete_to` DateTime64(6, 'UTC') COMMENT 'Everything recorded at or before is in: an answer with known_at not after it never changes again. It goes back only where a row is missing that was there, or comes of a gateway that reference data did not know. Unit: UTC.',
    `said_at` DateTime64(6, 'UTC') COMMENT 'When that was found. Unit: UTC.'
)
AS SELECT
    toString(site_id) AS site_id, argMax(w.complete_to, w.said_at) AS complete_to,
    max(w.said_at) AS said_at
FROM custody.watermark AS w
GROUP BY site_id
COMMENT 'Up to when everything is in, facts and books, per site, as last found.';

-- Of a gateway that has signed for records some have to be there: one all of whose rows are gone
-- was left out, and held nothing back, and so did nothing that is gone at the beginning of what is
-- looked at. Numbers after the first head there are recorded after it, so they cannot be further back.
CREATE OR REPLACE VIEW custody.v_complete_to
(
    `gateway_id` String COMMENT 'Gateway.',
    `gateway_epoch` Int32 COMMENT 'Incarnation of its outbox.',
    `complete_seq` Int64 COMMENT 'Number up to which every record is a row. Unit: count.',
    `last_seq` Int64 COMMENT 'Greatest number that is a row; 0 where none is of those that are looked at. Unit: count.',
    `complete_to` Nullable(DateTime64(6, 'UTC')) COMMENT 'Everything the gateway took until then is a row; null before its first head, and where a record is missing below all of them. Unit: UTC.',
    `standing` LowCardinality(String) COMMENT 'known: answers wait for it; ended: its record of reference data has run out; unknown: reference data has none, so its records count and nothing waits for it.'
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
    begun AS
    (
        SELECT
            h.gateway_id AS gateway_id, any(n.epoch) AS epoch,
            countIf(h.last_seq <= n.head_seq - 50000) = 0 AS young,
            if(young, min(h.at), maxIf(h.at, h.last_seq <= n.head_seq - 50000)) - INTERVAL 1 HOUR AS since,
            if(young, min(h.last_seq), any(n.head_seq) - 50000) AS before,
            any(n.head_seq) AS head_seq
        FROM custody.head AS h
        INNER JOIN newest AS n ON h.gateway_id = n.gateway_id AND h.gateway_epoch = n.epoch
        GROUP BY h.gateway_id
    ),
    (SELECT min(since) FROM begun) AS first_at
SELECT
    stored.gateway_id AS gateway_id, stored.gateway_epoch AS gateway_epoch,
    stored.complete_seq AS complete_seq, stored.last_seq AS last_seq,
    nullIf(maxIf(heads.at, heads.last_seq <= stored.complete_seq), toDateTime64(0, 6, 'UTC')) AS complete_to,
    multiIf(any(registered.id) = '', 'unknown', any(registered.valid_to) < now64(6, 'UTC'), 'ended', 'known') AS standing
FROM
(
    SELECT
        gateway_id, gateway_epoch, maxIf(gateway_seq, is_row) AS last_seq,
        arraySort(groupUniqArrayIf(gateway_seq, is_row)) AS rows,
        maxIf(gateway_seq, NOT is_row) AS before,
        if(countIf(NOT is_row) > 0 AND (empty(rows) OR rows[1] > before + 1), [before], []) AS gone,
        arrayFirstIndex((s, i) -> s != rows[1] + i - 1, rows, arrayEnumerate(rows)) AS hole,
        multiIf(empty(rows), 0, notEmpty(gone), before, hole = 0, rows[-1], rows[hole - 1]) AS complete_seq
    FROM
    (
        SELECT gateway_id, gateway_epoch, gateway_seq, true AS is_row
        FROM custody.events_all WHERE recorded_at >= first_at
        UNION ALL
        SELECT gateway_id, gateway_epoch, gateway_seq, true FROM custody.reference
        UNION ALL
        SELECT gateway_id, gateway_epoch, gateway_seq, true FROM custody.action
        UNION ALL
        SELECT gateway_id, epoch, before, false FROM begun WHERE head_seq > 0
    ) AS numbered
    LEFT JOIN newest ON numbered.gateway_id = newest.gateway_id
    WHERE newest.gateway_id = '' OR NOT is_row OR (gateway_epoch = epoch AND gateway_seq > head_seq - 50000)
    GROUP BY gateway_id, gateway_epoch
) AS stored
LEFT JOIN custody.head AS heads
    ON stored.gateway_id = heads.gateway_id AND stored.gateway_epoch = heads.gateway_epoch
LEFT JOIN
(
    SELECT id, valid_to FROM custody.reference WHERE kind = 'gateway' AND NOT void
    ORDER BY id, valid_from DESC, recorded_at DESC LIMIT 1 BY id
) AS registered ON stored.gateway_id = registered.id
GROUP BY gateway_id, gateway_epoch, complete_seq, last_seq
COMMENT 'Up to when everything each gateway accepted is a row: the time of its newest head of which no number is missing. Holes are looked for among the last 50,000 numbers; custody verify looks at all. NULL: it has said no head yet, or a record is missing below all of them.';
