"""Checks of ``custody verify`` over what gateways have sent: its numbers, and its events.

The books count an event once in each lot, whatever numbers it came under; a table has a row of each
number it came under. Rows that say the same (``repeated``) are one event that two gateways took:
views show it once, and it is said in a line. Where rows of one event differ, and where a number has
two events, a person has to look: both are named here, with what the books count, until a correction
or void of an event settles it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from schemas.routes import ROUTES

Row = Mapping[str, object]
Ask = Callable[[str], Sequence[Row]]
"""Runs one statement and returns its rows, columns by name."""

EVENT_COUNT = "SELECT uniqExact(event_id) AS n FROM custody.events_all"
EVENTS = """
SELECT event_id AS subject,
    concat('stands ', toString(count()), ' times: ',
        arrayStringConcat(arraySort(groupUniqArray(concat('lot ', lot_id, ' under ', gateway_id,
            ' ', toString(gateway_epoch), '/', toString(gateway_seq)))), ', '),
        '; the books count it once in each lot: custody trace ', event_id) AS detail
FROM custody.events_all
WHERE (partition, offset) NOT IN (SELECT partition, offset FROM custody.repeated)
    AND (lot_id, event_id) NOT IN (SELECT lot_id, event_id FROM custody.v_superseded)
GROUP BY event_id HAVING count() > 1 ORDER BY event_id
"""
"""Events of which there is more than one row, less those that only say the same again.

Where a correction or void speaks for the id, none of its rows stands and the matter is settled.
"""
_REPEATED = """
SELECT uniqExact(event_id) AS events, min(event_id) AS first,
    arrayStringConcat(arraySort(groupUniqArray(toString(gateway_id))), ', ') AS gateways
FROM custody.repeated
"""

_NUMBERED = " UNION ALL ".join(
    f"SELECT gateway_id, gateway_epoch, gateway_seq FROM custody.{route.table}"  # noqa: S608
    for route in ROUTES
    if route.chained
)
_SEQUENCES = f"""
SELECT gateway_id, gateway_epoch, count() AS stored, uniqExact(gateway_seq) AS seen,
    max(gateway_seq) AS last
FROM ({_NUMBERED})
GROUP BY gateway_id, gateway_epoch ORDER BY gateway_id, gateway_epoch
"""  # noqa: S608  put together from the route table
_LETTERS = """
SELECT header_values[indexOf(header_names, 'gateway')] AS gateway_id,
    uniqExact(record_topic, record_partition, record_offset) AS letters
FROM custody.dead_letter WHERE has(header_names, 'gateway') GROUP BY gateway_id
"""


def repeated(ask: Ask) -> str:
    """Return a line about events that came through two gateways alike; empty where none did.

    Raises:
        Unavailable: The warehouse does not answer.
    """
    [row] = ask(_REPEATED)
    events = _int(row["events"])
    if not events:
        return ""
    return (
        f"{events:,} {'event' if events == 1 else 'events'} came through two gateways and say the"
        f" same: counted once, the second time from {row['gateways']}; the first by id:"
        f" custody trace {row['first']}"
    )


def sequence(ask: Ask) -> tuple[int, list[tuple[str, str]]]:
    """Return how many numbers gateways have given, and what is wrong with whose.

    Raises:
        Unavailable: The warehouse does not answer.
    """
    rows = ask(_SEQUENCES)
    letters = {str(row["gateway_id"]): _int(row["letters"]) for row in ask(_LETTERS)}
    found = [
        (f"{row['gateway_id']} epoch {row['gateway_epoch']}", detail)
        for row in rows
        for detail in _wrong(row, letters.get(str(row["gateway_id"]), 0))
    ]
    return sum(_int(row["seen"]) for row in rows), found


def _wrong(row: Row, letters: int) -> Iterator[str]:
    stored, seen, last = (_int(row[name]) for name in ("stored", "seen", "last"))
    if seen != last:
        dead = f"; of this gateway {letters} dead letters: custody dead-letters replay"
        yield f"{seen} of {last} numbers are stored{dead if letters else ''}"
    if stored != seen:
        yield (
            f"{stored - seen} records stand under a number that another one has: two gateways write"
            " under one name; the books count both events: custody audit names them"
        )


def _int(value: object) -> int:
    return int(str(value))
