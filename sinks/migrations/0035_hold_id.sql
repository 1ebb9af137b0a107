-- Which hold a release ends: two people may hold one lot, each for a reason of his own.
ALTER TABLE custody.action
    ADD COLUMN IF NOT EXISTS `hold_id` Nullable(String) COMMENT 'The hold that a release ends, by its event_id; null for all holds of the lot, or of the load, before it. Unit: none. Source: sender.';
