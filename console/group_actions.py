"""What a person does with many alerts of one cause at once: one action for each of them. Pure.

Source:
    docs/alert-lifecycle.md, "Many at once"
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from console import actions
from console.rows import Row
from web.problem import Problem

ALERTS_MAX = 500
"""In one request: its body is below what one may have; a page sends more one after the other."""

ACTIONS = ("acknowledge", "shelve")
"""What may be done unseen to each of many. What each turned out to be, each has to be looked at."""

FIELDS = ("reason", "until")
TAKEN, CONFLICT, ON_ITS_WAY = "taken", "conflict", "on its way"
UNKNOWN, REFUSED = "unknown", "refused"

VERSIONS = """
SELECT * FROM
(
    SELECT
        alert_id, version, state, subject, severity, actor, reason, action_id, assignee, until,
        resolution
    FROM alert WHERE alert_id IN {alerts:Array(String)}
    ORDER BY alert_id, version DESC, n DESC LIMIT 1 BY alert_id, version
)
ORDER BY alert_id, version DESC LIMIT 8 BY alert_id
"""
"""The last versions of alerts, the newest of each first."""


@dataclass(slots=True)
class Group:
    """What becomes of one action on many alerts.

    Attributes:
        wanted: Version each was seen at, by id.
        actor: Who acts.
        key: Of the browser, for all of it.
        sent: Id of the action of each that was sent.
        results: What came of each, as it is told.
    """

    wanted: Mapping[str, int]
    actor: str
    key: str
    sent: dict[str, str] = field(default_factory=dict)
    results: dict[str, dict[str, object]] = field(default_factory=dict)

    def action_id(self, alert_id: str) -> str:
        """Return the id of the action on one of them: the same key is the same action."""
        return actions.event_id_of(self.actor, self.key, alert_id)

    def requests(
        self, body: Mapping[str, object], versions: Mapping[str, list[Row]]
    ) -> list[tuple[str, dict[str, object]]]:
        """Return what is to be sent, by alert; what has moved on since it was seen is not.

        Args:
            body: ``action``, and what it needs.
            versions: Of each alert, the newest first; none of an alert that nobody knows.
        """
        asked = {"action": body["action"], **{name: body[name] for name in FIELDS if name in body}}
        made = []
        for alert_id, version in self.wanted.items():
            known = versions.get(alert_id, [])
            action_id = self.action_id(alert_id)
            if not known:
                self._end(alert_id, UNKNOWN)
            elif actions.made_by(known, action_id) is None and not actions.is_fresh(known, version):
                self._conflict(alert_id, known, f"made on version {version}")
            else:
                one = {**asked, "version": version}
                request = actions.alert_request(
                    alert_id, str(known[0]["subject"]), one, self.actor, self.key
                )
                made.append((alert_id, request | {"event_id": action_id}))
        return made

    def accepted(self, alerts: Sequence[str], items: Sequence[Mapping[str, object]]) -> None:
        """Take what a gateway says of each request, in their order."""
        for alert_id, item in zip(alerts, items, strict=True):
            if item.get("result") == "refused":
                told = f"{item.get('field')}: {item.get('code')}; allowed: {item.get('allowed')}"
                self._end(alert_id, REFUSED, detail=told)
            else:
                self.sent[alert_id] = self.action_id(alert_id)

    def answered(self, versions: Mapping[str, list[Row]]) -> bool:
        """Take what the worker has made of them; tell whether all is known."""
        for alert_id, action_id in self.sent.items():
            known = versions.get(alert_id, [])
            made = actions.made_by(known, action_id)
            if alert_id in self.results or made is None:
                continue
            if actions.is_conflict(made):
                self._conflict(alert_id, known, actions.why_not(made))
            else:
                self._end(alert_id, TAKEN, version=_number(made))
        return not self.waiting()

    def waiting(self) -> list[str]:
        """Return of which nothing came yet."""
        return [alert_id for alert_id in self.sent if alert_id not in self.results]

    def told(self) -> list[dict[str, object]]:
        """Return what came of each, in the order in which they were named."""
        for alert_id in self.waiting():
            self._end(alert_id, ON_ITS_WAY)
        return [self.results[alert_id] for alert_id in self.wanted]

    def _conflict(self, alert_id: str, versions: Sequence[Row], why: str) -> None:
        self._end(alert_id, CONFLICT, detail=why, present=actions.present(versions))

    def _end(self, alert_id: str, result: str, **more: object) -> None:
        self.results[alert_id] = {"alert_id": alert_id, "result": result, **more}


def wanted_of(body: Mapping[str, object]) -> dict[str, int]:
    """Return which alerts are acted on, and the version that was seen of each.

    Raises:
        Problem: 400: not such a list, or not such an action.
    """
    if body.get("action") not in ACTIONS:
        detail = f"action: {str(body.get('action'))[:40]}; of many at once: {', '.join(ACTIONS)}"
        raise Problem(400, "bad-field", detail)
    named = body.get("alerts")
    pairs = [_pair(one) for one in named] if isinstance(named, list) else []
    found = dict(pairs)
    if not 1 <= len(pairs) <= ALERTS_MAX or len(found) != len(pairs):
        detail = f"alerts: 1 to {ALERTS_MAX} of them, each once, with alert_id and version"
        raise Problem(400, "bad-field", detail)
    return found


def by_alert(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return versions by the alert they are of, in their order."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(str(row["alert_id"]), []).append(row)
    return found


def _pair(one: object) -> tuple[str, int]:
    match one:
        case {"alert_id": str(alert_id), "version": int(version), **more} if not more:
            return alert_id, version
    detail = f"alerts: {str(one)[:80]}; each has a text alert_id and a number version"
    raise Problem(400, "bad-field", detail)


def _number(row: Row) -> int:
    return int(str(row["version"]))
