-- The books as analysts meet them: kilograms beside the grams and milligrams of the books, every
-- column with a meaning, and sums that keep what a scale does to all its lots. Columns that were
-- there stay, in their order; the new ones stand after them.
-- The lot is a key of LIMIT BY, so that a question about one lot reads that lot.

-- u of a sum: random parts add in squares, parts of one source straight, then sources in squares.
CREATE OR REPLACE FUNCTION u_of_sum AS (random, systematic) -> sqrt(sum(random * random) + arraySum(part -> part * part, mapValues(sumMap(systematic))));

CREATE OR REPLACE VIEW custody.v_lot_balance
(
    `account` String COMMENT 'Account, as a path such as lot/L-24-0117/MINE-KOV. Unit: none. Source: worker.',
    `owner` String COMMENT 'Owner of the account, as a path such as lot/L-24-0117. Unit: none. Source: worker.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    `process_id` Nullable(String) COMMENT 'Process. Unit: none. Source: sender; null where none is meant.',
    `place` LowCardinality(String) COMMENT 'Site where it is, or transit. Unit: none. Source: worker.',
    `status` LowCardinality(String) COMMENT 'Standing of the account, for example declared or weighed. Unit: none. Source: ledger.',
    `at` DateTime64(6, 'UTC') COMMENT 'Time the record speaks of. Unit: UTC. Source: writer.',
    `known_at` DateTime64(6, 'UTC') COMMENT 'When the record that made it so was recorded. Unit: UTC. Source: the cause\'s recorded_at.',
    `mass_wet_g` Int64 COMMENT 'Wet mass. Unit: grams. Source: ledger.',
    `mass_wet_u_g` Float64 COMMENT 'Combined standard uncertainty of mass_wet_g. Unit: grams.',
    `moisture_fraction` Nullable(Float64) COMMENT 'Moisture on wet basis. Unit: fraction 0 to 1. Source: sender, converted by the gateway.',
    `moisture_u_fraction` Nullable(Float64) COMMENT 'Standard uncertainty of moisture. Unit: fraction 0 to 1. Source: laboratory or ledger.',
    `mass_dry_g` Int64 COMMENT 'Dry mass. Unit: grams. Source: ledger.',
    `mass_dry_u_g` Float64 COMMENT 'Combined standard uncertainty of mass_dry_g. Unit: grams.',
    `analyte` Array(LowCardinality(String)) COMMENT 'Element or compound as reported, for example Cu or Li2O. Unit: none. Source: sender.',
    `metal_mg` Array(Int64) COMMENT 'Contained metal, in the order of analyte. Unit: milligrams.',
    `metal_u_mg` Array(Float64) COMMENT 'Combined standard uncertainty of metal_mg. Unit: milligrams.',
    `origin` Array(String) COMMENT 'Id of the site, region or country; empty when unknown. Unit: none. Source: ledger.',
    `origin_share` Array(Float64) COMMENT 'Share of the dry mass that stems from it, in the order of origin. Unit: fraction 0 to 1.',
    `sender` LowCardinality(String) COMMENT 'Who numbers this record: worker/<partition> or audit/<partition>. Unit: none. Source: writer.',
    `n` Int64 COMMENT 'Number of the record in its sending partition, growing over all output topics. Unit: count. Source: writer.',
    `mass_wet_kg` Decimal(18, 3) COMMENT 'Wet mass, the grams of the books. Unit: kilograms.',
    `mass_wet_u_kg` Float64 COMMENT 'Combined standard uncertainty of mass_wet_kg; of a sum ask v_lot_quantities. Unit: kilograms.',
    `mass_dry_kg` Decimal(18, 3) COMMENT 'Dry mass, the grams of the books. Unit: kilograms.',
    `mass_dry_u_kg` Float64 COMMENT 'Combined standard uncertainty of mass_dry_kg; of a sum ask v_lot_quantities. Unit: kilograms.',
    `metal_kg` Map(LowCardinality(String), Decimal(18, 6)) COMMENT 'Contained metal by analyte, the milligrams of the books; metal_kg[\'Cu\']. Unit: kilograms.',
    `metal_u_kg` Map(LowCardinality(String), Float64) COMMENT 'Combined standard uncertainty of metal_kg by analyte. Unit: kilograms.'
)
AS SELECT
    account, owner, lot_id, process_id, place, status, at, known_at, mass_wet_g,
    sqrt(pow(mass_wet_u_random_g, 2) + arraySum(u -> u * u, `mass_wet_u_systematic_g.u`)) AS mass_wet_u_g,
    moisture_fraction, moisture_u_fraction, mass_dry_g,
    sqrt(pow(mass_dry_u_random_g, 2) + arraySum(u -> u * u, `mass_dry_u_systematic_g.u`)) AS mass_dry_u_g,
    `metals.analyte` AS analyte, `metals.value_mg` AS metal_mg,
    arrayMap((r, s) -> sqrt(r * r + arraySum(u -> u * u, s)), `metals.u_random_mg`, `metals.u_systematic_mg.u`) AS metal_u_mg,
    `origins.id` AS origin, `origins.share` AS origin_share, sender, n,
    reinterpret(mass_wet_g, 'Decimal(18, 3)') AS mass_wet_kg, mass_wet_u_g / 1e3 AS mass_wet_u_kg,
    reinterpret(mass_dry_g, 'Decimal(18, 3)') AS mass_dry_kg, mass_dry_u_g / 1e3 AS mass_dry_u_kg,
    mapFromArrays(analyte, arrayMap(v -> reinterpret(v, 'Decimal(18, 6)'), metal_mg)) AS metal_kg,
    mapFromArrays(analyte, arrayMap(u -> u / 1e6, metal_u_mg)) AS metal_u_kg
