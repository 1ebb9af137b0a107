"""What each process does to material, by the rule of the books and with its functions.

Most of the standing sides of a process, inputs left out, name its kind; reference data under the
process's own id, else under that kind, says what the kind does, as it held at the last side. The
warehouse counts the sides that no correction touches; of the others the core says which stand.

Source:
    docs/ledger.md, "Processes"; custody/process_step.py
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from custody.events import Micros
from custody.factset import standing
from custody.kinds import Kind
from custody.reference import References
from custody.rows import FactHead, FactRow, RefRow
from runtime.lineage import Ask, Moment, Row, chunks, listed, whole
from runtime.reference_plan import rows_of


def kinds_of(ask: Ask, processes: Iterable[str], moment: Moment) -> dict[str, Kind]:
    """Return what processes do, as the books knew by ``moment.known``; blocks.

    Sides and reference data count whenever they happened, as they do for a posting of any time.

    Args:
        ask: Runs SQL.
        processes: Process ids.
        moment: By what was recorded until when.

    Returns:
        By process id; a process that no side but inputs names is missing.

    Raises:
        Unavailable: The warehouse does not answer.
    """
    sides: dict[str, _Sides] = defaultdict(_Sides)
    for names in chunks(processes):
        for row in ask(_sides(names), moment._asdict()):
            sides[str(row["process"])].take(row)
    named = {process: found.name for process, found in sides.items() if found.name is not None}
    references = References(_references(ask, {*named, *named.values()}, moment))
    return {
        process: references.process_kind(process, name, sides[process].last[0])
        for process, name in named.items()
    }


@dataclass(slots=True)
class _Sides:
    """The sides of one process.

    Attributes:
        counts: Standing sides that no correction touches, by the kind they name.
        facts: Sides that correct or are corrected.
        kinds: Kind that each of these names.
        last: Order of the last side, standing or not.
    """

    counts: Counter[str] = field(default_factory=Counter)
    facts: list[FactRow] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)
    last: tuple[Micros, Micros, str] = (Micros(0), Micros(0), "")

    def take(self, row: Row) -> None:
        """Add a row of the answer: all sides that name one kind."""
        kind = str(row["kind"])
        self.counts[kind] += whole(row["alone"])
        for at, known, event_id, corrects, void in cast("list[list[object]]", row["joined"]):
            times = Micros(whole(at)), Micros(whole(known))
            target = None if corrects is None else str(corrects)
            self.facts.append(FactRow(FactHead(str(event_id), *times, "", target, bool(void))))
            self.kinds[str(event_id)] = kind
        at, known, event_id = cast("list[object]", row["last"])
        self.last = max(self.last, (Micros(whole(at)), Micros(whole(known)), str(event_id)))

    @property
    def name(self) -> str | None:
        """Return the kind that most standing sides name, of equals the first; None without one."""
        counts = self.counts.copy()
        counts.update(self.kinds[fact.head.event_id] for fact in standing(self.facts)[0])
        return min(+counts, key=lambda kind: (-counts[kind], kind), default=None)


_KNOWN = "recorded_at <= {known:DateTime64(6, 'UTC')}"


def _sides(processes: Sequence[str]) -> str:
    """Return the statement for sides other than inputs of lots: a row per process and kind."""
    order = "toUnixTimestamp64Micro(occurred_at), toUnixTimestamp64Micro(recorded_at), event_id"
    return (
        f"WITH {listed(processes)} AS ids, corrects IS NOT NULL OR event_id IN ("  # noqa: S608
        "SELECT assumeNotNull(corrects) FROM processing"
        f" WHERE process_id IN ids AND corrects IS NOT NULL AND {_KNOWN}) AS is_joined"
        " SELECT process_id AS process, kind, uniqExactIf(event_id, NOT is_joined) AS alone,"
        f" groupArrayIf(({order}, corrects, void), is_joined) AS joined, max(({order})) AS last"
        f" FROM processing WHERE process_id IN ids AND {_KNOWN}"
        " AND NOT (part = 'input' AND notEmpty(lot_id)) GROUP BY process, kind"
    )


def _references(ask: Ask, names: Iterable[str], moment: Moment) -> Mapping[str, RefRow]:
    """Return the versions of reference data under names, by key as the worker has them."""
    found: dict[str, RefRow] = {}
    for some in chunks(sorted(names)):
        rows = rows_of(ask(_versions(some), moment._asdict()))
        found |= {f"ref/{kind}/{name}": row for (kind, name), row in rows.items()}
    return found


def _versions(names: Sequence[str]) -> str:
    return (
        "SELECT * EXCEPT (key, prev, digest, value) FROM reference"  # noqa: S608  names, escaped
        f" WHERE kind = 'process' AND id IN {listed(names)} AND {_KNOWN} LIMIT 1 BY event_id"
    )
