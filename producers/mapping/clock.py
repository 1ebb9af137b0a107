"""Times of a wall clock as moments: formats, zones, and the two hours a year that are no answer.

A format is written as spreadsheets write it: ``dd/MM/yyyy HH:mm:ss``. A cell may always end with
its offset (``25/10/2026 02:30 +02:00``), which is how an ambiguous hour is mended.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from producers.mapping.cells import Cell, text_of
from producers.mapping.faults import CellCode, CellFault
from producers.mapping.unit_words import plain
from producers.outcome import Code

MIDNIGHT = time()
ISO = "yyyy-MM-dd"
ISO_TIME = "yyyy-MM-dd HH:mm:ss"
_ISO_TIMES = (ISO_TIME, "yyyy-MM-dd HH:mm", f"{ISO_TIME}.f", ISO)

_YEARS = range(1900, 2300)
"""What a request can say; near the ends of what Python can say, zones overflow."""

_TOKENS: Mapping[str, str] = MappingProxyType(
    {
        "yyyy": r"(?P<year>\d{4})", "yy": r"(?P<short_year>\d{2})",
        "MMM": r"(?P<month_name>[^\W\d_]{3,12}\.?)", "MM": r"(?P<month>\d{2})",
        "M": r"(?P<month>\d{1,2})", "dd": r"(?P<day>\d{2})",
        "d": r"(?P<day>\d{1,2})(?:er|[ºo°.])?", "EEE": r"[^\W\d_]{2,14}(?:-feira)?[.,]{0,2}",
        "HH": r"(?P<hour>\d{2})", "H": r"(?P<hour>\d{1,2})",
        "hh": r"(?P<half_hour>\d{2})", "h": r"(?P<half_hour>\d{1,2})",
        "mm": r"(?P<minute>\d{2})", "ss": r"(?P<second>\d{2})", "f": r"(?P<micros>\d{1,6})",
        "tt": r"(?P<half>[AaPp]\.?[Mm]\.?)",
    }
)  # fmt: skip
_TOKEN = re.compile(
    r"'[^']*'|yyyy|yy|EEE|MMM|MM|M|dd|d|HH|H|hh|h|mm|ss|f|tt|[A-Za-z]+|.", re.DOTALL
)
_OFFSET = r"(?:\s*(?P<offset>[Zz]|[+-]\d\d:\d\d))?"
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*", re.ASCII)
_FIXED = re.compile(r"([+-])(\d\d):([0-5]\d)", re.ASCII)

_MONTHS = (
    "jan january janvier janv enero ene janeiro januar янв январь января",
    "feb february février févr fév fevrier febrero fevereiro fev februar фев февраль февраля",
    "mar march mars marzo março märz mär mrz мар март марта",
    "apr april avril avr abril abr апр апрель апреля",
    "may mai mayo maio май мая",
    "jun june juin junio junho juni июн июнь июня",
    "jul july juillet juil julio julho juli июл июль июля",
    "aug august août aout agosto ago авг август августа",
    "sep sept september septembre septiembre setembro set сен сентябрь сентября",
    "oct october octobre octubre outubro out okt oktober окт октябрь октября",
    "nov november novembre noviembre novembro ноя ноябрь ноября",
    "dec december décembre déc decembre diciembre dic dezembro dez dezember дек декабрь декабря",
)
_MONTH_BY_NAME: Mapping[str, int] = MappingProxyType(
    {name: no for no, names in enumerate(_MONTHS, start=1) for name in names.split()}
)


class BadFormat(ValueError):
    """A format or zone that cannot be understood."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(f"{found!r}: {expected}")


@dataclass(frozen=True, slots=True)
class Clock:
    """How a column tells the time.

    Attributes:
        format: Of text; None for ISO 8601 and for typed cells.
        zone: Where the clock hangs; None where every cell has its offset.
        time_of_day: For cells with a date alone.
    """

    format: str | None
    zone: tzinfo | None
    time_of_day: time | None = None


@cache
def zone(name: str) -> tzinfo:
    """Return the zone of an IANA name or an offset such as ``+02:00``.

    Raises:
        BadFormat: There is none of that name, or the system knows none at all.
    """
    fixed = _FIXED.fullmatch(name)
    if fixed is not None:
        away = timedelta(hours=int(fixed[2]), minutes=int(fixed[3]))
        if away >= timedelta(hours=24):
            raise BadFormat(name, "an offset is less than a day")
        return timezone(away if fixed[1] == "+" else -away)
    if name == "UTC":
        return UTC
    # A name is a path below the zone data: only names that cannot leave it are asked for.
    try:
        if _ZONE.fullmatch(name):
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise BadFormat(
        name,
        "a zone is an IANA name such as Europe/Paris (on Windows with the package tzdata installed)"
        " or an offset such as +02:00",
    )


@cache
def pattern(form: str) -> re.Pattern[str]:
    """Return the pattern of a format; a trailing offset is always allowed.

    Raises:
        BadFormat: Letters that mean nothing, or one thing twice.
    """
    made = []
    for token in _TOKEN.findall(form):
        if token in _TOKENS:
            made.append(_TOKENS[token])
        elif token.startswith("'") and token.endswith("'") and len(token) > 1:
            made.append(re.escape(token[1:-1]))
        elif token.isalpha() and token.isascii():
            raise BadFormat(form, f"{token} means nothing; {' '.join(_TOKENS)} do")
        else:
            made.append(r"\s+" if token.isspace() else re.escape(token))
    try:
        found = re.compile("".join(made) + _OFFSET)
    except re.error:
        raise BadFormat(form, "a format says each thing once") from None
    if not ({"year", "short_year"} & set(found.groupindex)) or "day" not in found.groupindex:
        raise BadFormat(form, "a format has a year and a day")
    return found