FROM custody.balance
ORDER BY lot_id, account, n DESC
LIMIT 1 BY lot_id, account
COMMENT 'The latest balance of each account: what each lot holds at each place, and what lies in each process, with combined standard uncertainties.';

-- One row per amount, with its parts: the u of any sum is u_of_sum over any GROUP BY. A sum of
-- squares of u_kg would say that the error of a scale averages out over its lots; it does not.
CREATE OR REPLACE VIEW custody.v_lot_quantities
(
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    `process_id` String COMMENT 'Process; empty for what a lot holds.',
    `place` LowCardinality(String) COMMENT 'Site where it is, or transit. Unit: none. Source: worker.',
    `quantity` LowCardinality(String) COMMENT 'wet, dry (masses) or an analyte (contained metal).',
    `amount_kg` Decimal(18, 6) COMMENT 'Amount. Unit: kilograms.',
    `u_kg` Float64 COMMENT 'Combined standard uncertainty of the amount. Unit: kilograms.',
    `u_random_kg` Float64 COMMENT 'Its random part: independent from lot to lot. Unit: kilograms.',
    `u_systematic_kg` Map(LowCardinality(String), Float64) COMMENT 'Its systematic parts, signed, by device, laboratory or table: u_of_sum(u_random_kg, u_systematic_kg) adds those of one source straight. Unit: kilograms.',
    `at` DateTime64(6, 'UTC') COMMENT 'Time the record speaks of. Unit: UTC. Source: writer.',
    `known_at` DateTime64(6, 'UTC') COMMENT 'When the record that made it so was recorded. Unit: UTC. Source: the cause\'s recorded_at.',
    `account` String COMMENT 'Account, as a path such as lot/L-24-0117/MINE-KOV. Unit: none. Source: worker.'
)
AS SELECT
    lot_id, process_id, place, figure.1 AS quantity,
    reinterpret(figure.2, 'Decimal(18, 6)') AS amount_kg,
    sqrt(pow(u_random_kg, 2) + arraySum(u -> u * u, mapValues(u_systematic_kg))) AS u_kg,
    figure.3 / 1e6 AS u_random_kg,
    mapFromArrays(figure.4, arrayMap(u -> u / 1e6, figure.5)) AS u_systematic_kg,
    at, known_at, account
