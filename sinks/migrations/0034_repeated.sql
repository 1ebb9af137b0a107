-- Facts that stand a second time because two gateways took the same event and sent it on: one row each
-- of those that a view leaves out, so that it shows an accepted event once. The row of the fact stays:
-- it is a link of its gateway's chain. They are few; the sink finds them in the flush of the fact
-- (sinks/repeats.py), for to find them in a question would read every row there is.
CREATE TABLE IF NOT EXISTS custody.repeated
(
    `topic` LowCardinality(String) COMMENT 'Kafka topic the fact stands on.',
    `partition` Int32 COMMENT 'Kafka partition.',
    `offset` Int64 COMMENT 'Kafka offset of the row that is left out: topic, partition and offset lead to it.' CODEC(Delta, ZSTD(1)),
    `key` String COMMENT 'Kafka key: the lot, process or device it is about.',
    `stem` LowCardinality(String) COMMENT 'Table of the fact.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process.',
    `event_id` String COMMENT 'The fact; an earlier row of its partition has the same id and says the same.' CODEC(ZSTD(1)),
    `gateway_id` LowCardinality(String) COMMENT 'Gateway that sent it the second time.',
    INDEX ix_offset `offset` TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (`lot_id`, `event_id`)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10, min_bytes_for_wide_part = 134217728
COMMENT 'Facts that stand a second time through another gateway and say the same, one row each.';

-- Facts stored before this migration; those that are in stay out. Only for sites that several gateways,
-- or epochs of one, have sent for: of others nothing can stand twice.
INSERT INTO custody.repeated (topic, partition, offset, key, stem, lot_id, event_id, gateway_id)
SELECT topic, partition, offset, key, stem, lot_id, event_id, gateway_id
FROM
(
    SELECT *, row_number() OVER (PARTITION BY topic, partition, stem, event_id, said ORDER BY offset) AS nth
    FROM
    (
        SELECT
            topic, partition, offset, key, 'lot' AS stem, lot_id, event_id, gateway_id,
            cityHash64(tuple(`site_id`, `lot_id`, `occurred_at`, `corrects`, `void`,
                `source_ref`, `commodity`, `form`, `custodian`, `owner`, `custody_model`,
                `declared_origins.level`, `declared_origins.id`, `declared_origins.share`,
                `declared_composition.analyte`, `declared_composition.fraction`,
                `declared_composition.unit`, `declared_composition.basis`,
                `declared_mass_dry_g`, `tags`, `route_id`, `attributes.name`,
                `attributes.amount`, `attributes.unit`, `attributes.per`, `attributes.quality`,
                `attributes.source`, `contract_id`)::String) AS said
        FROM custody.lot WHERE sipHash64(event_id) IN (
            SELECT sipHash64(event_id) AS id FROM custody.events_all
            WHERE site_id IN (
                SELECT site_id FROM custody.events_all GROUP BY site_id
                HAVING uniqExact(gateway_id, gateway_epoch) > 1
            )
            GROUP BY id HAVING count() > 1
        )
        UNION ALL
        SELECT
            topic, partition, offset, key, 'weighing' AS stem, lot_id, event_id, gateway_id,
            cityHash64(tuple(`site_id`, `lot_id`, `occurred_at`, `corrects`, `void`,
                `source_ref`, `ticket_no`, `movement_id`, `device_id`, `purpose`, `direction`,
                `gross_g`, `tare_g`, `net_g`, `tare_kind`, `gross_at`, `tare_at`, `vehicle_id`,
                `u_random_g`, `u_systematic_g`, `volume_m3`, `density_kg_m3`)::String) AS said
        FROM custody.weighing WHERE sipHash64(event_id) IN (
            SELECT sipHash64(event_id) AS id FROM custody.events_all
            WHERE site_id IN (
                SELECT site_id FROM custody.events_all GROUP BY site_id
                HAVING uniqExact(gateway_id, gateway_epoch) > 1
            )
            GROUP BY id HAVING count() > 1
        )
        UNION ALL
        SELECT
            topic, partition, offset, key, 'assay' AS stem, lot_id, event_id, gateway_id,
            cityHash64(tuple(`site_id`, `lot_id`, `occurred_at`, `corrects`, `void`,
                `source_ref`, `certificate_no`, `lab_id`, `method`, `sample_id`, `stage`,
                `party`, `sampled_at`, `moisture_fraction`, `moisture_unit`,
                `moisture_u_fraction`, `results.analyte`, `results.fraction`, `results.unit`,
                `results.basis`, `results.qualifier`, `results.u_fraction`,
                `results.detection_limit_fraction`)::String) AS said
        FROM custody.assay WHERE sipHash64(event_id) IN (
            SELECT sipHash64(event_id) AS id FROM custody.events_all
            WHERE site_id IN (
                SELECT site_id FROM custody.events_all GROUP BY site_id
                HAVING uniqExact(gateway_id, gateway_epoch) > 1
            )
            GROUP BY id HAVING count() > 1
        )
        UNION ALL
        SELECT
            topic, partition, offset, key, 'xrf' AS stem, lot_id, event_id, gateway_id,
            cityHash64(tuple(`site_id`, `lot_id`, `occurred_at`, `corrects`, `void`,
                `source_ref`, `device_id`, `shot_no`, `mode`, `live_time_s`, `basis`,
                `results.analyte`, `results.fraction`, `results.unit`, `results.qualifier`,
                `results.error_2sigma_fraction`, `results.detection_limit_fraction`)::String) AS said
        FROM custody.xrf WHERE sipHash64(event_id) IN (
            SELECT sipHash64(event_id) AS id FROM custody.events_all
            WHERE site_id IN (
                SELECT site_id FROM custody.events_all GROUP BY site_id
                HAVING uniqExact(gateway_id, gateway_epoch) > 1
            )
            GROUP BY id HAVING count() > 1
        )
        UNION ALL
        SELECT
            topic, partition, offset, key, 'shipment' AS stem, lot_id, event_id, gateway_id,
            cityHash64(tuple(`site_id`, `lot_id`, `occurred_at`, `corrects`, `void`,
                `source_ref`, `kind`, `movement_id`, `from_site`, `to_site`, `carrier`,
                `vehicle_id`, `seals`, `latitude_deg`, `longitude_deg`, `documents.type`,
                `documents.number`, `documents.issued_day`, `documents.expires_day`,
                `counterparty`, `counterpart_digest`)::String) AS said
        FROM custody.shipment WHERE sipHash64(event_id) IN (
            SELECT sipHash64(event_id) AS id FROM custody.events_all
            WHERE site_id IN (
                SELECT site_id FROM custody.events_all GROUP BY site_id
                HAVING uniqExact(gateway_id, gateway_epoch) > 1
            )
            GROUP BY id HAVING count() > 1
        )
        UNION ALL
        SELECT
            topic, partition, offset, key, 'processing' AS stem, lot_id, event_id, gateway_id,
            cityHash64(tuple(`site_id`, `lot_id`, `occurred_at`, `corrects`, `void`,
                `source_ref`, `process_id`, `kind`, `part`, `output_lot_id`, `loss_kind`,
                `mass_wet_g`, `mass_dry_g`, `moisture_fraction`, `u_mass_g`, `attributes.name`,
                `attributes.amount`, `attributes.unit`, `attributes.per`, `attributes.quality`,
                `attributes.source`)::String) AS said
        FROM custody.processing WHERE sipHash64(event_id) IN (
            SELECT sipHash64(event_id) AS id FROM custody.events_all
            WHERE site_id IN (
                SELECT site_id FROM custody.events_all GROUP BY site_id
                HAVING uniqExact(gateway_id, gateway_epoch) > 1
            )
            GROUP BY id HAVING count() > 1
        )
        UNION ALL
        SELECT
            topic, partition, offset, key, 'claim' AS stem, lot_id, event_id, gateway_id,
            cityHash64(tuple(`site_id`, `lot_id`, `occurred_at`, `corrects`, `void`,
                `source_ref`, `claim_id`, `custody_model`, `characteristic`, `quantity_g`,
                `analyte`, `period`, `counterparty`)::String) AS said
        FROM custody.claim WHERE sipHash64(event_id) IN (
            SELECT sipHash64(event_id) AS id FROM custody.events_all
            WHERE site_id IN (
                SELECT site_id FROM custody.events_all GROUP BY site_id
                HAVING uniqExact(gateway_id, gateway_epoch) > 1
            )
            GROUP BY id HAVING count() > 1
        )
    )
)
WHERE nth > 1
    AND (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM custody.repeated);

-- The views of facts as before, less those rows. All facts are on one topic.

CREATE OR REPLACE VIEW custody.v_lots
(
    `site_id` LowCardinality(String) COMMENT 'Site where it happened. Unit: none. Source: sender; reference kind site.',
    `occurred_at` DateTime64(6, 'UTC') COMMENT 'When it happened. Unit: UTC. Source: sender.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    `event_id` String COMMENT 'UUID text in lower case, the idempotency key. Unit: none. Source: sender, or derived by the gateway from the natural key (UUIDv8).',
    `recorded_at` DateTime64(6, 'UTC') COMMENT 'When the gateway took it. Unit: UTC. Source: gateway clock.',
    `commodity` LowCardinality(String) COMMENT 'Commodity, for example copper_cobalt. Unit: none. Source: sender; reference kind commodity.',
    `form` LowCardinality(String) COMMENT 'Physical form. Unit: none. Source: sender.',
    `custodian` LowCardinality(Nullable(String)) COMMENT 'Party that holds the lot. Unit: none. Source: sender; reference kind party.',
    `owner` Nullable(String) COMMENT 'Party that owns the lot. Unit: none. Source: sender; reference kind party.',
    `custody_model` LowCardinality(String) COMMENT 'Chain-of-custody model of the statement. Unit: none. Source: sender.',
    `origin_level` Array(LowCardinality(String)) COMMENT 'How finely the origin is known. Unit: none. Source: sender, carried on by the ledger.',
    `origin_id` Array(String) COMMENT 'Id of the site, region or country; empty when unknown. Unit: none. Source: sender.',
    `origin_share` Array(Float64) COMMENT 'Share of the dry mass. Unit: fraction 0 to 1. Source: sender, carried on by the ledger.',
    `declared_analyte` Array(LowCardinality(String)) COMMENT 'Element or compound as reported, for example Cu or Li2O. Unit: none. Source: sender.',
    `declared_fraction` Array(Float64) COMMENT 'Concentration. Unit: fraction 0 to 1. Source: sender, converted by the gateway.',
    `declared_reported_unit` Array(LowCardinality(String)) COMMENT 'Unit the sender wrote, so that what was posted can be given back. Unit: none. Source: sender.',
    `declared_basis` Array(LowCardinality(String)) COMMENT 'Mass basis of the concentration. Unit: none. Source: sender.',
    `declared_mass_dry_kg` Nullable(Decimal(18, 3)) COMMENT 'Declared dry mass. Unit: kilograms. Source: sender.',
    `tags` Array(String) COMMENT 'Bag tags or seals the lot carries. Unit: none. Source: sender.',
    `route_id` LowCardinality(Nullable(String)) COMMENT 'Route the lot is meant to take. Unit: none. Source: sender; reference kind route.',
    `attribute_name` Array(LowCardinality(String)) COMMENT 'What it is an amount of, for example ghg. Unit: none. Source: sender.',
    `attribute_amount` Array(Float64) COMMENT 'The amount. Unit: field unit, per field per. Source: sender.',
    `attribute_unit` Array(LowCardinality(String)) COMMENT 'Unit of the amount, for example kgCO2e. Unit: none. Source: sender.',
    `attribute_per` Array(String) COMMENT 'What the amount is per: total, t_wet, t_dry or t_<analyte>. Unit: none. Source: sender.',
    `attribute_quality` Array(LowCardinality(String)) COMMENT 'Data quality. Unit: none. Source: sender.',
    `attribute_source` Array(LowCardinality(Nullable(String))) COMMENT 'Where the amount comes from, for example an audit. Unit: none. Source: sender.',
    `contract_id` Nullable(String) COMMENT 'Contract the lot is sold under. Unit: none. Source: sender; reference kind contract; null where none is named.',
    `time_zone_offset_min` Nullable(Int32) COMMENT 'Offset the sender wrote, east of UTC. Unit: minutes. Source: sender.',
    `clock_skew_ms` Nullable(Int64) COMMENT 'Measured skew of the sender\'s clock, positive when it runs ahead. Unit: milliseconds. Source: gateway, where known.',
    `source_ref` Nullable(String) COMMENT 'The sender\'s own document or row. Unit: none. Source: sender.',
    `corrects` Nullable(String) COMMENT 'event_id of the record this one replaces (EPCIS errorDeclaration); null for a first statement. Unit: none. Source: sender.',
    `gateway_id` LowCardinality(String) COMMENT 'Gateway that took the record. Unit: none. Source: gateway settings.',
    `gateway_epoch` Int32 COMMENT 'Incarnation of the gateway\'s outbox; grows by one when it is made anew or restored. Unit: count. Source: gateway.',
    `gateway_seq` Int64 COMMENT 'Number of the record within gateway and epoch, 1, 2, 3,... without holes. Unit: count. Source: gateway.',
    `topic` LowCardinality(String) COMMENT 'Kafka topic the record stands on.',
    `partition` Int32 COMMENT 'Kafka partition.',
    `offset` Int64 COMMENT 'Kafka offset: topic, partition and offset lead to the record.'
)
AS SELECT
    f.`site_id` AS `site_id`, f.`occurred_at` AS `occurred_at`, f.`lot_id` AS `lot_id`,
    f.`event_id` AS `event_id`, f.`recorded_at` AS `recorded_at`, f.`commodity` AS `commodity`,
    f.`form` AS `form`, f.`custodian` AS `custodian`, f.`owner` AS `owner`,
    f.`custody_model` AS `custody_model`, f.`declared_origins.level` AS `origin_level`,
    f.`declared_origins.id` AS `origin_id`, f.`declared_origins.share` AS `origin_share`,
    f.`declared_composition.analyte` AS `declared_analyte`,
    f.`declared_composition.fraction` AS `declared_fraction`,
    f.`declared_composition.unit` AS `declared_reported_unit`,
    f.`declared_composition.basis` AS `declared_basis`,
    reinterpret(f.`declared_mass_dry_g`, 'Decimal(18, 3)') AS `declared_mass_dry_kg`,
    f.`tags` AS `tags`, f.`route_id` AS `route_id`, f.`attributes.name` AS `attribute_name`,
    f.`attributes.amount` AS `attribute_amount`, f.`attributes.unit` AS `attribute_unit`,
    f.`attributes.per` AS `attribute_per`, f.`attributes.quality` AS `attribute_quality`,
    f.`attributes.source` AS `attribute_source`, f.`contract_id` AS `contract_id`,
    f.`time_zone_offset_min` AS `time_zone_offset_min`, f.`clock_skew_ms` AS `clock_skew_ms`,
    f.`source_ref` AS `source_ref`, f.`corrects` AS `corrects`, f.`gateway_id` AS `gateway_id`,
    f.`gateway_epoch` AS `gateway_epoch`, f.`gateway_seq` AS `gateway_seq`, f.`topic` AS `topic`,
    f.`partition` AS `partition`, f.`offset` AS `offset`
FROM custody.lot AS f
LEFT ANTI JOIN custody.v_superseded AS s ON f.lot_id = s.lot_id AND f.event_id = s.event_id
WHERE NOT f.void
    AND (f.partition, f.offset) NOT IN (SELECT partition, offset FROM custody.repeated)
SETTINGS join_algorithm = 'hash', enable_join_runtime_filters = 0
COMMENT 'Declarations of lots: what each is said to be, whose it is, where from. One row per fact, corrections applied.';

CREATE OR REPLACE VIEW custody.v_weighings
(
    `site_id` LowCardinality(String) COMMENT 'Site where it happened. Unit: none. Source: sender; reference kind site.',
    `occurred_at` DateTime64(6, 'UTC') COMMENT 'When it happened. Unit: UTC. Source: sender.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    `event_id` String COMMENT 'UUID text in lower case, the idempotency key. Unit: none. Source: sender, or derived by the gateway from the natural key (UUIDv8).',
    `recorded_at` DateTime64(6, 'UTC') COMMENT 'When the gateway took it. Unit: UTC. Source: gateway clock.',
    `ticket_no` String COMMENT 'Ticket number of the weighbridge. Unit: none. Source: scale.',
    `movement_id` Nullable(String) COMMENT 'Joins all records of one vehicle trip. Unit: none. Source: sender; null where unknown.',
    `device_id` LowCardinality(String) COMMENT 'Instrument. Unit: none. Source: sender; reference kind device.',
    `purpose` LowCardinality(String) COMMENT 'Why it was weighed. Unit: none. Source: sender.',
    `direction` LowCardinality(String) COMMENT 'Way across the weighbridge. Unit: none. Source: sender.',
    `gross_kg` Nullable(Decimal(18, 3)) COMMENT 'Gross mass as weighed. Unit: kilograms. Source: scale.',
    `tare_kg` Nullable(Decimal(18, 3)) COMMENT 'Tare mass, weighed or stored. Unit: kilograms. Source: scale.',
    `net_kg` Decimal(18, 3) COMMENT 'Net mass. Unit: kilograms. Source: scale, gross minus tare within the scale interval.',
    `tare_kind` LowCardinality(String) COMMENT 'How the tare was come by. Unit: none. Source: sender.',
    `gross_at` Nullable(DateTime64(6, 'UTC')) COMMENT 'When gross was weighed. Unit: UTC. Source: scale.',
    `tare_at` Nullable(DateTime64(6, 'UTC')) COMMENT 'When tare was weighed. Unit: UTC. Source: scale.',
    `vehicle_id` Nullable(String) COMMENT 'Vehicle, as its plate. Unit: none. Source: sender.',
    `u_random_kg` Nullable(Decimal(18, 3)) COMMENT 'Random standard uncertainty of net, where the sender knows it. Unit: kilograms. Source: sender.',
    `u_systematic_kg` Nullable(Decimal(18, 3)) COMMENT 'Systematic standard uncertainty of net, where the sender knows it. Unit: kilograms. Source: sender.',
    `volume_m3` Nullable(Float64) COMMENT 'Volume of a volumetric weighing. Unit: cubic metres. Source: sender.',
    `density_kg_m3` Nullable(Float64) COMMENT 'Density of a volumetric weighing. Unit: kilograms per cubic metre. Source: sender.',
    `time_zone_offset_min` Nullable(Int32) COMMENT 'Offset the sender wrote, east of UTC. Unit: minutes. Source: sender.',
    `clock_skew_ms` Nullable(Int64) COMMENT 'Measured skew of the sender\'s clock, positive when it runs ahead. Unit: milliseconds. Source: gateway, where known.',
    `source_ref` Nullable(String) COMMENT 'The sender\'s own document or row. Unit: none. Source: sender.',
    `corrects` Nullable(String) COMMENT 'event_id of the record this one replaces (EPCIS errorDeclaration); null for a first statement. Unit: none. Source: sender.',
    `gateway_id` LowCardinality(String) COMMENT 'Gateway that took the record. Unit: none. Source: gateway settings.',
    `gateway_epoch` Int32 COMMENT 'Incarnation of the gateway\'s outbox; grows by one when it is made anew or restored. Unit: count. Source: gateway.',
    `gateway_seq` Int64 COMMENT 'Number of the record within gateway and epoch, 1, 2, 3,... without holes. Unit: count. Source: gateway.',
    `topic` LowCardinality(String) COMMENT 'Kafka topic the record stands on.',
    `partition` Int32 COMMENT 'Kafka partition.',
    `offset` Int64 COMMENT 'Kafka offset: topic, partition and offset lead to the record.'
)
AS SELECT
    f.`site_id` AS `site_id`, f.`occurred_at` AS `occurred_at`, f.`lot_id` AS `lot_id`,
    f.`event_id` AS `event_id`, f.`recorded_at` AS `recorded_at`, f.`ticket_no` AS `ticket_no`,
    f.`movement_id` AS `movement_id`, f.`device_id` AS `device_id`, f.`purpose` AS `purpose`,
    f.`direction` AS `direction`, reinterpret(f.`gross_g`, 'Decimal(18, 3)') AS `gross_kg`,
    reinterpret(f.`tare_g`, 'Decimal(18, 3)') AS `tare_kg`,
    reinterpret(f.`net_g`, 'Decimal(18, 3)') AS `net_kg`, f.`tare_kind` AS `tare_kind`,
    f.`gross_at` AS `gross_at`, f.`tare_at` AS `tare_at`, f.`vehicle_id` AS `vehicle_id`,
    reinterpret(f.`u_random_g`, 'Decimal(18, 3)') AS `u_random_kg`,
    reinterpret(f.`u_systematic_g`, 'Decimal(18, 3)') AS `u_systematic_kg`,
    f.`volume_m3` AS `volume_m3`, f.`density_kg_m3` AS `density_kg_m3`,
    f.`time_zone_offset_min` AS `time_zone_offset_min`, f.`clock_skew_ms` AS `clock_skew_ms`,
    f.`source_ref` AS `source_ref`, f.`corrects` AS `corrects`, f.`gateway_id` AS `gateway_id`,
    f.`gateway_epoch` AS `gateway_epoch`, f.`gateway_seq` AS `gateway_seq`, f.`topic` AS `topic`,
    f.`partition` AS `partition`, f.`offset` AS `offset`
FROM custody.weighing AS f
LEFT ANTI JOIN custody.v_superseded AS s ON f.lot_id = s.lot_id AND f.event_id = s.event_id
WHERE NOT f.void
    AND (f.partition, f.offset) NOT IN (SELECT partition, offset FROM custody.repeated)
SETTINGS join_algorithm = 'hash', enable_join_runtime_filters = 0
COMMENT 'Weighbridge tickets. One row per fact, corrections applied.';

CREATE OR REPLACE VIEW custody.v_assays
(
    `site_id` LowCardinality(String) COMMENT 'Site where it happened. Unit: none. Source: sender; reference kind site.',
    `occurred_at` DateTime64(6, 'UTC') COMMENT 'When it happened. Unit: UTC. Source: sender.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    `event_id` String COMMENT 'UUID text in lower case, the idempotency key. Unit: none. Source: sender, or derived by the gateway from the natural key (UUIDv8).',
    `recorded_at` DateTime64(6, 'UTC') COMMENT 'When the gateway took it. Unit: UTC. Source: gateway clock.',
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
    `analyte` Array(LowCardinality(String)) COMMENT 'Element or compound as reported, for example Cu or Li2O. Unit: none. Source: sender.',
    `fraction` Array(Nullable(Float64)) COMMENT 'Concentration; null where it is below or above the limit. Unit: fraction 0 to 1. Source: laboratory, converted by the gateway.',
    `reported_unit` Array(LowCardinality(String)) COMMENT 'Unit the sender wrote, so that what was posted can be given back. Unit: none. Source: sender.',
    `basis` Array(LowCardinality(String)) COMMENT 'Mass basis of the concentration. Unit: none. Source: sender.',
    `qualifier` Array(LowCardinality(String)) COMMENT 'How the result is to be read; below detection is censored, never zero. Unit: none. Source: laboratory or instrument.',
    `u_fraction` Array(Nullable(Float64)) COMMENT 'Standard uncertainty of the concentration. Unit: fraction 0 to 1. Source: certificate.',
    `detection_limit_fraction` Array(Nullable(Float64)) COMMENT 'Limit of detection. Unit: fraction 0 to 1. Source: laboratory or instrument.',
    `time_zone_offset_min` Nullable(Int32) COMMENT 'Offset the sender wrote, east of UTC. Unit: minutes. Source: sender.',
    `clock_skew_ms` Nullable(Int64) COMMENT 'Measured skew of the sender\'s clock, positive when it runs ahead. Unit: milliseconds. Source: gateway, where known.',
    `source_ref` Nullable(String) COMMENT 'The sender\'s own document or row. Unit: none. Source: sender.',
    `corrects` Nullable(String) COMMENT 'event_id of the record this one replaces (EPCIS errorDeclaration); null for a first statement. Unit: none. Source: sender.',
    `gateway_id` LowCardinality(String) COMMENT 'Gateway that took the record. Unit: none. Source: gateway settings.',
    `gateway_epoch` Int32 COMMENT 'Incarnation of the gateway\'s outbox; grows by one when it is made anew or restored. Unit: count. Source: gateway.',
    `gateway_seq` Int64 COMMENT 'Number of the record within gateway and epoch, 1, 2, 3,... without holes. Unit: count. Source: gateway.',
    `topic` LowCardinality(String) COMMENT 'Kafka topic the record stands on.',
    `partition` Int32 COMMENT 'Kafka partition.',
    `offset` Int64 COMMENT 'Kafka offset: topic, partition and offset lead to the record.'
)
AS SELECT
    f.`site_id` AS `site_id`, f.`occurred_at` AS `occurred_at`, f.`lot_id` AS `lot_id`,
    f.`event_id` AS `event_id`, f.`recorded_at` AS `recorded_at`,
    f.`certificate_no` AS `certificate_no`, f.`lab_id` AS `lab_id`, f.`method` AS `method`,
    f.`sample_id` AS `sample_id`, f.`stage` AS `stage`, f.`party` AS `party`,
    f.`sampled_at` AS `sampled_at`, f.`moisture_fraction` AS `moisture_fraction`,
    f.`moisture_unit` AS `moisture_unit`, f.`moisture_u_fraction` AS `moisture_u_fraction`,
    f.`results.analyte` AS `analyte`, f.`results.fraction` AS `fraction`,
    f.`results.unit` AS `reported_unit`, f.`results.basis` AS `basis`,
    f.`results.qualifier` AS `qualifier`, f.`results.u_fraction` AS `u_fraction`,
    f.`results.detection_limit_fraction` AS `detection_limit_fraction`,
    f.`time_zone_offset_min` AS `time_zone_offset_min`, f.`clock_skew_ms` AS `clock_skew_ms`,
    f.`source_ref` AS `source_ref`, f.`corrects` AS `corrects`, f.`gateway_id` AS `gateway_id`,
    f.`gateway_epoch` AS `gateway_epoch`, f.`gateway_seq` AS `gateway_seq`, f.`topic` AS `topic`,
    f.`partition` AS `partition`, f.`offset` AS `offset`
FROM custody.assay AS f
LEFT ANTI JOIN custody.v_superseded AS s ON f.lot_id = s.lot_id AND f.event_id = s.event_id
WHERE NOT f.void
    AND (f.partition, f.offset) NOT IN (SELECT partition, offset FROM custody.repeated)
SETTINGS join_algorithm = 'hash', enable_join_runtime_filters = 0
COMMENT 'Laboratory certificates; one element of the lists per analyte. One row per fact, corrections applied.';

CREATE OR REPLACE VIEW custody.v_scans
(
    `site_id` LowCardinality(String) COMMENT 'Site where it happened. Unit: none. Source: sender; reference kind site.',
    `occurred_at` DateTime64(6, 'UTC') COMMENT 'When it happened. Unit: UTC. Source: sender.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    `event_id` String COMMENT 'UUID text in lower case, the idempotency key. Unit: none. Source: sender, or derived by the gateway from the natural key (UUIDv8).',
    `recorded_at` DateTime64(6, 'UTC') COMMENT 'When the gateway took it. Unit: UTC. Source: gateway clock.',
    `device_id` LowCardinality(String) COMMENT 'Instrument. Unit: none. Source: sender; reference kind device.',
    `shot_no` Int64 COMMENT 'Number of the shot on the instrument. Unit: count. Source: instrument.',
    `mode` LowCardinality(Nullable(String)) COMMENT 'Measuring mode, for example mining_plus. Unit: none. Source: instrument.',
    `live_time_s` Nullable(Float64) COMMENT 'Live time of the measurement. Unit: seconds. Source: instrument.',
    `basis` LowCardinality(String) COMMENT 'State of the material under the instrument. Unit: none. Source: sender.',
    `analyte` Array(LowCardinality(String)) COMMENT 'Element or compound as reported, for example Cu or Li2O. Unit: none. Source: sender.',
    `fraction` Array(Nullable(Float64)) COMMENT 'Concentration; null where below detection. Unit: fraction 0 to 1. Source: instrument, converted by the gateway.',
    `reported_unit` Array(LowCardinality(String)) COMMENT 'Unit the sender wrote, so that what was posted can be given back. Unit: none. Source: sender.',
    `qualifier` Array(LowCardinality(String)) COMMENT 'How the result is to be read; below detection is censored, never zero. Unit: none. Source: laboratory or instrument.',
    `error_2sigma_fraction` Array(Nullable(Float64)) COMMENT 'Two-sigma counting error, not the whole uncertainty. Unit: fraction 0 to 1. Source: instrument.',
    `detection_limit_fraction` Array(Nullable(Float64)) COMMENT 'Limit of detection. Unit: fraction 0 to 1. Source: laboratory or instrument.',
    `time_zone_offset_min` Nullable(Int32) COMMENT 'Offset the sender wrote, east of UTC. Unit: minutes. Source: sender.',
    `clock_skew_ms` Nullable(Int64) COMMENT 'Measured skew of the sender\'s clock, positive when it runs ahead. Unit: milliseconds. Source: gateway, where known.',
    `source_ref` Nullable(String) COMMENT 'The sender\'s own document or row. Unit: none. Source: sender.',
    `corrects` Nullable(String) COMMENT 'event_id of the record this one replaces (EPCIS errorDeclaration); null for a first statement. Unit: none. Source: sender.',
    `gateway_id` LowCardinality(String) COMMENT 'Gateway that took the record. Unit: none. Source: gateway settings.',
    `gateway_epoch` Int32 COMMENT 'Incarnation of the gateway\'s outbox; grows by one when it is made anew or restored. Unit: count. Source: gateway.',
    `gateway_seq` Int64 COMMENT 'Number of the record within gateway and epoch, 1, 2, 3,... without holes. Unit: count. Source: gateway.',
    `topic` LowCardinality(String) COMMENT 'Kafka topic the record stands on.',
    `partition` Int32 COMMENT 'Kafka partition.',
    `offset` Int64 COMMENT 'Kafka offset: topic, partition and offset lead to the record.'
)
AS SELECT
    f.`site_id` AS `site_id`, f.`occurred_at` AS `occurred_at`, f.`lot_id` AS `lot_id`,
    f.`event_id` AS `event_id`, f.`recorded_at` AS `recorded_at`, f.`device_id` AS `device_id`,
    f.`shot_no` AS `shot_no`, f.`mode` AS `mode`, f.`live_time_s` AS `live_time_s`,
    f.`basis` AS `basis`, f.`results.analyte` AS `analyte`, f.`results.fraction` AS `fraction`,
    f.`results.unit` AS `reported_unit`, f.`results.qualifier` AS `qualifier`,
    f.`results.error_2sigma_fraction` AS `error_2sigma_fraction`,
    f.`results.detection_limit_fraction` AS `detection_limit_fraction`,
    f.`time_zone_offset_min` AS `time_zone_offset_min`, f.`clock_skew_ms` AS `clock_skew_ms`,
    f.`source_ref` AS `source_ref`, f.`corrects` AS `corrects`, f.`gateway_id` AS `gateway_id`,
    f.`gateway_epoch` AS `gateway_epoch`, f.`gateway_seq` AS `gateway_seq`, f.`topic` AS `topic`,
    f.`partition` AS `partition`, f.`offset` AS `offset`
FROM custody.xrf AS f
LEFT ANTI JOIN custody.v_superseded AS s ON f.lot_id = s.lot_id AND f.event_id = s.event_id
WHERE NOT f.void
    AND (f.partition, f.offset) NOT IN (SELECT partition, offset FROM custody.repeated)
SETTINGS join_algorithm = 'hash', enable_join_runtime_filters = 0
COMMENT 'Shots of handheld XRF instruments; one element of the lists per analyte. One row per fact, corrections applied.';

CREATE OR REPLACE VIEW custody.v_movements
(
    `site_id` LowCardinality(String) COMMENT 'Site where it happened. Unit: none. Source: sender; reference kind site.',
    `occurred_at` DateTime64(6, 'UTC') COMMENT 'When it happened. Unit: UTC. Source: sender.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    `event_id` String COMMENT 'UUID text in lower case, the idempotency key. Unit: none. Source: sender, or derived by the gateway from the natural key (UUIDv8).',
    `recorded_at` DateTime64(6, 'UTC') COMMENT 'When the gateway took it. Unit: UTC. Source: gateway clock.',
    `kind` LowCardinality(String) COMMENT 'Step of the movement. Unit: none. Source: sender.',
    `movement_id` Nullable(String) COMMENT 'Joins all records of one vehicle trip. Unit: none. Source: sender; null where unknown.',
    `from_site` LowCardinality(Nullable(String)) COMMENT 'Site it leaves. Unit: none. Source: sender; reference kind site.',
    `to_site` LowCardinality(Nullable(String)) COMMENT 'Site it goes to. Unit: none. Source: sender; reference kind site.',
    `carrier` LowCardinality(Nullable(String)) COMMENT 'Carrier. Unit: none. Source: sender; reference kind party.',
    `vehicle_id` Nullable(String) COMMENT 'Vehicle, as its plate. Unit: none. Source: sender.',
    `seals` Array(String) COMMENT 'Seals on the load. Unit: none. Source: sender.',
    `latitude_deg` Nullable(Float64) COMMENT 'Latitude, WGS 84, north positive. Unit: degrees. Source: sender.',
    `longitude_deg` Nullable(Float64) COMMENT 'Longitude, WGS 84, east positive. Unit: degrees. Source: sender.',
    `document_type` Array(String) COMMENT 'Kind of paper, for example royalty_receipt. Unit: none. Source: sender.',
    `document_number` Array(String) COMMENT 'Number of the paper. Unit: none. Source: sender.',
    `document_issued_on` Array(Nullable(Date32)) COMMENT 'Day of issue. Unit: date. Source: sender.',
    `document_expires_on` Array(Nullable(Date32)) COMMENT 'Last day of validity. Unit: date. Source: sender.',
    `counterparty` LowCardinality(Nullable(String)) COMMENT 'The other party. Unit: none. Source: sender; reference kind party.',
    `counterpart_digest` Nullable(String) COMMENT 'On a receipt: digest of the dispatch record, hexadecimal. Unit: none. Source: sender.',
    `time_zone_offset_min` Nullable(Int32) COMMENT 'Offset the sender wrote, east of UTC. Unit: minutes. Source: sender.',
    `clock_skew_ms` Nullable(Int64) COMMENT 'Measured skew of the sender\'s clock, positive when it runs ahead. Unit: milliseconds. Source: gateway, where known.',
    `source_ref` Nullable(String) COMMENT 'The sender\'s own document or row. Unit: none. Source: sender.',
    `corrects` Nullable(String) COMMENT 'event_id of the record this one replaces (EPCIS errorDeclaration); null for a first statement. Unit: none. Source: sender.',
    `gateway_id` LowCardinality(String) COMMENT 'Gateway that took the record. Unit: none. Source: gateway settings.',
    `gateway_epoch` Int32 COMMENT 'Incarnation of the gateway\'s outbox; grows by one when it is made anew or restored. Unit: count. Source: gateway.',
    `gateway_seq` Int64 COMMENT 'Number of the record within gateway and epoch, 1, 2, 3,... without holes. Unit: count. Source: gateway.',
    `topic` LowCardinality(String) COMMENT 'Kafka topic the record stands on.',
    `partition` Int32 COMMENT 'Kafka partition.',
    `offset` Int64 COMMENT 'Kafka offset: topic, partition and offset lead to the record.'
)
AS SELECT
    f.`site_id` AS `site_id`, f.`occurred_at` AS `occurred_at`, f.`lot_id` AS `lot_id`,
    f.`event_id` AS `event_id`, f.`recorded_at` AS `recorded_at`, f.`kind` AS `kind`,
    f.`movement_id` AS `movement_id`, f.`from_site` AS `from_site`, f.`to_site` AS `to_site`,
    f.`carrier` AS `carrier`, f.`vehicle_id` AS `vehicle_id`, f.`seals` AS `seals`,
    f.`latitude_deg` AS `latitude_deg`, f.`longitude_deg` AS `longitude_deg`,
    f.`documents.type` AS `document_type`, f.`documents.number` AS `document_number`,
    CAST(f.`documents.issued_day`, 'Array(Nullable(Date32))') AS `document_issued_on`,
    CAST(f.`documents.expires_day`, 'Array(Nullable(Date32))') AS `document_expires_on`,
    f.`counterparty` AS `counterparty`, f.`counterpart_digest` AS `counterpart_digest`,
    f.`time_zone_offset_min` AS `time_zone_offset_min`, f.`clock_skew_ms` AS `clock_skew_ms`,
    f.`source_ref` AS `source_ref`, f.`corrects` AS `corrects`, f.`gateway_id` AS `gateway_id`,
    f.`gateway_epoch` AS `gateway_epoch`, f.`gateway_seq` AS `gateway_seq`, f.`topic` AS `topic`,
    f.`partition` AS `partition`, f.`offset` AS `offset`
FROM custody.shipment AS f
LEFT ANTI JOIN custody.v_superseded AS s ON f.lot_id = s.lot_id AND f.event_id = s.event_id
WHERE NOT f.void
    AND (f.partition, f.offset) NOT IN (SELECT partition, offset FROM custody.repeated)
SETTINGS join_algorithm = 'hash', enable_join_runtime_filters = 0
COMMENT 'Dispatches, checkpoints, borders, receipts and handovers of lots. One row per fact, corrections applied.';

CREATE OR REPLACE VIEW custody.v_processing
(
    `site_id` LowCardinality(String) COMMENT 'Site where it happened. Unit: none. Source: sender; reference kind site.',
    `occurred_at` DateTime64(6, 'UTC') COMMENT 'When it happened. Unit: UTC. Source: sender.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    `event_id` String COMMENT 'UUID text in lower case, the idempotency key. Unit: none. Source: sender, or derived by the gateway from the natural key (UUIDv8).',
    `recorded_at` DateTime64(6, 'UTC') COMMENT 'When the gateway took it. Unit: UTC. Source: gateway clock.',
    `process_id` String COMMENT 'Process. Unit: none. Source: sender; null where none is meant.',
    `kind` LowCardinality(String) COMMENT 'Kind of process. Unit: none. Source: sender.',
    `part` LowCardinality(String) COMMENT 'Which side this record states. Unit: none. Source: gateway, which cuts a request into sides.',
    `part_no` Int32 COMMENT 'Number of this side within its kind in the request, from 1 (0 for close). Unit: count. Source: gateway.',
    `output_lot_id` Nullable(String) COMMENT 'Lot an output becomes; lot_id stays null because the record is keyed by its process. Unit: none. Source: sender.',
    `loss_kind` Nullable(String) COMMENT 'Kind of a loss, for example tailings. Unit: none. Source: sender.',
    `mass_wet_kg` Nullable(Decimal(18, 3)) COMMENT 'Wet mass of this side. Unit: kilograms. Source: sender.',
    `mass_dry_kg` Nullable(Decimal(18, 3)) COMMENT 'Dry mass of this side. Unit: kilograms. Source: sender.',
    `moisture_fraction` Nullable(Float64) COMMENT 'Moisture on wet basis. Unit: fraction 0 to 1. Source: sender, converted by the gateway.',
    `u_mass_kg` Nullable(Decimal(18, 3)) COMMENT 'Standard uncertainty of the mass given. Unit: kilograms. Source: sender.',
    `attribute_name` Array(LowCardinality(String)) COMMENT 'What it is an amount of, for example ghg. Unit: none. Source: sender.',
    `attribute_amount` Array(Float64) COMMENT 'The amount. Unit: field unit, per field per. Source: sender.',
    `attribute_unit` Array(LowCardinality(String)) COMMENT 'Unit of the amount, for example kgCO2e. Unit: none. Source: sender.',
    `attribute_per` Array(String) COMMENT 'What the amount is per: total, t_wet, t_dry or t_<analyte>. Unit: none. Source: sender.',
    `attribute_quality` Array(LowCardinality(String)) COMMENT 'Data quality. Unit: none. Source: sender.',
    `attribute_source` Array(LowCardinality(Nullable(String))) COMMENT 'Where the amount comes from, for example an audit. Unit: none. Source: sender.',
    `time_zone_offset_min` Nullable(Int32) COMMENT 'Offset the sender wrote, east of UTC. Unit: minutes. Source: sender.',
    `clock_skew_ms` Nullable(Int64) COMMENT 'Measured skew of the sender\'s clock, positive when it runs ahead. Unit: milliseconds. Source: gateway, where known.',
    `source_ref` Nullable(String) COMMENT 'The sender\'s own document or row. Unit: none. Source: sender.',
    `corrects` Nullable(String) COMMENT 'event_id of the record this one replaces (EPCIS errorDeclaration); null for a first statement. Unit: none. Source: sender.',
    `gateway_id` LowCardinality(String) COMMENT 'Gateway that took the record. Unit: none. Source: gateway settings.',
    `gateway_epoch` Int32 COMMENT 'Incarnation of the gateway\'s outbox; grows by one when it is made anew or restored. Unit: count. Source: gateway.',
    `gateway_seq` Int64 COMMENT 'Number of the record within gateway and epoch, 1, 2, 3,... without holes. Unit: count. Source: gateway.',
    `topic` LowCardinality(String) COMMENT 'Kafka topic the record stands on.',
    `partition` Int32 COMMENT 'Kafka partition.',
    `offset` Int64 COMMENT 'Kafka offset: topic, partition and offset lead to the record.'
)
AS SELECT
    f.`site_id` AS `site_id`, f.`occurred_at` AS `occurred_at`, f.`lot_id` AS `lot_id`,
    f.`event_id` AS `event_id`, f.`recorded_at` AS `recorded_at`, f.`process_id` AS `process_id`,
    f.`kind` AS `kind`, f.`part` AS `part`, f.`part_no` AS `part_no`,
    f.`output_lot_id` AS `output_lot_id`, f.`loss_kind` AS `loss_kind`,
    reinterpret(f.`mass_wet_g`, 'Decimal(18, 3)') AS `mass_wet_kg`,
    reinterpret(f.`mass_dry_g`, 'Decimal(18, 3)') AS `mass_dry_kg`,
    f.`moisture_fraction` AS `moisture_fraction`,
    reinterpret(f.`u_mass_g`, 'Decimal(18, 3)') AS `u_mass_kg`,
    f.`attributes.name` AS `attribute_name`, f.`attributes.amount` AS `attribute_amount`,
    f.`attributes.unit` AS `attribute_unit`, f.`attributes.per` AS `attribute_per`,
    f.`attributes.quality` AS `attribute_quality`, f.`attributes.source` AS `attribute_source`,
    f.`time_zone_offset_min` AS `time_zone_offset_min`, f.`clock_skew_ms` AS `clock_skew_ms`,
    f.`source_ref` AS `source_ref`, f.`corrects` AS `corrects`, f.`gateway_id` AS `gateway_id`,
    f.`gateway_epoch` AS `gateway_epoch`, f.`gateway_seq` AS `gateway_seq`, f.`topic` AS `topic`,
    f.`partition` AS `partition`, f.`offset` AS `offset`
FROM custody.processing AS f
LEFT ANTI JOIN custody.v_superseded AS s ON f.lot_id = s.lot_id AND f.event_id = s.event_id
WHERE NOT f.void
    AND (f.partition, f.offset) NOT IN (SELECT partition, offset FROM custody.repeated)
SETTINGS join_algorithm = 'hash', enable_join_runtime_filters = 0
COMMENT 'Sides of processes: inputs, outputs, losses, stocks and closes. One row per fact, corrections applied.';

CREATE OR REPLACE VIEW custody.v_claims
(
    `site_id` LowCardinality(String) COMMENT 'Site where it happened. Unit: none. Source: sender; reference kind site.',
    `occurred_at` DateTime64(6, 'UTC') COMMENT 'When it happened. Unit: UTC. Source: sender.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    `event_id` String COMMENT 'UUID text in lower case, the idempotency key. Unit: none. Source: sender, or derived by the gateway from the natural key (UUIDv8).',
    `recorded_at` DateTime64(6, 'UTC') COMMENT 'When the gateway took it. Unit: UTC. Source: gateway clock.',
    `claim_id` String COMMENT 'Claim. Unit: none. Source: sender.',
    `custody_model` LowCardinality(String) COMMENT 'Chain-of-custody model of the statement. Unit: none. Source: sender.',
    `characteristic` LowCardinality(String) COMMENT 'What is claimed, for example copper_mark. Unit: none. Source: sender.',
    `quantity_kg` Decimal(18, 3) COMMENT 'Quantity claimed, of the analyte or else of dry mass. Unit: kilograms. Source: sender.',
    `analyte` LowCardinality(Nullable(String)) COMMENT 'Analyte the quantity is of; null for dry mass. Unit: none. Source: sender.',
    `period` Nullable(String) COMMENT 'Balance period, for example 2026-11. Unit: none. Source: sender.',
    `counterparty` LowCardinality(Nullable(String)) COMMENT 'The other party. Unit: none. Source: sender; reference kind party.',
    `time_zone_offset_min` Nullable(Int32) COMMENT 'Offset the sender wrote, east of UTC. Unit: minutes. Source: sender.',
    `clock_skew_ms` Nullable(Int64) COMMENT 'Measured skew of the sender\'s clock, positive when it runs ahead. Unit: milliseconds. Source: gateway, where known.',
    `source_ref` Nullable(String) COMMENT 'The sender\'s own document or row. Unit: none. Source: sender.',
    `corrects` Nullable(String) COMMENT 'event_id of the record this one replaces (EPCIS errorDeclaration); null for a first statement. Unit: none. Source: sender.',
    `gateway_id` LowCardinality(String) COMMENT 'Gateway that took the record. Unit: none. Source: gateway settings.',
    `gateway_epoch` Int32 COMMENT 'Incarnation of the gateway\'s outbox; grows by one when it is made anew or restored. Unit: count. Source: gateway.',
    `gateway_seq` Int64 COMMENT 'Number of the record within gateway and epoch, 1, 2, 3,... without holes. Unit: count. Source: gateway.',
    `topic` LowCardinality(String) COMMENT 'Kafka topic the record stands on.',
    `partition` Int32 COMMENT 'Kafka partition.',
    `offset` Int64 COMMENT 'Kafka offset: topic, partition and offset lead to the record.'
)
AS SELECT
    f.`site_id` AS `site_id`, f.`occurred_at` AS `occurred_at`, f.`lot_id` AS `lot_id`,
    f.`event_id` AS `event_id`, f.`recorded_at` AS `recorded_at`, f.`claim_id` AS `claim_id`,
    f.`custody_model` AS `custody_model`, f.`characteristic` AS `characteristic`,
    reinterpret(f.`quantity_g`, 'Decimal(18, 3)') AS `quantity_kg`, f.`analyte` AS `analyte`,
    f.`period` AS `period`, f.`counterparty` AS `counterparty`,
    f.`time_zone_offset_min` AS `time_zone_offset_min`, f.`clock_skew_ms` AS `clock_skew_ms`,
    f.`source_ref` AS `source_ref`, f.`corrects` AS `corrects`, f.`gateway_id` AS `gateway_id`,
    f.`gateway_epoch` AS `gateway_epoch`, f.`gateway_seq` AS `gateway_seq`, f.`topic` AS `topic`,
    f.`partition` AS `partition`, f.`offset` AS `offset`
FROM custody.claim AS f
LEFT ANTI JOIN custody.v_superseded AS s ON f.lot_id = s.lot_id AND f.event_id = s.event_id
WHERE NOT f.void
    AND (f.partition, f.offset) NOT IN (SELECT partition, offset FROM custody.repeated)
SETTINGS join_algorithm = 'hash', enable_join_runtime_filters = 0
COMMENT 'Claims on quantities of material with a characteristic. One row per fact, corrections applied.';

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
    AND (f.partition, f.offset) NOT IN (SELECT partition, offset FROM custody.repeated)
SETTINGS join_algorithm = 'hash', enable_join_runtime_filters = 0
COMMENT 'Every fact that stands, of any kind, by what all have: one row per fact, corrections applied.';
