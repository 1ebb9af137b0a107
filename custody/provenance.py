"""Where a lot's material comes from, and what else travels with it as a share of its mass."""

import math
from collections.abc import Iterable, Sequence

from custody import carried
from custody.carried import mixture, origins_of
from custody.events import Micros
from custody.held import Carried, Held
from custody.lot_book import LotBook
from custody.lot_rows import MaterialRow
from custody.reference import References
from custody.rows import Declared, Finding
from custody.shares import SCORE, is_content, share_of


def carried_of(book: LotBook, references: References, given: Sequence[Held]) -> Carried:
    """Return what a lot's material carries: what was handed over tells more than a declaration.

    The country where it was mined follows from a declared origin: its own, or its site's.

    Args:
        book: The lot's rows.
        references: Reference data.
        given: What processes handed over with it.
    """
    material = book.material()
    if _speak(given):
        return _with_declared(mixture_of(given), material.declared)
    if material.declared is None or material.declared_by is None:
        return carried.NOTHING_CARRIED
    declared, at = material.declared, material.declared_by.at
    shares = _declared_shares(declared)
    mined = _mined(declared, references, at)
    if mined:
        shares["mined"] = mined
    return Carried(origins_of(declared.origins), {}, shares, {})


def _with_declared(handed: Carried, declared: Declared | None) -> Carried:
    """Add declared contents and scores that nothing handed over says anything of."""
    stated = {} if declared is None else _declared_shares(declared)
    more = {name: shares for name, shares in stated.items() if name not in handed.shares}
    if not more:
        return handed
    return handed._replace(shares=dict(sorted({**handed.shares, **more}.items())))


def _speak(given: Iterable[Held]) -> bool:
    """Tell whether what processes handed over says what a lot carries, not its declaration."""
    return math.fsum(held.dry for held in given) > 0


def doubts(material: MaterialRow, given: Sequence[Held], references: References) -> list[Finding]:
    """Find countries of origin that the declaring mine does not lie in; the declared ones count.

    Only a mine declares what it took out of its own ground: a depot may have bought over a border.
    A site of which nobody says what it is counts as a mine.
    """
    declared, head = material.declared, material.declared_by
    if declared is None or head is None or _speak(given):
        return []
    said = sorted({name for level, name, _ in declared.origins if level == "country" and name})
    lies_in = references.mined_in(head.site, head.at) if said else None
    return [
        Finding(
            "origin_country_differs",
            country,
            f"{country} is declared at {head.site}, which lies in {lies_in}; {country} counts",
        )
        for country in said
        if lies_in is not None and country != lies_in
    ]


def mixture_of(given: Iterable[Held]) -> Carried:
    """Return what contents carry together, weighted by their dry mass."""
    return mixture(
        [
            (float(max(held.dry, 0)), {a: v[0] for a, v in held.metals.items()}, held.carried)
            for held in given
        ]
    )


def _mined(declared: Declared, references: References, at: Micros) -> dict[str, float]:
    mined: dict[str, float] = {}
    for level, name, share in declared.origins:
        country = name if level == "country" else None
        if level == "site":
            country = references.country(name, at)
        if country:
            mined[country] = min(mined.get(country, 0.0) + share, 1.0)
    return mined


def _declared_shares(declared: Declared) -> dict[str, dict[str, float]]:
    """Return declared contents and scores: a share of the mass, or all of it in one band.

    A content that is no share from 0 to 1 counts nothing (``beyond_one`` finds it).
    """
    shares: dict[str, dict[str, float]] = {}
    for name, amount, unit, _, _ in declared.attributes:
        if name.startswith(SCORE):
            shares[name] = {f"{amount:g}": 1.0}
        elif is_content(name, unit):
            share = share_of(amount, unit)
            if share is not None:
                shares[name] = {"yes": share}
    return dict(sorted(shares.items()))
