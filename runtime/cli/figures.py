"""Numbers for people: a balance in tonnes and kilograms, with its uncertainty and their sources."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from custody.estimate import Estimate, sigma
from custody.records import AttributeAmount, Balance, Metal, Part

_SOURCES_SHOWN_MAX = 3

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Unit:
    """How a quantity is shown: ``divisor`` of ours make one of it."""

    name: str
    divisor: float
    digits: int


TONNE = Unit("t", 1e6, 3)
KILOGRAM = Unit("kg", 1e6, 2)


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its uncertainty, all in the record's own unit (grams or milligrams)."""

    value: int
    u_random: float
    parts: tuple[Part, ...]


def balance_rows(balances: Sequence[Balance]) -> list[Row]:
    """Return one row per place and quantity, and the totals over all places last."""
    rows = [row for one in balances for row in _place(one)]
    return rows + (list(_totals(balances)) if len(balances) > 1 else [])


def combined(figure: Figure) -> float:
    """Return the combined standard uncertainty: parts add in squares, a rest of them straight."""
    parts = {part.source: part.u for part in figure.parts}
    return sigma(Estimate(float(figure.value), figure.u_random**2, parts))


def total(figures: Sequence[Figure]) -> Figure:
    """Return the sum: random parts add in squares, parts of one source straight."""
    by_source: dict[str, float] = defaultdict(float)
    for figure in figures:
        for part in figure.parts:
            by_source[part.source] += part.u
    return Figure(
        sum(figure.value for figure in figures),
        math.hypot(*(figure.u_random for figure in figures)),
        tuple(Part(source=source, u=u) for source, u in by_source.items()),
    )


def measured(value: float, u: float, unit: str) -> str:
    """Return ``value ± u unit``, u to two digits and the value as far; a fraction in percent."""
    if unit == "fraction":
        value, u, unit = value * 100, u * 100, "%"
    digits = max(0, 1 - math.floor(math.log10(u))) if u > 0 else 3
    return f"{value:,.{digits}f} ± {u:,.{digits}f} {unit}"


def _place(one: Balance) -> Iterator[Row]:
    yield _row(one.place, "wet", TONNE, _wet(one))
    if one.moisture_fraction is not None:
        u = one.moisture_u_fraction
        yield {
            "place": one.place,
            "quantity": "moisture",
            "unit": "%",
            "value": f"{one.moisture_fraction * 100:.2f}",
            "u": "" if u is None else f"{u * 100:.2f}",
        }
    yield _row(one.place, "dry", TONNE, _dry(one))
    for metal in one.metals:
        yield _row(one.place, _called([metal]), KILOGRAM, _metal(metal))
    for attribute in one.attributes:
        yield _travelling(one.place, attribute, attribute.value_micro)


def _travelling(place: str, attribute: AttributeAmount, value_micro: int) -> Row:
    """Return the row of an amount that travels with the mass; nobody states a u of those."""
    return {
        "place": place,
        "quantity": f"{attribute.name} ({attribute.quality})",
        "unit": attribute.unit,
        "value": f"{value_micro / 1e6:,.3f}",
    }


def _totals(balances: Sequence[Balance]) -> Iterator[Row]:
    yield _row("total", "wet", TONNE, total([_wet(one) for one in balances]))
    yield _row("total", "dry", TONNE, total([_dry(one) for one in balances]))
    metals: dict[str, list[Metal]] = defaultdict(list)
    for one in balances:
        for metal in one.metals:
            metals[metal.analyte].append(metal)
    for every in metals.values():
        yield _row("total", _called(every), KILOGRAM, total([_metal(metal) for metal in every]))
    amounts: dict[tuple[str, str, str], list[AttributeAmount]] = defaultdict(list)
    for one in balances:
        for attribute in one.attributes:
            amounts[attribute.name, attribute.unit, attribute.quality].append(attribute)
    for some in amounts.values():
        yield _travelling("total", some[0], sum(one.value_micro for one in some))


def _wet(one: Balance) -> Figure:
    return Figure(one.mass_wet_g, one.mass_wet_u_random_g, one.mass_wet_u_systematic_g)


def _dry(one: Balance) -> Figure:
    return Figure(one.mass_dry_g, one.mass_dry_u_random_g, one.mass_dry_u_systematic_g)


def _metal(metal: Metal) -> Figure:
    return Figure(metal.value_mg, metal.u_random_mg, metal.u_systematic_mg)


def _called(some: Sequence[Metal]) -> str:
    """Return the name of a metal, and that nobody measured it, or a part of it."""
    expected = sum(metal.expected for metal in some)
    if not expected:
        return some[0].analyte
    return f"{some[0].analyte} ({'expected' if expected == len(some) else 'partly expected'})"


def _row(place: str, quantity: str, unit: Unit, figure: Figure) -> Row:
    def shown(value: float) -> str:
        return f"{value / unit.divisor:,.{unit.digits}f}"

    return {
        "place": place,
        "quantity": quantity,
        "unit": unit.name,
        "value": shown(figure.value),
        "u": shown(combined(figure)),
        "u_random": shown(figure.u_random),
        "u_systematic": named_parts(figure.parts, unit),
    }


def named_parts(parts: Sequence[Part], unit: Unit) -> str:
    """Return the largest systematic parts with their sources, and how many more there are.

    A part that rounds to nothing is none: what one scale did to both sides of a difference.
    """
    some = [part for part in parts if round(part.u / unit.divisor, unit.digits)]
    largest = sorted(some, key=lambda part: -abs(part.u))
    named = [
        f"{part.source} {part.u / unit.divisor:,.{unit.digits}f}"
        for part in largest[:_SOURCES_SHOWN_MAX]
    ]
    if len(largest) > _SOURCES_SHOWN_MAX:
        named.append(f"and {len(largest) - _SOURCES_SHOWN_MAX} more")
    return ", ".join(named)
