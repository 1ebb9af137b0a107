"""Every posting of a lot, as SQL: what its accounts got and gave, signed, a row per quantity.

A lot's own transfers are found by the sorting key; those that brought it out of a process are the
process's, without a lot, and found by their places in ``edge``. The views know no such way in:
asked for one lot of 250,000 they read all transfers.
"""

OF_LOT = """
(
    SELECT
        account, posted.1 AS class, posted.2 AS quantity, posted.3 AS unit, posted.4 AS quality,
        way * posted.5 AS amount, effective_at, known_at, kind, cause_event_id, replaces_event_id
    FROM
    (
        SELECT *, side.1 AS account, side.2 AS way
        FROM
        (
            SELECT * FROM transfer WHERE lot_id = {lot:String}
            UNION ALL
            SELECT * FROM transfer
            WHERE lot_id = '' AND (effective_at, sender, n) IN (
                SELECT effective_at, sender, n FROM edge
                WHERE child = concat('lot/', {lot:String}))
        )
        ARRAY JOIN [(debit, -1), (credit, 1)] AS side
        WHERE startsWith(account, concat('lot/', {lot:String}, '/'))
            AND effective_at <= {at:DateTime64(6, 'UTC')}
            AND known_at <= {known:DateTime64(6, 'UTC')}
    )
    ARRAY JOIN arrayConcat(
        [('mass', 'wet', 'g', '', mass_wet_g), ('mass', 'dry', 'g', '', mass_dry_g)],
        arrayMap((a, v) -> ('metal', a::String, 'mg', '', v),
            `metals.analyte`, `metals.value_mg`),
        arrayMap((a, u, q, v) -> ('attribute', a::String, concat('micro ', u), q, v),
            `attributes.name`, `attributes.unit`, `attributes.quality`, `attributes.value_micro`)
    ) AS posted
)
"""
"""Parameters: ``lot``, ``at`` and ``known``, both of which count themselves."""
