-- The facts of the fact topic, one table per stem.
CREATE TABLE IF NOT EXISTS custody.lot
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
    `site_id` LowCardinality(String) COMMENT 'Site where it happened. Unit: none. Source: sender; reference kind site.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    `occurred_at` DateTime64(6, 'UTC') COMMENT 'When it happened (EPCIS eventTime). Unit: UTC. Source: sender.',
    `time_zone_offset_min` Nullable(Int32) COMMENT 'Offset the sender wrote, east of UTC (EPCIS eventTimeZoneOffset). Unit: minutes. Source: sender.',
    `recorded_at` DateTime64(6, 'UTC') COMMENT 'When the gateway took it (EPCIS recordTime). Unit: UTC. Source: gateway clock.',
    `corrects` Nullable(String) COMMENT 'event_id of the record this one replaces (EPCIS errorDeclaration); null for a first statement. Unit: none. Source: sender.',
    `void` Bool COMMENT 'With corrects: only withdraws that record. Unit: none. Source: sender.',
    `source_ref` Nullable(String) COMMENT 'The sender\'s own document or row. Unit: none. Source: sender.',
    `clock_skew_ms` Nullable(Int64) COMMENT 'Measured skew of the sender\'s clock, positive when it runs ahead. Unit: milliseconds. Source: gateway, where known.',
    `commodity` LowCardinality(String) COMMENT 'Commodity, for example copper_cobalt. Unit: none. Source: sender; reference kind commodity.',
    `form` LowCardinality(String) COMMENT 'Physical form. Unit: none. Source: sender.',
    `custodian` LowCardinality(Nullable(String)) COMMENT 'Party that holds the lot. Unit: none. Source: sender; reference kind party.',
    `owner` Nullable(String) COMMENT 'Party that owns the lot. Unit: none. Source: sender; reference kind party.',
    `custody_model` LowCardinality(String) COMMENT 'Chain-of-custody model of the statement. Unit: none. Source: sender.',
    `declared_origins.level` Array(LowCardinality(String)) COMMENT 'How finely the origin is known. Unit: none. Source: sender, carried on by the ledger.',
    `declared_origins.id` Array(String) COMMENT 'Id of the site, region or country; empty when unknown. Unit: none. Source: sender.',
    `declared_origins.share` Array(Float64) COMMENT 'Share of the dry mass. Unit: fraction 0 to 1. Source: sender, carried on by the ledger.',
    `declared_composition.analyte` Array(LowCardinality(String)) COMMENT 'Element or compound as reported, for example Cu or Li2O. Unit: none. Source: sender.',
    `declared_composition.fraction` Array(Float64) COMMENT 'Concentration. Unit: fraction 0 to 1. Source: sender, converted by the gateway.',
    `declared_composition.unit` Array(LowCardinality(String)) COMMENT 'Unit the sender wrote, so that what was posted can be given back. Unit: none. Source: sender.',
    `declared_composition.basis` Array(LowCardinality(String)) COMMENT 'Mass basis of the concentration. Unit: none. Source: sender.',
    `declared_mass_dry_g` Nullable(Int64) COMMENT 'Declared dry mass. Unit: grams. Source: sender.',
    `tags` Array(String) COMMENT 'Bag tags or seals the lot carries. Unit: none. Source: sender.',
    `route_id` LowCardinality(Nullable(String)) COMMENT 'Route the lot is meant to take. Unit: none. Source: sender; reference kind route.',
    `attributes.name` Array(LowCardinality(String)) COMMENT 'What it is an amount of, for example ghg. Unit: none. Source: sender.',
    `attributes.amount` Array(Float64) COMMENT 'The amount. Unit: field unit, per field per. Source: sender.',
    `attributes.unit` Array(LowCardinality(String)) COMMENT 'Unit of the amount, for example kgCO2e. Unit: none. Source: sender.',
    `attributes.per` Array(String) COMMENT 'What the amount is per: total, t_wet, t_dry or t_<analyte>. Unit: none. Source: sender.',
    `attributes.quality` Array(LowCardinality(String)) COMMENT 'Data quality. Unit: none. Source: sender.',
    `attributes.source` Array(LowCardinality(Nullable(String))) COMMENT 'Where the amount comes from, for example an audit. Unit: none. Source: sender.',
    INDEX ix_offset `offset` TYPE minmax GRANULARITY 1,
    INDEX ix_event_id `event_id` TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(recorded_at)
