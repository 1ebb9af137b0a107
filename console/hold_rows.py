"""What is held, as a statement."""

HOLDS = """
SELECT
    substring(subject, 5) AS lot_id, movement_id, tupleElement(last, 2) AS actor,
    tupleElement(last, 3) AS reason,
    arrayMin(at -> tupleElement(at, 1), arrayFilter(at -> at > released, held)) AS since
FROM
(
    SELECT
        subject, movement_id,
        argMax((action, actor, reason), (recorded_at, event_id)) AS last,
        maxIf((recorded_at, event_id), action = 'release') AS released,
        groupArrayIf((recorded_at, event_id), action = 'hold') AS held
    FROM action
    WHERE action IN ('hold', 'release') AND startsWith(subject, 'lot/')
        AND recorded_at <= {until:DateTime64(6, 'UTC')}
    GROUP BY subject, movement_id
    HAVING tupleElement(last, 1) = 'hold'
)
ORDER BY since, lot_id, movement_id
LIMIT 5000
"""
"""Lots, and loads of them, that are held at a time, whenever that was said; the oldest first.

In the order of ``console/lot_status.py``: a hold of what is held keeps its beginning and takes the
later name and reason.
"""
