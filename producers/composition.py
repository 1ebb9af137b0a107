"""What compositions must satisfy, whoever measured them."""

from collections.abc import Iterable
from decimal import Decimal

from custody.elements import COMPOSITION_SUM_MAX, ELEMENTS
from producers.fields import converted, fault
from producers.outcome import Code


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


def check_elements(
    field: str, found: Iterable[tuple[str, str, float]], moisture: float = 0.0
) -> None:
    """Refuse a composition whose dry matter would be more than all there is.

    Only element symbols add up, each once, the greater where it stands on both bases: Cu and
    soluble Cu, or Fe and Fe2O3, may well stand side by side. Of the dry matter an analyte is at
    least what it is of the whole, so bases are added also where nobody says the moisture.

    Args:
        field: Name of the composition in the request.
        found: Analyte, basis and fraction of each.
        moisture: Fraction that stands beside them; 0 where none does.
    """
    dry: dict[str, float] = {}
    for analyte, basis, fraction in found:
        of_dry = fraction / (1.0 - moisture) if basis == "as_is" else fraction
        dry[analyte] = max(of_dry, dry.get(analyte, 0.0))
    elements = sum(of_dry for analyte, of_dry in dry.items() if analyte in ELEMENTS)
    most = max([elements, *dry.values()])
    if most > COMPOSITION_SUM_MAX:
        allowed = f"elements, and each analyte, of the dry matter: at most {COMPOSITION_SUM_MAX}"
        raise fault(Code.FRACTIONS_EXCEED_ONE, most, allowed, field)
