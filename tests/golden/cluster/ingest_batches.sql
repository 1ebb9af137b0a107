CREATE TABLE IF NOT EXISTS custody.ingest_batches_local ON CLUSTER 'ore'
(
    `topic` LowCardinality(String) COMMENT 'Kafka topic.',
    `topic_id` LowCardinality(String) COMMENT 'Kafka id of the topic: a topic made anew has another.',
    `partition` Int32 COMMENT 'Kafka partition.',
    `first` Int64 COMMENT 'Offset of the first record.' CODEC(Delta, ZSTD(1)),
    `last` Int64 COMMENT 'Offset of the last record.' CODEC(Delta, ZSTD(1)),
    `rows` Int64 COMMENT 'Records that are rows of a table.',
    `duplicates` Int64 COMMENT 'Records dropped because their number was not new.',
    `dead_letters` Int64 COMMENT 'Records that could not be read; each is on the dead-letter topic.',
    `not_stored` Int64 COMMENT 'Records of a kind that has no table (ticks).',
    `digest` String COMMENT 'SHA-256 of offsets and values, hexadecimal.',
    `inserted_at` DateTime64(6, 'UTC') COMMENT 'When the flush was confirmed.' CODEC(Delta, ZSTD(1)),
    `writer` LowCardinality(String) COMMENT 'Sink that wrote it.'
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/custody/ingest_batches', '{replica}')
PARTITION BY toYYYYMM(inserted_at)
ORDER BY (topic, partition, first)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10, min_bytes_for_wide_part = 134217728
COMMENT 'What each confirmed flush took from each partition: evidence that Kafka accounts for every row.';

CREATE TABLE IF NOT EXISTS custody.ingest_batches ON CLUSTER 'ore'
AS custody.ingest_batches_local
ENGINE = Distributed('ore', custody, ingest_batches_local, rand());
