"""What people do with alerts and lots, as requests to a gateway; and what came of it. Pure.

Source:
    docs/alert-lifecycle.md
"""

from collections.abc import Mapping, Sequence

from console.rows import Row, time_of
from custody.alerts import CONFLICT
from custody.ids import derived_id

ALERT_FIELDS = ("reason", "assignee", "until", "resolution")
HOLD_FIELDS = ("reason", "movement_id")
RELEASE_FIELDS = (*HOLD_FIELDS, "hold_id")

VERSIONS = """
SELECT version, state, subject, severity, actor, reason, action_id, assignee, until, resolution
FROM alert WHERE alert_id = {alert:String}
ORDER BY version DESC, n DESC LIMIT 1 BY version LIMIT 64
"""
"""The last versions of an alert, the newest first."""


def event_id_of(actor: str, key: str, *about: str) -> str:
    """Return the id of an action: a user's key stands for one action, however often it is sent.

    Args:
        actor: Who acts.
        key: Of the browser.
        about: The alert, where one key is for many.
    """
    return derived_id("console", [actor, key, *about])


def alert_request(
    alert_id: str, subject: str, body: Mapping[str, object], actor: str, key: str
) -> dict[str, object]:
    """Return the request of an action on an alert.

    Args:
        alert_id: Which alert.
        subject: What the alert is about.
        body: ``action`` and ``version``, and what the action needs.
        actor: Who acts.
        key: Of the browser, for this one action.
    """
    return {
        "type": "action",
        "event_id": event_id_of(actor, key),
        "action": body.get("action"),
        "alert_id": alert_id,
        "version": body.get("version"),
        "subject": subject,
        "actor": actor,
        **{name: body[name] for name in ALERT_FIELDS if name in body},
    }


def hold_request(
    action: str, lot_id: str, body: Mapping[str, object], actor: str, key: str
) -> dict[str, object]:
    """Return the request of ``hold`` or ``release`` of a lot, or of one load of it."""
    return {
        "type": "action",
        "event_id": event_id_of(actor, key),
        "action": action,
        "subject": f"lot/{lot_id}",
        "actor": actor,
        **{name: body[name] for name in RELEASE_FIELDS if name in body},
    }


def made_by(versions: Sequence[Row], event_id: str) -> Row | None:
    """Return the version that answers an action; None where there is none yet."""
    return next((row for row in versions if row["action_id"] == event_id), None)


def is_conflict(version: Row) -> bool:
    """Tell whether a version says that its action was not taken."""
    return str(version["reason"]).startswith(CONFLICT)


def why_not(version: Row) -> str:
    """Return why the action that a conflict answers was not taken."""
    return str(version["reason"]).removeprefix(CONFLICT).strip()


def is_fresh(versions: Sequence[Row], version: int) -> bool:
    """Tell whether an action on a version counts: nothing has changed since, as the worker has it.

    Args:
        versions: The newest first; one at least.
        version: The one that was seen.
    """
    changed = next((row for row in versions if not is_conflict(row)), versions[-1])
    return int(str(changed["version"])) <= version <= int(str(versions[0]["version"]))


def present(versions: Sequence[Row]) -> dict[str, object]:
    """Return where an alert stands: its version, and who brought it there by what.

    Args:
        versions: The newest first; one at least.
    """
    newest = versions[0]
    # Answers to what was not taken carry a name, and changed nothing.
    last = next((row for row in versions if row["actor"] and not is_conflict(row)), None)
    return {
        "version": int(str(newest["version"])),
        "state": newest["state"],
        "severity": newest["severity"],
        "assignee": newest["assignee"],
        "until": time_of(newest["until"]),
        "resolution": newest["resolution"],
        "last_action": None
        if last is None
        else {
            "version": int(str(last["version"])),
            "actor": last["actor"],
            "made_it": last["state"],
        }
        | {"reason": last["reason"]},
    }
