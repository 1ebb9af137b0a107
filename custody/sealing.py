"""How many facts and trips a lot may have: what one step says has to fit into a batch of Kafka.

What makes a lot's trips anew (the first receipt at a site that they all left from, a new version of
a scale) posts each of them again, some 500 bytes for each, and all of it survives a crash or none.
A ship has 7,000 truckloads; who has more has more than one lot, or a stockpile, which is a process.
"""

from collections.abc import Sequence

from custody import factset
from custody.lot_book import LotBook
from custody.lot_rows import LotRow
from custody.rows import FactRow, Finding

FACTS_MAX = 500
"""Facts of a lot after which it is sealed: what then comes late changes nothing."""

TRIPS_MAX = 8_000
"""Trips of one lot; what would begin another is kept and counted, and changes nothing."""


def within(facts: Sequence[FactRow], book: LotBook) -> tuple[list[FactRow], list[FactRow]]:
    """Return facts that a lot still takes, and those that would begin a trip too many.

    Args:
        facts: New ones, or some that it knows.
        book: The lot's rows.
    """
    room = TRIPS_MAX - book.row.trips
    if len(facts) <= room:
        return list(facts), []
    taken: list[FactRow] = []
    beyond: list[FactRow] = []
    begun: set[str] = set()
    for fact in sorted(facts, key=lambda one: one.order):
        body = fact.moved or fact.weighed
        name = None if body is None else body.movement
        if name not in begun and not _begins_none(fact, name, book):
            if room <= 0:
                beyond.append(fact)
                continue
            room -= 1
            if name is not None:
                begun.add(name)
        taken.append(fact)
    return taken, beyond


def takes(fact: FactRow, kept: FactRow | None, last: tuple[int, int, str]) -> bool:
    """Tell whether a sealed lot still takes a fact.

    Args:
        fact: What arrived.
        kept: What the lot has under its id.
        last: Place of the lot's last fact in canonical order.
    """
    if kept is None:
        return fact.order > last and fact.head.corrects is None
    # A copy that would stand in the place of what is sealed is no repetition; another event under
    # its id that comes after it only has to be found, once.
    both = factset.joined(kept, fact)
    return both is kept or (kept.rival is None and factset.bare(both) == kept)


def say(row: LotRow) -> None:
    """Put what a lot does not take any more into its findings, in place of what was said before."""
    row.findings = [finding for finding in row.findings if finding.rule != "beyond_seal"]
    if row.sealed:
        detail = (
            f"facts came after the lot had {FACTS_MAX}, and not last, or would have begun a trip"
            f" beyond {TRIPS_MAX}; they are not booked"
        )
        row.findings.append(Finding("beyond_seal", "facts", detail))


def _begins_none(fact: FactRow, name: str | None, book: LotBook) -> bool:
    """Tell whether a fact begins no trip: it is none of one, of a known one, or known itself."""
    travels = fact.moved is not None or (
        fact.weighed is not None and fact.weighed.purpose in ("dispatch", "receipt")
    )
    if not travels or fact.head.corrects is not None or book.has_fact(fact.head.event_id):
        return True
    return name is not None and book.trip(name) is not None
