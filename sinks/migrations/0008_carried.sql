-- What travels with the mass: origins of each metal, shares by stage, attributes as amounts.
ALTER TABLE custody.transfer
    ADD COLUMN IF NOT EXISTS `metal_origins.analyte` Array(LowCardinality(String)) COMMENT 'Element or compound as reported, for example Cu or Li2O. Unit: none. Source: sender.',
    ADD COLUMN IF NOT EXISTS `metal_origins.level` Array(String) COMMENT 'How finely the origin is known. Unit: none. Source: sender, carried on by the ledger.',
    ADD COLUMN IF NOT EXISTS `metal_origins.id` Array(String) COMMENT 'Id of the site, region or country; empty when unknown. Unit: none. Source: ledger.',
    ADD COLUMN IF NOT EXISTS `metal_origins.share` Array(Float64) COMMENT 'Share of the contained metal. Unit: fraction 0 to 1. Source: sender, carried on by the ledger.',
    ADD COLUMN IF NOT EXISTS `shares.dimension` Array(String) COMMENT 'Stage (mined, refined, metal, magnet), recycled, verified, or score/<scheme>. Unit: none. Source: ledger.',
    ADD COLUMN IF NOT EXISTS `shares.label` Array(String) COMMENT 'Country of a stage (ISO 3166-1 alpha-2), band of a score, or yes. Unit: none. Source: ledger.',
    ADD COLUMN IF NOT EXISTS `shares.share` Array(Float64) COMMENT 'Share of the dry mass. Unit: fraction 0 to 1. Source: ledger.',
    ADD COLUMN IF NOT EXISTS `attributes.name` Array(LowCardinality(String)) COMMENT 'Name of the attribute. Unit: none. Source: sender.',
    ADD COLUMN IF NOT EXISTS `attributes.unit` Array(LowCardinality(String)) COMMENT 'Unit of the amount. Unit: none. Source: sender.',
    ADD COLUMN IF NOT EXISTS `attributes.quality` Array(String) COMMENT 'How it is known: measured, declared, default. Unit: none. Source: sender.',
    ADD COLUMN IF NOT EXISTS `attributes.value_micro` Array(Int64) COMMENT 'Amount. Unit: millionths of the named unit. Source: ledger.';

ALTER TABLE custody.balance
    ADD COLUMN IF NOT EXISTS `metal_origins.analyte` Array(LowCardinality(String)) COMMENT 'Element or compound as reported, for example Cu or Li2O. Unit: none. Source: sender.',
    ADD COLUMN IF NOT EXISTS `metal_origins.level` Array(String) COMMENT 'How finely the origin is known. Unit: none. Source: sender, carried on by the ledger.',
    ADD COLUMN IF NOT EXISTS `metal_origins.id` Array(String) COMMENT 'Id of the site, region or country; empty when unknown. Unit: none. Source: ledger.',
    ADD COLUMN IF NOT EXISTS `metal_origins.share` Array(Float64) COMMENT 'Share of the contained metal. Unit: fraction 0 to 1. Source: sender, carried on by the ledger.',
    ADD COLUMN IF NOT EXISTS `shares.dimension` Array(String) COMMENT 'Stage (mined, refined, metal, magnet), recycled, verified, or score/<scheme>. Unit: none. Source: ledger.',
    ADD COLUMN IF NOT EXISTS `shares.label` Array(String) COMMENT 'Country of a stage (ISO 3166-1 alpha-2), band of a score, or yes. Unit: none. Source: ledger.',
    ADD COLUMN IF NOT EXISTS `shares.share` Array(Float64) COMMENT 'Share of the dry mass. Unit: fraction 0 to 1. Source: ledger.',
    ADD COLUMN IF NOT EXISTS `attributes.name` Array(LowCardinality(String)) COMMENT 'Name of the attribute. Unit: none. Source: sender.',
    ADD COLUMN IF NOT EXISTS `attributes.unit` Array(LowCardinality(String)) COMMENT 'Unit of the amount. Unit: none. Source: sender.',
    ADD COLUMN IF NOT EXISTS `attributes.quality` Array(String) COMMENT 'How it is known: measured, declared, default. Unit: none. Source: sender.',
    ADD COLUMN IF NOT EXISTS `attributes.value_micro` Array(Int64) COMMENT 'Amount. Unit: millionths of the named unit. Source: ledger.';

