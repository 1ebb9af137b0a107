-- What people ask for first. A view is replaced by a new migration, never edited here.
CREATE OR REPLACE VIEW custody.v_lot_balance AS
SELECT
    account, owner, lot_id, process_id, place, status, at, known_at,
    mass_wet_g,
    sqrt(pow(mass_wet_u_random_g, 2) + arraySum(u -> u * u, `mass_wet_u_systematic_g.u`)) AS mass_wet_u_g,
    moisture_fraction, moisture_u_fraction,
    mass_dry_g,
    sqrt(pow(mass_dry_u_random_g, 2) + arraySum(u -> u * u, `mass_dry_u_systematic_g.u`)) AS mass_dry_u_g,
    `metals.analyte` AS analyte,
    `metals.value_mg` AS metal_mg,
    arrayMap((r, s) -> sqrt(r * r + arraySum(u -> u * u, s)), `metals.u_random_mg`, `metals.u_systematic_mg.u`) AS metal_u_mg,
    `origins.id` AS origin,
    `origins.share` AS origin_share,
    sender, n
FROM custody.balance
ORDER BY account, n DESC
LIMIT 1 BY account
COMMENT 'The latest balance of each account: grams, milligrams, combined standard uncertainties.';

CREATE OR REPLACE VIEW custody.v_alerts AS
SELECT
    alert_id, version, state, rule, family, severity, subject, lot_id, process_id, movement_id,
    occurred_at, raised_at, onset_at, size, size_u, unit, statistic, record_value AS value,
    threshold, threshold_basis, reason, cause, actor, action_id, raised_by_event_id,
    onset_event_id, onset_u_s,
    `posterior.family` AS posterior_family, `posterior.probability` AS posterior_probability,
    `evidence.quantity` AS evidence_quantity, `evidence.analyte` AS evidence_analyte,
    `evidence.expected` AS evidence_expected, `evidence.observed` AS evidence_observed,
    `evidence.u` AS evidence_u, `evidence.z` AS evidence_z, `evidence.unit` AS evidence_unit,
    `evidence.event_ids` AS evidence_event_ids, `evidence.instruments` AS evidence_instruments,
    sender, n
FROM custody.alert
ORDER BY alert_id, version DESC, n DESC
LIMIT 1 BY alert_id
COMMENT 'The latest version of each alert.';

CREATE OR REPLACE VIEW custody.v_transfers AS
SELECT
    effective_at, known_at, kind, debit, credit, lot_id, process_id, movement_id,
    mass_wet_g, mass_dry_g, `metals.analyte` AS analyte, `metals.value_mg` AS metal_mg,
    `origins.id` AS origin, `origins.share` AS origin_share,
    cause_event_id, replaces_event_id, replaces_kind, sender, n
FROM custody.transfer
COMMENT 'Every movement of an amount from one account (debit) to another (credit), grams and milligrams.';

CREATE OR REPLACE VIEW custody.v_dead_letters AS
SELECT
    record_topic AS topic, record_partition AS partition, record_offset AS offset,
    fromUnixTimestamp64Milli(timestamp_ms, 'UTC') AS timestamp,
    reason, detail, record_key AS key, record_value AS value, header_names, header_values,
    d.timestamp AS found_at
FROM custody.dead_letter AS d
ORDER BY record_topic, record_partition, record_offset, d.offset
LIMIT 1 BY record_topic, record_partition, record_offset
COMMENT 'Every record that could not be read, once: where it stood, why, and its bytes.';
