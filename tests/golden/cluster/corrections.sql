CREATE TABLE IF NOT EXISTS custody.correction_local ON CLUSTER 'ore'
(
    `topic` LowCardinality(String) COMMENT 'Kafka topic the fact stands on.',
    `partition` Int32 COMMENT 'Kafka partition.',
    `offset` Int64 COMMENT 'Kafka offset of the fact: topic, partition and offset lead to it.' CODEC(Delta, ZSTD(1)),
    `timestamp` DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the fact.' CODEC(Delta, ZSTD(1)),
    `key` String COMMENT 'Kafka key: the lot, process or device it is about.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process.',
    `stem` LowCardinality(String) COMMENT 'Table of the fact.',
    `event_id` String COMMENT 'The fact that corrects.' CODEC(ZSTD(1)),
    `corrects` String COMMENT 'The fact it replaces.' CODEC(ZSTD(1)),
    `void` Bool COMMENT 'It only withdraws that fact.',
    `recorded_at` DateTime64(6, 'UTC') COMMENT 'When the gateway took it, UTC.',
    INDEX ix_offset `offset` TYPE minmax GRANULARITY 1
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/custody/correction', '{replica}')
ORDER BY (`lot_id`, `key`, `corrects`, `event_id`)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10, min_bytes_for_wide_part = 134217728
COMMENT 'Facts that correct others, one row each.';

CREATE TABLE IF NOT EXISTS custody.correction ON CLUSTER 'ore'
AS custody.correction_local
ENGINE = Distributed('ore', custody, correction_local, sipHash64(key));

INSERT INTO custody.correction (topic, partition, offset, timestamp, key, lot_id, stem, event_id, corrects, void, recorded_at)
SELECT topic, partition, offset, timestamp, key, lot_id, _table, event_id, assumeNotNull(corrects), void, recorded_at
FROM custody.events_all
WHERE corrects IS NOT NULL
    AND (topic, partition, offset) GLOBAL NOT IN (SELECT topic, partition, offset FROM custody.correction);

CREATE OR REPLACE VIEW custody.v_superseded ON CLUSTER 'ore'
(
    `event_id` String COMMENT 'Fact that does not stand: it was corrected or withdrawn, or is a correction that another one outdid.',
    `lot_id` String COMMENT 'Lot it is about; empty for facts about a device or a process.'
)
AS SELECT arrayJoin(arrayFilter(e -> NOT has(stand, e), touched)) AS event_id, lot_id
FROM
(
    SELECT
        lot_id, arrayDistinct(arrayConcat(targets, words)) AS touched,
        arrayFold(
            (heads, step) -> arrayMap(
                h -> if(has(targets, h), replacing[indexOf(targets, h)], h), heads),
            range(length(arrayIntersect(targets, words)) + 1),
            arrayFilter(t -> NOT has(words, t), arrayDistinct(targets))
        ) AS stand
    FROM
    (
        SELECT
            lot_id, words,
            arrayFilter((t, v) -> NOT (v AND has(withdrawing, t)), corrected, voids) AS targets,
            arrayFilter((w, t, v) -> NOT (v AND has(withdrawing, t)), words, corrected, voids) AS replacing
        FROM
        (
            SELECT
                lot_id, every.event_id AS words, every.corrects AS corrected, every.void AS voids,
                arrayFilter((w, v) -> v, words, voids) AS withdrawing
            FROM
            (
                SELECT
                    lot_id,
                    arrayReverseSort(groupArray((recorded_at, event_id, corrects, void)::Tuple(recorded_at DateTime64(6, 'UTC'), event_id String, corrects String, void Bool))) AS every
                FROM custody.correction
                GROUP BY lot_id, key
            )
        )
    )
)
COMMENT 'Facts that no longer stand, once corrections have spoken. The views of facts leave them out; the tables have them.';
