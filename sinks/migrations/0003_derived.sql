-- What the workers say: the flow topic and their outputs.
CREATE TABLE IF NOT EXISTS custody.content
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
    `sender` LowCardinality(String) COMMENT 'Who numbers this record: worker/<partition> or audit/<partition>. Unit: none. Source: writer.',
    `n` Int64 COMMENT 'Number of the record in its sending partition, growing over all output topics. Unit: count. Source: writer.',
    `cause_event_id` String COMMENT 'event_id of the fact that made this record. Unit: none. Source: worker.',
    `from_owner` String COMMENT 'Owner that hands over, as a path. Unit: none. Source: worker.',
    `to_owner` String COMMENT 'Owner that receives, as a path; its bare id is the key. Unit: none. Source: worker.',
    `place` LowCardinality(String) COMMENT 'Site where it is, or transit. Unit: none. Source: worker.',
    `generation` Int32 COMMENT 'One more than the largest generation of the inputs. Unit: count. Source: worker.',
    `effective_at` DateTime64(6, 'UTC') COMMENT 'When it was so. Unit: UTC. Source: the cause\'s occurred_at.',
    `known_at` DateTime64(6, 'UTC') COMMENT 'When the record that made it so was recorded. Unit: UTC. Source: the cause\'s recorded_at.',
    `void` Bool COMMENT 'Nothing is handed any more. Unit: none. Source: worker.',
    `mass_wet_g` Int64 COMMENT 'Wet mass. Unit: grams. Source: ledger.',
    `mass_wet_u_random_g` Float64 COMMENT 'Random standard uncertainty of the wet mass. Unit: grams. Source: ledger.',
    `mass_wet_u_systematic_g.source` Array(LowCardinality(String)) COMMENT 'Device, laboratory or table the uncertainty comes from. Unit: none. Source: ledger.',
    `mass_wet_u_systematic_g.u` Array(Float64) COMMENT 'Standard uncertainty it contributes. Unit: that of the value. Source: ledger.',
    `moisture_fraction` Nullable(Float64) COMMENT 'Moisture on wet basis. Unit: fraction 0 to 1. Source: sender, converted by the gateway.',
    `moisture_u_fraction` Nullable(Float64) COMMENT 'Standard uncertainty of moisture. Unit: fraction 0 to 1. Source: laboratory or ledger.',
    `mass_dry_g` Int64 COMMENT 'Dry mass. Unit: grams. Source: ledger.',
    `mass_dry_u_random_g` Float64 COMMENT 'Random standard uncertainty of the dry mass. Unit: grams. Source: ledger.',
    `mass_dry_u_systematic_g.source` Array(LowCardinality(String)) COMMENT 'Device, laboratory or table the uncertainty comes from. Unit: none. Source: ledger.',
    `mass_dry_u_systematic_g.u` Array(Float64) COMMENT 'Standard uncertainty it contributes. Unit: that of the value. Source: ledger.',
    `metals.analyte` Array(LowCardinality(String)) COMMENT 'Element or compound as reported, for example Cu or Li2O. Unit: none. Source: sender.',
    `metals.value_mg` Array(Int64) COMMENT 'Contained metal. Unit: milligrams. Source: ledger.',
    `metals.u_random_mg` Array(Float64) COMMENT 'Random standard uncertainty of the contained metal. Unit: milligrams. Source: ledger.',
    `metals.u_systematic_mg.source` Array(Array(LowCardinality(String))) COMMENT 'Device, laboratory or table the uncertainty comes from. Unit: none. Source: ledger.',
    `metals.u_systematic_mg.u` Array(Array(Float64)) COMMENT 'Standard uncertainty it contributes. Unit: that of the value. Source: ledger.',
    `origins.level` Array(LowCardinality(String)) COMMENT 'How finely the origin is known. Unit: none. Source: sender, carried on by the ledger.',
    `origins.id` Array(String) COMMENT 'Id of the site, region or country; empty when unknown. Unit: none. Source: ledger.',
    `origins.share` Array(Float64) COMMENT 'Share of the dry mass. Unit: fraction 0 to 1. Source: sender, carried on by the ledger.',
    INDEX ix_offset `offset` TYPE minmax GRANULARITY 1,
    INDEX ix_cause_event_id `cause_event_id` TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (`to_owner`, `from_owner`, `sender`, `n`)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10, min_bytes_for_wide_part = 134217728
COMMENT 'What one owner hands to another, in full, as now known; a later one replaces it.';

