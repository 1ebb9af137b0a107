CREATE TABLE IF NOT EXISTS custody.events_all ON CLUSTER 'ore'
(
    `topic` LowCardinality(String) COMMENT 'Kafka topic the record stands on.',
    `partition` Int32 COMMENT 'Kafka partition.',
    `offset` Int64 COMMENT 'Kafka offset.',
    `timestamp` DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the record.',
    `schema_id` Int32 COMMENT 'Registry id of the schema it was written with.',
    `key` String COMMENT 'Kafka key, bytes.',
    `prev` String COMMENT 'SHA-256 before it in the chain of its gateway.',
    `digest` String COMMENT 'SHA-256 of this record in the chain.',
    `value` String COMMENT 'The bytes as they came, for audits: 5 bytes and Avro.',
    `event_id` String COMMENT 'UUID text, the idempotency key.',
    `gateway_id` LowCardinality(String) COMMENT 'Gateway that took the record.',
    `gateway_epoch` Int32 COMMENT 'Incarnation of the outbox.',
    `gateway_seq` Int64 COMMENT 'Number within gateway and epoch.',
    `site_id` LowCardinality(String) COMMENT 'Site where it happened.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process.',
    `occurred_at` DateTime64(6, 'UTC') COMMENT 'When it happened.',
    `time_zone_offset_min` Nullable(Int32) COMMENT 'Offset the sender wrote, minutes east of UTC.',
    `recorded_at` DateTime64(6, 'UTC') COMMENT 'When the gateway took it.',
    `corrects` Nullable(String) COMMENT 'event_id of the record this one replaces.',
    `void` Bool COMMENT 'With corrects: only withdraws that record.',
    `source_ref` Nullable(String) COMMENT 'Document or row of the sender.',
    `clock_skew_ms` Nullable(Int64) COMMENT 'Measured skew of the clock of the sender, milliseconds.'
)
ENGINE = Merge('custody', '^(lot|weighing|assay|xrf|shipment|processing|claim)$')
COMMENT 'Every fact, by its envelope.';
