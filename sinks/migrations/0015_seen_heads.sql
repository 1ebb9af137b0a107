-- What a gateway has read of others' heads and signed with its own.
ALTER TABLE custody.head
    ADD COLUMN IF NOT EXISTS `seen.gateway_id` Array(LowCardinality(String)) COMMENT 'Gateway whose head it is. Unit: none. Source: its head.',
    ADD COLUMN IF NOT EXISTS `seen.gateway_epoch` Array(Int32) COMMENT 'Epoch of its outbox. Unit: count. Source: its head.',
    ADD COLUMN IF NOT EXISTS `seen.size` Array(Int64) COMMENT 'Records in its chain. Unit: count. Source: its head.',
    ADD COLUMN IF NOT EXISTS `seen.merkle_root` Array(String) COMMENT 'Root of its Merkle tree. Unit: 32 bytes, SHA-256. Source: its head.';
