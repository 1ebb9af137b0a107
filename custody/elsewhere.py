"""A lot in two places: seen at one site while all of it is on the way between others.

Only what is certain is said. Of a mine more of the lot may come at any time, so all of a lot is on
the way only where each site its trips left from had been weighed out, or had got it from a trip or
a process, and nothing is left there.

Source:
    docs/detection/exact-rules.md
"""

from collections.abc import Iterator

from custody.accounts import TRANSIT
from custody.events import Micros
from custody.lot import ends_of
from custody.lot_book import LotBook
from custody.lot_rows import Trip
from custody.place import lay_there
from custody.postings import Context
from custody.rows import Finding


def of_lot(book: LotBook, context: Context) -> Iterator[Finding]:
    """Yield a finding for each site the lot was seen at and cannot have been."""
    head = book.row
    if all(site in head.arrived or site in head.sources for site in head.strays):
        return
    trips = [row.trip for _, row in book.trips()]
    ends = [ends_of(trip) for trip in trips]
    visited = {site for way in ends for site in way}
    for site, at in head.strays.items():
        # A site that a process handed it over at is supplied from the start.
        if site in visited or (site in context.supplied and context.supplied[site] is None):
            continue
        under_way = [way for trip, way in zip(trips, ends, strict=True) if _covers(trip, at)]
        sources = [source for source, _ in ends]
        if not under_way or not all(s is not None and context.supplies(s, at) for s in sources):
            continue
        others = [name for name in head.places if name not in (site, TRANSIT)]
        if any(lay_there(book.place(name), at, context) for name in others):
            continue
        source, target = under_way[0]
        way = f"from {source} to {target or 'a site not named'}"
        yield Finding("two_places", site, f"seen at {site} while all of it was on the way {way}")


def _covers(trip: Trip, at: Micros) -> bool:
    """Tell whether a trip had left by then and not come."""
    left, came = trip.left or trip.dispatch, trip.receipt or trip.arrived
    gone = trip.left is not None or came is not None
    return gone and left is not None and left.at < at and (came is None or at < came.at)