CREATE TABLE IF NOT EXISTS custody.sighting
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
    `sender` LowCardinality(String) COMMENT 'Who numbers this record: worker/<partition> or audit/<partition>. Unit: none. Source: writer.',
    `n` Int64 COMMENT 'Number of the record in its sending partition, growing over all output topics. Unit: count. Source: writer.',
    `cause_event_id` String COMMENT 'event_id of the fact that made this record. Unit: none. Source: worker.',
    `thing` String COMMENT 'Shared thing seen, as a path such as seal/SL-1001. Unit: none. Source: worker or auditor.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    `site_id` LowCardinality(Nullable(String)) COMMENT 'Site where it was seen. Unit: none. Source: the cause.',
    `occurred_at` DateTime64(6, 'UTC') COMMENT 'When it happened (EPCIS eventTime). Unit: UTC. Source: sender.',
    `known_at` DateTime64(6, 'UTC') COMMENT 'When the record that made it so was recorded. Unit: UTC. Source: the cause\'s recorded_at.',
    `quantity` LowCardinality(String) COMMENT 'Name of what was seen or compared. Unit: none. Source: worker.',
    `record_value` Nullable(Float64) COMMENT 'Value seen; its unit is fixed by the quantity. Unit: by quantity. Source: the cause.',
    `u` Nullable(Float64) COMMENT 'Standard uncertainty of the value. Unit: that of the value. Source: worker.',
    `text` Nullable(String) COMMENT 'What was seen, where it is not a number. Unit: none. Source: the cause.',
    INDEX ix_offset `offset` TYPE minmax GRANULARITY 1,
    INDEX ix_cause_event_id `cause_event_id` TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (`thing`, `occurred_at`, `sender`, `n`)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10, min_bytes_for_wide_part = 134217728
COMMENT 'What a fact says of a shared thing: seal, tag, vehicle, certificate, instrument, route.';

CREATE TABLE IF NOT EXISTS custody.transfer
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
    `sender` LowCardinality(String) COMMENT 'Who numbers this record: worker/<partition> or audit/<partition>. Unit: none. Source: writer.',
    `n` Int64 COMMENT 'Number of the record in its sending partition, growing over all output topics. Unit: count. Source: writer.',
    `kind` LowCardinality(String) COMMENT 'Kind of transfer, with cause_event_id its identity within the owner. Unit: none. Source: ledger.',
    `cause_event_id` String COMMENT 'event_id of the fact that made this record. Unit: none. Source: worker.',
    `debit` String COMMENT 'Account the amounts leave, as a path. Unit: none. Source: ledger.',
    `credit` String COMMENT 'Account the amounts enter, as a path. Unit: none. Source: ledger.',
    `mass_wet_g` Int64 COMMENT 'Wet mass moved; negative in a compensation. Unit: grams. Source: ledger.',
    `mass_dry_g` Int64 COMMENT 'Dry mass moved; negative in a compensation. Unit: grams. Source: ledger.',
    `metals.analyte` Array(LowCardinality(String)) COMMENT 'Element or compound as reported, for example Cu or Li2O. Unit: none. Source: sender.',
    `metals.value_mg` Array(Int64) COMMENT 'Contained metal. Unit: milligrams. Source: ledger.',
    `effective_at` DateTime64(6, 'UTC') COMMENT 'When it was so. Unit: UTC. Source: the cause\'s occurred_at.',
    `known_at` DateTime64(6, 'UTC') COMMENT 'When the record that made it so was recorded. Unit: UTC. Source: the cause\'s recorded_at.',
    `replaces_event_id` Nullable(String) COMMENT 'cause_event_id of the transfer this one compensates: the last before it (same sender, debit and credit). Unit: none. Source: ledger.',
    `replaces_kind` Nullable(String) COMMENT 'Kind of the transfer this one compensates. Unit: none. Source: ledger.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    `process_id` Nullable(String) COMMENT 'Process. Unit: none. Source: sender; null where none is meant.',
    `movement_id` Nullable(String) COMMENT 'Joins all records of one vehicle trip. Unit: none. Source: sender; null where unknown.',
    `origins.level` Array(LowCardinality(String)) COMMENT 'How finely the origin is known. Unit: none. Source: sender, carried on by the ledger.',
    `origins.id` Array(String) COMMENT 'Id of the site, region or country; empty when unknown. Unit: none. Source: ledger.',
    `origins.share` Array(Float64) COMMENT 'Share of the dry mass. Unit: fraction 0 to 1. Source: sender, carried on by the ledger.',
    INDEX ix_offset `offset` TYPE minmax GRANULARITY 1,
    INDEX ix_process_id `process_id` TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX ix_cause_event_id `cause_event_id` TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (`lot_id`, `effective_at`, `sender`, `n`)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10, min_bytes_for_wide_part = 134217728
COMMENT 'An amount moved from one account (debit) to another (credit).';

