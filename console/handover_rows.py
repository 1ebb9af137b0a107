"""What a shift hands over, as statements."""

from collections.abc import Mapping
from types import MappingProxyType

from console.alert_rows import FURTHEST, WHERE
from console.cut import CUT
from custody.alerts import CONFLICT

CHANGES = f"""
SELECT
    alert_id, version, state, before, statistic, rule, family, severity, subject, actor, reason,
    cause, size, size_u, unit, {FURTHEST}, {WHERE},
    assignee, assignee_before, until, resolution, timestamp AS said_at
FROM
(
    SELECT
        *, lagInFrame(toNullable(toString(state))) OVER
            (PARTITION BY alert_id ORDER BY version, n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
            AS before,
        lagInFrame(toNullable(assignee)) OVER
            (PARTITION BY alert_id ORDER BY version, n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
            AS assignee_before
    FROM
    (
        SELECT * FROM alert
        WHERE alert_id IN
        (
            SELECT alert_id FROM alert
            WHERE timestamp > {{since:DateTime64(6, 'UTC')}}
                AND timestamp <= {{until:DateTime64(6, 'UTC')}}
        )
        ORDER BY alert_id, version, n DESC LIMIT 1 BY alert_id, version
    )
)
WHERE said_at > {{since:DateTime64(6, 'UTC')}} AND said_at <= {{until:DateTime64(6, 'UTC')}}
    AND NOT startsWith(reason, '{CONFLICT}')
ORDER BY said_at DESC, alert_id DESC, version DESC
{CUT}
"""  # noqa: S608  a constant
"""Every version of an alert that was said in a time, with state and assignee before it, the last
first; answers to actions that were not taken changed nothing and are left out."""

DEEDS = f"""
SELECT
    recorded_at, actor, action, subject, movement_id, nullIf(alert_id, '') AS alert_id, reason,
    nullIf(rule, '') AS rule, nullIf(family, '') AS family, nullIf(statistic, '') AS statistic
FROM action
LEFT JOIN
(
    SELECT
        alert_id, argMax(toString(rule), version) AS rule,
        argMax(toString(family), version) AS family,
        argMax(toString(statistic), version) AS statistic
    FROM alert WHERE alert_id IN
    (
        SELECT alert_id FROM action
        WHERE recorded_at > {{since:DateTime64(6, 'UTC')}}
            AND recorded_at <= {{until:DateTime64(6, 'UTC')}}
    )
    GROUP BY alert_id
) AS named ON named.alert_id = action.alert_id
WHERE recorded_at > {{since:DateTime64(6, 'UTC')}} AND recorded_at <= {{until:DateTime64(6, 'UTC')}}
    AND action IN ('hold', 'release', 'comment')
ORDER BY recorded_at DESC, event_id DESC
{CUT}
"""  # noqa: S608  a constant
"""What people did that makes no version of an alert, the last first, and by what the alert, if any,
is named."""

BROUGHT = f"""
SELECT alert_id, argMax(actor, version) AS brought_by
FROM
(
    SELECT alert_id, version, state, actor, lagInFrame(toNullable(toString(state))) OVER
        (PARTITION BY alert_id ORDER BY version, n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
        AS before
    FROM
    (
        SELECT alert_id, version, n, state, actor FROM alert
        WHERE alert_id IN
        (
            SELECT alert_id FROM alert WHERE timestamp <= {{until:DateTime64(6, 'UTC')}}
            GROUP BY alert_id HAVING argMax(state, (version, n)) IN ('acknowledged', 'shelved')
        )
            AND timestamp <= {{until:DateTime64(6, 'UTC')}}
            AND NOT startsWith(reason, '{CONFLICT}')
        ORDER BY alert_id, version, n DESC LIMIT 1 BY alert_id, version
    )
)
WHERE state IN ('acknowledged', 'shelved') AND toString(state) != before
GROUP BY alert_id
"""  # noqa: S608  a constant
"""Who acknowledged or shelved each alert that is so, whatever was said of it since."""

_OPENED = "state = 'open' AND ifNull(before, '') != 'open'"

COUNTED: Mapping[str, str] = MappingProxyType(
    {
        "changes": f"countIf({_OPENED}) AS opened, countIf(NOT ({_OPENED})) AS changed",
        "standing": "count() AS standing",
        "holds": "count() AS held",
        "deeds": "count() AS deeds",
    }
)
"""How each list of the answer is counted by what the page makes of it: of changes it has two lists,
those that opened an alert, or opened it again, and the others."""
