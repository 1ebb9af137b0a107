-- What could not be read, and the heads of the chains of the gateways.
CREATE TABLE IF NOT EXISTS custody.dead_letter
(
    `topic` LowCardinality(String) COMMENT 'Kafka topic the record stands on.',
    `partition` Int32 COMMENT 'Kafka partition.',
    `offset` Int64 COMMENT 'Kafka offset: topic, partition and offset lead to the record.' CODEC(Delta, ZSTD(1)),
    `timestamp` DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the record.' CODEC(Delta, ZSTD(1)),
    `schema_id` Int32 COMMENT 'Registry id of the writer\'s schema.',
    `key` String COMMENT 'Kafka key, bytes.',
    `prev` String COMMENT 'Header prev: SHA-256 before it in the gateway\'s chain; else empty.' CODEC(NONE),
    `digest` String COMMENT 'Header digest: SHA-256 of this record in the chain; else empty.' CODEC(NONE),
    `value` String COMMENT 'The record\'s bytes as they came, for audits: 5 bytes and Avro.' CODEC(ZSTD(1)),
    `reason` LowCardinality(String) COMMENT 'Why it could not be read. Unit: none. Source: shared reader.',
    `detail` String COMMENT 'What exactly was wrong. Unit: none. Source: shared reader.',
    `record_topic` String COMMENT 'Topic it stood on. Unit: none. Source: broker.',
    `record_partition` Int32 COMMENT 'Partition it stood on. Unit: index from 0. Source: broker.',
    `record_offset` Int64 COMMENT 'Offset it stood at. Unit: records. Source: broker.',
    `timestamp_ms` Int64 COMMENT 'Timestamp of the original record. Unit: milliseconds since 1970-01-01T00:00:00Z, -1 for none. Source: broker.',
    `record_key` Nullable(String) COMMENT 'Original key, untouched. Unit: bytes. Source: broker.',
    `record_value` Nullable(String) COMMENT 'Original value, untouched. Unit: bytes. Source: broker.',
    `header_names` Array(String) COMMENT 'Names of the original headers. Unit: none. Source: broker.',
    `header_values` Array(String) COMMENT 'Values of the original headers, in the order of header_names. Unit: bytes. Source: broker.',
    INDEX ix_offset `offset` TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (`record_topic`, `record_partition`, `record_offset`)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10, min_bytes_for_wide_part = 134217728
COMMENT 'A record that could not be read: its bytes untouched, why, and where it stood.';

CREATE TABLE IF NOT EXISTS custody.head
(
    `topic` LowCardinality(String) COMMENT 'Kafka topic the record stands on.',
    `partition` Int32 COMMENT 'Kafka partition.',
    `offset` Int64 COMMENT 'Kafka offset: topic, partition and offset lead to the record.' CODEC(Delta, ZSTD(1)),
    `timestamp` DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the record.' CODEC(Delta, ZSTD(1)),
    `schema_id` Int32 COMMENT 'Registry id of the writer\'s schema.',
    `key` String COMMENT 'Kafka key, bytes.',
    `prev` String COMMENT 'Header prev: SHA-256 before it in the gateway\'s chain; else empty.' CODEC(NONE),
    `digest` String COMMENT 'Header digest: SHA-256 of this record in the chain; else empty.' CODEC(NONE),
    `value` String COMMENT 'The record\'s bytes as they came, for audits: 5 bytes and Avro.' CODEC(ZSTD(1)),
    `gateway_id` LowCardinality(String) COMMENT 'Gateway that took the record. Unit: none. Source: gateway settings.',
    `gateway_epoch` Int32 COMMENT 'Incarnation of the gateway\'s outbox; grows by one when it is made anew or restored. Unit: count. Source: gateway.',
    `at` DateTime64(6, 'UTC') COMMENT 'Time the record speaks of. Unit: UTC. Source: writer.',
    `size` Int64 COMMENT 'Records in the chain so far. Unit: count. Source: gateway.',
    `last_seq` Int64 COMMENT 'gateway_seq of the last record. Unit: count. Source: gateway.',
    `record_digest` String COMMENT 'Digest of the last record. Unit: 32 bytes, SHA-256. Source: gateway.',
    `merkle_root` Nullable(String) COMMENT 'Root of the Merkle tree over the digests. Unit: 32 bytes, SHA-256. Source: gateway.',
    `signature` Nullable(String) COMMENT 'Signature of the head. Unit: 64 bytes, Ed25519. Source: gateway, where a key is set.',
    `key_id` Nullable(String) COMMENT 'Key the signature was made with. Unit: none. Source: gateway.',
    INDEX ix_offset `offset` TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (`gateway_id`, `gateway_epoch`, `at`)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10, min_bytes_for_wide_part = 134217728
COMMENT 'The head of a gateway\'s chain, one per gateway and minute.';
