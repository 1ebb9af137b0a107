"""Findings that are held back for two ticks: what takes them away may be on its way.

Lots and processes are folded in different partitions, which are read one after the other. So for
some moments a place has given away what a process has not handed over yet, and a stockpile what no
truck has brought. Such a finding stands in the books at once; its alert is raised if it still
stands at the second tick from when it was found. Ticks are told by ``custody.deadlines``.

Source:
    docs/adr/0018-let-ticks-say-what-is-due.md
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from custody import alerts, deadlines
from custody.deadlines import ARMED, NEXT, Due, DueRow
from custody.events import Micros
from custody.findings import key_of
from custody.fold import Row
from custody.ids import BETWEEN
from custody.records import Sighting
from custody.rows import AlertState, Finding

RULES = frozenset(
    {"metal_exceeds_mass", "output_exceeds_content", "overdrawn", "stock_unaccounted"}
)
"""Rules that compare what different partitions say, each finding by itself."""

OF_BATCH = frozenset({alerts.NODE, "input_unaccounted", "output_exceeds_input"})
"""What does not fit of a closed batch is one doubt: the test of the process and exact rules say the
same (``custody.process_step``)."""

DOUBT = "doubt" + BETWEEN
"""What begins the name of what is due; the key of the finding follows. No movement is called so."""


class Doubt(NamedTuple):
    """What may not fit of a closed batch: number of the side, its event, and sentences by rule.

    There is no sentence where only the test of the process says that something does not fit.
    """

    number: int
    event_id: str
    found: Mapping[str, str] = MappingProxyType({})


def is_doubt(due: Sighting) -> bool:
    """Tell whether what is due is the end of a doubt."""
    return due.text is not None and due.text.startswith(DOUBT)


class Doubts:
    """What one owner holds back, during one step; used once.

    Args:
        owner: Row key of the owner.
        held: Keys of what it has held back.
        due: What has become due.
        rows: Rows this step writes; takes those that wait.

    Attributes:
        held: Keys of what it holds back now.
        over: Those whose time is over with this step.
        said: Rules of what was held back and is said now, for metrics.
    """

    __slots__ = ("_owner", "_rows", "held", "over", "said")

    def __init__(
        self,
        owner: str,
        held: Sequence[str],
        due: Iterable[Sighting],
        rows: dict[str, Row | None],
    ) -> None:
        told = {(one.text or "").removeprefix(DOUBT) for one in due if is_doubt(one)}
        self._owner = owner
        self._rows = rows
        self.over = [key for key in held if key in told]
        self.held = [key for key in held if key not in told]
        self.said: list[str] = []

    def may_say(self, key: str, cause: str, *, stands: bool) -> bool:
        """Tell whether something may be said; where it may not yet, let it wait.

        Args:
            key: What it is.
            cause: Event_id of the fact that it follows from.
            stands: It has been said and was not taken back.
        """
        if stands or key in self.over:
            return True
        if key not in self.held:
            self.held.append(key)
            self._rows[self._key(NEXT, key)] = DueRow(cause)
        return False

    def drop(self, key: str) -> None:
        """Stop waiting: nothing is to be said any more."""
        if key in self.held:
            self.held.remove(key)
            for at in (NEXT, ARMED):
                self._rows[self._key(at, key)] = None

    def sift(
        self,
        gone: Iterable[Finding],
        found: Sequence[Finding],
        before: Mapping[str, AlertState],
        cause: str,
        standing: Callable[[str, str], str | None],
    ) -> list[Finding]:
        """Return what may be said of what was found, with what has waited and still stands.

        Args:
            gone: Findings that no longer hold.
            found: Findings that hold and may be new or have another sentence.
            before: Alerts remembered.
            cause: Event_id of the fact that they follow from.
            standing: Returns the sentence of a finding that holds, by rule and what it is about.
        """
        holding = {key_of(one) for one in found}
        for one in gone:
            if key_of(one) not in holding:
                self.drop(key_of(one))
        every = list(found)
        for key in self.over:
            rule, _, about = key.partition("|")
            detail = standing(rule, about) if key not in holding else None
            if detail is not None:
                every.append(Finding(rule, about, detail))
        return [one for one in every if one.rule not in RULES or self._sayable(one, before, cause)]

    def _sayable(self, one: Finding, before: Mapping[str, AlertState], cause: str) -> bool:
        key = key_of(one)
        stands = alerts.stands(before.get(key))
        if not self.may_say(key, cause, stands=stands):
            return False
        if not stands:
            self.said.append(one.rule)
        return True

    def _key(self, at: Micros, key: str) -> str:
        return deadlines.key_of(Due(at, "", DOUBT + key, ""), self._owner)
