-- What an e-value rests on, so that whoever reads an alert can do the sums again.
ALTER TABLE custody.alert
    ADD COLUMN IF NOT EXISTS `posterior.ln_e` Array(Float64) COMMENT 'Natural logarithm of what the family adds to an e-value; 0 where the statistic is none. Unit: none. Source: rule.' AFTER `posterior.probability`,
    ADD COLUMN IF NOT EXISTS `evidence.shift` Array(Float64) COMMENT 'What the named family, at its size, adds to z; 0 where the rule names none. Unit: none. Source: rule.' AFTER `evidence.instruments`,
    ADD COLUMN IF NOT EXISTS `evidence.ln_ratio` Array(Float64) COMMENT 'Natural logarithm of the likelihood ratio this quantity gives the named family: shift z - shift^2 / 2. Unit: none. Source: rule.' AFTER `evidence.shift`,
    ADD COLUMN IF NOT EXISTS `gated.event_id` Array(String) COMMENT 'The shot. Unit: none. Source: its fact.',
    ADD COLUMN IF NOT EXISTS `gated.device_id` Array(LowCardinality(String)) COMMENT 'Instrument. Unit: none. Source: its fact.',
    ADD COLUMN IF NOT EXISTS `gated.site_id` Array(LowCardinality(String)) COMMENT 'Where it was taken. Unit: none. Source: its fact.',
    ADD COLUMN IF NOT EXISTS `gated.why` Array(String) COMMENT 'disagrees, further or undecided. Unit: none. Source: rule.',
    ADD COLUMN IF NOT EXISTS `gated.value` Array(Float64) COMMENT 'Chi-square of its distance to the nearest shot. Unit: none. Source: rule.',
    ADD COLUMN IF NOT EXISTS `gated.threshold` Array(Float64) COMMENT 'Limit of that distance. Unit: none. Source: rule.',
    ADD COLUMN IF NOT EXISTS `unobserved` Array(String) COMMENT 'Analytes declared or typical of the origin that nothing measured of the lot can see. Unit: none. Source: rule.',
    ADD COLUMN IF NOT EXISTS `detectable.family` Array(LowCardinality(String)) COMMENT 'What would have happened. Unit: none. Source: worker.',
    ADD COLUMN IF NOT EXISTS `detectable.size` Array(Float64) COMMENT 'Size. Unit: that of the alert\'s size. Source: rule.',
    ADD COLUMN IF NOT EXISTS `calibrations.device_id` Array(LowCardinality(String)) COMMENT 'Instrument. Unit: none. Source: facts.',
    ADD COLUMN IF NOT EXISTS `calibrations.until` Array(Nullable(DateTime64(6, 'UTC'))) COMMENT 'First moment out of calibration; null where reference data says nothing. Unit: UTC. Source: reference data.';