FROM
(
    SELECT
        lot_id, ifNull(process_id, '') AS process_id, place, at, known_at, account,
        arrayConcat(
            [('wet', mass_wet_g * 1000, mass_wet_u_random_g * 1e3, `mass_wet_u_systematic_g.source`,
                arrayMap(u -> u * 1e3, `mass_wet_u_systematic_g.u`)),
             ('dry', mass_dry_g * 1000, mass_dry_u_random_g * 1e3, `mass_dry_u_systematic_g.source`,
                arrayMap(u -> u * 1e3, `mass_dry_u_systematic_g.u`))],
            arrayMap((a, v, r, s, u) -> (a::String, v, r, s, u), `metals.analyte`,
                `metals.value_mg`, `metals.u_random_mg`, `metals.u_systematic_mg.source`,
                `metals.u_systematic_mg.u`)
        ) AS figures
    FROM custody.balance
    ORDER BY lot_id, account, n DESC
    LIMIT 1 BY lot_id, account
)
ARRAY JOIN figures AS figure
WHERE figure.2 != 0 OR figure.1 IN ('wet', 'dry')
COMMENT 'What each lot holds at each place now, and what lies in each process, one row per quantity, with the parts of its uncertainty.';

CREATE OR REPLACE VIEW custody.v_stock
(
    `site_id` LowCardinality(String) COMMENT 'Site, or transit.',
    `quantity` LowCardinality(String) COMMENT 'wet, dry (masses) or an analyte (contained metal).',
    `lots` UInt64 COMMENT 'Lots that hold some of it. Unit: count.',
    `amount_kg` Decimal(38, 6) COMMENT 'What lies there. Unit: kilograms.',
    `u_kg` Float64 COMMENT 'Standard uncertainty of the sum: random parts in squares, parts of one source straight. Unit: kilograms.',
    `u_random_kg` Float64 COMMENT 'What averages out. Unit: kilograms.',
    `u_systematic_kg` Float64 COMMENT 'What does not: the parts of each source added straight, sources in squares. Unit: kilograms.'
)
AS SELECT
    place AS site_id, quantity, uniqExact(lot_id) AS lots, sum(q.amount_kg) AS amount_kg,
    u_of_sum(q.u_random_kg, q.u_systematic_kg) AS u_kg,
    sqrt(sum(q.u_random_kg * q.u_random_kg)) AS u_random_kg,
    sqrt(arraySum(part -> part * part, mapValues(sumMap(q.u_systematic_kg)))) AS u_systematic_kg
FROM custody.v_lot_quantities AS q
WHERE lot_id != '' AND q.amount_kg != 0
GROUP BY site_id, quantity
COMMENT 'What lies at each site now, and in transit: one row per quantity. As of any time: v_stock_at.';