ORDER BY (`lot_id`, `occurred_at`, `event_id`)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10, min_bytes_for_wide_part = 134217728
COMMENT 'A lot comes into being on paper: what it is said to be, whose it is, where from.';

CREATE TABLE IF NOT EXISTS custody.weighing
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
    `site_id` LowCardinality(String) COMMENT 'Site where it happened. Unit: none. Source: sender; reference kind site.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    `occurred_at` DateTime64(6, 'UTC') COMMENT 'When it happened (EPCIS eventTime). Unit: UTC. Source: sender.',
    `time_zone_offset_min` Nullable(Int32) COMMENT 'Offset the sender wrote, east of UTC (EPCIS eventTimeZoneOffset). Unit: minutes. Source: sender.',
    `recorded_at` DateTime64(6, 'UTC') COMMENT 'When the gateway took it (EPCIS recordTime). Unit: UTC. Source: gateway clock.',
    `corrects` Nullable(String) COMMENT 'event_id of the record this one replaces (EPCIS errorDeclaration); null for a first statement. Unit: none. Source: sender.',
    `void` Bool COMMENT 'With corrects: only withdraws that record. Unit: none. Source: sender.',
    `source_ref` Nullable(String) COMMENT 'The sender\'s own document or row. Unit: none. Source: sender.',
    `clock_skew_ms` Nullable(Int64) COMMENT 'Measured skew of the sender\'s clock, positive when it runs ahead. Unit: milliseconds. Source: gateway, where known.',
    `ticket_no` String COMMENT 'Ticket number of the weighbridge. Unit: none. Source: scale.',
    `movement_id` Nullable(String) COMMENT 'Joins all records of one vehicle trip. Unit: none. Source: sender; null where unknown.',
    `device_id` LowCardinality(String) COMMENT 'Instrument. Unit: none. Source: sender; reference kind device.',
    `purpose` LowCardinality(String) COMMENT 'Why it was weighed. Unit: none. Source: sender.',
    `direction` LowCardinality(String) COMMENT 'Way across the weighbridge. Unit: none. Source: sender.',
    `gross_g` Nullable(Int64) COMMENT 'Gross mass as weighed. Unit: grams. Source: scale.',
    `tare_g` Nullable(Int64) COMMENT 'Tare mass, weighed or stored. Unit: grams. Source: scale.',
    `net_g` Int64 COMMENT 'Net mass. Unit: grams. Source: scale, gross minus tare within the scale interval.',
    `tare_kind` LowCardinality(String) COMMENT 'How the tare was come by. Unit: none. Source: sender.',
    `gross_at` Nullable(DateTime64(6, 'UTC')) COMMENT 'When gross was weighed. Unit: UTC. Source: scale.',
    `tare_at` Nullable(DateTime64(6, 'UTC')) COMMENT 'When tare was weighed. Unit: UTC. Source: scale.',
    `vehicle_id` Nullable(String) COMMENT 'Vehicle, as its plate. Unit: none. Source: sender.',
    `u_random_g` Nullable(Int64) COMMENT 'Random standard uncertainty of net, where the sender knows it. Unit: grams. Source: sender.',
    `u_systematic_g` Nullable(Int64) COMMENT 'Systematic standard uncertainty of net, where the sender knows it. Unit: grams. Source: sender.',
    `volume_m3` Nullable(Float64) COMMENT 'Volume of a volumetric weighing. Unit: cubic metres. Source: sender.',
    `density_kg_m3` Nullable(Float64) COMMENT 'Density of a volumetric weighing. Unit: kilograms per cubic metre. Source: sender.',
    INDEX ix_offset `offset` TYPE minmax GRANULARITY 1,
    INDEX ix_event_id `event_id` TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(recorded_at)
ORDER BY (`lot_id`, `occurred_at`, `event_id`)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10, min_bytes_for_wide_part = 134217728
COMMENT 'A weighbridge ticket.';

