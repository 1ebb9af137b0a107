"""What a page asks of a lot, a site or a process, and what it is told: rows, ready to be shown.

The console knows how to ask, whoever builds it (``runtime/told``) knows the books: so a page gives
the answers of the command line, to the last digit.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from console.rows import Row
from custody.errors import Refused

SUMMARY = ""
"""Name of the part that says what something is."""

PERIOD = "period"
"""Name of the part that is over a period; no other one hears of it."""

TABLES = MappingProxyType(
    {"lots": "balance", "sites": "stock", "processes": "handed", "charts": "chart"}
)
"""What the table of the summary is called, by kind; that of another part is called as the part."""

LOT, SITE, PROCESS, CHART = "lot", "site", "process", "chart"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question, its times as somebody wrote them.

    Attributes:
        subject: Id of the lot, site or process; of a chart the path of what it is of.
        at: Time it is asked about; None for now.
        known: What may be known; None for all that is known now.
        period: Year, month, day or FROM/TO; None where none is named.
    """

    subject: str
    at: str | None = None
    known: str | None = None
    period: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """An answer.

    Attributes:
        rows: One table, columns by name, units in names or beside values. An empty one is an
            answer too: of what is known, nothing is so.
        more: What stands beside the table, in JSON only.
        tables: Further tables by name.
    """

    rows: Sequence[Row]
    more: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    tables: Mapping[str, Sequence[Row]] = field(default_factory=lambda: MappingProxyType({}))


Part = Callable[[Asked], Told]
"""Answers one question. Blocks; raises ``Refused`` where a time cannot be read, ``Unknown``, and
as ``console.reader.Reader.ask``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What can be asked.

    Attributes:
        parts: By kind (``lots``, ``sites``, ``processes``, ``charts``) and name of the part.
        complete_to: Up to when each site is complete (``console/answering.py``).
    """

    parts: Mapping[str, Mapping[str, Part]]
    complete_to: Callable[[], list[Row]]


class Unknown(Refused):
    """Nothing is known of what is asked about."""

    def __init__(self, subject: str, kind: str) -> None:
        super().__init__(
            f"{kind} {subject[:120]}: nothing is known of it",
            expected="an id that some fact names, as known at the time asked for",
            next_step="search for it; a later time; custody verify",
        )
