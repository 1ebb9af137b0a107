-- Whoever has a way to Kafka can write a record of a gateway that does not exist, and would hold back
-- for ever what may be claimed of all others: an answer waits for the gateways that reference data
-- knows. The view is as before but for the column that says so.
CREATE OR REPLACE VIEW custody.v_complete_to
(
    `gateway_id` String COMMENT 'Gateway.',
    `gateway_epoch` Int32 COMMENT 'Incarnation of its outbox.',
    `complete_seq` Int64 COMMENT 'Number up to which every record is a row. Unit: count.',
    `last_seq` Int64 COMMENT 'Greatest number that is a row. Unit: count.',
    `complete_to` Nullable(DateTime64(6, 'UTC')) COMMENT 'Everything the gateway took until then is a row; null before its first head. Unit: UTC.',
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
    nullIf(maxIf(heads.at, heads.last_seq <= stored.complete_seq), toDateTime64(0, 6, 'UTC')) AS complete_to,
    multiIf(any(registered.id) = '', 'unknown', any(registered.valid_to) < now64(6, 'UTC'), 'ended', 'known') AS standing
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
LEFT JOIN
(
    SELECT id, valid_to FROM custody.reference WHERE kind = 'gateway' AND NOT void
    ORDER BY id, valid_from DESC, recorded_at DESC LIMIT 1 BY id
) AS registered ON stored.gateway_id = registered.id
GROUP BY gateway_id, gateway_epoch, complete_seq, last_seq
COMMENT 'Up to when everything each gateway accepted is a row: the time of its newest head of which no number is missing. Holes are looked for among the last 50,000 numbers; custody verify looks at all. NULL: it has said no head yet.';
