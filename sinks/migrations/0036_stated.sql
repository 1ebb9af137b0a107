-- Which mass of an output somebody stated, and which metals nobody has measured yet.
ALTER TABLE custody.content
    ADD COLUMN IF NOT EXISTS `metals.expected` Array(Bool) COMMENT 'Nobody measured it: it is what a separation is expected to have given. Unit: none. Source: ledger.' AFTER `metals.u_systematic_mg.u`,
    ADD COLUMN IF NOT EXISTS `mass_stated` Nullable(String) COMMENT 'dry where the side of a process states its dry mass, both where it states its wet mass beside it; null where it states the wet one alone. Unit: none. Source: ledger.';
ALTER TABLE custody.balance
    ADD COLUMN IF NOT EXISTS `metals.expected` Array(Bool) COMMENT 'Nobody measured it: it is what a separation is expected to have given. Unit: none. Source: ledger.' AFTER `metals.u_systematic_mg.u`;
