ALTER TABLE custody.balance_local ON CLUSTER 'ore'
    ADD INDEX IF NOT EXISTS ix_lot_id `lot_id` TYPE bloom_filter(0.01) GRANULARITY 1;

ALTER TABLE custody.balance_local ON CLUSTER 'ore' MATERIALIZE INDEX ix_lot_id;