CREATE OR REPLACE VIEW custody.v_transfers
(
    `effective_at` DateTime64(6, 'UTC') COMMENT 'When it was so. Unit: UTC. Source: the cause\'s occurred_at.',
    `known_at` DateTime64(6, 'UTC') COMMENT 'When the record that made it so was recorded. Unit: UTC. Source: the cause\'s recorded_at.',
    `kind` LowCardinality(String) COMMENT 'Kind of transfer, with cause_event_id its identity within the owner. Unit: none. Source: ledger.',
    `debit` String COMMENT 'Account the amounts leave, as a path. Unit: none. Source: ledger.',
    `credit` String COMMENT 'Account the amounts enter, as a path. Unit: none. Source: ledger.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    `process_id` Nullable(String) COMMENT 'Process. Unit: none. Source: sender; null where none is meant.',
    `movement_id` Nullable(String) COMMENT 'Joins all records of one vehicle trip. Unit: none. Source: sender; null where unknown.',
    `mass_wet_g` Int64 COMMENT 'Wet mass moved; negative in a compensation. Unit: grams. Source: ledger.',
    `mass_dry_g` Int64 COMMENT 'Dry mass moved; negative in a compensation. Unit: grams. Source: ledger.',
    `analyte` Array(LowCardinality(String)) COMMENT 'Element or compound as reported, for example Cu or Li2O. Unit: none. Source: sender.',
    `metal_mg` Array(Int64) COMMENT 'Contained metal, in the order of analyte. Unit: milligrams. Source: ledger.',
    `origin` Array(String) COMMENT 'Id of the site, region or country; empty when unknown. Unit: none. Source: ledger.',
    `origin_share` Array(Float64) COMMENT 'Share of the dry mass. Unit: fraction 0 to 1. Source: sender, carried on by the ledger.',
    `cause_event_id` String COMMENT 'event_id of the fact that made this record. Unit: none. Source: worker.',
    `replaces_event_id` Nullable(String) COMMENT 'cause_event_id of the transfer this one compensates: the last before it (same sender, debit and credit). Unit: none. Source: ledger.',
    `replaces_kind` Nullable(String) COMMENT 'Kind of the transfer this one compensates. Unit: none. Source: ledger.',
    `sender` LowCardinality(String) COMMENT 'Who numbers this record: worker/<partition> or audit/<partition>. Unit: none. Source: writer.',
    `n` Int64 COMMENT 'Number of the record in its sending partition, growing over all output topics. Unit: count. Source: writer.',
    `attribute` Array(LowCardinality(String)) COMMENT 'Name of the attribute. Unit: none. Source: sender.',
    `attribute_unit` Array(LowCardinality(String)) COMMENT 'Unit of the amount. Unit: none. Source: sender.',
    `attribute_quality` Array(String) COMMENT 'How it is known: measured, declared, default. Unit: none. Source: sender.',
    `attribute_micro` Array(Int64) COMMENT 'Amount. Unit: millionths of the named unit. Source: ledger.',
    `share_dimension` Array(String) COMMENT 'Stage (mined, refined, metal, magnet), recycled, verified, or score/<scheme>. Unit: none. Source: ledger.',
    `share_label` Array(String) COMMENT 'Country of a stage (ISO 3166-1 alpha-2), band of a score, or yes. Unit: none. Source: ledger.',
    `share` Array(Float64) COMMENT 'Share of the dry mass. Unit: fraction 0 to 1. Source: ledger.',
    `metal_origin_analyte` Array(LowCardinality(String)) COMMENT 'Element or compound as reported, for example Cu or Li2O. Unit: none. Source: sender.',
    `metal_origin` Array(String) COMMENT 'Id of the site, region or country; empty when unknown. Unit: none. Source: ledger.',
    `metal_origin_share` Array(Float64) COMMENT 'Share of the contained metal. Unit: fraction 0 to 1. Source: sender, carried on by the ledger.',
    `mass_wet_kg` Decimal(18, 3) COMMENT 'Wet mass moved; negative in a compensation. Unit: kilograms.',
    `mass_dry_kg` Decimal(18, 3) COMMENT 'Dry mass moved; negative in a compensation. Unit: kilograms.',
    `metal_kg` Map(LowCardinality(String), Decimal(18, 6)) COMMENT 'Contained metal moved by analyte; metal_kg[\'Cu\']. Unit: kilograms.'
)
AS SELECT
    effective_at, known_at, kind, debit, credit, lot_id, process_id, movement_id, mass_wet_g,
    mass_dry_g, `metals.analyte` AS analyte, `metals.value_mg` AS metal_mg,
    `origins.id` AS origin, `origins.share` AS origin_share, cause_event_id, replaces_event_id,
    replaces_kind, sender, n, `attributes.name` AS attribute, `attributes.unit` AS attribute_unit,
    `attributes.quality` AS attribute_quality, `attributes.value_micro` AS attribute_micro,
    `shares.dimension` AS share_dimension, `shares.label` AS share_label, `shares.share` AS share,
    `metal_origins.analyte` AS metal_origin_analyte, `metal_origins.id` AS metal_origin,
    `metal_origins.share` AS metal_origin_share,
    reinterpret(mass_wet_g, 'Decimal(18, 3)') AS mass_wet_kg,
    reinterpret(mass_dry_g, 'Decimal(18, 3)') AS mass_dry_kg,
    mapFromArrays(`metals.analyte`, arrayMap(v -> reinterpret(v, 'Decimal(18, 6)'), `metals.value_mg`)) AS metal_kg
FROM custody.transfer
COMMENT 'Every movement of an amount from one account (debit) to another (credit); compensations are rows of their own with amounts negated, so that sums are right.';

