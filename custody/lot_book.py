"""The rows of one lot while a step works on them: read when needed, copied before they change.

A step that adds facts at the end starts from what stands and touches a few rows. A step that
folds anew starts from nothing (``blank``) and is compared with what stood when it is done. The
rows a step leaves behind are those that differ.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TypeVar

from custody import flow_pages
from custody.events import Micros
from custody.factset import named, unnamed
from custody.fold import Reader, Row
from custody.held import BEGINNING, Held
from custody.ids import BETWEEN
from custody.lot_rows import (
    FeedRow,
    FlowsRow,
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

_KINDS = ("material", "station", "trip", "feed", "given", "place", "fact", "sealed")


class LotBook:
    """Rows of one lot.

    Args:
        lot_id: The lot.
        row: Its head; changed by the step, so a copy.
        reader: Rows of the partition.
        blank: Begin without what was derived from facts before.

    Attributes:
        row: Its head.
        until: When the last of the facts happened that the rows stood for before this step.
    """

    __slots__ = (
        "_blank",
        "_loaded",
        "_lot_id",
        "_pages",
        "_reader",
        "_rows",
        "_stored",
        "row",
        "until",
    )

    def __init__(self, lot_id: str, row: LotRow, reader: Reader, *, blank: bool = False) -> None:
        self.row = row
        self.until = BEGINNING if row.last is None else Micros(row.last[0])
        self._lot_id = lot_id
        self._reader = reader
        self._blank = blank
        self._stored = _KINDS if blank else _stored(row)
        # What stood and what is put, by kind and by what a row is about.
        self._loaded: dict[str, dict[str, Row | None]] = {kind: {} for kind in _KINDS}
        self._rows: dict[str, dict[str, Row]] = {kind: {} for kind in _KINDS}
        self._pages: dict[str, list[FlowsRow]] = {}

    @property
    def lot_id(self) -> str:
        """The lot."""
        return self._lot_id

    @property
    def is_blank(self) -> bool:
        """The book began without what was derived before."""
        return self._blank

    # -- one row of a kind ----------------------------------------------------------------------

    def material(self) -> MaterialRow:
        """Return the declaration and certificates, to read."""
        return self._get("material", "", MaterialRow) or MaterialRow()

    def shares_said(self) -> int:
        """Return what stood for the shares last said, whatever the book began with."""
        stood = self._stood("material", "")
        return stood.shares if isinstance(stood, MaterialRow) else 0

    def put_material(self, row: MaterialRow) -> None:
        """Replace the declaration and certificates."""
        self._rows["material"][""] = row

    def station(self, site: str) -> StationRow:
        """Return a site's series of shots, to read."""
        return self._get("station", site, StationRow) or StationRow()

    def own_station(self, site: str) -> StationRow:
        """Return a site's shots, to change: series and shots themselves are never changed."""
        mine = self._rows["station"].get(site)
        if isinstance(mine, StationRow):
            return mine
        old = self.station(site)
        row = self._rows["station"][site] = StationRow(dict(old.series), dict(old.shots))
        return row

    def trip(self, name: str) -> TripRow | None:
        """Return a trip, to read; one whose facts were all withdrawn is none."""
        row = self._get("trip", name, TripRow)
        return row if row is not None and row.no else None

    def opening(self, name: str) -> TripRow:
        """Return the row of a stock weighing's posting, to read; it is no trip."""
        return self._get("trip", name, TripRow) or TripRow()

    def put_trip(self, name: str, row: TripRow) -> None:
        """Replace a trip."""
        self._rows["trip"][name] = row

    def feed(self, event_id: str) -> FeedRow | None:
        """Return a process input, to read."""
        return self._get("feed", event_id, FeedRow)

    def put_feed(self, event_id: str, row: FeedRow) -> None:
        """Replace a process input."""
        self._rows["feed"][event_id] = row

    def given(self, event_id: str) -> GivenRow | None:
        """Return what a process handed over, to read; also in a blank book: no fact says it."""
        found = self._rows["given"].get(event_id) or self._stood("given", event_id)
        return found if isinstance(found, GivenRow) else None

    def put_given(self, event_id: str, row: GivenRow) -> None:
        """Replace what a process handed over."""
        self._rows["given"][event_id] = row

    def place(self, name: str) -> PlaceRow:
        """Return a place, to read."""
        return self._get("place", name, PlaceRow) or PlaceRow()

    def own_place(self, name: str) -> PlaceRow:
        """Return a place, to change."""
        mine = self._rows["place"].get(name)
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
            old.pages,
            old.stocks,
            old.asked,
            old.stocks_left_out,
            old.posted,
            old.findings,
            dict(old.marks),
        )
        self._rows["place"][name] = row
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

    def handed(self) -> list[Held]:
        """Return what processes handed over and did not withdraw, in order of the rows' names."""
        return [row.held for _, row in self.givens() if row.held is not None]

    def every_given(self) -> Iterator[tuple[str, GivenRow]]:
        """Yield all that processes ever handed over, what they withdrew included."""
        names = set(self._rows["given"])
        if "given" in self._stored:
            names.update(self._scan("given"))
        for name in sorted(names):
            row = self.given(name)
            if row is not None:
                yield name, row

    def facts(self) -> Iterator[FactRow]:
        """Yield the lot's facts as they stand in their rows, in no order."""
        for event_id in self._scan("fact"):
            fact = self.fact(event_id)
            if fact is not None:
                yield fact

    def fact(self, event_id: str) -> FactRow | None:
        """Return a fact of the lot."""
        found = self._reader.get(self._key("fact", event_id))
        return named(found, event_id) if isinstance(found, FactRow) else None

    def has_fact(self, event_id: str) -> bool:
        """Tell whether a fact of the lot stands in its row."""
        return self._reader.get(self._key("fact", event_id)) is not None

    def put_fact(self, fact: FactRow) -> None:
        """Keep a fact."""
        self._rows["fact"][fact.head.event_id] = unnamed(fact)

    def put_sealed(self, fact: FactRow) -> None:
        """Keep a fact that came too late for a sealed lot: it is counted and changes nothing."""
        self._rows["sealed"][fact.head.event_id] = unnamed(fact)

    def is_sealed(self, event_id: str) -> bool:
        """Tell whether a fact is kept as one that came too late."""
        return (
            event_id in self._rows["sealed"]
            or self._reader.get(self._key("sealed", event_id)) is not None
        )

    # -- what a step leaves ---------------------------------------------------------------------

    def changes(self) -> dict[str, Row]:
        """Return the rows that differ from what stood, by key."""
        changed: dict[str, Row] = {}
        for kind, rows in self._rows.items():
            loaded = self._loaded[kind]
            for about, row in rows.items():
                if row == loaded.get(about):
                    continue
                if isinstance(row, PlaceRow):
                    changed.update(self._place_rows(about, row))
                else:
                    changed[self._key(kind, about)] = row
        return changed

    def _place_rows(self, name: str, place: PlaceRow) -> dict[str, Row]:
        """Return the rows of a place that changed: its own, and pages beside it that differ."""
        self._stood("place", name)
        head, pages = flow_pages.split(place)
        before = self._pages.get(name, [])
        pages.extend([FlowsRow()] * (len(before) - len(pages)))
        rows: dict[str, Row] = {
            self._page_key(name, number): page
            for number, page in enumerate(pages)
            if number >= len(before) or page != before[number]
        }
        rows[self._key("place", name)] = head
        return rows

    def pairs(self, kinds: Iterable[str]) -> Iterator[tuple[Row | None, Row]]:
        """Yield what stood and what is put now, for the rows of some kinds that were put.

        Args:
            kinds: Prefixes of their keys.
        """
        for kind in kinds:
            for about, row in self._rows[kind].items():
                yield self._stood(kind, about), row

    def named_pairs(self, kind: str) -> Iterator[tuple[str, Row | None, Row]]:
        """Yield likewise the rows of one kind, with what each is about."""
        for about, row in self._rows[kind].items():
            yield about, self._stood(kind, about), row

    def empty_the_rest(self, kinds: Mapping[str, Callable[[], Row]]) -> None:
        """Put an empty row in the place of each row that stood and was not put anew.

        Args:
            kinds: How an empty row is made, by the prefix of its key.
        """
        for kind, empty in kinds.items():
            rows = self._rows[kind]
            for about in self._scan(kind):
                if about not in rows:
                    self._stood(kind, about)
                    rows[about] = empty()

    # -- how rows are found ---------------------------------------------------------------------

    def _key(self, kind: str, about: str) -> str:
        if kind == "material":
            return f"material/{self._lot_id}"
        return f"{kind}/{self._lot_id}{BETWEEN}{about}"

    def _get(self, kind: str, about: str, type_: type[R]) -> R | None:
        found = self._rows[kind].get(about)
        if found is None and not self._blank:
            found = self._stood(kind, about)
        return found if isinstance(found, type_) else None

    def _stood(self, kind: str, about: str) -> Row | None:
        if kind not in self._stored:
            return None
        loaded = self._loaded[kind]
        if about not in loaded:
            row = self._reader.get(self._key(kind, about))
            if isinstance(row, PlaceRow) and row.pages:
                pages = self._pages[about] = self._pages_of(about, row.pages)
                row = flow_pages.joined(row, pages)
            loaded[about] = row
        return loaded[about]

    def _pages_of(self, name: str, count: int) -> list[FlowsRow]:
        found = [self._reader.get(self._page_key(name, number)) for number in range(count)]
        return [page if isinstance(page, FlowsRow) else FlowsRow() for page in found]

    def _page_key(self, name: str, number: int) -> str:
        return f"flows/{self._lot_id}{BETWEEN}{name}{BETWEEN}{number}"

    def _scan(self, kind: str) -> Iterator[str]:
        prefix = self._key(kind, "")
        for key in self._reader.scan(prefix):
            yield key[len(prefix) :]

    def _all(self, kind: str, type_: type[R]) -> Iterator[tuple[str, R]]:
        rows = self._rows[kind]
        names = list(rows)
        if not self._blank and kind in self._stored:
            names.extend(name for name in self._scan(kind) if name not in rows)
        for name in names:
            row = self._get(kind, name, type_)
            if row is not None:
                yield name, row


def _stored(row: LotRow) -> Collection[str]:
    """Return the kinds of which rows were stored before this step: others need no look."""
    counts = {
        "material": row.facts,
        "station": row.series,
        "trip": row.trips or row.stocks,
        "feed": row.feeds,
        "given": row.givens,
        "place": row.places,
    }
    return {kind for kind, some in counts.items() if some}


def _fed_order(row: FeedRow) -> tuple[int, int, str]:
    fed = row.fed
    assert fed is not None
    return fed.at, fed.known, fed.event_id
