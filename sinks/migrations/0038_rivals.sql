-- A residual says who explains of it, and how much.
ALTER TABLE custody.residual
    ADD COLUMN IF NOT EXISTS `figures.rivals` Array(Array(String)) COMMENT 'Who explains of the value, the one that explains most first. Unit: none. Source: worker.',
    ADD COLUMN IF NOT EXISTS `figures.rival_parts` Array(Array(Float64)) COMMENT 'How much each of the rivals explains. Unit: natural logarithm. Source: worker.';
