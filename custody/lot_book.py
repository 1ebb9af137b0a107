"""The rows of one lot while a step works on them: read when needed, copied before they change.

A step that adds facts at the end starts from what stands (``LotBook.standing``) and touches a few
rows. A step that folds anew starts from nothing (``LotBook.blank``) and is compared with what
stood when it is done. The rows a step leaves behind are those that differ.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from custody.factset import named, unnamed
from custody.fold import Reader, Row
from custody.lot_rows import (
    BETWEEN,
    FeedRow,
    GivenRow,
    LotRow,
    MaterialRow,
    PlaceRow,
    StationRow,
    TripRow,
)
from custody.rows import FactRow

R = TypeVar("R")

Source = TripRow | FeedRow | GivenRow
"""A row whose postings and flows go into places."""

SOURCES = ("trip", "feed", "given")
"""Prefixes of such rows."""


class LotBook:
    """Rows of one lot.

    Args:
        lot_id: The lot.
        row: Its head; changed by the step, so a copy.
        reader: Rows of the partition.
        blank: Begin without what was derived from facts before.
    """

    __slots__ = ("_blank", "_loaded", "_lot_id", "_reader", "_rows", "_stored", "row")

    def __init__(self, lot_id: str, row: LotRow, reader: Reader, *, blank: bool = False) -> None:
        self.row = row
        self._lot_id = lot_id
        self._reader = reader
        self._blank = blank
        # Kinds of which rows were stored before this step: to look for the others is in vain.
        counts = {"trip": row.trips, "feed": row.feeds, "given": row.givens}
        self._stored = {kind for kind, count in counts.items() if count}
        self._loaded: dict[str, Row | None] = {}
        self._rows: dict[str, Row] = {}

    @property
    def is_blank(self) -> bool:
        """The book began without what was derived before."""
        return self._blank

    # -- one row of a kind ----------------------------------------------------------------------

    def material(self) -> MaterialRow:
        """Return the declaration and certificates, to read."""
        return self._get(self._key("material"), MaterialRow) or MaterialRow()

    def put_material(self, row: MaterialRow) -> None:
        """Replace the declaration and certificates."""
        self._rows[self._key("material")] = row

    def station(self, site: str) -> StationRow:
        """Return a site's series of shots, to read."""
        return self._get(self._key("station", site), StationRow) or StationRow()

    def put_station(self, site: str, row: StationRow) -> None:
        """Replace a site's series of shots."""
        self._rows[self._key("station", site)] = row

    def trip(self, name: str) -> TripRow | None:
        """Return a trip, to read; one whose facts were all withdrawn is none."""
        row = self._get(self._key("trip", name), TripRow)
        return row if row is not None and row.no else None

    def opening(self, name: str) -> TripRow:
        """Return the row of a stock weighing's posting, to read; it is no trip."""
        return self._get(self._key("trip", name), TripRow) or TripRow()

    def put_trip(self, name: str, row: TripRow) -> None:
        """Replace a trip."""
        self._rows[self._key("trip", name)] = row

    def feed(self, event_id: str) -> FeedRow | None:
        """Return a process input, to read."""
        return self._get(self._key("feed", event_id), FeedRow)

    def put_feed(self, event_id: str, row: FeedRow) -> None:
        """Replace a process input."""
        self._rows[self._key("feed", event_id)] = row

    def given(self, event_id: str) -> GivenRow | None:
        """Return what a process handed over, to read; also in a blank book: no fact says it."""
        key = self._key("given", event_id)
        found = self._rows.get(key) or self._load(key)
        return found if isinstance(found, GivenRow) else None

    def put_given(self, event_id: str, row: GivenRow) -> None:
        """Replace what a process handed over."""
        self._rows[self._key("given", event_id)] = row

    def place(self, name: str) -> PlaceRow:
        """Return a place, to read."""
        return self._get(self._key("place", name), PlaceRow) or PlaceRow()

    def own_place(self, name: str) -> PlaceRow:
        """Return a place, to change."""
        key = self._key("place", name)
        mine = self._rows.get(key)
        if isinstance(mine, PlaceRow):
            return mine
        old = self.place(name)
        if name not in self.row.places:
            self.row.places = [*self.row.places, name]
        row = PlaceRow(
            old.wet,
            old.dry,
            dict(old.amounts),
            old.postings,
            dict(old.flows),
            old.stock,
            old.posted,
            old.findings,
        )
        self._rows[key] = row
        return row

    # -- all rows of a kind ---------------------------------------------------------------------

    def trips(self) -> list[tuple[str, TripRow]]:
        """Return all trips by name, in the order in which they began."""
        if not self.row.trips:
            return []
        found = [(name, row) for name, row in self._all("trip", TripRow) if row.no]
        return sorted(found, key=lambda item: item[1].no)

    def every_trip(self) -> list[TripRow]:
        """Return the rows of trips and of stock weighings' postings, in no order."""
        return [row for _, row in self._all("trip", TripRow)]

    def feeds(self) -> list[tuple[str, FeedRow]]:
        """Return all process inputs by event, those that happened first first."""
        if not self.row.feeds:
            return []
        found = [(name, row) for name, row in self._all("feed", FeedRow) if row.fed is not None]
        return sorted(found, key=lambda item: _fed_order(item[1]))

    def givens(self) -> list[tuple[str, GivenRow]]:
        """Return all that processes handed over, by event."""
        if not self.row.givens:
            return []
        found = [(name, row) for name, row in self.every_given() if row.held is not None]
        return sorted(found, key=lambda item: item[0])

    def every_given(self) -> Iterator[tuple[str, GivenRow]]:
        """Yield all that processes ever handed over, what they withdrew included."""
        prefix = self._key("given", "")
        names = {key[len(prefix) :] for key in self._rows if key.startswith(prefix)}
        if "given" in self._stored:
            names.update(key[len(prefix) :] for key in self._reader.scan(prefix))
        for name in sorted(names):
            row = self.given(name)
            if row is not None:
                yield name, row

    def facts(self) -> Iterator[FactRow]:
        """Yield the lot's facts as they stand in their rows, in no order."""
        prefix = self._key("fact", "")
        for key in self._reader.scan(prefix):
            fact = self._reader.get(key)
            if isinstance(fact, FactRow):
                yield named(fact, key[len(prefix) :])

    def fact(self, event_id: str) -> FactRow | None:
        """Return a fact of the lot."""
        found = self._reader.get(self._key("fact", event_id))
        return named(found, event_id) if isinstance(found, FactRow) else None

    def put_fact(self, fact: FactRow) -> None:
        """Keep a fact."""
        self._rows[self._key("fact", fact.head.event_id)] = unnamed(fact)

    def put_sealed(self, fact: FactRow) -> None:
        """Keep a fact that came too late for a sealed lot: it is counted and changes nothing."""
        self._rows[self._key("sealed", fact.head.event_id)] = unnamed(fact)

    def is_sealed(self, event_id: str) -> bool:
        """Tell whether a fact is kept as one that came too late."""
        key = self._key("sealed", event_id)
        return key in self._rows or self._reader.get(key) is not None

    # -- what a step leaves ---------------------------------------------------------------------

    def changes(self) -> dict[str, Row]:
        """Return the rows that differ from what stood, by key."""
        return {key: row for key, row in self._rows.items() if row != self._loaded.get(key)}

    def pairs(self, kinds: tuple[str, ...]) -> Iterator[tuple[Row | None, Row]]:
        """Yield what stood and what is put now, for the rows of some kinds that were put.

        Args:
            kinds: Prefixes of their keys.
        """
        for key, row in list(self._rows.items()):
            if key.partition("/")[0] in kinds:
                yield (self._loaded[key] if key in self._loaded else self._load(key)), row

    def empty_the_rest(self, kinds: Mapping[str, Callable[[], Row]]) -> None:
        """Put an empty row in the place of each row that stood and was not put anew.

        Args:
            kinds: How an empty row is made, by the prefix of its key.
        """
        for kind, empty in kinds.items():
            keys = (
                [self._key(kind)] if kind == "material" else self._reader.scan(self._key(kind, ""))
            )
            for key in keys:
                if key not in self._rows:
                    self._load(key)
                    self._rows[key] = empty()

    # -- how rows are found ---------------------------------------------------------------------

    def _key(self, kind: str, about: str | None = None) -> str:
        key = f"{kind}/{self._lot_id}"
        return key if about is None else f"{key}{BETWEEN}{about}"

    def _get(self, key: str, kind: type[R]) -> R | None:
        found = self._rows.get(key)
        if found is None and not self._blank:
            found = self._loaded[key] if key in self._loaded else self._load(key)
        return found if isinstance(found, kind) else None

    def _load(self, key: str) -> Row | None:
        found = self._loaded[key] = self._reader.get(key)
        return found

    def _all(self, kind: str, type_: type[R]) -> Iterator[tuple[str, R]]:
        prefix = self._key(kind, "")
        keys = [key for key in self._rows if key.startswith(prefix)]
        if not self._blank and kind in self._stored:
            keys.extend(key for key in self._reader.scan(prefix) if key not in self._rows)
        for key in keys:
            row = self._get(key, type_)
            if row is not None:
                yield key[len(prefix) :], row


def _fed_order(row: FeedRow) -> tuple[int, int, str]:
    fed = row.fed
    assert fed is not None
    return fed.at, fed.known, fed.event_id
