"""Times and periods as people write them: ``2026-11-03``, RFC 3339, ``2026-11``.

A date is its first instant in UTC. A period is half open, so that the end of one is the start of
the next and nothing that happens at midnight is in both.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from custody.errors import Refused
from custody.events import Micros

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_PERIOD = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_YEAR_MIN, _YEAR_MAX = 1900, 2299
"""What a DateTime64 of the warehouse holds."""


class NotATime(Refused):
    """A text that is no time we read."""

    def __init__(self, text: str, option: str) -> None:
        super().__init__(
            f"{option}: {text!r} is not a time",
            expected="a date (2026-11-03, its first instant in UTC) or RFC 3339 with its zone"
            " (2026-11-03T06:42:10+02:00), years 1900 to 2299",
        )


class NotAPeriod(Refused):
    """A text that is no period we read."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"--period: {text!r} is not a period",
            expected="a year, a month or a day in UTC (2026, 2026-11, 2026-11-03), or FROM/TO,"
            " two times of which the second is not in it",
        )


class Period(NamedTuple):
    """From ``start``, inclusive, to ``end``, exclusive, microseconds since 1970 in UTC."""

    start: Micros
    end: Micros


def time_of(text: str, option: str) -> Micros:
    """Return the time a text says.

    Args:
        text: A date or an RFC 3339 time; a time without a zone is not guessed.
        option: What the person typed it behind, for the error.

    Raises:
        NotATime: It is neither.
    """
    try:
        if _DATE.fullmatch(text):
            moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
        elif _TIME.fullmatch(text):
            moment = datetime.fromisoformat(text.upper())
        else:
            raise NotATime(text, option)
        return _micros(moment)
    except (ValueError, OverflowError) as error:
        raise NotATime(text, option) from error


def period_of(text: str) -> Period:
    """Return the period a text says.

    Raises:
        NotAPeriod: It is none, or it ends before it begins.
    """
    first, slash, second = text.partition("/")
    if slash:
        period = Period(time_of(first, "--period"), time_of(second, "--period"))
        if period.end <= period.start:
            raise NotAPeriod(text)
        return period
    found = _PERIOD.fullmatch(text)
    if found is None:
        raise NotAPeriod(text)
    year, month, day = (None if part is None else int(part) for part in found.groups())
    try:
        start = datetime(
            year or 0, 1 if month is None else month, 1 if day is None else day, tzinfo=UTC
        )
        return Period(_micros(start), _micros(_next(start, month, day)))
    except (ValueError, OverflowError) as error:
        raise NotAPeriod(text) from error


def sql_time(at: Micros) -> str:
    """Return a time as a parameter of the type ``DateTime64(6, 'UTC')``."""
    return f"{_EPOCH + timedelta(microseconds=at):%Y-%m-%d %H:%M:%S.%f}"


def now() -> Micros:
    """Return the time of day."""
    return Micros((datetime.now(UTC) - _EPOCH) // _MICROSECOND)


def _next(start: datetime, month: int | None, day: int | None) -> datetime:
    """Return where the year, month or day that begins at ``start`` ends."""
    if day is not None:
        return start + timedelta(days=1)
    if month is None or month == 12:
        return start.replace(year=start.year + 1, month=1)
    return start.replace(month=month + 1)


def _micros(moment: datetime) -> Micros:
    if not _YEAR_MIN <= moment.astimezone(UTC).year <= _YEAR_MAX:
        raise ValueError
    return Micros((moment - _EPOCH) // _MICROSECOND)