CREATE OR REPLACE VIEW custody.v_alerts
(
    `alert_id` String COMMENT 'Alert. Unit: none. Source: worker, from rule group and subject.',
    `version` Int32 COMMENT 'Version of the alert, from 1. Unit: count. Source: worker.',
    `state` LowCardinality(String) COMMENT 'Lifecycle state. Unit: none. Source: worker.',
    `rule` LowCardinality(String) COMMENT 'Rule that raised it. Unit: none. Source: worker.',
    `family` LowCardinality(String) COMMENT 'What it says has happened. Unit: none. Source: worker.',
    `severity` LowCardinality(String) COMMENT 'How bad, for example high. Unit: none. Source: rule.',
    `subject` String COMMENT 'What it is about, as a path such as lot/L-24-0117. Unit: none. Source: worker.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    `process_id` Nullable(String) COMMENT 'Process. Unit: none. Source: sender; null where none is meant.',
    `movement_id` Nullable(String) COMMENT 'Joins all records of one vehicle trip. Unit: none. Source: sender; null where unknown.',
    `occurred_at` DateTime64(6, 'UTC') COMMENT 'When it happened (EPCIS eventTime). Unit: UTC. Source: sender.',
    `raised_at` DateTime64(6, 'UTC') COMMENT 'recorded_at of that fact. Unit: UTC. Source: worker.',
    `onset_at` Nullable(DateTime64(6, 'UTC')) COMMENT 'Estimated onset. Unit: UTC. Source: rule.',
    `size` Float64 COMMENT 'Estimated size of the deviation. Unit: field unit. Source: worker.',
    `size_u` Float64 COMMENT 'Standard uncertainty of the size. Unit: field unit. Source: worker.',
    `unit` LowCardinality(String) COMMENT 'Unit of size and size_u. Unit: none. Source: worker.',
    `statistic` LowCardinality(String) COMMENT 'Name of the statistic, for example z or e_value. Unit: none. Source: rule.',
    `value` Float64 COMMENT 'Value of the statistic, finite. Unit: none. Source: rule.',
    `threshold` Float64 COMMENT 'Threshold of the statistic. Unit: none. Source: rule.',
    `threshold_basis` LowCardinality(String) COMMENT 'What the threshold rests on, for example proved or simulated. Unit: none. Source: rule.',
    `reason` String COMMENT 'Why, in words. Unit: none. Source: sender or worker.',
    `cause` Nullable(String) COMMENT 'What changed the alert when it was not new evidence. Unit: none. Source: worker.',
    `actor` LowCardinality(Nullable(String)) COMMENT 'Person whose action made this version. Unit: none. Source: action.',
    `action_id` Nullable(String) COMMENT 'event_id of that action. Unit: none. Source: action.',
    `raised_by_event_id` String COMMENT 'Fact that took the evidence over the threshold. Unit: none. Source: worker.',
    `onset_event_id` Nullable(String) COMMENT 'First fact that belongs to the change. Unit: none. Source: worker.',
    `onset_u_s` Nullable(Float64) COMMENT 'Standard uncertainty of the onset. Unit: seconds. Source: rule.',
    `posterior_family` Array(LowCardinality(String)) COMMENT 'What it says has happened. Unit: none. Source: worker.',
    `posterior_probability` Array(Float64) COMMENT 'Probability. Unit: fraction 0 to 1. Source: rule.',
    `evidence_quantity` Array(LowCardinality(String)) COMMENT 'Name of what was seen or compared. Unit: none. Source: worker.',
    `evidence_analyte` Array(LowCardinality(Nullable(String))) COMMENT 'Analyte the quantity is of; null for a mass. Unit: none. Source: rule.',
    `evidence_expected` Array(Float64) COMMENT 'Value expected. Unit: field unit. Source: rule.',
    `evidence_observed` Array(Float64) COMMENT 'Value observed. Unit: field unit. Source: rule.',
    `evidence_u` Array(Float64) COMMENT 'Standard uncertainty of observed minus expected. Unit: field unit. Source: rule.',
    `evidence_z` Array(Float64) COMMENT '(observed - expected) / u. Unit: none. Source: rule.',
    `evidence_unit` Array(LowCardinality(String)) COMMENT 'Unit of expected, observed and u. Unit: none. Source: rule.',
    `evidence_event_ids` Array(Array(String)) COMMENT 'Facts it rests on. Unit: none. Source: rule.',
    `evidence_instruments` Array(Array(String)) COMMENT 'Instruments and laboratories it rests on. Unit: none. Source: rule.',
    `sender` LowCardinality(String) COMMENT 'Who numbers this record: worker/<partition> or audit/<partition>. Unit: none. Source: writer.',
    `n` Int64 COMMENT 'Number of the record in its sending partition, growing over all output topics. Unit: count. Source: writer.',
    `assignee` Nullable(String) COMMENT 'Who is to see to it; null for nobody. Unit: none. Source: user.',
    `until` Nullable(DateTime64(6, 'UTC')) COMMENT 'End of shelving of a shelved alert; null where only a person ends it. Unit: UTC. Source: user.',
    `resolution` LowCardinality(Nullable(String)) COMMENT 'What a resolved alert turned out to be. Unit: none. Source: user.',
    `said_at` DateTime64(3, 'UTC') COMMENT 'When the worker said this version. Unit: UTC. Source: Kafka timestamp.'
)
AS SELECT
    alert_id, version, state, rule, family, severity, subject, lot_id, process_id, movement_id,
    occurred_at, raised_at, onset_at, size, size_u, unit, statistic, record_value AS value,
    threshold, threshold_basis, reason, cause, actor, action_id, raised_by_event_id,
    onset_event_id, onset_u_s, `posterior.family` AS posterior_family,
    `posterior.probability` AS posterior_probability, `evidence.quantity` AS evidence_quantity,
    `evidence.analyte` AS evidence_analyte, `evidence.expected` AS evidence_expected,
    `evidence.observed` AS evidence_observed, `evidence.u` AS evidence_u,
    `evidence.z` AS evidence_z, `evidence.unit` AS evidence_unit,
    `evidence.event_ids` AS evidence_event_ids, `evidence.instruments` AS evidence_instruments,
    sender, n, assignee, until, resolution, timestamp AS said_at
