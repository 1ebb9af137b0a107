-- What every column of every view means, in one place. The engine keeps no column of a view with
-- parameters, so those stand here; a test compares them with what the views answer.
CREATE OR REPLACE VIEW custody.v_lineage AS
WITH RECURSIVE up AS
(
    SELECT toUInt16(0) AS step, concat('lot/', {lot:String}) AS node
    UNION ALL
    SELECT DISTINCT step, node
    FROM
    (
        SELECT toUInt16(any(up.step) + 1) AS step, e.parent AS node
        FROM custody.edge AS e
        INNER JOIN up ON e.child = up.node
        WHERE up.step < 20
        GROUP BY e.child, e.parent
        HAVING sum(e.mass_wet_g) != 0 OR sum(e.mass_dry_g) != 0
    )
)
SELECT
    min(u.step) AS step, v.parent AS parent, v.child AS child, any(v.mass_wet_g) AS mass_wet_g,
    any(v.mass_dry_g) AS mass_dry_g, any(v.analyte) AS analyte, any(v.metal_mg) AS metal_mg,
    reinterpret(any(v.mass_wet_g), 'Decimal(18, 3)') AS mass_wet_kg,
    reinterpret(any(v.mass_dry_g), 'Decimal(18, 3)') AS mass_dry_kg,
    mapFromArrays(
        any(v.analyte), arrayMap(m -> reinterpret(m, 'Decimal(18, 6)'), any(v.metal_mg))
    ) AS metal_kg
FROM custody.v_edges AS v
INNER JOIN up AS u ON v.child = u.node
WHERE u.step < 20
GROUP BY parent, child
ORDER BY step, child, parent
COMMENT 'v_lineage(lot = ...): what a lot was made of, an edge per row, ten processes back; as now known.';

