-- Who sees to an alert, until when it is shelved, how it ended; and holds of a single load.
ALTER TABLE custody.action
    ADD COLUMN IF NOT EXISTS `movement_id` Nullable(String) COMMENT 'The one load that is held or released; null for all of the lot. Unit: none. Source: sender.',
    ADD COLUMN IF NOT EXISTS `assignee` Nullable(String) COMMENT 'Who is to see to the alert; null for nobody. Unit: none. Source: sender.',
    ADD COLUMN IF NOT EXISTS `until` Nullable(DateTime64(6, 'UTC')) COMMENT 'End of shelving; null where only a person ends it. Unit: UTC. Source: sender.',
    ADD COLUMN IF NOT EXISTS `resolution` LowCardinality(Nullable(String)) COMMENT 'What a resolved alert turned out to be. Unit: none. Source: sender.';

ALTER TABLE custody.alert
    ADD COLUMN IF NOT EXISTS `assignee` Nullable(String) COMMENT 'Who is to see to it; null for nobody. Unit: none. Source: user.',
    ADD COLUMN IF NOT EXISTS `until` Nullable(DateTime64(6, 'UTC')) COMMENT 'End of shelving of a shelved alert; null where only a person ends it. Unit: UTC. Source: user.',
    ADD COLUMN IF NOT EXISTS `resolution` LowCardinality(Nullable(String)) COMMENT 'What a resolved alert turned out to be. Unit: none. Source: user.';