ALTER TABLE custody.content
    ADD COLUMN IF NOT EXISTS `metal_origins.analyte` Array(LowCardinality(String)) COMMENT 'Element or compound as reported, for example Cu or Li2O. Unit: none. Source: sender.',
    ADD COLUMN IF NOT EXISTS `metal_origins.level` Array(String) COMMENT 'How finely the origin is known. Unit: none. Source: sender, carried on by the ledger.',
    ADD COLUMN IF NOT EXISTS `metal_origins.id` Array(String) COMMENT 'Id of the site, region or country; empty when unknown. Unit: none. Source: ledger.',
    ADD COLUMN IF NOT EXISTS `metal_origins.share` Array(Float64) COMMENT 'Share of the contained metal. Unit: fraction 0 to 1. Source: sender, carried on by the ledger.',
    ADD COLUMN IF NOT EXISTS `shares.dimension` Array(String) COMMENT 'Stage (mined, refined, metal, magnet), recycled, verified, or score/<scheme>. Unit: none. Source: ledger.',
    ADD COLUMN IF NOT EXISTS `shares.label` Array(String) COMMENT 'Country of a stage (ISO 3166-1 alpha-2), band of a score, or yes. Unit: none. Source: ledger.',
    ADD COLUMN IF NOT EXISTS `shares.share` Array(Float64) COMMENT 'Share of the dry mass. Unit: fraction 0 to 1. Source: ledger.',
    ADD COLUMN IF NOT EXISTS `attributes.name` Array(LowCardinality(String)) COMMENT 'Name of the attribute. Unit: none. Source: sender.',
    ADD COLUMN IF NOT EXISTS `attributes.unit` Array(LowCardinality(String)) COMMENT 'Unit of the amount. Unit: none. Source: sender.',
    ADD COLUMN IF NOT EXISTS `attributes.quality` Array(String) COMMENT 'How it is known: measured, declared, default. Unit: none. Source: sender.',
    ADD COLUMN IF NOT EXISTS `attributes.value_micro` Array(Int64) COMMENT 'Amount. Unit: millionths of the named unit. Source: ledger.';

ALTER TABLE custody.lot
    ADD COLUMN IF NOT EXISTS `contract_id` Nullable(String) COMMENT 'Contract the lot is sold under. Unit: none. Source: sender; reference kind contract; null where none is named.';

ALTER TABLE custody.processing
    ADD COLUMN IF NOT EXISTS `attributes.name` Array(LowCardinality(String)) COMMENT 'What it is an amount of, for example ghg. Unit: none. Source: sender.',
    ADD COLUMN IF NOT EXISTS `attributes.amount` Array(Float64) COMMENT 'The amount. Unit: field unit, per field per. Source: sender.',
    ADD COLUMN IF NOT EXISTS `attributes.unit` Array(LowCardinality(String)) COMMENT 'Unit of the amount, for example kgCO2e. Unit: none. Source: sender.',
    ADD COLUMN IF NOT EXISTS `attributes.per` Array(String) COMMENT 'What the amount is per: total, t_wet, t_dry or t_<analyte>. Unit: none. Source: sender.',
    ADD COLUMN IF NOT EXISTS `attributes.quality` Array(LowCardinality(String)) COMMENT 'Data quality. Unit: none. Source: sender.',
    ADD COLUMN IF NOT EXISTS `attributes.source` Array(LowCardinality(Nullable(String))) COMMENT 'Where the amount comes from, for example an audit. Unit: none. Source: sender.';
