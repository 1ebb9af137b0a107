"""How many requests were accepted, repeated and refused in the last day, by type.

Counted in memory, by the hour: it is for a person who looks at the status page, and begins anew
with the process. What must not be lost is in the outbox and in the metrics.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from custody.events import Micros
from producers.group import Answer
from producers.requests import MODELS

HOUR_US = 3_600_000_000
HOURS = 24
UNKNOWN = "unknown"
"""Type of a request whose ``type`` is none of ours."""

RESULTS = ("accepted", "duplicate", "refused")

_Key = tuple[str, str]
"""Result and type."""


@dataclass(frozen=True, slots=True)
class Day:
    """What was counted.

    Attributes:
        since: From when on.
        counts: Requests by result and type.
    """

    since: Micros
    counts: Mapping[str, Mapping[str, int]]


class Tally:
    """The last day's counts. Threads may share it.

    Args:
        started: When the process began to count.
    """

    def __init__(self, started: Micros) -> None:
        self._started = started
        self._lock = threading.Lock()
        self._hours: dict[int, Counter[_Key]] = {}

    def add(self, now: Micros, keys: Iterable[_Key]) -> None:
        """Count requests; see ``keys_of``."""
        hour = now // HOUR_US
        with self._lock:
            self._hours.setdefault(hour, Counter()).update(keys)
            for old in [one for one in self._hours if one <= hour - HOURS]:
                del self._hours[old]

    def last_day(self, now: Micros) -> Day:
        """Return the counts of this hour and the 23 before it."""
        first = now // HOUR_US - HOURS + 1
        total: Counter[_Key] = Counter()
        with self._lock:
            for hour, counts in self._hours.items():
                if hour >= first:
                    total.update(counts)
        by_result: dict[str, dict[str, int]] = {result: {} for result in RESULTS}
        for (result, stem), count in sorted(total.items()):
            by_result[result][stem] = count
        return Day(max(self._started, Micros(first * HOUR_US)), by_result)


def keys_of(stems: Sequence[str], answers: Sequence[Answer]) -> list[_Key]:
    """Return result and type of each request.

    Args:
        stems: What each names as its type, see ``stem_of``: its answer may not say it.
        answers: One per request, in order.
    """
    return [
        (_result(answer), answer.stem or stem) for stem, answer in zip(stems, answers, strict=True)
    ]


def stem_of(raw: object) -> str:
    """Return the type that a request names, or ``UNKNOWN``."""
    stem = raw.get("type") if isinstance(raw, Mapping) else None
    return stem if isinstance(stem, str) and stem in MODELS else UNKNOWN


def _result(answer: Answer) -> str:
    if answer.code is not None:
        return "refused"
    return "accepted" if answer.accepted else "duplicate"
