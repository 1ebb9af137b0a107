"""Compensations: each names a transfer that stands before it, and negates it exactly and once.

It is not known before that transfer is: as known between the two, less than nothing would stand.

A compensation names what it takes back by cause and kind; meant is the last transfer before it of
the same sender, debit and credit, itself no compensation. So an amount may be posted, taken back
and posted again, and each step can be followed.
"""

_WHAT = """mass_wet_g AS wet, mass_dry_g AS dry, effective_at, known_at,
        arraySort(arrayZip(metals.analyte, metals.value_mg)) AS metal,
        arraySort(arrayZip(attributes.name, attributes.unit, attributes.quality,
            attributes.value_micro)) AS attribute"""
_PAIRS = f"""
    SELECT undone.sender AS sender, undone.n AS n, undone.kind AS kind,
        undone.event AS event, stood.n AS stood_n,
        undone.wet = -stood.wet AND undone.dry = -stood.dry
            AND arraySort(arrayMap(m -> (m.1, -m.2), undone.metal)) = stood.metal
            AND arraySort(arrayMap(a -> (a.1, a.2, a.3, -a.4), undone.attribute)) = stood.attribute
            AS negates,
        undone.effective_at = stood.effective_at AS same_time,
        undone.known_at >= stood.known_at AS known_after
    FROM
    (
        SELECT sender, n, debit, credit, assumeNotNull(replaces_event_id) AS event,
            ifNull(replaces_kind, '') AS kind, {_WHAT}
        FROM custody.transfer WHERE replaces_event_id IS NOT NULL
    ) AS undone
    ASOF LEFT JOIN
    (
        SELECT sender, n, debit, credit, cause_event_id, kind, {_WHAT}
        FROM custody.transfer WHERE replaces_event_id IS NULL
    ) AS stood
    ON undone.sender = stood.sender AND undone.debit = stood.debit
        AND undone.credit = stood.credit AND undone.event = stood.cause_event_id
        AND undone.kind = stood.kind AND undone.n > stood.n
"""  # noqa: S608  put together from constants of this module

COMPENSATIONS = f"""
SELECT concat(sender, '/', toString(n)) AS subject,
    multiIf(
        stood_n = 0,
            concat('no ', kind, ' of ', event, ' stands before it'),
        NOT negates,
            concat('does not negate the amounts of ', sender, '/', toString(stood_n)),
        NOT same_time,
            concat('is not of the time of ', sender, '/', toString(stood_n)),
        NOT known_after,
            concat('is known before ', sender, '/', toString(stood_n)),
        concat(sender, '/', toString(stood_n), ' was taken back before')
    ) AS detail
FROM (
    SELECT *, row_number() OVER (PARTITION BY sender, stood_n ORDER BY n) AS turn FROM ({_PAIRS})
)
WHERE stood_n = 0 OR NOT negates OR NOT same_time OR NOT known_after OR turn > 1
ORDER BY sender, n
"""  # noqa: S608
"""Violations; a number of a sender begins at 1, so 0 is where nothing was found."""

COMPENSATION_COUNT = """
SELECT count() AS n FROM custody.transfer WHERE replaces_event_id IS NOT NULL
"""