FROM custody.alert
ORDER BY alert_id, version DESC, n DESC
LIMIT 1 BY alert_id
COMMENT 'The latest version of each alert.';

CREATE OR REPLACE VIEW custody.v_alert_history
(
    `alert_id` String COMMENT 'Alert. Unit: none. Source: worker, from rule group and subject.',
    `version` Int32 COMMENT 'Version of the alert, from 1. Unit: count. Source: worker.',
    `state` LowCardinality(String) COMMENT 'Lifecycle state. Unit: none. Source: worker.',
    `rule` LowCardinality(String) COMMENT 'Rule that raised it. Unit: none. Source: worker.',
    `family` LowCardinality(String) COMMENT 'What it says has happened. Unit: none. Source: worker.',
    `severity` LowCardinality(String) COMMENT 'How bad, for example high. Unit: none. Source: rule.',
    `subject` String COMMENT 'What it is about, as a path such as lot/L-24-0117. Unit: none. Source: worker.',
    `lot_id` String COMMENT 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    `process_id` Nullable(String) COMMENT 'Process. Unit: none. Source: sender; null where none is meant.',
    `movement_id` Nullable(String) COMMENT 'Joins all records of one vehicle trip. Unit: none. Source: sender; null where unknown.',
    `occurred_at` DateTime64(6, 'UTC') COMMENT 'When it happened (EPCIS eventTime). Unit: UTC. Source: sender.',
    `raised_at` DateTime64(6, 'UTC') COMMENT 'recorded_at of that fact. Unit: UTC. Source: worker.',
    `onset_at` Nullable(DateTime64(6, 'UTC')) COMMENT 'Estimated onset. Unit: UTC. Source: rule.',
    `size` Float64 COMMENT 'Estimated size of the deviation. Unit: field unit. Source: worker.',
    `size_u` Float64 COMMENT 'Standard uncertainty of the size. Unit: field unit. Source: worker.',
    `unit` LowCardinality(String) COMMENT 'Unit of size and size_u. Unit: none. Source: worker.',
    `statistic` LowCardinality(String) COMMENT 'Name of the statistic, for example z or e_value. Unit: none. Source: rule.',
    `value` Float64 COMMENT 'Value of the statistic, finite. Unit: none. Source: rule.',
    `threshold` Float64 COMMENT 'Threshold of the statistic. Unit: none. Source: rule.',
    `threshold_basis` LowCardinality(String) COMMENT 'What the threshold rests on, for example proved or simulated. Unit: none. Source: rule.',
    `reason` String COMMENT 'Why, in words. Unit: none. Source: sender or worker.',
    `cause` Nullable(String) COMMENT 'What changed the alert when it was not new evidence. Unit: none. Source: worker.',
    `actor` LowCardinality(Nullable(String)) COMMENT 'Person whose action made this version. Unit: none. Source: action.',
    `action_id` Nullable(String) COMMENT 'event_id of that action. Unit: none. Source: action.',
    `raised_by_event_id` String COMMENT 'Fact that took the evidence over the threshold. Unit: none. Source: worker.',
    `onset_event_id` Nullable(String) COMMENT 'First fact that belongs to the change. Unit: none. Source: worker.',
    `onset_u_s` Nullable(Float64) COMMENT 'Standard uncertainty of the onset. Unit: seconds. Source: rule.',
    `posterior_family` Array(LowCardinality(String)) COMMENT 'What it says has happened. Unit: none. Source: worker.',
    `posterior_probability` Array(Float64) COMMENT 'Probability. Unit: fraction 0 to 1. Source: rule.',
    `evidence_quantity` Array(LowCardinality(String)) COMMENT 'Name of what was seen or compared. Unit: none. Source: worker.',
    `evidence_analyte` Array(LowCardinality(Nullable(String))) COMMENT 'Analyte the quantity is of; null for a mass. Unit: none. Source: rule.',
    `evidence_expected` Array(Float64) COMMENT 'Value expected. Unit: field unit. Source: rule.',
    `evidence_observed` Array(Float64) COMMENT 'Value observed. Unit: field unit. Source: rule.',
    `evidence_u` Array(Float64) COMMENT 'Standard uncertainty of observed minus expected. Unit: field unit. Source: rule.',
    `evidence_z` Array(Float64) COMMENT '(observed - expected) / u. Unit: none. Source: rule.',
    `evidence_unit` Array(LowCardinality(String)) COMMENT 'Unit of expected, observed and u. Unit: none. Source: rule.',
    `evidence_event_ids` Array(Array(String)) COMMENT 'Facts it rests on. Unit: none. Source: rule.',
    `evidence_instruments` Array(Array(String)) COMMENT 'Instruments and laboratories it rests on. Unit: none. Source: rule.',
    `sender` LowCardinality(String) COMMENT 'Who numbers this record: worker/<partition> or audit/<partition>. Unit: none. Source: writer.',
    `n` Int64 COMMENT 'Number of the record in its sending partition, growing over all output topics. Unit: count. Source: writer.',
    `assignee` Nullable(String) COMMENT 'Who is to see to it; null for nobody. Unit: none. Source: user.',
    `until` Nullable(DateTime64(6, 'UTC')) COMMENT 'End of shelving of a shelved alert; null where only a person ends it. Unit: UTC. Source: user.',
    `resolution` LowCardinality(Nullable(String)) COMMENT 'What a resolved alert turned out to be. Unit: none. Source: user.',
    `said_at` DateTime64(3, 'UTC') COMMENT 'When the worker said this version. Unit: UTC. Source: Kafka timestamp.'
)
AS SELECT
    alert_id, version, state, rule, family, severity, subject, lot_id, process_id, movement_id,
    occurred_at, raised_at, onset_at, size, size_u, unit, statistic, record_value AS value,
    threshold, threshold_basis, reason, cause, actor, action_id, raised_by_event_id,
    onset_event_id, onset_u_s, `posterior.family` AS posterior_family,
    `posterior.probability` AS posterior_probability, `evidence.quantity` AS evidence_quantity,
    `evidence.analyte` AS evidence_analyte, `evidence.expected` AS evidence_expected,
    `evidence.observed` AS evidence_observed, `evidence.u` AS evidence_u,
    `evidence.z` AS evidence_z, `evidence.unit` AS evidence_unit,
    `evidence.event_ids` AS evidence_event_ids, `evidence.instruments` AS evidence_instruments,
    sender, n, assignee, until, resolution, timestamp AS said_at