CREATE TABLE IF NOT EXISTS custody.assay
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
    `site_id` LowCardinality(String) COMMENT 'Site where it happened. Unit: none. Source: sender; reference kind site.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    `occurred_at` DateTime64(6, 'UTC') COMMENT 'When it happened (EPCIS eventTime). Unit: UTC. Source: sender.',
    `time_zone_offset_min` Nullable(Int32) COMMENT 'Offset the sender wrote, east of UTC (EPCIS eventTimeZoneOffset). Unit: minutes. Source: sender.',
    `recorded_at` DateTime64(6, 'UTC') COMMENT 'When the gateway took it (EPCIS recordTime). Unit: UTC. Source: gateway clock.',
    `corrects` Nullable(String) COMMENT 'event_id of the record this one replaces (EPCIS errorDeclaration); null for a first statement. Unit: none. Source: sender.',
    `void` Bool COMMENT 'With corrects: only withdraws that record. Unit: none. Source: sender.',
    `source_ref` Nullable(String) COMMENT 'The sender\'s own document or row. Unit: none. Source: sender.',
    `clock_skew_ms` Nullable(Int64) COMMENT 'Measured skew of the sender\'s clock, positive when it runs ahead. Unit: milliseconds. Source: gateway, where known.',
    `certificate_no` String COMMENT 'Number of the certificate. Unit: none. Source: laboratory.',
    `lab_id` LowCardinality(String) COMMENT 'Laboratory. Unit: none. Source: sender; reference kind laboratory.',
    `method` LowCardinality(Nullable(String)) COMMENT 'Analytical method, for example ICP-OES. Unit: none. Source: laboratory.',
    `sample_id` Nullable(String) COMMENT 'Sample the certificate speaks of. Unit: none. Source: laboratory.',
    `stage` LowCardinality(String) COMMENT 'Standing of the certificate. Unit: none. Source: sender.',
    `party` LowCardinality(String) COMMENT 'For whom the laboratory worked. Unit: none. Source: sender.',
    `sampled_at` Nullable(DateTime64(6, 'UTC')) COMMENT 'When the sample was taken. Unit: UTC. Source: sender.',
    `moisture_fraction` Nullable(Float64) COMMENT 'Moisture on wet basis. Unit: fraction 0 to 1. Source: sender, converted by the gateway.',
    `moisture_unit` LowCardinality(Nullable(String)) COMMENT 'Unit the sender wrote for moisture. Unit: none. Source: sender.',
    `moisture_u_fraction` Nullable(Float64) COMMENT 'Standard uncertainty of moisture. Unit: fraction 0 to 1. Source: laboratory or ledger.',
    `results.analyte` Array(LowCardinality(String)) COMMENT 'Element or compound as reported, for example Cu or Li2O. Unit: none. Source: sender.',
    `results.fraction` Array(Nullable(Float64)) COMMENT 'Concentration; null where it is below or above the limit. Unit: fraction 0 to 1. Source: laboratory, converted by the gateway.',
    `results.unit` Array(LowCardinality(String)) COMMENT 'Unit the sender wrote, so that what was posted can be given back. Unit: none. Source: sender.',
    `results.basis` Array(LowCardinality(String)) COMMENT 'Mass basis of the concentration. Unit: none. Source: sender.',
    `results.qualifier` Array(LowCardinality(String)) COMMENT 'How the result is to be read; below detection is censored, never zero. Unit: none. Source: laboratory or instrument.',
    `results.u_fraction` Array(Nullable(Float64)) COMMENT 'Standard uncertainty of the concentration. Unit: fraction 0 to 1. Source: certificate.',
    `results.detection_limit_fraction` Array(Nullable(Float64)) COMMENT 'Limit of detection. Unit: fraction 0 to 1. Source: laboratory or instrument.',
    INDEX ix_offset `offset` TYPE minmax GRANULARITY 1,
    INDEX ix_event_id `event_id` TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(recorded_at)
ORDER BY (`lot_id`, `occurred_at`, `event_id`)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10, min_bytes_for_wide_part = 134217728
COMMENT 'A laboratory certificate: moisture, analytes or both.';

