"""What a step may have changed, so that only that is derived again.

Postings, each test and each balance depend on some facts and not on others. What is left out is
what could not have changed; the property tests hold that to the letter.
"""

from dataclasses import dataclass, field

from custody import lot
from custody.detect import composition
from custody.rows import Book, FactRow


@dataclass(slots=True)
class News:
    """What may have changed.

    Attributes:
        postings: Postings, and with them balances.
        restated: The uncertainty of every balance, too.
        declared: The lot was declared.
        trips: Trips that were weighed, by movement; None for any.
        sites: Sites whose figures of the composition changed; None for any.
    """

    postings: bool = False
    restated: bool = False
    declared: bool = False
    trips: set[str] | None = field(default_factory=set)
    sites: set[str] | None = field(default_factory=set)

    @property
    def tests(self) -> bool:
        """Some test may say something else."""
        return self.trips is None or self.sites is None or bool(self.trips) or bool(self.sites)


def everything() -> News:
    """Return the news of a lot that was folded anew."""
    return News(postings=True, restated=True, declared=True, trips=None, sites=None)


def of_facts(facts: list[FactRow], before: Book, after: Book) -> News:
    """Return the news of facts that were added to a book."""
    news = News()
    travelled = False
    for fact in facts:
        travelled = _note(news, fact) or travelled
    shots = {lot.series_of(fact) for fact in facts if fact.scanned is not None}
    if shots and not shots.isdisjoint(lot.booked_series(after)):
        news.postings = news.restated = True
    if (
        travelled
        and news.sites is not None
        and composition.pairs(before) != composition.pairs(after)
    ):
        news.sites = None
    return news


def _note(news: News, fact: FactRow) -> bool:
    """Note one fact; tell whether it may add a leg to the lot's way."""
    if fact.scanned is not None:
        _add(news.sites, fact.head.site)
        return False
    if fact.moved is not None:
        moves = fact.moved.kind in lot.MOVES
        news.postings = news.postings or moves
        return moves
    # A claim moves nothing.
    news.postings = news.postings or not fact.is_bare
    if fact.weighed is not None:
        if fact.weighed.movement is None:
            news.trips = None
        else:
            _add(news.trips, fact.weighed.movement)
        return True
    if fact.assayed is not None:
        news.restated = True
        # Moisture may convert the shots of sites that have no certificate of their own.
        if fact.assayed.moisture is not None:
            news.sites = None
        _add(news.sites, fact.head.site)
    if fact.declared is not None:
        news.restated = news.declared = True
        news.trips = news.sites = None
    return False


def _add(names: set[str] | None, name: str) -> None:
    if names is not None:
        names.add(name)
