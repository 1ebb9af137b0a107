-- Which kind of process an input names: the process compares it with its other sides.
ALTER TABLE custody.content
    ADD COLUMN IF NOT EXISTS `process_kind` Nullable(String) COMMENT 'Kind of process that the side names by which a lot hands this over; null where a process does. Unit: none. Source: ledger.';
