-- A drift says on how many ways it shows.
ALTER TABLE custody.drift
    ADD COLUMN IF NOT EXISTS `levels.ways` Array(Int32) COMMENT 'Of a composition or a moisture on how many ways it shows, rounded down to a power of two; else 1. Unit: count. Source: worker.';