CREATE TABLE IF NOT EXISTS custody.xrf
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
    `site_id` LowCardinality(String) COMMENT 'Site where it happened. Unit: none. Source: sender; reference kind site.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    `occurred_at` DateTime64(6, 'UTC') COMMENT 'When it happened (EPCIS eventTime). Unit: UTC. Source: sender.',
    `time_zone_offset_min` Nullable(Int32) COMMENT 'Offset the sender wrote, east of UTC (EPCIS eventTimeZoneOffset). Unit: minutes. Source: sender.',
    `recorded_at` DateTime64(6, 'UTC') COMMENT 'When the gateway took it (EPCIS recordTime). Unit: UTC. Source: gateway clock.',
    `corrects` Nullable(String) COMMENT 'event_id of the record this one replaces (EPCIS errorDeclaration); null for a first statement. Unit: none. Source: sender.',
    `void` Bool COMMENT 'With corrects: only withdraws that record. Unit: none. Source: sender.',
    `source_ref` Nullable(String) COMMENT 'The sender\'s own document or row. Unit: none. Source: sender.',
    `clock_skew_ms` Nullable(Int64) COMMENT 'Measured skew of the sender\'s clock, positive when it runs ahead. Unit: milliseconds. Source: gateway, where known.',
    `device_id` LowCardinality(String) COMMENT 'Instrument. Unit: none. Source: sender; reference kind device.',
    `shot_no` Int64 COMMENT 'Number of the shot on the instrument. Unit: count. Source: instrument.',
    `mode` LowCardinality(Nullable(String)) COMMENT 'Measuring mode, for example mining_plus. Unit: none. Source: instrument.',
    `live_time_s` Nullable(Float64) COMMENT 'Live time of the measurement. Unit: seconds. Source: instrument.',
    `basis` LowCardinality(String) COMMENT 'State of the material under the instrument. Unit: none. Source: sender.',
    `results.analyte` Array(LowCardinality(String)) COMMENT 'Element or compound as reported, for example Cu or Li2O. Unit: none. Source: sender.',
    `results.fraction` Array(Nullable(Float64)) COMMENT 'Concentration; null where below detection. Unit: fraction 0 to 1. Source: instrument, converted by the gateway.',
    `results.unit` Array(LowCardinality(String)) COMMENT 'Unit the sender wrote, so that what was posted can be given back. Unit: none. Source: sender.',
    `results.qualifier` Array(LowCardinality(String)) COMMENT 'How the result is to be read; below detection is censored, never zero. Unit: none. Source: laboratory or instrument.',
    `results.error_2sigma_fraction` Array(Nullable(Float64)) COMMENT 'Two-sigma counting error, not the whole uncertainty. Unit: fraction 0 to 1. Source: instrument.',
    `results.detection_limit_fraction` Array(Nullable(Float64)) COMMENT 'Limit of detection. Unit: fraction 0 to 1. Source: laboratory or instrument.',
    INDEX ix_offset `offset` TYPE minmax GRANULARITY 1,
    INDEX ix_event_id `event_id` TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(recorded_at)
ORDER BY (`lot_id`, `occurred_at`, `event_id`)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10, min_bytes_for_wide_part = 134217728
COMMENT 'One shot of a handheld XRF.';

