-- Reference data and actions of people: the control topic.
CREATE TABLE IF NOT EXISTS custody.reference
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
    `event_id` String COMMENT 'UUID text in lower case, the idempotency key. Unit: none. Source: sender, or derived by the gateway from the natural key (UUIDv8).' CODEC(ZSTD(1)),
    `gateway_id` LowCardinality(String) COMMENT 'Gateway that took the record. Unit: none. Source: gateway settings.',
    `gateway_epoch` Int32 COMMENT 'Incarnation of the gateway\'s outbox; grows by one when it is made anew or restored. Unit: count. Source: gateway.',
    `gateway_seq` Int64 COMMENT 'Number of the record within gateway and epoch, 1, 2, 3, ... without holes. Unit: count. Source: gateway.',
    `kind` LowCardinality(String) COMMENT 'Kind of reference record. Unit: none. Source: sender.',
    `id` String COMMENT 'Id of the thing described. Unit: none. Source: sender.',
    `valid_from` DateTime64(6, 'UTC') COMMENT 'Start of validity, inclusive. Unit: UTC. Source: sender.',
    `valid_to` Nullable(DateTime64(6, 'UTC')) COMMENT 'End of validity, exclusive; null for open. Unit: UTC. Source: sender.',
    `recorded_at` DateTime64(6, 'UTC') COMMENT 'When the gateway took it (EPCIS recordTime). Unit: UTC. Source: gateway clock.',
    `record_partition` Int32 COMMENT 'Partition this copy was written to, checked against the record\'s own. Unit: index from 0. Source: writer.',
    `corrects` Nullable(String) COMMENT 'event_id of the record this one replaces (EPCIS errorDeclaration); null for a first statement. Unit: none. Source: sender.',
    `void` Bool COMMENT 'With corrects: only withdraws that record. Unit: none. Source: sender.',
    `body` String COMMENT 'The record\'s body as canonical JSON text; see the JSON Schema of its kind. Unit: named in its keys. Source: sender.',
    INDEX ix_offset `offset` TYPE minmax GRANULARITY 1,
    INDEX ix_event_id `event_id` TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(recorded_at)
ORDER BY (`kind`, `id`, `valid_from`, `event_id`, `partition`)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10, min_bytes_for_wide_part = 134217728
COMMENT 'A reference record; each partition gets a copy.';

CREATE TABLE IF NOT EXISTS custody.action
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
    `event_id` String COMMENT 'UUID text in lower case, the idempotency key. Unit: none. Source: sender, or derived by the gateway from the natural key (UUIDv8).' CODEC(ZSTD(1)),
    `gateway_id` LowCardinality(String) COMMENT 'Gateway that took the record. Unit: none. Source: gateway settings.',
    `gateway_epoch` Int32 COMMENT 'Incarnation of the gateway\'s outbox; grows by one when it is made anew or restored. Unit: count. Source: gateway.',
    `gateway_seq` Int64 COMMENT 'Number of the record within gateway and epoch, 1, 2, 3, ... without holes. Unit: count. Source: gateway.',
    `action` LowCardinality(String) COMMENT 'What the person did. Unit: none. Source: sender.',
    `alert_id` Nullable(String) COMMENT 'Alert. Unit: none. Source: worker, from rule group and subject.',
    `version` Nullable(Int32) COMMENT 'Version of the alert the person saw; null for hold and release. Unit: count. Source: sender.',
    `subject` String COMMENT 'What it is about, as a path such as lot/L-24-0117. Unit: none. Source: worker.',
    `actor` LowCardinality(String) COMMENT 'Person who acted. Unit: none. Source: sender.',
    `reason` Nullable(String) COMMENT 'Why, in words. Unit: none. Source: sender or worker.',
    `recorded_at` DateTime64(6, 'UTC') COMMENT 'When the gateway took it (EPCIS recordTime). Unit: UTC. Source: gateway clock.',
    INDEX ix_offset `offset` TYPE minmax GRANULARITY 1,
    INDEX ix_event_id `event_id` TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(recorded_at)
ORDER BY (`subject`, `recorded_at`, `event_id`)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10, min_bytes_for_wide_part = 134217728
COMMENT 'What a person did with an alert or a lot.';