def has_time(form: str) -> bool:
    """Tell whether a format has an hour."""
    return bool({"hour", "half_hour"} & set(pattern(form).groupindex))


def moment(cells: Sequence[Cell], clock: Clock) -> str:
    """Return RFC 3339 text with offset of one cell, or of a date and a time of day.

    Raises:
        CellFault: No time, one that the clock never showed, or one it showed twice.
    """
    naive, offset = _wall(cells, clock)
    if naive.year not in _YEARS:
        raise CellFault(Code.BAD_VALUE, naive.isoformat(sep=" "), "years 1900 to 2299")
    if offset is not None:
        return naive.replace(tzinfo=offset).isoformat()
    if clock.zone is None:
        raise CellFault(Code.BAD_VALUE, naive.isoformat(sep=" "), "a time with its offset")
    return _placed(naive, clock.zone).isoformat()


def day(cell: Cell, form: str | None) -> str:
    """Return the ISO date in a cell.

    Raises:
        CellFault: No date.
    """
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    return _parsed(*_in_form(text_of(cell), form, ISO))[0].date().isoformat()


def _wall(cells: Sequence[Cell], clock: Clock) -> tuple[datetime, tzinfo | None]:
    typed = [c for c in cells if isinstance(c, datetime | date | time | timedelta)]
    if len(typed) == len(cells):
        return _typed(typed, clock), None
    text, form = _in_form(" ".join(text_of(c) for c in cells), clock.format, ISO_TIME)
    naive, offset = _parsed(text, form)
    if not has_time(form):
        return datetime.combine(naive, _time_of_day(clock, cells)), offset
    return naive, offset


def _in_form(text: str, given: str | None, otherwise: str) -> tuple[str, str]:
    """Return a text and the format to read it in: the one given, or ISO 8601.

    What a sheet had typed stands as ISO 8601 in the file of its refused rows, whatever format the
    mapping has for texts.
    """
    if given is not None and pattern(given).fullmatch(text):
        return text, given
    plain_text = text.replace("T", " ", 1)
    form = next((f for f in _ISO_TIMES if pattern(f).fullmatch(plain_text)), None)
    if form is None:
        return text, given or otherwise
    return plain_text, form


def _typed(cells: Sequence[datetime | date | time | timedelta], clock: Clock) -> datetime:
    first = cells[0]
    if isinstance(first, datetime) and len(cells) == 1:
        return first
    if not isinstance(first, date) or len(cells) > 2:
        raise CellFault(Code.BAD_VALUE, text_of(first), "a date, then a time of day")
    on = first.date() if isinstance(first, datetime) else first
    if len(cells) == 1:
        return datetime.combine(on, _time_of_day(clock, cells))
    second = cells[1]
    if isinstance(second, timedelta):
        return datetime.combine(on, time()) + second % timedelta(days=1)
    if isinstance(second, datetime):
        return datetime.combine(on, second.time())
    if isinstance(second, time):
        return datetime.combine(on, second.replace(tzinfo=None))
    raise CellFault(Code.BAD_VALUE, text_of(second), "a time of day")


def _time_of_day(clock: Clock, cells: Sequence[Cell]) -> time:
    if clock.time_of_day is None:
        found = " ".join(text_of(c) for c in cells)
        raise CellFault(Code.BAD_VALUE, found, "a time, or time_of_day in the mapping")
    return clock.time_of_day


def _parsed(text: str, form: str) -> tuple[datetime, tzinfo | None]:
    found = pattern(form).fullmatch(text)
    if found is None:
        raise CellFault(Code.BAD_VALUE, text, f"a time as {form}")
    part = {name: value for name, value in found.groupdict().items() if value is not None}
    try:
        naive = datetime(  # noqa: DTZ001  # a wall clock has no zone until it is placed
            _year(part),
            _month(part),
            int(part["day"]),
            _hour(part),
            int(part.get("minute", 0)),
            int(part.get("second", 0)),
            int(part.get("micros", "0").ljust(6, "0")),
        )
        offset = part.get("offset")
        return naive, None if offset is None else zone("UTC" if offset in "Zz" else offset)
    except (ValueError, KeyError):
        raise CellFault(Code.BAD_VALUE, text, "a date and time that exist") from None


def _year(part: Mapping[str, str]) -> int:
    # Exports of scales and laboratories are of this century; the books begin long after 2000.
    return int(part["year"]) if "year" in part else 2000 + int(part["short_year"])


def _month(part: Mapping[str, str]) -> int:
    if "month" in part:
        return int(part["month"])
    return _MONTH_BY_NAME[plain(part["month_name"]).rstrip(".")]


def _hour(part: Mapping[str, str]) -> int:
    if "half_hour" not in part:
        return int(part.get("hour", 0))
    hour = int(part["half_hour"])
    if not 1 <= hour <= 12:
        raise ValueError(hour)
    return hour % 12 + (12 if part["half"][0] in "pP" else 0)


def _placed(naive: datetime, at: tzinfo) -> datetime:
    """Return a wall time in its zone; refuse what is in a gap or shown twice."""
    first, second = naive.replace(tzinfo=at, fold=0), naive.replace(tzinfo=at, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first
    shown = naive.isoformat(sep=" ")
    if first.astimezone(UTC).astimezone(at).replace(tzinfo=None) != naive:
        allowed = f"a time that the clock of {at} showed; it was put forward over this one"
        raise CellFault(CellCode.NO_SUCH_TIME, shown, allowed)
    offsets = " or ".join(t.isoformat()[-6:] for t in (first, second))
    allowed = f"the time with its offset behind it, {offsets}: the clock of {at} showed it twice"
    raise CellFault(CellCode.AMBIGUOUS_TIME, shown, allowed)
