"""Types of request fields: how JSON becomes grams, fractions, micros and names.

Each type is a plain function from the JSON value to the value of the fact; it raises
``fault(code, ...)``. Numbers reach these
functions as int, Decimal or string (the body is parsed with ``parse_float=Decimal``), never as
float, so that no digit is lost before ``custody.units`` rounds once.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from custody import units
from custody.events import Micros
from custody.ids import parse_event_id
from producers.outcome import Code, shown

TEXT_CHARS_MAX = 1_024
TIME_MIN = Micros(-2_208_988_800_000_000)
TIME_MAX = Micros(10_413_791_999_999_999)
"""1900 to 2299, the range the schemas declare."""

LONG_MAX = 2**53
"""Whole numbers above it do not survive a JSON reader that thinks in doubles."""

_NUMBER_ALLOWED = "a JSON number or a decimal string: 0, or 1e-30 to 1e30 with either sign"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
_MINUTE = timedelta(minutes=1)
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
"""Controls, and marks of no width; some of them show an id in another order than it is read."""


class Moment(NamedTuple):
    """A point in time and the offset its sender wrote, minutes east of UTC."""

    at: Micros
    offset_min: int


def fault(
    code: Code, found: object, allowed: object = None, field: str = ""
) -> PydanticCustomError:
    """Return the error that a field type raises; carries what was found and what is allowed.

    Args:
        code: Why.
        found: What stood there.
        allowed: What may stand there.
        field: The field, where a check of the whole model raises it.
    """
    context = {"code": code.value, "found": shown(found), "allowed": allowed, "field": field}
    return PydanticCustomError(code.value, "{code}", context)


def mass_g(value: object) -> int:
    """Return grams of kilograms (number, decimal string) or of ``{"value", "unit"}``; >= 0."""
    unit: object = "kg"
    if isinstance(value, Mapping):
        if set(value) != {"value", "unit"}:
            raise fault(Code.BAD_VALUE, sorted(map(str, value)), ["value", "unit"])
        unit, value = value["unit"], value["value"]
    if not isinstance(unit, str) or unit not in units.GRAMS_PER:
        raise fault(Code.WRONG_UNIT, unit, list(units.GRAMS_PER))
    try:
        grams = units.grams(number(value), unit)
    except units.NotANumber:
        raise fault(Code.NOT_A_NUMBER, value, "a mass below ten million tonnes") from None
    if grams < 0:
        raise fault(Code.NEGATIVE_MASS, value, ">= 0")
    return grams


def number(value: object) -> Decimal:
    """Return a finite number exactly."""
    try:
        return units.decimal(value)
    except units.NotANumber:
        raise fault(Code.NOT_A_NUMBER, value, _NUMBER_ALLOWED) from None


def real(value: object) -> float:
    """Return a finite number as the nearest float."""
    return float(number(value))


def whole(value: object) -> int:
    """Return a whole number of at most 53 bits."""
    found = number(value)
    if found != found.to_integral_value() or abs(found) > LONG_MAX:
        raise fault(Code.NOT_A_NUMBER, value, "a whole number")
    return int(found)


def count(value: object) -> int:
    """Return a whole number from 0 to 2**31 - 1."""
    found = whole(value)
    if not 0 <= found < 2**31:
        raise fault(Code.BAD_VALUE, value, "0 to 2147483647")
    return found


def fraction(value: object) -> float:
    """Return a fraction 0 to 1; percent is refused, not guessed."""
    found = number(value)
    if not 0 <= found <= 1:
        raise fault(Code.FRACTION_OUT_OF_RANGE, value, "0 to 1")
    return float(found)


def moment(value: object) -> Moment:
    """Return a point in time of RFC 3339 text with offset; second 60 is the next one's 0."""
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise fault(Code.BAD_VALUE, value, "RFC 3339 with offset, 2026-11-03T06:10:00+02:00")
    text, leap = value.upper(), 0
    if text[17:19] == "60":
        text, leap = f"{text[:17]}59{text[19:]}", 1_000_000
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise fault(Code.BAD_VALUE, value, "a date and time that exist") from None
    offset = read.utcoffset()
    assert offset is not None, "the pattern demands an offset"
    at = Micros((read - _EPOCH) // _MICRO + leap)
    if not TIME_MIN <= at <= TIME_MAX:
        raise fault(Code.BAD_VALUE, value, "years 1900 to 2299")
    return Moment(at, offset // _MINUTE)


def day(value: object) -> int:
    """Return days since 1970-01-01 of an ISO date."""
    try:
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value).toordinal() - date(1970, 1, 1).toordinal()
    except ValueError:
        pass
    raise fault(Code.BAD_VALUE, value, "a date, 2026-11-03")


def between(low: float, high: float) -> Callable[[object], float]:
    """Return a field function for a number within bounds, both included."""

    def check(value: object) -> float:
        found = number(value)
        if not low <= found <= high:
            raise fault(Code.BAD_VALUE, value, f"{low} to {high}")
        return float(found)

    return check


def json_object(value: object) -> dict[str, object]:
    """Return a JSON object as it is, decimals as floats."""
    if not isinstance(value, dict):
        raise fault(Code.BAD_VALUE, value, "a JSON object")
    body = {str(name): plain(item) for name, item in value.items()}
    try:
        json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        raise fault(Code.BAD_VALUE, "half a surrogate pair or a number too large", "text") from None
    return body


def plain(value: object) -> object:
    """Return parsed JSON with its decimals as floats, fit for ``json.dumps``."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def event_id(value: object) -> str:
    """Return UUID text in lower case."""
    found = parse_event_id(value) if isinstance(value, str) else None
    if found is None:
        raise fault(Code.BAD_VALUE, value, "a UUID, 8-4-4-4-12 hex digits")
    return found


def plain_text(value: str) -> str:
    """Return text in which nothing stands that nobody sees: ``L-1`` and ``L-1 `` are no two lots.

    Control characters and blanks at either end are refused, not taken away: an id that is changed
    on its way would no longer be what the sender asks for.
    """
    if value != value.strip() or _UNSEEN.search(value):
        allowed = "no control characters, no blanks at the beginning or the end"
        raise fault(Code.BAD_VALUE, value, allowed)
    return value


def one_of(*names: str) -> Callable[[object], str]:
    """Return a field function for a closed list of names."""
    allowed = frozenset(names)

    def check(value: object) -> str:
        if isinstance(value, str) and value in allowed:
            return value
        raise fault(Code.BAD_VALUE, value, list(names))

    return check


def concentration_unit(value: object) -> str:
    """Return a concentration unit's name."""
    if isinstance(value, str) and value in units.PER_FRACTION:
        return value
    raise fault(Code.WRONG_UNIT, value, list(units.PER_FRACTION))


def converted(value: Decimal, unit: str) -> float:
    """Return a concentration as a fraction; outside 0 to 1 it cannot be one."""
    found = units.fraction(value, unit)
    if not 0 <= found <= 1:
        raise fault(Code.FRACTION_OUT_OF_RANGE, str(value), f"0 to 1 once converted from {unit}")
    return found


class Read:
    """Annotation of a field: the function that reads it and the JSON Schema that describes it."""

    __slots__ = ("function", "schema")

    def __init__(self, function: Callable[[object], object], schema: Mapping[str, object]) -> None:
        self.function = function
        self.schema = schema

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.function)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        return dict(self.schema)


