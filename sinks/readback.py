"""What the warehouse says of a topic: what is in, and up to where it is confirmed.

Asked when partitions are assigned, and before an insert is tried again.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

from schemas.routes import BY_STEM, ROUTES
from sinks import prints, repeats
from sinks.client import Warehouse
from sinks.corrections import STEMS
from sinks.dedup import Known, Number
from sinks.repeats import Writers
from sinks.slice import Place

_ASKED_AT_ONCE = 5_000

Starts = Mapping[int, int]
"""Partition -> offset, of one topic."""


class Sealed(NamedTuple):
    """Up to where confirmed flushes of a partition reach, by ``ingest_batches``."""

    topic_id: str
    next_offset: int


def rows_from(
    warehouse: Warehouse, topic: str, tables: Sequence[str], starts: Starts
) -> dict[int, dict[int, list[str]]]:
    """Return the prints of the rows at or above ``starts``, by partition and offset.

    Without an upper bound: a process that died after cutting a smaller batch anew leaves rows above
    its last intent, and a bounded look would insert them twice. Whose rows they are is for their
    prints to say: a row counts for the record at its offset only where it has its bytes.

    Raises:
        WarehouseUnavailable: Ask again later.
    """
    found: dict[int, dict[int, list[str]]] = {partition: {} for partition in starts}
    for table in tables:
        query = (
            f"SELECT partition, offset, {prints.expression(table)}"  # noqa: S608  route table
            f" FROM custody.{table}"
            f" WHERE topic = {{topic:String}} AND ({_each(starts, '>=')})"
        )
        for partition, offset, one in warehouse.rows(query, {"topic": topic}):
            at = found[cast("int", partition)].setdefault(cast("int", offset), [])
            at.append(prints.named(table, str(one)))
    return found


def numbers_before(
    warehouse: Warehouse, topic: str, starts: Starts
) -> dict[int, dict[str, Number]]:
    """Return the last number of every sender below ``starts``, by partition.

    Rows at or above are left out: they may be incomplete, and their records are judged anew.

    Raises:
        WarehouseUnavailable: Ask again later.
    """
    found: dict[int, dict[str, Number]] = {partition: {} for partition in starts}
    for stem in (r.stem for r in ROUTES if r.topic == topic and r.table is not None):
        sender, major, minor = _numbered_by(stem)
        query = (
            f"SELECT partition, {sender} AS who, max(({major}, {minor})) AS number"  # noqa: S608
            f" FROM custody.{BY_STEM[stem].table}"
            f" WHERE topic = {{topic:String}} AND ({_each(starts, '<')}) GROUP BY partition, who"
        )
        for partition, who, number in warehouse.rows(query, {"topic": topic}):
            last = found[cast("int", partition)]
            name, pair = str(who), cast("Number", tuple(cast("Sequence[int]", number)))
            last[name] = max(pair, last.get(name, pair))
    return found


def writers_before(warehouse: Warehouse, topic: str, starts: Starts) -> dict[int, Writers]:
    """Return who has sent facts for which site below ``starts``, by partition.

    Raises:
        WarehouseUnavailable: Ask again later.
    """
    found: dict[int, Writers] = {partition: {} for partition in starts}
    for stem in (r.stem for r in ROUTES if r.topic == topic and r.stem in STEMS):
        query = (
            "SELECT DISTINCT partition, site_id, gateway_id, gateway_epoch"  # noqa: S608  route table
            f" FROM custody.{BY_STEM[stem].table}"
            f" WHERE topic = {{topic:String}} AND ({_each(starts, '<')})"
        )
        for partition, site, gateway, epoch in warehouse.rows(query, {"topic": topic}):
            sent = (str(site), str(gateway), cast("int", epoch))
            repeats.noted(found[cast("int", partition)], [sent])
    return found


def standing(
    warehouse: Warehouse, place: Place, asked: Sequence[Known], before: int
) -> frozenset[Known]:
    """Return which numbers have a row of a partition before an offset, events under their own.

    Reads the numbers of the whole partition: for what comes seldom, as dead letters sent again do,
    and what a gateway sends again after its line broke.

    Args:
        warehouse: Where to look.
        place: The partition.
        asked: Numbers, any count.
        before: Rows from here on are left out.

    Raises:
        WarehouseUnavailable: Ask again later.
    """
    found: set[Known] = set()
    values = {"topic": place.topic, "partition": place.partition, "before": before}
    minors = sorted({minor for _, _, minor, _ in asked})
    for stem in (r.stem for r in ROUTES if r.topic == place.topic and r.table is not None):
        sender, major, minor = _numbered_by(stem)
        event = "event_id" if BY_STEM[stem].chained else "''"
        for at in range(0, len(minors), _ASKED_AT_ONCE):
            some = ", ".join(f"{number:d}" for number in minors[at : at + _ASKED_AT_ONCE])
            query = (
                f"SELECT DISTINCT toString({sender}), toInt64({major}), toInt64({minor}), {event}"  # noqa: S608
                f" FROM custody.{BY_STEM[stem].table}"
                " WHERE topic = {topic:String} AND partition = {partition:Int32}"
                f" AND offset < {{before:Int64}} AND toInt64({minor}) IN ({some})"
            )
            found |= {cast("Known", tuple(row)) for row in warehouse.rows(query, values)}
    return frozenset(found & set(asked))


def sealed(warehouse: Warehouse, topic: str) -> dict[int, Sealed]:
    """Return up to where confirmed flushes of each partition reach.

    Raises:
        WarehouseUnavailable: Ask again later.
    """
    rows = warehouse.rows(
        "SELECT partition, argMax(topic_id, last), max(last) + 1 FROM custody.ingest_batches"
        " WHERE topic = {topic:String} GROUP BY partition",
        {"topic": topic},
    )
    return {cast("int", p): Sealed(str(topic_id), cast("int", n)) for p, topic_id, n in rows}


def _numbered_by(stem: str) -> tuple[str, str, str]:
    """Return the SQL of who numbers a stem's rows and of the two parts of their numbers.

    The same rule as ``rows.numbers_of``; a test holds the two together.
    """
    if BY_STEM[stem].derived:
        return "sender", "0", "n"
    if stem == "head":
        return "gateway_id", "gateway_epoch", "toUnixTimestamp64Micro(at)"
    if stem == "dead_letter":
        return "concat(record_topic, '/', toString(record_partition))", "0", "record_offset"
    return "gateway_id", "gateway_epoch", "gateway_seq"


def _each(starts: Starts, comparison: str) -> str:
    return " OR ".join(
        f"(partition = {partition:d} AND offset {comparison} {start:d})"
        for partition, start in starts.items()
    )