CREATE TABLE IF NOT EXISTS custody.shipment
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
    `site_id` LowCardinality(String) COMMENT 'Site where it happened. Unit: none. Source: sender; reference kind site.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    `occurred_at` DateTime64(6, 'UTC') COMMENT 'When it happened (EPCIS eventTime). Unit: UTC. Source: sender.',
    `time_zone_offset_min` Nullable(Int32) COMMENT 'Offset the sender wrote, east of UTC (EPCIS eventTimeZoneOffset). Unit: minutes. Source: sender.',
    `recorded_at` DateTime64(6, 'UTC') COMMENT 'When the gateway took it (EPCIS recordTime). Unit: UTC. Source: gateway clock.',
    `corrects` Nullable(String) COMMENT 'event_id of the record this one replaces (EPCIS errorDeclaration); null for a first statement. Unit: none. Source: sender.',
    `void` Bool COMMENT 'With corrects: only withdraws that record. Unit: none. Source: sender.',
    `source_ref` Nullable(String) COMMENT 'The sender\'s own document or row. Unit: none. Source: sender.',
    `clock_skew_ms` Nullable(Int64) COMMENT 'Measured skew of the sender\'s clock, positive when it runs ahead. Unit: milliseconds. Source: gateway, where known.',
    `kind` LowCardinality(String) COMMENT 'Step of the movement. Unit: none. Source: sender.',
    `movement_id` Nullable(String) COMMENT 'Joins all records of one vehicle trip. Unit: none. Source: sender; null where unknown.',
    `from_site` LowCardinality(Nullable(String)) COMMENT 'Site it leaves. Unit: none. Source: sender; reference kind site.',
    `to_site` LowCardinality(Nullable(String)) COMMENT 'Site it goes to. Unit: none. Source: sender; reference kind site.',
    `carrier` LowCardinality(Nullable(String)) COMMENT 'Carrier. Unit: none. Source: sender; reference kind party.',
    `vehicle_id` Nullable(String) COMMENT 'Vehicle, as its plate. Unit: none. Source: sender.',
    `seals` Array(String) COMMENT 'Seals on the load. Unit: none. Source: sender.',
    `latitude_deg` Nullable(Float64) COMMENT 'Latitude, WGS 84, north positive. Unit: degrees. Source: sender.',
    `longitude_deg` Nullable(Float64) COMMENT 'Longitude, WGS 84, east positive. Unit: degrees. Source: sender.',
    `documents.type` Array(String) COMMENT 'Kind of paper, for example royalty_receipt. Unit: none. Source: sender.',
    `documents.number` Array(String) COMMENT 'Number of the paper. Unit: none. Source: sender.',
    `documents.issued_day` Array(Nullable(Int32)) COMMENT 'Day of issue. Unit: days since 1970-01-01. Source: sender.',
    `documents.expires_day` Array(Nullable(Int32)) COMMENT 'Last day of validity. Unit: days since 1970-01-01. Source: sender.',
    `counterparty` LowCardinality(Nullable(String)) COMMENT 'The other party. Unit: none. Source: sender; reference kind party.',
    `counterpart_digest` Nullable(String) COMMENT 'On a receipt: digest of the dispatch record, hexadecimal. Unit: none. Source: sender.',
    INDEX ix_offset `offset` TYPE minmax GRANULARITY 1,
    INDEX ix_event_id `event_id` TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(recorded_at)
ORDER BY (`lot_id`, `occurred_at`, `event_id`)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10, min_bytes_for_wide_part = 134217728
COMMENT 'A dispatch, checkpoint, border, receipt or handover of a lot.';

