"""One step of a process: take sides and contents, derive what should stand, say the difference."""

from custody import factset, handing, ledger, process
from custody.balance import Stamp
from custody.events import Micros
from custody.fold import Reader, Step
from custody.knowledge import carried_of
from custody.ledger import Clock
from custody.lot_step import Arrived, merge_given
from custody.process import Derivation
from custody.process_rows import ProcessRow
from custody.reduce import reduced
from custody.reference import References
from custody.rows import Book, FactRow, Fed


def process_step(
    process_id: str, before: ProcessRow, arrived: Arrived, reader: Reader, clock: Clock
) -> Step:
    """Return the next row of a process and what it says.

    Every step reads all sides again: a process has few, and any of them changes the others.

    Args:
        process_id: The process.
        before: Its row; never changed.
        arrived: Sides and contents.
        reader: Other rows of the partition.
        clock: This step's records.
    """
    row = before.copy()
    step = Step(row)
    if arrived.facts and not _take(process_id, row, arrived, reader, step):
        arrived.facts.clear()
    if arrived.contents:
        row.given = merge_given(row.given, arrived.contents)
    if arrived.actions:
        step.findings.append("action_without_alert")
    if not arrived.facts and not arrived.contents:
        return step
    owner = "process/" + process_id
    book = Derivation(process_id, row, References(reader)).derive()
    carried = carried_of(Book(), row.given)
    row.posted, transfers, _ = ledger.difference(
        row.posted, book.postings, (None, process_id), carried, clock
    )
    step.outputs.extend(transfers)
    step.outputs.extend(handing.contents(row.handed, book.handed, owner, clock.newest))
    row.handed = book.handed
    place = row.sides[-1].site if row.sides else _first_place(row)
    at = clock.newest if row.last is None else Micros(row.last[0])
    stamp = Stamp(owner, None, process_id, at, clock.newest)
    step.outputs.append(process.balance_of(book, place, stamp, carried))
    step.findings.extend(book.findings)
    return step


def _first_place(row: ProcessRow) -> str:
    return next((held.place for held in row.given.values()), "unknown")


def _take(process_id: str, row: ProcessRow, arrived: Arrived, reader: Reader, step: Step) -> bool:
    """Add sides to the row; tell whether any is new."""
    prefix = f"side/{process_id}/"
    known: list[FactRow] = []
    for number in range(row.facts):
        found = reader.get(f"{prefix}{number}")
        assert isinstance(found, FactRow), f"{prefix}{number} is missing"
        known.append(found)
    facts = [reduced(fact) for fact in arrived.facts]
    every, changed = factset.merged(known, facts)
    step.findings.extend(["duplicate_event"] * (len(facts) - len(changed)))
    if not changed:
        return False
    for number in changed:
        step.rows[f"{prefix}{number}"] = every[number]
    stand, _, findings = factset.standing(every)
    step.findings.extend(findings)
    row.facts = len(every)
    row.last = max(fact.order for fact in every)
    row.sides = [
        Fed(fact.head.event_id, fact.head.at, fact.head.known, fact.head.site, fact.side)
        for fact in stand
        if fact.side is not None
    ]
    return True