def names(*allowed: str) -> Read:
    """Return the annotation of a field that takes one name of a closed list."""
    return Read(one_of(*allowed), {"type": "string", "enum": list(allowed)})


def bounded(low: float, high: float) -> Read:
    """Return the annotation of a field that takes a number within bounds."""
    return Read(between(low, high), {"type": "number", "minimum": low, "maximum": high})


_NUMBER = {"anyOf": [{"type": "number"}, {"type": "string", "format": "decimal"}]}

MassG = Annotated[
    int,
    Read(
        mass_g,
        {
            "description": "Kilograms as number or decimal string, or a value with its unit.",
            "anyOf": [
                {"type": "number", "minimum": 0},
                {"type": "string", "format": "decimal"},
                {
                    "type": "object",
                    "properties": {
                        "value": _NUMBER,
                        "unit": {"type": "string", "enum": list(units.GRAMS_PER)},
                    },
                    "required": ["value", "unit"],
                    "additionalProperties": False,
                },
            ],
        },
    ),
]
Exact = Annotated[Decimal, Read(number, _NUMBER)]
Real = Annotated[float, Read(real, _NUMBER)]
Whole = Annotated[int, Read(whole, {"type": "integer"})]
Fraction = Annotated[float, Read(fraction, {"type": "number", "minimum": 0, "maximum": 1})]
Time = Annotated[Moment, Read(moment, {"type": "string", "format": "date-time"})]
Day = Annotated[int, Read(day, {"type": "string", "format": "date"})]
EventId = Annotated[str, Read(event_id, {"type": "string", "format": "uuid"})]
ConcentrationUnit = Annotated[
    str, Read(concentration_unit, {"type": "string", "enum": list(units.PER_FRACTION)})
]
JsonObject = Annotated[dict[str, object], Read(json_object, {"type": "object"})]
Text = Annotated[str, Field(min_length=1, max_length=TEXT_CHARS_MAX), AfterValidator(plain_text)]
"""Ids, names, reasons: what people compare by eye and type again."""
