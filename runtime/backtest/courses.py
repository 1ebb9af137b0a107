"""What became of alerts: by family, how long each took, and how two runs differ."""

from collections.abc import Iterable, Mapping
from statistics import quantiles
from typing import NamedTuple

from custody.alerts import RETRACTED
from custody.events import Micros
from custody.records import Alert
from runtime.client import JsonObject

_TENTHS = 10


class Course(NamedTuple):
    """One alert from its first version to its last.

    Attributes:
        alert_id: The alert.
        subject: What it is about.
        rule: Rule that raised it.
        family: What it says in its last version.
        state: In its last version.
        delay_s: From the onset, or from what happened last where there is none, to the record
            that raised it first, seconds.
    """

    alert_id: str
    subject: str
    rule: str
    family: str
    state: str
    delay_s: float

    @property
    def stands(self) -> bool:
        """Nobody and nothing has taken it back."""
        return self.state != RETRACTED


def courses(alerts: Iterable[Alert]) -> dict[str, Course]:
    """Return alerts by id, from their versions in the order they were said."""
    found: dict[str, Course] = {}
    for alert in alerts:
        begun = found.get(alert.alert_id)
        delay_s = _delay_s(alert) if begun is None else begun.delay_s
        found[alert.alert_id] = Course(
            alert.alert_id, alert.subject, alert.rule, alert.family, alert.state, delay_s
        )
    return found


def _delay_s(alert: Alert) -> float:
    onset: Micros = alert.occurred_at if alert.onset_at is None else alert.onset_at
    return (alert.raised_at - onset) / 1e6


def of_lines(lines: Iterable[Mapping[str, object]]) -> dict[str, Course]:
    """Return alerts by id from published lines, all versions or the last ones alone."""
    found: dict[str, Course] = {}
    for line in sorted(lines, key=lambda line: int(str(line["version"]))):
        said = [str(line[name]) for name in ("alert_id", "subject", "rule", "family", "state")]
        found[said[0]] = Course(said[0], said[1], said[2], said[3], said[4], 0.0)
    return found


def by_family(found: Iterable[Course]) -> list[JsonObject]:
    """Return one row per rule and family: how many stand, how many were taken back, delays."""
    groups: dict[tuple[str, str], list[Course]] = {}
    for course in found:
        groups.setdefault((course.family, course.rule), []).append(course)
    rows: list[JsonObject] = []
    for (family, rule), members in sorted(groups.items()):
        delays = [course.delay_s for course in members]
        rows.append(
            {
                "family": family,
                "rule": rule,
                "standing": sum(course.stands for course in members),
                "taken_back": sum(not course.stands for course in members),
                "delay_p50_s": _tenth(delays, 5),
                "delay_p90_s": _tenth(delays, 9),
            }
        )
    return rows


def _tenth(values: list[float], number: int) -> float:
    if len(values) == 1:
        return values[0]
    return quantiles(values, n=_TENTHS, method="inclusive")[number - 1]


def differences(here: Mapping[str, Course], there: Mapping[str, Course]) -> list[JsonObject]:
    """Return alerts that stand in one run only, or that say something else.

    One that the other run has raised, too, and taken back, is said to be: by the same facts both
    would have, so somebody else may have written that it is.

    Args:
        here: This run's, by id.
        there: The other's.
    """
    mine = {alert_id: course for alert_id, course in here.items() if course.stands}
    others = {alert_id: course for alert_id, course in there.items() if course.stands}
    rows = [
        _row("taken back there" if i in there else "only here", mine[i], None)
        for i in mine.keys() - others.keys()
    ]
    rows += [
        _row("taken back here" if i in here else "only there", others[i], None)
        for i in others.keys() - mine.keys()
    ]
    rows += [
        _row("other family", mine[i], others[i].family)
        for i in mine.keys() & others.keys()
        if mine[i].family != others[i].family
    ]
    return sorted(rows, key=lambda row: [str(row[k]) for k in ("difference", "subject", "rule")])


def _row(difference: str, course: Course, other_family: str | None) -> JsonObject:
    return {
        "difference": difference,
        "subject": course.subject,
        "rule": course.rule,
        "family": course.family,
        "other_family": other_family,
        "alert_id": course.alert_id,
    }
