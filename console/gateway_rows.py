"""What is known of gateways from what they sent, as statements."""

NEVER_HEARD = """
SELECT id AS gateway_id
FROM
(
    SELECT id, valid_from, valid_to FROM reference WHERE kind = 'gateway' AND NOT void
    ORDER BY id, valid_from DESC, recorded_at DESC LIMIT 1 BY id
)
WHERE valid_from <= now64(6, 'UTC') AND ifNull(valid_to > now64(6, 'UTC'), true)
    AND id NOT IN (SELECT gateway_id FROM v_complete_to)
ORDER BY id
"""
"""Those that are registered, now as ``v_complete_to`` has it, and have sent nothing."""

GATEWAYS = f"""
SELECT
    gateway_id, gateway_epoch, sites, last_head_at,
    toInt64(dateDiff('second', last_head_at, {{now:DateTime64(6, 'UTC')}})) AS silent_s,
    head_seq, stored_seq, complete_seq, complete_to,
    if(head_seq IS NULL, NULL, greatest(0, head_seq - complete_seq)) AS missing,
    signed
FROM
(
    SELECT
        gateway_id, toNullable(gateway_epoch) AS gateway_epoch, toNullable(last_seq) AS stored_seq,
        toNullable(complete_seq) AS complete_seq, complete_to
    FROM v_complete_to
    ORDER BY gateway_id, gateway_epoch DESC LIMIT 1 BY gateway_id
    UNION ALL
    SELECT gateway_id, NULL, NULL, NULL, NULL FROM ({NEVER_HEARD})
) AS stored
LEFT JOIN
(
    SELECT
        gateway_id, toNullable(max(at)) AS last_head_at,
        toNullable(argMax(last_seq, (gateway_epoch, last_seq))) AS head_seq,
        toBool(argMax(signature IS NOT NULL, at)) AS signed
    FROM head GROUP BY gateway_id
) AS heads USING (gateway_id)
LEFT JOIN
(
    SELECT toString(gateway_id) AS gateway_id, arraySort(groupUniqArray(toString(site_id))) AS sites
    FROM events_all
    WHERE recorded_at > {{now:DateTime64(6, 'UTC')}} - INTERVAL 30 DAY
    GROUP BY gateway_id
) AS sent USING (gateway_id)
ORDER BY gateway_id
"""  # noqa: S608  a constant
"""Each gateway's newest head, what is stored of it, and what is missing between the two: on its way
or still in its outbox. Also those that were never heard."""
