"""The times of a question, as somebody wrote them, and times of rows as pages show them."""

from console.answers import Asked
from custody.events import Micros
from runtime.asof import Times
from runtime.lineage import NOW, Moment
from runtime.moment import now, sql_time, time_of
from schemas.present import rfc3339

BEGINNING = Micros(-2_000_000_000_000_000)
"""Before anything that is told of: 1906."""


def is_now(asked: Asked) -> bool:
    """Tell whether nothing has to be left out of the answer."""
    return asked.at is None and asked.known is None


def times(asked: Asked) -> Times:
    """Return both times; what is not named is now.

    Raises:
        NotATime: One cannot be read.
    """
    at, known = asked.at, asked.known
    return Times(
        now() if at is None else time_of(at, "at"),
        now() if known is None else time_of(known, "known"),
    )


def moment(asked: Asked) -> Moment:
    """Return both times for a walk; what is not named leaves nothing out.

    Raises:
        NotATime: One cannot be read.
    """
    given = ((asked.at, "at"), (asked.known, "known"))
    return Moment(*(NOW if one is None else sql_time(time_of(one, name)) for one, name in given))


def shown(micros: object) -> str:
    """Return a time of a row, microseconds, as RFC 3339."""
    return rfc3339(Micros(int(str(micros))))


def micros(cell: object) -> Micros:
    """Return a time of a row, ``YYYY-MM-DD HH:MM:SS.ffffff`` in UTC."""
    return time_of(f"{cell}Z", "the warehouse")