FROM custody.alert
ORDER BY alert_id, version, n DESC
LIMIT 1 BY alert_id, version
COMMENT 'Every version of every alert: what opened it, what changed, who acted, what took it back.';

ALTER TABLE custody.v_postings
    COMMENT COLUMN account 'Account, as a path such as lot/L-24-0117/MINE-KOV.',
    COMMENT COLUMN other_account 'Account at the other end of the transfer.',
    COMMENT COLUMN side 'debit or credit: which end of the transfer the account is.',
    COMMENT COLUMN class 'mass, metal or attribute.',
    COMMENT COLUMN quantity 'wet, dry, an analyte or an attribute.',
    COMMENT COLUMN unit 'Unit of the amount: g, mg or micro <unit>.',
    COMMENT COLUMN quality 'How an attribute is known; empty for masses and metals.',
    COMMENT COLUMN amount 'Amount in unit; what enters the account is positive.',
    COMMENT COLUMN effective_at 'When it was so. Unit: UTC. Source: the cause\'s occurred_at.',
    COMMENT COLUMN known_at 'When the record that made it so was recorded. Unit: UTC. Source: the cause\'s recorded_at.',
    COMMENT COLUMN kind 'Kind of transfer, with cause_event_id its identity within the owner. Unit: none. Source: ledger.',
    COMMENT COLUMN lot_id 'Lot it is about; empty for records about a device or a process. Unit: none. Source: sender.',
    COMMENT COLUMN process_id 'Process. Unit: none. Source: sender; null where none is meant.',
    COMMENT COLUMN movement_id 'Joins all records of one vehicle trip. Unit: none. Source: sender; null where unknown.',
    COMMENT COLUMN cause_event_id 'event_id of the fact that made this record. Unit: none. Source: worker.',
    COMMENT COLUMN replaces_event_id 'cause_event_id of the transfer this one compensates: the last before it (same sender, debit and credit). Unit: none. Source: ledger.',
    COMMENT COLUMN sender 'Who numbers this record: worker/<partition> or audit/<partition>. Unit: none. Source: writer.',
    COMMENT COLUMN n 'Number of the record in its sending partition, growing over all output topics. Unit: count. Source: writer.';