CREATE TABLE IF NOT EXISTS custody.balance
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
    `sender` LowCardinality(String) COMMENT 'Who numbers this record: worker/<partition> or audit/<partition>. Unit: none. Source: writer.',
    `n` Int64 COMMENT 'Number of the record in its sending partition, growing over all output topics. Unit: count. Source: writer.',
    `owner` String COMMENT 'Owner of the account, as a path such as lot/L-24-0117. Unit: none. Source: worker.',
    `account` String COMMENT 'Account, as a path such as lot/L-24-0117/MINE-KOV. Unit: none. Source: worker.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    `process_id` Nullable(String) COMMENT 'Process. Unit: none. Source: sender; null where none is meant.',
    `place` LowCardinality(String) COMMENT 'Site where it is, or transit. Unit: none. Source: worker.',
    `status` LowCardinality(String) COMMENT 'Standing of the account, for example declared or weighed. Unit: none. Source: ledger.',
    `at` DateTime64(6, 'UTC') COMMENT 'Time the record speaks of. Unit: UTC. Source: writer.',
    `known_at` DateTime64(6, 'UTC') COMMENT 'When the record that made it so was recorded. Unit: UTC. Source: the cause\'s recorded_at.',
    `mass_wet_g` Int64 COMMENT 'Wet mass. Unit: grams. Source: ledger.',
    `mass_wet_u_random_g` Float64 COMMENT 'Random standard uncertainty of the wet mass. Unit: grams. Source: ledger.',
    `mass_wet_u_systematic_g.source` Array(LowCardinality(String)) COMMENT 'Device, laboratory or table the uncertainty comes from. Unit: none. Source: ledger.',
    `mass_wet_u_systematic_g.u` Array(Float64) COMMENT 'Standard uncertainty it contributes. Unit: that of the value. Source: ledger.',
    `moisture_fraction` Nullable(Float64) COMMENT 'Moisture on wet basis. Unit: fraction 0 to 1. Source: sender, converted by the gateway.',
    `moisture_u_fraction` Nullable(Float64) COMMENT 'Standard uncertainty of moisture. Unit: fraction 0 to 1. Source: laboratory or ledger.',
    `mass_dry_g` Int64 COMMENT 'Dry mass. Unit: grams. Source: ledger.',
    `mass_dry_u_random_g` Float64 COMMENT 'Random standard uncertainty of the dry mass. Unit: grams. Source: ledger.',
    `mass_dry_u_systematic_g.source` Array(LowCardinality(String)) COMMENT 'Device, laboratory or table the uncertainty comes from. Unit: none. Source: ledger.',
    `mass_dry_u_systematic_g.u` Array(Float64) COMMENT 'Standard uncertainty it contributes. Unit: that of the value. Source: ledger.',
    `metals.analyte` Array(LowCardinality(String)) COMMENT 'Element or compound as reported, for example Cu or Li2O. Unit: none. Source: sender.',
    `metals.value_mg` Array(Int64) COMMENT 'Contained metal. Unit: milligrams. Source: ledger.',
    `metals.u_random_mg` Array(Float64) COMMENT 'Random standard uncertainty of the contained metal. Unit: milligrams. Source: ledger.',
    `metals.u_systematic_mg.source` Array(Array(LowCardinality(String))) COMMENT 'Device, laboratory or table the uncertainty comes from. Unit: none. Source: ledger.',
    `metals.u_systematic_mg.u` Array(Array(Float64)) COMMENT 'Standard uncertainty it contributes. Unit: that of the value. Source: ledger.',
    `origins.level` Array(LowCardinality(String)) COMMENT 'How finely the origin is known. Unit: none. Source: sender, carried on by the ledger.',
    `origins.id` Array(String) COMMENT 'Id of the site, region or country; empty when unknown. Unit: none. Source: ledger.',
    `origins.share` Array(Float64) COMMENT 'Share of the dry mass. Unit: fraction 0 to 1. Source: sender, carried on by the ledger.',
    INDEX ix_offset `offset` TYPE minmax GRANULARITY 1,
    INDEX ix_process_id `process_id` TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (`account`, `sender`, `n`)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10, min_bytes_for_wide_part = 134217728
COMMENT 'What an account holds now, with its uncertainty.';

