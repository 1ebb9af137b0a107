"""What is held, as a statement."""

from console.cut import CUT

HOLDS = f"""
WITH named AS
(
    SELECT subject, assumeNotNull(hold_id), ifNull(movement_id, '') FROM action
    WHERE action = 'release' AND hold_id IS NOT NULL
        AND recorded_at <= {{until:DateTime64(6, 'UTC')}}
)
SELECT
    substring(subject, 5) AS lot_id, movement_id, tupleElement(one, 2) AS hold_id,
    tupleElement(one, 3) AS actor, tupleElement(one, 4) AS reason, tupleElement(one, 1) AS since
FROM
(
    SELECT
        subject, movement_id,
        maxIf((recorded_at, event_id), action = 'release' AND hold_id IS NULL) AS released,
        groupUniqArrayIf((recorded_at, event_id, actor, reason), action = 'hold') AS held
    FROM action
    WHERE action IN ('hold', 'release') AND startsWith(subject, 'lot/')
        AND recorded_at <= {{until:DateTime64(6, 'UTC')}}
    GROUP BY subject, movement_id
)
ARRAY JOIN held AS one
WHERE (tupleElement(one, 1), tupleElement(one, 2)) > released
    AND (subject, tupleElement(one, 2), '') NOT IN named
    AND (subject, tupleElement(one, 2), ifNull(movement_id, '')) NOT IN named
ORDER BY since, lot_id, movement_id, hold_id
{CUT}
"""  # noqa: S608  a constant
"""Holds of lots, and of loads of them, that stand at a time, whenever that was said; the oldest
first. As ``console/lot_status.py`` has them.
"""
