-- Every fact by what all have, one narrow row each, in the order in which a lot is asked about. The
-- history of a lot was read from seven tables of months, and each part of each of them cost about a
-- millisecond before its first row: this one has no months, so that its parts grow together, and
-- short granules in one file, so that a lot is one piece of each part. The sink writes it in the
-- flush of the fact, as it does correction; a materialised view's rows would not be atomic.
CREATE TABLE IF NOT EXISTS custody.event
(
    `topic` LowCardinality(String) COMMENT 'Kafka topic the fact stands on.',
    `partition` Int32 COMMENT 'Kafka partition.',
    `offset` Int64 COMMENT 'Kafka offset of the fact: topic, partition and offset lead to it.' CODEC(Delta, ZSTD(1)),
    `stem` LowCardinality(String) COMMENT 'Table of the fact.',
    `lot_id` String COMMENT 'Lot it is about; empty for facts about a device or a process.',
    `event_id` String COMMENT 'The fact; the same id in every table.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(6, 'UTC') COMMENT 'When it happened, UTC.' CODEC(Delta, ZSTD(1)),
    `recorded_at` DateTime64(6, 'UTC') COMMENT 'When the gateway took it, UTC.' CODEC(Delta, ZSTD(1)),
    `corrects` Nullable(String) COMMENT 'event_id of the fact it replaces; null for a first statement.' CODEC(ZSTD(1)),
    `void` Bool COMMENT 'With corrects: only withdraws that fact.',
    `site_id` LowCardinality(String) COMMENT 'Site where it happened.',
    `kind` LowCardinality(String) COMMENT 'What of its type, as v_events shows it.',
    `document_no` String COMMENT 'Number on the paper, as v_events shows it.' CODEC(ZSTD(1)),
    `device_id` LowCardinality(String) COMMENT 'Instrument or laboratory; empty where there is none.',
    `movement_id` String COMMENT 'Vehicle trip; empty where it is not known or there is none.' CODEC(ZSTD(1)),
    `process_id` String COMMENT 'Process; empty where there is none.' CODEC(ZSTD(1)),
    `mass_g` Nullable(Int64) COMMENT 'Mass it states, as v_events shows it. Unit: grams.',
    `source_ref` Nullable(String) COMMENT 'The own document or row of the sender.' CODEC(ZSTD(1)),
    `gateway_id` LowCardinality(String) COMMENT 'Gateway that took it.',
    INDEX ix_offset `offset` TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (`lot_id`, `occurred_at`, `event_id`)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10, index_granularity = 1024, min_bytes_for_wide_part = 1099511627776
COMMENT 'Every fact by what all have, one narrow row each; private, people ask v_events.';

-- Facts stored before this migration; those that are in stay out.
INSERT INTO custody.event (topic, partition, offset, stem, lot_id, event_id, occurred_at, recorded_at, corrects, void, site_id, kind, document_no, device_id, movement_id, process_id, mass_g, source_ref, gateway_id)
SELECT
    topic, partition, offset, _table AS stem, lot_id, event_id, occurred_at, recorded_at, corrects,
    void, site_id,
    if(stem = 'shipment', kind, concat(purpose, stage, basis, part, form, characteristic)) AS kind_shown,
    multiIf(
        stem = 'xrf', toString(shot_no), stem = 'shipment', ifNull(movement_id, ''),
        stem = 'lot', lot_id, concat(ticket_no, certificate_no, process_id, claim_id)
    ) AS document_no,
    concat(device_id, lab_id) AS device_shown, ifNull(movement_id, '') AS movement_shown, process_id,
    multiIf(
        stem = 'weighing', net_g, stem = 'claim', quantity_g, stem = 'processing', mass_wet_g,
        declared_mass_dry_g
    ) AS mass_g,
    source_ref, gateway_id
FROM custody.facts_all
WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM custody.event);

CREATE OR REPLACE VIEW custody.v_events
(
    `event_type` LowCardinality(String) COMMENT 'Kind of fact: lot, weighing, assay, xrf, shipment, processing or claim.',
    `site_id` LowCardinality(String) COMMENT 'Site where it happened.',
    `occurred_at` DateTime64(6, 'UTC') COMMENT 'When it happened. Unit: UTC.',
    `lot_id` String COMMENT 'Lot it is about; empty for facts about a device or a process.',
    `event_id` String COMMENT 'Id of the fact; the same in every view.',
    `recorded_at` DateTime64(6, 'UTC') COMMENT 'When the gateway took it. Unit: UTC.',
    `kind` String COMMENT 'What of its type: purpose of a weighing, stage of a certificate, basis of a shot, step of a movement, side of a process, form of a lot, characteristic of a claim.',
    `document_no` String COMMENT 'Number on the paper: ticket, certificate, shot, movement, process or claim.',
    `device_id` String COMMENT 'Instrument or laboratory; empty where there is none.',
    `movement_id` String COMMENT 'Vehicle trip; empty where it is not known or there is none.',
    `process_id` String COMMENT 'Process; empty where there is none.',
    `mass_kg` Nullable(Decimal(18, 3)) COMMENT 'Mass it states: net of a weighing, wet mass of a side of a process, dry mass declared of a lot, quantity of a claim. Unit: kilograms.',
    `source_ref` Nullable(String) COMMENT 'The sender\'s own document or row.',
    `corrects` Nullable(String) COMMENT 'event_id of the fact it replaces; null for a first statement.',
    `gateway_id` LowCardinality(String) COMMENT 'Gateway that took it.',
    `topic` LowCardinality(String) COMMENT 'Kafka topic the record stands on.',
    `partition` Int32 COMMENT 'Kafka partition.',
    `offset` Int64 COMMENT 'Kafka offset: topic, partition and offset lead to the record.'
)
AS SELECT
    f.stem AS event_type, f.site_id AS site_id, f.occurred_at AS occurred_at,
    f.lot_id AS lot_id, f.event_id AS event_id, f.recorded_at AS recorded_at,
    f.kind AS kind, f.document_no AS document_no, f.device_id AS device_id,
    f.movement_id AS movement_id, f.process_id AS process_id,
    reinterpret(f.mass_g, 'Decimal(18, 3)') AS mass_kg,
    f.source_ref AS source_ref, f.corrects AS corrects, f.gateway_id AS gateway_id,
    f.topic AS topic, f.partition AS partition, f.offset AS offset
FROM custody.event AS f
LEFT ANTI JOIN custody.v_superseded AS s ON f.lot_id = s.lot_id AND f.event_id = s.event_id
WHERE NOT f.void
SETTINGS join_algorithm = 'hash', enable_join_runtime_filters = 0
COMMENT 'Every fact that stands, of any kind, by what all have: one row per fact, corrections applied.';