CREATE OR REPLACE VIEW custody.v_columns
(
    `view` String COMMENT 'View; with parameters it is called like a function.',
    `position` UInt64 COMMENT 'Place of the column in it, from 1. Unit: count.',
    `name` String COMMENT 'Column.',
    `type` String COMMENT 'Its type; empty for views with parameters, which DESCRIBE tells.',
    `meaning` String COMMENT 'What it means, and its unit.'
)
AS SELECT toString(table) AS view, toUInt64(position) AS position, name, type, comment AS meaning
FROM system.columns
WHERE database = 'custody' AND startsWith(table, 'v_')
UNION ALL
SELECT told.1, toUInt64(told.2), told.3, '', told.4
FROM
(
    SELECT arrayJoin([
        ('v_lot_balance_at', 1, 'lot_id', 'Lot.'),
        ('v_lot_balance_at', 2, 'place', 'Site, or transit.'),
        ('v_lot_balance_at', 3, 'account', 'Account, as a path.'),
        ('v_lot_balance_at', 4, 'class', 'mass, metal or attribute.'),
        ('v_lot_balance_at', 5, 'quantity', 'wet, dry, an analyte or an attribute.'),
        ('v_lot_balance_at', 6, 'unit', 'Unit of value and of every u: g, mg or micro <unit>.'),
        ('v_lot_balance_at', 7, 'quality', 'How an attribute is known; empty for masses and metals.'),
        ('v_lot_balance_at', 8, 'value', 'What the lot held, exactly; in unit.'),
        ('v_lot_balance_at', 9, 'u_standing', 'Which balance u is of: then, later (facts came out of order) or none.'),
        ('v_lot_balance_at', 10, 'u_known_at', 'When that balance became known. Unit: UTC.'),
        ('v_lot_balance_at', 11, 'scale', 'What its u was multiplied with, where the amount differs. Unit: none.'),
        ('v_lot_balance_at', 12, 'u_random', 'Random part of u, in unit.'),
        ('v_lot_balance_at', 13, 'u_source', 'Devices, laboratories and tables the systematic parts come from.'),
        ('v_lot_balance_at', 14, 'u_systematic', 'Systematic parts of u, signed, in the order of u_source; in unit.'),
        ('v_lot_balance_at', 15, 'u', 'Combined standard uncertainty, in unit; null where it is not known.'),
        ('v_stock_at', 1, 'site_id', 'Site, or transit.'),
        ('v_stock_at', 2, 'class', 'mass, metal or attribute.'),
        ('v_stock_at', 3, 'quantity', 'wet, dry, an analyte or an attribute.'),
        ('v_stock_at', 4, 'unit', 'Unit of value and of every u: g, mg or micro <unit>.'),
        ('v_stock_at', 5, 'quality', 'How an attribute is known; empty for masses and metals.'),
        ('v_stock_at', 6, 'lots', 'Lots that held some of it. Unit: count.'),
        ('v_stock_at', 7, 'value', 'What lay there, exactly; in unit.'),
        ('v_stock_at', 8, 'u_random', 'Random parts added in squares, in unit.'),
        ('v_stock_at', 9, 'sources', 'Systematic parts by source, added straight: names and u in unit.'),
        ('v_stock_at', 10, 'without_u', 'Lots whose u is not known and not in u. Unit: count.'),
        ('v_stock_at', 11, 'u', 'Combined standard uncertainty of the sum, in unit; null for attributes.'),
        ('v_metal_balance', 1, 'site_id', 'Site, or transit.'),
        ('v_metal_balance', 2, 'class', 'mass, metal or attribute.'),
        ('v_metal_balance', 3, 'quantity', 'wet, dry, an analyte or an attribute.'),
        ('v_metal_balance', 4, 'unit', 'Unit of all lines: g, mg or micro <unit>.'),
        ('v_metal_balance', 5, 'quality', 'How an attribute is known; empty for masses and metals.'),
        ('v_metal_balance', 6, 'opening', 'What lay there when the period began, in unit.'),
        ('v_metal_balance', 7, 'from_origin', 'Mined: from the ground by a first weighing, in unit.'),
        ('v_metal_balance', 8, 'receipts', 'Came from other places, in unit.'),
        ('v_metal_balance', 9, 'bought', 'Came from outside the books, in unit.'),
        ('v_metal_balance', 10, 'process_out', 'Came out of processes, in unit.'),
        ('v_metal_balance', 11, 'shipments', 'Left for other places, negative; in unit.'),
        ('v_metal_balance', 12, 'sold', 'Left the books, negative; in unit.'),
        ('v_metal_balance', 13, 'process_in', 'Went into processes, negative; in unit.'),
        ('v_metal_balance', 14, 'restated', 'What better measurements and stocktakings added or took, in unit.'),
        ('v_metal_balance', 15, 'other', 'Anything else, in unit; 0 in sound books.'),
        ('v_metal_balance', 16, 'closing', 'What lay there when the period ended: the sum of the lines, in unit.'),
        ('v_unaccounted', 1, 'found_in', 'leg, stock or process.'),
        ('v_unaccounted', 2, 'site_id', 'Site where the leg ends, the stock lies or the process stands.'),
        ('v_unaccounted', 3, 'account', 'Account it was missing from, as a path.'),
        ('v_unaccounted', 4, 'event_id', 'Fact that showed it.'),
        ('v_unaccounted', 5, 'movement_id', 'Vehicle trip; empty where there is none.'),
        ('v_unaccounted', 6, 'class', 'mass, metal or attribute.'),
        ('v_unaccounted', 7, 'quantity', 'wet, dry, an analyte or an attribute.'),
        ('v_unaccounted', 8, 'unit', 'Unit of lost: g, mg or micro <unit>.'),
        ('v_unaccounted', 9, 'quality', 'How an attribute is known; empty for masses and metals.'),
        ('v_unaccounted', 10, 'lost', 'Positive where less was found than was to be, in unit.'),
        ('v_unaccounted', 11, 'effective_at', 'When it was so. Unit: UTC.'),
        ('v_unaccounted', 12, 'sender', 'Worker that posted it.'),
        ('v_unaccounted', 13, 'first_n', 'First number of its postings. Unit: count.'),
        ('v_unaccounted', 14, 'last_n', 'Last number of its postings. Unit: count.'),
        ('v_lineage', 1, 'step', 'Hand-overs from the lot, 0 for what went into it last. Unit: count.'),
        ('v_lineage', 2, 'parent', 'Owner that gave, as a path: lot/<lot> or process/<process>.'),
        ('v_lineage', 3, 'child', 'Owner that received, as a path.'),
        ('v_lineage', 4, 'mass_wet_g', 'Wet mass handed over. Unit: grams.'),
        ('v_lineage', 5, 'mass_dry_g', 'Dry mass handed over. Unit: grams.'),
        ('v_lineage', 6, 'analyte', 'Elements or compounds, in the order of metal_mg.'),
        ('v_lineage', 7, 'metal_mg', 'Contained metal handed over. Unit: milligrams.'),
        ('v_lineage', 8, 'mass_wet_kg', 'Wet mass handed over. Unit: kilograms.'),
        ('v_lineage', 9, 'mass_dry_kg', 'Dry mass handed over. Unit: kilograms.'),
        ('v_lineage', 10, 'metal_kg', 'Contained metal handed over by analyte; metal_kg[\'Cu\']. Unit: kilograms.')
    ]) AS told
)
COMMENT 'Every column of every view, and what it means.';