CREATE TABLE IF NOT EXISTS custody.alert
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
    `sender` LowCardinality(String) COMMENT 'Who numbers this record: worker/<partition> or audit/<partition>. Unit: none. Source: writer.',
    `n` Int64 COMMENT 'Number of the record in its sending partition, growing over all output topics. Unit: count. Source: writer.',
    `alert_id` String COMMENT 'Alert. Unit: none. Source: worker, from rule group and subject.',
    `version` Int32 COMMENT 'Version of the alert, from 1. Unit: count. Source: worker.',
    `state` LowCardinality(String) COMMENT 'Lifecycle state. Unit: none. Source: worker.',
    `rule` LowCardinality(String) COMMENT 'Rule that raised it. Unit: none. Source: worker.',
    `family` LowCardinality(String) COMMENT 'What it says has happened. Unit: none. Source: worker.',
    `subject` String COMMENT 'What it is about, as a path such as lot/L-24-0117. Unit: none. Source: worker.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    `process_id` Nullable(String) COMMENT 'Process. Unit: none. Source: sender; null where none is meant.',
    `movement_id` Nullable(String) COMMENT 'Joins all records of one vehicle trip. Unit: none. Source: sender; null where unknown.',
    `onset_event_id` Nullable(String) COMMENT 'First fact that belongs to the change. Unit: none. Source: worker.',
    `raised_by_event_id` String COMMENT 'Fact that took the evidence over the threshold. Unit: none. Source: worker.',
    `raised_at` DateTime64(6, 'UTC') COMMENT 'recorded_at of that fact. Unit: UTC. Source: worker.',
    `occurred_at` DateTime64(6, 'UTC') COMMENT 'When it happened (EPCIS eventTime). Unit: UTC. Source: sender.',
    `size` Float64 COMMENT 'Estimated size of the deviation. Unit: field unit. Source: worker.',
    `size_u` Float64 COMMENT 'Standard uncertainty of the size. Unit: field unit. Source: worker.',
    `unit` LowCardinality(String) COMMENT 'Unit of size and size_u. Unit: none. Source: worker.',
    `statistic` LowCardinality(String) COMMENT 'Name of the statistic, for example z or e_value. Unit: none. Source: rule.',
    `record_value` Float64 COMMENT 'Value of the statistic, finite. Unit: none. Source: rule.',
    `threshold` Float64 COMMENT 'Threshold of the statistic. Unit: none. Source: rule.',
    `threshold_basis` LowCardinality(String) COMMENT 'What the threshold rests on, for example proved or simulated. Unit: none. Source: rule.',
    `severity` LowCardinality(String) COMMENT 'How bad, for example high. Unit: none. Source: rule.',
    `posterior.family` Array(LowCardinality(String)) COMMENT 'What it says has happened. Unit: none. Source: worker.',
    `posterior.probability` Array(Float64) COMMENT 'Probability. Unit: fraction 0 to 1. Source: rule.',
    `onset_at` Nullable(DateTime64(6, 'UTC')) COMMENT 'Estimated onset. Unit: UTC. Source: rule.',
    `onset_u_s` Nullable(Float64) COMMENT 'Standard uncertainty of the onset. Unit: seconds. Source: rule.',
    `evidence.quantity` Array(LowCardinality(String)) COMMENT 'Name of what was seen or compared. Unit: none. Source: worker.',
    `evidence.analyte` Array(LowCardinality(Nullable(String))) COMMENT 'Analyte the quantity is of; null for a mass. Unit: none. Source: rule.',
    `evidence.expected` Array(Float64) COMMENT 'Value expected. Unit: field unit. Source: rule.',
    `evidence.observed` Array(Float64) COMMENT 'Value observed. Unit: field unit. Source: rule.',
    `evidence.u` Array(Float64) COMMENT 'Standard uncertainty of observed minus expected. Unit: field unit. Source: rule.',
    `evidence.z` Array(Float64) COMMENT '(observed - expected) / u. Unit: none. Source: rule.',
    `evidence.unit` Array(LowCardinality(String)) COMMENT 'Unit of expected, observed and u. Unit: none. Source: rule.',
    `evidence.event_ids` Array(Array(String)) COMMENT 'Facts it rests on. Unit: none. Source: rule.',
    `evidence.instruments` Array(Array(String)) COMMENT 'Instruments and laboratories it rests on. Unit: none. Source: rule.',
    `reason` String COMMENT 'Why, in words. Unit: none. Source: sender or worker.',
    `cause` Nullable(String) COMMENT 'What changed the alert when it was not new evidence. Unit: none. Source: worker.',
    `actor` LowCardinality(Nullable(String)) COMMENT 'Person whose action made this version. Unit: none. Source: action.',
    `action_id` Nullable(String) COMMENT 'event_id of that action. Unit: none. Source: action.',
    INDEX ix_offset `offset` TYPE minmax GRANULARITY 1,
    INDEX ix_process_id `process_id` TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX ix_raised_by_event_id `raised_by_event_id` TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (`alert_id`, `version`, `sender`, `n`)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10, min_bytes_for_wide_part = 134217728
COMMENT 'One version of an alert.';
