"""What a lot has of its own beside what processes handed over: out of the ground, or bought.

Its own and what was handed over are one material once they lie together, and the books do not ask
at which site they do: what is known of the lot is known of the mixture. So its own is one more
part of it, as large as its first weighings and as rich as its own facts say, whenever each came.

Source:
    docs/ledger.md, "A lot with material of its own".
"""

from collections.abc import Mapping

from custody import accounts, handing, metrology
from custody.estimate import Estimate, absolute, relative, times
from custody.held import BEGINNING, Carried, Held, Posted
from custody.knowledge import Cause, Knowledge
from custody.lot_book import LotBook
from custody.lot_rows import TripRow
from custody.rows import Side

_CAUSE = Cause(BEGINNING, BEGINNING, "")


def weighed_in(book: LotBook) -> tuple[int, int]:
    """Return the wet mass of first weighings, grams, and without what of it was sold at once.

    Args:
        book: The lot's rows; its head has what they were before this step, unless it is blank.
    """
    entered, kept = book.row.entered_wet, book.row.own_wet
    if book.is_blank or entered is None:
        found = [_first_wet(row.posted) for row in book.every_trip()]
        return sum([whole for whole, _ in found]), sum([mine for _, mine in found])
    for before, now in book.pairs(("trip",)):
        for row, sign in ((before, -1), (now, 1)):
            whole, mine = _first_wet(row.posted) if isinstance(row, TripRow) else (0, 0)
            entered += sign * whole
            kept += sign * mine
    return entered, kept


def _first_wet(posted: Mapping[str, Posted]) -> tuple[int, int]:
    """Return likewise what one trip weighed first."""
    whole = sum([p.wet for key, p in posted.items() if key.startswith("first_weighing|")])
    return whole, 0 if any(key.startswith("sale|") for key in posted) else whole


def wet(book: LotBook, known: Knowledge) -> int:
    """Return the wet mass of a lot's own, grams, at least zero.

    What went into a process that gives the lot back is in what came back, and no more its own.

    Args:
        book: The lot's rows.
        known: What its own facts say.
    """
    left = book.row.own_wet
    if left <= 0 or not book.row.feeds:
        return max(left, 0)
    back = {held.owner for held in book.handed()}
    for _, row in book.feeds():
        side = None if row.fed is None else row.fed.side
        if side is not None and accounts.process(side.process) in back:
            left -= _taken(side, left, known)
    return max(left, 0)


def _taken(side: Side, left: int, known: Knowledge) -> int:
    """Return the wet mass that an input took, grams; without a mass it is all that is left."""
    if side.wet is not None:
        return side.wet
    if side.dry is None:
        return left
    share = known.dryness.value if side.moisture is None else 1.0 - side.moisture
    return metrology.wet_of(side.dry, share)


def part(wet_g: int, known: Knowledge, carried: Carried) -> Held:
    """Return a lot's own as one more amount that was handed over.

    Args:
        wet_g: Its wet mass, grams.
        known: What its own facts say.
        carried: What they say it carries.
    """
    # How well it was weighed is in its weighings; here it is a weight among others.
    whole = Estimate(float(wet_g), 0.0, {})
    dry = times(relative(whole), known.dryness)
    metals = {
        analyte: absolute(metal._replace(value=metal.value * 1000.0))
        for analyte, grade in known.grades.items()
        for metal in (times(dry, grade),)
    }
    estimates = whole, absolute(dry), metals
    return handing.held(_CAUSE, ("", ""), 0, known.amount(wet_g), estimates, carried)
