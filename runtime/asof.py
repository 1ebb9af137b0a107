"""What accounts held at a time as known at another, read from the warehouse's views.

The amounts are sums of transfers, exactly; the uncertainty is that of the newest balance record
known then, in proportion to the amount (``v_lot_balance_at`` in the migrations says how). Sums of
lots do not pretend that errors average out: what a source shares adds straight.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from custody.events import Micros
from custody.records import Part
from runtime.moment import sql_time

Row = Mapping[str, object]
Ask = Callable[[str, Mapping[str, str]], Sequence[Row]]
"""Runs one statement with parameters and returns its rows, columns by name."""
LOT = "lot"
"""What holds it, where that is no process."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is counted, and in what.

    Attributes:
        cls: ``mass``, ``metal`` or ``attribute``.
        name: ``wet``, ``dry``, an analyte or an attribute.
        unit: Unit of the stored integers: ``g``, ``mg`` or ``micro <unit>``.
        quality: How an attribute is known; empty for masses and metals.
    """

    cls: str
    name: str
    unit: str
    quality: str = ""

    @property
    def order(self) -> tuple[int, str, str, str]:
        """Wet, dry, metals, attributes; by name among themselves."""
        rank = {("mass", "wet"): 0, ("mass", "dry"): 1}
        after = {"metal": 2}.get(self.cls, 3)
        return rank.get((self.cls, self.name), after), self.name, self.unit, self.quality


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """Random standard uncertainty and signed systematic parts, in the quantity's unit."""

    random: float
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Holding:
    """What one lot, or one process, holds of one quantity at one place.

    Attributes:
        lot_id: The lot; empty where it is a process.
        place: Site, or transit.
        quantity: Of what.
        value: In the quantity's unit.
        u: Its uncertainty; None where it is not known.
        u_standing: ``then``: of a balance of that time; ``later``: of the next later one, for
            facts came out of order; ``none``.
        u_known_at: When that balance became known.
        process_id: The stockpile or other process; empty where it is a lot.
        held_in: ``lot``, or the kind of the process, such as ``stockpile``.
    """

    lot_id: str
    place: str
    quantity: Quantity
    value: int
    u: Uncertainty | None
    u_standing: str
    u_known_at: str | None
    process_id: str = ""
    held_in: str = LOT


@dataclass(frozen=True, slots=True)
class Times:
    """When it is asked about, and what is to be known by then."""

    at: Micros
    known: Micros

    def params(self) -> dict[str, str]:
        """Return them as parameters of a statement."""
        return {"at": sql_time(self.at), "known": sql_time(self.known)}


_VIEW = """
SELECT lot_id, place, class, quantity, unit, quality, value, u_random, u_source, u_systematic,
    u_standing, u_known_at, process_id, held_in
FROM v_lot_balance_at(
    at = {at:DateTime64(6, 'UTC')}, known_at = {known:DateTime64(6, 'UTC')})
"""
_LOT = f"""{_VIEW}
WHERE startsWith(account, concat('lot/', {{lot:String}}, '/')) AND lot_id = {{lot:String}}
ORDER BY place, class, quantity
"""
"""The account is named as well: it is what the engine can filter both sides of the view by."""

_PLACE = f"{_VIEW} WHERE place = {{site:String}} AND value != 0 ORDER BY account, class, quantity"


def of_lot(ask: Ask, lot_id: str, times: Times) -> list[Holding]:
    """Return what a lot held, place by place; nothing where no transfer had touched it."""
    return _holdings(ask(_LOT, times.params() | {"lot": lot_id}))


def at_site(ask: Ask, site_id: str, times: Times) -> list[Holding]:
    """Return what lay at a site, lot by lot, then what its processes held; zeros are left out."""
    return _holdings(ask(_PLACE, times.params() | {"site": site_id}))


def quantity_of(row: Row) -> Quantity:
    """Return the quantity a row of the views is about."""
    return Quantity(str(row["class"]), str(row["quantity"]), str(row["unit"]), str(row["quality"]))


def _holdings(rows: Sequence[Row]) -> list[Holding]:
    found = [_holding(row) for row in rows]
    return sorted(found, key=lambda h: (h.process_id, h.lot_id, h.place, h.quantity.order))


def _holding(row: Row) -> Holding:
    known_at = row["u_known_at"]
    return Holding(
        str(row["lot_id"]),
        str(row["place"]),
        quantity_of(row),
        int(str(row["value"])),
        uncertainty(row["u_random"], row["u_source"], row["u_systematic"]),
        str(row["u_standing"]),
        None if known_at is None else f"{str(known_at).replace(' ', 'T')}Z",
        str(row["process_id"]),
        str(row["held_in"]),
    )


def uncertainty(random: object, sources: object, parts: object) -> Uncertainty | None:
    """Return an uncertainty from a row's cells; None where the random part is null."""
    if random is None:
        return None
    names = sources if isinstance(sources, list) else []
    values = parts if isinstance(parts, list) else []
    named = [Part(source=str(name), u=float(u)) for name, u in zip(names, values, strict=True) if u]
    return Uncertainty(float(str(random)), tuple(named))
