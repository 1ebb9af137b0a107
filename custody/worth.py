"""What a lot was worth when it was sent, and whether somebody can still lay hands on it.

Source:
    docs/detection/severity.md
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from custody import accounts
from custody.carried import metals_of
from custody.events import Micros
from custody.held import Posted
from custody.lot_book import LotBook
from custody.lot_rows import FeedRow, TripRow
from custody.place import total
from custody.prices import Quote
from custody.reference import References


class Sent(NamedTuple):
    """What a lot, or one trip of it, was before a fraud.

    Attributes:
        dry: Grams of dry mass that left; None where it was not weighed.
        grades: Fractions of it by analyte, of those that are known.
        least: It may have been more: books count where they have. Not of one trip, nor of a lot
            that seems to have grown.
    """

    dry: float | None
    grades: Mapping[str, float]
    least: bool


class Worth(NamedTuple):
    """What a lot is worth, and whether it can still be stopped.

    Attributes:
        value: Of what was sent, at reference prices; None where no metal of it has a price.
        quotes: Prices it rests on, by analyte, that of most value first.
        stoppable: The greater part of it has neither gone into a process nor left the books.
    """

    value: float | None
    quotes: tuple[tuple[str, Quote], ...]
    stoppable: bool


def worth_of(book: LotBook, references: References, at: Micros, sent: Sent) -> Worth:
    """Return what a lot was worth when it was sent, wherever it lies or has gone.

    By the books where they say more: not all of it may have been weighed yet, and what was sent
    may have been understated.

    Args:
        book: The lot's rows.
        references: Prices.
        at: Time of which prices are taken.
        sent: What it was before the fraud.
    """
    dry, metals = 0, Counter[str]()
    for name in book.row.places:
        there = total(book.place(name), accounts.lot(book.lot_id, name))
        dry += there.dry
        metals.update(metals_of(there.amounts))
    gone = 0
    for posted in _departures(book):
        gone += posted.dry
        metals.update(metals_of(posted.amounts))
    booked = priced(metals, references, at)
    value, quotes = priced(_metals(sent, dry + gone, metals), references, at)
    if sent.least and (booked[0] or 0.0) > (value or 0.0):
        value, quotes = booked
    return Worth(value, quotes, dry >= gone)


def _metals(sent: Sent, dry: int, booked: Mapping[str, int]) -> dict[str, float]:
    """Return the metals of what was sent, milligrams; as booked where its grade is not known."""
    grams = dry if sent.dry is None else sent.dry
    by_book = {a: milligrams * grams / dry for a, milligrams in booked.items()} if dry > 0 else {}
    return by_book | {a: 1000.0 * grams * grade for a, grade in sent.grades.items()}


def _departures(book: LotBook) -> Iterable[Posted]:
    """Yield what went into processes or to parties that keep no books with us."""
    sources: list[TripRow | FeedRow] = [row for _, row in book.trips()]
    sources.extend(row for _, row in book.feeds())
    mine = accounts.lot(book.lot_id, "")
    for row in sources:
        for posted in row.posted.values():
            if posted.debit.startswith(mine) and posted.credit.startswith(_GONE):
                yield posted


_GONE = (accounts.process(""), accounts.outside(""))


def priced(
    metals: Mapping[str, float], references: References, at: Micros
) -> tuple[float | None, tuple[tuple[str, Quote], ...]]:
    """Return what metals are worth, None where none has a price, and the prices as in ``Worth``.

    Args:
        metals: Milligrams by analyte.
        references: Prices.
        at: Time of which they are taken.
    """
    found: list[tuple[float, str, Quote]] = []
    for analyte, milligrams in sorted(metals.items()):
        quote = references.quote(analyte, at) if milligrams > 0 else None
        if quote is not None:
            found.append((milligrams / 1000.0 * quote.per_g, analyte, quote))
    if not found:
        return None, ()
    ranked = sorted(found, key=lambda one: (-one[0], one[1]))
    return sum(one[0] for one in found), tuple((analyte, quote) for _, analyte, quote in ranked)


class Stake(NamedTuple):
    """What is at stake, as an alert says it; by default nothing is said.

    Attributes:
        stake_share: Of the lot's metal.
        stake_amount: What that is worth; None where no metal has a price.
        stake_currency: Of it; None where the prices say none.
        stake_analytes: Metals with a price, that of most value first.
        stake_priced_on: Day of the first one's price.
        stake_price_source: Whose it is; None where nobody is named.
        stoppable: As in ``Worth``.
    """

    stake_share: float | None = None
    stake_amount: float | None = None
    stake_currency: str | None = None
    stake_analytes: tuple[str, ...] = ()
    stake_priced_on: str | None = None
    stake_price_source: str | None = None
    stoppable: bool | None = None


NO_STAKE = Stake()


def stake_of(share: float, worth: Worth) -> Stake:
    """Return what is at stake of a lot.

    Args:
        share: Size x probability.
        worth: What the lot is worth.
    """
    if worth.value is None:
        return Stake(share, stoppable=worth.stoppable)
    quote = worth.quotes[0][1]
    return Stake(
        share,
        share * worth.value,
        quote.currency or None,
        tuple(analyte for analyte, _ in worth.quotes),
        quote.day,
        quote.source or None,
        worth.stoppable,
    )


def in_words(share: float, worth: Worth) -> str:
    """Return what is at stake as the end of an alert's sentence.

    Args:
        share: Size x probability.
        worth: What the lot is worth.
    """
    stake = f"at stake {share:.1%} of"
    reach = "can still be stopped" if worth.stoppable else "can no longer be stopped"
    if worth.value is None:
        return f"{stake} the metal, which has no price; it {reach}"
    analyte, quote = worth.quotes[0]
    more = len(worth.quotes) - 1
    others = f" and {more} more" if more else ""
    source = f", {quote.source}" if quote.source else ""
    price = f"{analyte}{others}, price of {quote.day}{source}"
    return f"{stake} {f'{worth.value:,.0f} {quote.currency}'.rstrip()} ({price}); it {reach}"
