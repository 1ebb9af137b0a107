"""A proved record as people read it: each field by its name, with its unit."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, timedelta
from decimal import Decimal

from custody.events import Micros
from schemas.present import rfc3339

_EPOCH_DAY = date(1970, 1, 1)
_NOTHING = (None, (), "")


def _time(value: object) -> str:
    return rfc3339(Micros(int(str(value))))


def _kilograms(value: object) -> str:
    return f"{Decimal(str(value)) / 1000:,.3f} kg"


def _percent(value: object) -> str:
    return f"{float(str(value)) * 100:.10g} %"


def _day(value: object) -> str:
    return (_EPOCH_DAY + timedelta(days=int(str(value)))).isoformat()


def _in(unit: str) -> Callable[[object], str]:
    return lambda value: f"{value} {unit}"


_BY_NAME: Mapping[str, Callable[[object], str]] = {"valid_from": _time, "valid_to": _time}
_BY_SUFFIX: Mapping[str, Callable[[object], str]] = {
    "_at": _time,
    "_day": _day,
    "density_kg_m3": _in("kg/m3"),
    "_m3": _in("m3"),
    "_g": _kilograms,
    "fraction": _percent,
    "share": _percent,
    "_ms": _in("ms"),
    "_min": _in("min"),
    "_s": _in("s"),
    "_deg": _in("degrees"),
}
"""Units by the end of a field's name, which says them; the first that fits. What stands before the
unit is the label, and a name without one keeps all of it."""

_UNITS_IN_NAMES = ("_kg_m3", "_m3", "_g", "_fraction", "_day", "_ms", "_min", "_s", "_deg")


def lines(record: object) -> Iterator[str]:
    """Yield a line for each field that a record states, two spaces in front.

    Args:
        record: A frozen dataclass; fields that are records or lists of them stand in one line each.
    """
    for label, value in _stated(record):
        some = value if isinstance(value, tuple) and _holds_records(value) else (value,)
        for one in some:
            yield f"  {label}  {_shown(one)}"


def _stated(record: object) -> Iterator[tuple[str, object]]:
    """Yield label and value of each field, values with their unit already, lists as they are."""
    assert is_dataclass(record)
    for field in fields(record):
        value = getattr(record, field.name)
        if value in _NOTHING:
            continue
        show = _BY_NAME.get(field.name) or _by_suffix(field.name)
        listed = isinstance(value, tuple | str)
        yield _label(field.name), value if show is None or listed else show(value)


def _shown(value: object) -> str:
    if is_dataclass(value):
        return ", ".join(f"{label} {_shown(one)}" for label, one in _stated(value))
    if isinstance(value, tuple):
        return ", ".join(map(_shown, value))
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def _holds_records(values: tuple[object, ...]) -> bool:
    return bool(values) and is_dataclass(values[0])


def _by_suffix(name: str) -> Callable[[object], str] | None:
    return next((show for suffix, show in _BY_SUFFIX.items() if name.endswith(suffix)), None)


def _label(name: str) -> str:
    unit = next((unit for unit in _UNITS_IN_NAMES if name.endswith(unit)), "")
    return name.removesuffix(unit).replace("_", " ")
