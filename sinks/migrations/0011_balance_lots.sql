-- Balances of one lot are asked for by lot, for its origins; the table is in order of account, so a
-- few granules hold them.
ALTER TABLE custody.balance
    ADD INDEX IF NOT EXISTS ix_lot_id `lot_id` TYPE bloom_filter(0.01) GRANULARITY 1;

ALTER TABLE custody.balance MATERIALIZE INDEX ix_lot_id;
