"""What compositions must satisfy, whoever measured them."""

from collections.abc import Iterable
from decimal import Decimal

from custody.elements import ELEMENTS
from producers.fields import converted, fault
from producers.outcome import Code

COMPOSITION_SUM_MAX = 1.01
"""Elements of one certificate may add up to one within the laboratory's own error."""


def check_range(unit: str, *values: Decimal | None) -> None:
    """Refuse what is no fraction of one after conversion; what was not given is fine."""
    for value in values:
        if value is not None:
            converted(value, unit)


def check_censored(value: Decimal | None, limit: Decimal | None, qualifier: str) -> None:
    """Below detection is censored data: it needs its limit, and no value may pass for it."""
    if value is None and (qualifier == "=" or limit is None):
        raise fault(Code.MISSING_FIELD, None, ["value", "qualifier with detection_limit"], "value")


def check_once(field: str, found: Iterable[tuple[str, str]]) -> None:
    """Refuse an analyte that stands twice on one basis: nobody could say which of them holds.

    Args:
        field: Name of the composition in the request.
        found: Analyte and basis of each.
    """
    seen: set[tuple[str, str]] = set()
    for no, one in enumerate(found):
        if one in seen:
            raise fault(Code.BAD_VALUE, one[0], "each analyte once", f"{field}.{no}.analyte")
        seen.add(one)


def check_elements(field: str, found: Iterable[tuple[str, str, float]]) -> None:
    """Refuse a composition whose elements add up to more than all there is.

    Only element symbols count, each once and per basis: Cu and soluble Cu, or Fe and Fe2O3, may
    well stand side by side.

    Args:
        field: Name of the composition in the request.
        found: Analyte, basis and fraction of each.
    """
    sums: dict[str, dict[str, float]] = {}
    for analyte, basis, fraction in found:
        if analyte in ELEMENTS:
            seen = sums.setdefault(basis, {})
            seen[analyte] = max(fraction, seen.get(analyte, 0.0))
    for basis, seen in sums.items():
        if sum(seen.values()) > COMPOSITION_SUM_MAX:
            allowed = f"elements on {basis} basis: at most {COMPOSITION_SUM_MAX}"
            raise fault(Code.FRACTIONS_EXCEED_ONE, sum(seen.values()), allowed, field)
