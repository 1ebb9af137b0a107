-- A scale that a lot came to again says so with its time, and evidence what its rows have in common.
ALTER TABLE custody.residual
    ADD COLUMN IF NOT EXISTS `figures.occurred_at` Array(Nullable(DateTime64(6, 'UTC'))) COMMENT 'When a scale measured the lot again, of what it read then; null for what it read first. Unit: UTC. Source: the facts.',
    ADD COLUMN IF NOT EXISTS `figures.event_id` Array(Nullable(String)) COMMENT 'The first fact of what it read then; null for what it read first. Unit: none. Source: the facts.',
    ADD COLUMN IF NOT EXISTS `figures.ways` Array(Array(String)) COMMENT 'Ways that what it read then is an end of; empty where it read the lot once, and all ways of the lot are. Unit: none. Source: worker.';
ALTER TABLE custody.alert
    ADD COLUMN IF NOT EXISTS `evidence.u_shared` Array(Float64) COMMENT 'Standard uncertainty that the row has in common with the others, beside u; 0 where the rule knows of none. Unit: field unit. Source: rule.' AFTER `evidence.ln_ratio`;
