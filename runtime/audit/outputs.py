"""What workers numbered: an output that has another's number, or one that no number leads to.

A worker numbers what it says 1, 2, 3, ... over all topics, and signs nothing. So an output that
somebody else wrote under its name has a number that another has, or one behind a hole.
"""

from collections.abc import Iterator
from typing import NamedTuple

from runtime.asof import Ask
from runtime.audit.beyond import GRACE_US
from runtime.audit.chains import PLACE
from schemas.routes import ROUTES

NAMED_MAX = 200
"""Places named of each kind and worker."""

_TABLES = tuple(str(route.table) for route in ROUTES if route.derived and route.table is not None)


def _each(select: str, where: str = "1") -> str:
    return " UNION ALL ".join(f"SELECT {select} FROM {table} WHERE {where}" for table in _TABLES)  # noqa: S608


_ODD = f"""
SELECT sender FROM ({_each("sender, n")})
GROUP BY sender HAVING count() != uniqExact(n) OR max(n) - min(n) + 1 != uniqExact(n)
ORDER BY sender
"""  # noqa: S608  names of ours
_OF_SENDER = _each("n", "sender = {sender:String}")
# Numbers alone: with the places of all of them ten million would not fit into a question's memory.
_TWICE = f"""
SELECT n, n AS before FROM ({_OF_SENDER}) GROUP BY n HAVING count() > 1 ORDER BY n LIMIT {NAMED_MAX}
"""  # noqa: S608  likewise
_JUMPS = f"""
SELECT n, before FROM
(
    SELECT n, lagInFrame(n, 1, n) OVER (ORDER BY n) AS before
    FROM (SELECT DISTINCT n FROM ({_OF_SENDER}))
)
WHERE n - before > 1 ORDER BY n LIMIT {NAMED_MAX}
"""  # noqa: S608  likewise
_SETTLED = (
    f"(timestamp > now64(3) OR timestamp < subtractMicroseconds(now64(6), {GRACE_US})) AS settled"
)
_PLACED = _each(f"n, {PLACE} AS place, {_SETTLED}", "sender = {sender:String} AND n IN ({numbers})")
_PLACES = f"""
SELECT n, arrayStringConcat(arraySort(groupArray(place)), ' and ') AS places,
    max(settled) AS settled
FROM ({_PLACED}) GROUP BY n
"""  # noqa: S608  likewise


class Odd(NamedTuple):
    """An output whose number does not fit.

    Attributes:
        jumps: It stands behind a hole; else its number has another record, too.
        about: Worker and number.
        detail: A sentence with its place, or the places of all.
    """

    jumps: bool
    about: str
    detail: str


def odd(ask: Ask) -> Iterator[Odd]:
    """Yield the outputs whose numbers do not fit; blocks, reads the numbers of all.

    A hole counts where the record behind it is a minute old by Kafka's time, or of a time to come:
    of a flush that is under way one table has its rows before another.

    Args:
        ask: Runs SQL.

    Raises:
        Unavailable: The warehouse does not answer.
    """
    for row in ask(_ODD, {}):
        sender = str(row["sender"])
        for n, _, places, _ in _found(ask, _TWICE, sender):
            detail = f"two outputs have this number: {places}"
            yield Odd(jumps=False, about=f"{sender} n {n}", detail=detail)
        for n, before, places, settled in _found(ask, _JUMPS, sender):
            if settled:
                detail = f"{places}: nothing stored has the numbers {before + 1} to {n - 1}"
                yield Odd(jumps=True, about=f"{sender} n {n}", detail=f"{detail} before it")


def _found(ask: Ask, numbers: str, sender: str) -> Iterator[tuple[int, int, str, bool]]:
    """Yield numbers with the one before, their places, and whether they have had their grace."""
    rows = ask(numbers, {"sender": sender})
    if not rows:
        return
    some = ", ".join(str(int(str(row["n"]))) for row in rows)
    stands = {
        int(str(row["n"])): (str(row["places"]), bool(row["settled"]))
        for row in ask(_PLACES.replace("{numbers}", some), {"sender": sender})
    }
    for row in rows:
        n = int(str(row["n"]))
        if n in stands:
            yield n, int(str(row["before"])), *stands[n]
