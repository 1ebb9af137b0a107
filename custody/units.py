"""Numbers as plants write them: exact parsing of masses and concentrations. Only this rounds.

Masses become integers in grams, concentrations fractions of one. Everything is decimal until the
last step, so ``30.02`` t is 30,020,000 g and never 30,019,999. A unit is never guessed: a value
without one is the caller's business (its field name says the unit).
"""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from types import MappingProxyType

from custody.errors import Refused

GRAMS_PER: Mapping[str, Decimal] = MappingProxyType(
    {"g": Decimal(1), "kg": Decimal(1_000), "t": Decimal(1_000_000)}
)
"""Mass units a request may name, with their grams. ``t`` is the metric tonne."""

PER_FRACTION: Mapping[str, Decimal] = MappingProxyType(
    {
        "fraction": Decimal(1),
        "pct": Decimal(100),
        "ppm": Decimal(1_000_000),
        "g_per_t": Decimal(1_000_000),
        "kg_per_t": Decimal(1_000),
    }
)
"""Concentration units a request may name, with how many of them make one."""

MASS_G_MAX = 10**13
"""Ten million tonnes, the domain range the schemas declare: above it a number is a mistake."""

DIGITS_MAX = 40
"""Characters of a decimal string; a longer one is no measurement."""

_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)

Number = int | float | Decimal | str


class NotANumber(Refused):
    """A value that is no finite decimal number."""

    def __init__(self, found: object) -> None:
        self.found = found
        super().__init__(
            f"not a number: {str(found)[:DIGITS_MAX]!r}",
            expected="a JSON number or a decimal string such as '30.02'",
        )


class WrongUnit(Refused):
    """A unit that is not in the table for its quantity."""

    def __init__(self, found: object, allowed: Mapping[str, Decimal]) -> None:
        self.found = found
        self.allowed = tuple(allowed)
        super().__init__(f"unknown unit: {found!r}", expected=f"one of {', '.join(allowed)}")


def decimal(value: object) -> Decimal:
    """Return a number exactly as it was written.

    Args:
        value: int, Decimal, float (taken at its shortest decimal form) or decimal string.

    Raises:
        NotANumber: Anything else: a boolean, infinity, not-a-number, text, too many digits.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise NotANumber(value)
    if isinstance(value, int):
        return _bounded(Decimal(value), value)
    if isinstance(value, Decimal):
        return _bounded(value, value)
    text = repr(value) if isinstance(value, float) else value
    # Decimal() alone also takes underscores, blanks around and non-Latin digits: no scale does.
    if len(text) > DIGITS_MAX or not _DECIMAL.fullmatch(text):
        raise NotANumber(value)
    return _bounded(Decimal(text), value)


def grams(value: Number, unit: str) -> int:
    """Return a mass in grams, half-even.

    Args:
        value: The number as written; may be negative.
        unit: A name in ``GRAMS_PER``.

    Raises:
        NotANumber: Not a finite number, or beyond ``MASS_G_MAX``.
        WrongUnit: The unit is not in the table.
    """
    factor = GRAMS_PER.get(unit)
    if factor is None:
        raise WrongUnit(unit, GRAMS_PER)
    exact = decimal(value) * factor
    if abs(exact) > MASS_G_MAX:
        raise NotANumber(value)
    return int(exact.to_integral_value(rounding=ROUND_HALF_EVEN))


def fraction(value: Number, unit: str) -> float:
    """Return a concentration as a fraction of one; the nearest float to the exact quotient.

    Args:
        value: The number as written.
        unit: A name in ``PER_FRACTION``.

    Raises:
        NotANumber: Not a finite number.
        WrongUnit: The unit is not in the table.
    """
    factor = PER_FRACTION.get(unit)
    if factor is None:
        raise WrongUnit(unit, PER_FRACTION)
    return float(decimal(value) / factor)


def reported(fraction_of_one: float, unit: str) -> float:
    """Return a fraction in the unit its sender wrote; gives back what was posted.

    Args:
        fraction_of_one: As ``fraction`` gave it.
        unit: A name in ``PER_FRACTION``.

    Raises:
        WrongUnit: The unit is not in the table.
    """
    factor = PER_FRACTION.get(unit)
    if factor is None:
        raise WrongUnit(unit, PER_FRACTION)
    return float(f"{fraction_of_one * float(factor):.12g}")


def _bounded(number: Decimal, found: object) -> Decimal:
    """Refuse what arithmetic at 28 digits would distort: infinities and absurd magnitudes."""
    if not number.is_finite():
        raise NotANumber(found)
    if number and not -30 <= number.adjusted() <= 30:
        raise NotANumber(found)
    return number
