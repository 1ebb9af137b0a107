"""What exact rules had found of a lot and what they find now, of the rows that may have changed."""

from collections.abc import Iterator

from custody.doubts import RULES, Doubts
from custody.lot_book import LotBook
from custody.rows import Finding

_ROWS = ("trip", "place", "feed", "given", "material")


def compared(
    book: LotBook, before: list[Finding]
) -> tuple[list[Finding], list[Finding], list[str]]:
    """Return what was found before and is not now, what is found now, and the rules new among that.

    Args:
        book: The lot's rows, with those of this step.
        before: What the head had found before it.
    """
    was, now = list(before), list(book.row.findings)
    for old, new in book.pairs(_ROWS):
        was.extend(getattr(old, "findings", ()))
        now.extend(getattr(new, "findings", ()))
    held = dict.fromkeys((f.rule, f.about) for f in now)
    stood = {(f.rule, f.about) for f in was}
    gone = [f for f in was if (f.rule, f.about) not in held]
    if gone and not book.is_blank:
        # Another row may still say the same, for example of the same bridge.
        rest = {(f.rule, f.about) for f in _every(book)}
        gone = [f for f in gone if (f.rule, f.about) not in rest]
    return gone, now, [rule for rule, about in held if (rule, about) not in stood]


def sifted(
    book: LotBook, before: list[Finding], doubts: Doubts, cause: str
) -> tuple[list[Finding], list[Finding], list[str]]:
    """Return likewise what may be said of it: what is a doubt yet waits, and is not counted.

    Args:
        book: As above; its head remembers what waits.
        before: As above.
        doubts: Of this step.
        cause: Event_id of the fact behind what is found now.
    """
    gone, found, new = compared(book, before)
    row = book.row
    found = doubts.sift(
        gone, found, row.alerts, cause, lambda rule, place: _at_place(book, rule, place)
    )
    row.doubts = doubts.held
    return gone, found, [rule for rule in new if rule not in RULES] + doubts.said


def _at_place(book: LotBook, rule: str, place: str) -> str | None:
    """Return what a rule finds of a place, as a sentence; None where it finds nothing."""
    found = [one.detail for one in book.place(place).findings if one.rule == rule]
    return found[0] if found else None


def _every(book: LotBook) -> Iterator[Finding]:
    yield from book.material().findings
    for trip in book.every_trip():
        yield from trip.findings
    for _, feed in book.feeds():
        yield from feed.findings
    for _, given in book.givens():
        yield from given.findings
    for name in book.row.places:
        yield from book.place(name).findings
