CREATE TABLE IF NOT EXISTS custody.residual
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
    `sender` LowCardinality(String) COMMENT 'Who numbers this record: worker/<partition>. Unit: none. Source: writer.',
    `n` Int64 COMMENT 'Number of the record in its sending partition, growing over all output topics. Unit: count. Source: writer.',
    `cause_event_id` String COMMENT 'event_id of the record after which it was told. Unit: none. Source: worker.',
    `thing` String COMMENT 'What it is of, as a path: instrument/<device or laboratory> or way/<from>><to>. Unit: none. Source: worker.',
    `lot_id` String COMMENT 'Lot that says it. Unit: none. Source: worker.',
    `occurred_at` DateTime64(6, 'UTC') COMMENT 'When the instrument first measured the lot; of a way, when the lot first came to its end. Unit: UTC. Source: the facts.',
    `known_at` DateTime64(6, 'UTC') COMMENT 'When the record that made it so was recorded. Unit: UTC. Source: the cause\'s recorded_at.',
    `ways` Array(String) COMMENT 'Ways that the compared weighings are ends of. Unit: none. Source: worker.',
    `figures.quantity` Array(LowCardinality(String)) COMMENT 'mass, moisture (as ln(1 - moisture)) or an analyte. Unit: none. Source: worker.',
    `figures.value` Array(Float64) COMMENT 'Residual, no known drift is taken off. Unit: natural logarithm. Source: worker.',
    `figures.u` Array(Float64) COMMENT 'Its standard uncertainty, what differs from lot to lot. Unit: natural logarithm. Source: worker.',
    `figures.u_shared` Array(Float64) COMMENT 'Its standard uncertainty, what instruments have in common over many lots. Unit: natural logarithm. Source: worker.',
    `figures.explained` Array(Float64) COMMENT 'What other instruments or ways, more strongly suspected, explain of the value. Unit: natural logarithm. Source: worker.',
    INDEX ix_offset `offset` TYPE minmax GRANULARITY 1,
    INDEX ix_cause_event_id `cause_event_id` TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (`thing`, `occurred_at`, `sender`, `n`)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10, min_bytes_for_wide_part = 134217728
COMMENT 'What one lot says of an instrument that measured it, or of a way it went: how far its readings are from what all others say. A later one of the same lot replaces it; one without figures withdraws it.';

CREATE TABLE IF NOT EXISTS custody.drift
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
    `sender` LowCardinality(String) COMMENT 'Who numbers this record: worker/<partition>. Unit: none. Source: writer.',
    `n` Int64 COMMENT 'Number of the record in its sending partition, growing over all output topics. Unit: count. Source: writer.',
    `cause_event_id` String COMMENT 'Id of the alert that names it. Unit: none. Source: worker.',
    `record_partition` Int32 COMMENT 'Partition this copy was written to, checked against the record\'s own. Unit: index from 0. Source: writer.',
    `thing` String COMMENT 'What it is of, as a path: instrument/<device or laboratory> or way/<from>><to>. Unit: none. Source: worker.',
    `quantity` LowCardinality(String) COMMENT 'mass, moisture (as ln(1 - moisture)) or an analyte. Unit: none. Source: worker.',
    `known_at` DateTime64(6, 'UTC') COMMENT 'When the record that made it so was recorded. Unit: UTC. Source: the cause\'s recorded_at.',
    `levels.since` Array(DateTime64(6, 'UTC')) COMMENT 'From which lot on. Unit: UTC. Source: worker.',
    `levels.until` Array(Nullable(DateTime64(6, 'UTC'))) COMMENT 'Where it ended; null while it lasts. Unit: UTC. Source: worker.',
    `levels.mean` Array(Float64) COMMENT 'Shift. Unit: natural logarithm. Source: worker.',
    `levels.u` Array(Float64) COMMENT 'Its standard uncertainty. Unit: natural logarithm. Source: worker.',
    `levels.lots` Array(Int32) COMMENT 'How many lots it is estimated from. Unit: count. Source: worker.',
    INDEX ix_offset `offset` TYPE minmax GRANULARITY 1,
    INDEX ix_cause_event_id `cause_event_id` TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (`thing`, `quantity`, `sender`, `n`)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10, min_bytes_for_wide_part = 134217728
COMMENT 'What an instrument, or a way, has been off by in one quantity, all of it as now known; each partition gets a copy. A later one of the same thing and quantity replaces it.';