CREATE TABLE IF NOT EXISTS custody.processing
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
    `site_id` LowCardinality(String) COMMENT 'Site where it happened. Unit: none. Source: sender; reference kind site.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    `occurred_at` DateTime64(6, 'UTC') COMMENT 'When it happened (EPCIS eventTime). Unit: UTC. Source: sender.',
    `time_zone_offset_min` Nullable(Int32) COMMENT 'Offset the sender wrote, east of UTC (EPCIS eventTimeZoneOffset). Unit: minutes. Source: sender.',
    `recorded_at` DateTime64(6, 'UTC') COMMENT 'When the gateway took it (EPCIS recordTime). Unit: UTC. Source: gateway clock.',
    `corrects` Nullable(String) COMMENT 'event_id of the record this one replaces (EPCIS errorDeclaration); null for a first statement. Unit: none. Source: sender.',
    `void` Bool COMMENT 'With corrects: only withdraws that record. Unit: none. Source: sender.',
    `source_ref` Nullable(String) COMMENT 'The sender\'s own document or row. Unit: none. Source: sender.',
    `clock_skew_ms` Nullable(Int64) COMMENT 'Measured skew of the sender\'s clock, positive when it runs ahead. Unit: milliseconds. Source: gateway, where known.',
    `process_id` String COMMENT 'Process. Unit: none. Source: sender; null where none is meant.',
    `kind` LowCardinality(String) COMMENT 'Kind of process. Unit: none. Source: sender.',
    `part` LowCardinality(String) COMMENT 'Which side this record states. Unit: none. Source: gateway, which cuts a request into sides.',
    `part_no` Int32 COMMENT 'Number of this side within its kind in the request, from 1 (0 for close). Unit: count. Source: gateway.',
    `output_lot_id` Nullable(String) COMMENT 'Lot an output becomes; lot_id stays null because the record is keyed by its process. Unit: none. Source: sender.',
    `loss_kind` Nullable(String) COMMENT 'Kind of a loss, for example tailings. Unit: none. Source: sender.',
    `mass_wet_g` Nullable(Int64) COMMENT 'Wet mass of this side. Unit: grams. Source: sender.',
    `mass_dry_g` Nullable(Int64) COMMENT 'Dry mass of this side. Unit: grams. Source: sender.',
    `moisture_fraction` Nullable(Float64) COMMENT 'Moisture on wet basis. Unit: fraction 0 to 1. Source: sender, converted by the gateway.',
    `u_mass_g` Nullable(Int64) COMMENT 'Standard uncertainty of the mass given. Unit: grams. Source: sender.',
    INDEX ix_offset `offset` TYPE minmax GRANULARITY 1,
    INDEX ix_event_id `event_id` TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX ix_process_id `process_id` TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(recorded_at)
ORDER BY (`lot_id`, `occurred_at`, `event_id`)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10, min_bytes_for_wide_part = 134217728
COMMENT 'One side of a process: an input, output, loss, stock or the close.';

CREATE TABLE IF NOT EXISTS custody.claim
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
    `site_id` LowCardinality(String) COMMENT 'Site where it happened. Unit: none. Source: sender; reference kind site.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    `occurred_at` DateTime64(6, 'UTC') COMMENT 'When it happened (EPCIS eventTime). Unit: UTC. Source: sender.',
    `time_zone_offset_min` Nullable(Int32) COMMENT 'Offset the sender wrote, east of UTC (EPCIS eventTimeZoneOffset). Unit: minutes. Source: sender.',
    `recorded_at` DateTime64(6, 'UTC') COMMENT 'When the gateway took it (EPCIS recordTime). Unit: UTC. Source: gateway clock.',
    `corrects` Nullable(String) COMMENT 'event_id of the record this one replaces (EPCIS errorDeclaration); null for a first statement. Unit: none. Source: sender.',
    `void` Bool COMMENT 'With corrects: only withdraws that record. Unit: none. Source: sender.',
    `source_ref` Nullable(String) COMMENT 'The sender\'s own document or row. Unit: none. Source: sender.',
    `clock_skew_ms` Nullable(Int64) COMMENT 'Measured skew of the sender\'s clock, positive when it runs ahead. Unit: milliseconds. Source: gateway, where known.',
    `claim_id` String COMMENT 'Claim. Unit: none. Source: sender.',
    `custody_model` LowCardinality(String) COMMENT 'Chain-of-custody model of the statement. Unit: none. Source: sender.',
    `characteristic` LowCardinality(String) COMMENT 'What is claimed, for example copper_mark. Unit: none. Source: sender.',
    `quantity_g` Int64 COMMENT 'Quantity claimed, of the analyte or else of dry mass. Unit: grams. Source: sender.',
    `analyte` LowCardinality(Nullable(String)) COMMENT 'Analyte the quantity is of; null for dry mass. Unit: none. Source: sender.',
    `period` Nullable(String) COMMENT 'Balance period, for example 2026-11. Unit: none. Source: sender.',
    `counterparty` LowCardinality(Nullable(String)) COMMENT 'The other party. Unit: none. Source: sender; reference kind party.',
    INDEX ix_offset `offset` TYPE minmax GRANULARITY 1,
    INDEX ix_event_id `event_id` TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(recorded_at)
ORDER BY (`lot_id`, `occurred_at`, `event_id`)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10, min_bytes_for_wide_part = 134217728
COMMENT 'A claim on a quantity of material with a characteristic, under a custody model.';