ALTER TABLE custody.v_account_proof
    COMMENT COLUMN account 'Account of a lot or process, as a path.',
    COMMENT COLUMN class 'mass, metal or attribute.',
    COMMENT COLUMN quantity 'wet, dry, an analyte or an attribute.',
    COMMENT COLUMN unit 'Unit of the amounts: g, mg or micro <unit>.',
    COMMENT COLUMN quality 'How an attribute is known; empty for masses and metals.',
    COMMENT COLUMN by_transfers 'Sum of all transfers, in unit.',
    COMMENT COLUMN by_balance 'Latest balance, in unit.',
    COMMENT COLUMN difference 'by_transfers less by_balance, in unit; 0 where the books are right.';

ALTER TABLE custody.v_dead_letters
    COMMENT COLUMN topic 'Topic it stood on.',
    COMMENT COLUMN partition 'Partition it stood on.',
    COMMENT COLUMN offset 'Offset it stood at.',
    COMMENT COLUMN timestamp 'Kafka timestamp of the record. Unit: UTC.',
    COMMENT COLUMN reason 'Why it could not be read.',
    COMMENT COLUMN detail 'What exactly was wrong.',
    COMMENT COLUMN key 'Its key, untouched. Unit: bytes.',
    COMMENT COLUMN value 'Its value, untouched. Unit: bytes.',
    COMMENT COLUMN header_names 'Names of its headers.',
    COMMENT COLUMN header_values 'Values of its headers, in the order of header_names. Unit: bytes.',
    COMMENT COLUMN found_at 'When the sink found it. Unit: UTC.';

ALTER TABLE custody.v_complete_to
    COMMENT COLUMN gateway_id 'Gateway.',
    COMMENT COLUMN gateway_epoch 'Incarnation of its outbox.',
    COMMENT COLUMN complete_seq 'Number up to which every record is a row. Unit: count.',
    COMMENT COLUMN last_seq 'Greatest number that is a row. Unit: count.',
    COMMENT COLUMN complete_to 'Everything the gateway took until then is a row; null before its first head. Unit: UTC.';
