"""What a lineage says beside its edges: entries, key analytes, origins, what a lot holds.

Each is one question per some thousand names, after the walk has said whom it is about.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, cast

from custody.genealogy import LOT, PROCESS, Entry, Graph
from runtime.lineage import Ask, Moment, Row, amounts, chunks, known_by, listed, until, whole
from runtime.process_kinds import kinds_of

UNKNOWN = "unknown"


class Carried(NamedTuple):
    """Shares that travel with the material, each by label, fractions 0 to 1.

    Attributes:
        origins: Of the dry mass, by origin; what is missing to 1 is unknown.
        metal_origins: By analyte, of the contained metal, by origin.
        stages: By dimension (mined, refined, metal, magnet, recycled, ...), of the dry mass.
    """

    origins: Mapping[str, float]
    metal_origins: Mapping[str, Mapping[str, float]]
    stages: Mapping[str, Mapping[str, float]]


class Held(NamedTuple):
    """What a lot holds, all its places together: grams and milligrams."""

    dry_g: int
    metals_mg: Mapping[str, int]


def complete(ask: Ask, graph: Graph, nodes: Iterable[str], moment: Moment) -> None:
    """Add to a graph what lots got from outside the books, and key analytes of processes.

    A process has one where the books weigh what it is given by it: where its kind separates.
    """
    lots, processes = split(nodes)
    for names in chunks(lots):
        for row in ask(_entries(names, moment), moment._asdict()):
            graph.entries[LOT + str(row["lot"])] = Entry(whole(row["dry"]), amounts(row["metals"]))
    for process, kind in kinds_of(ask, processes, moment).items():
        if kind.separating and kind.key_analyte is not None:
            graph.keys[PROCESS + process] = kind.key_analyte


def split(nodes: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the ids of lots and of processes among owner paths."""
    every = list(nodes)
    lots = [node.removeprefix(LOT) for node in every if node.startswith(LOT)]
    return lots, [node.removeprefix(PROCESS) for node in every if node.startswith(PROCESS)]


def _entries(lots: Sequence[str], moment: Moment) -> str:
    return (
        "SELECT lot_id AS lot, sum(mass_dry_g) AS dry,"  # noqa: S608  names, escaped
        " sumMap(metals.analyte, metals.value_mg) AS metals FROM transfer"
        f" WHERE lot_id IN {listed(lots)} AND match(debit, '^(origin|outside)/')"
        f" AND startsWith(credit, 'lot/'){until(moment)} GROUP BY lot_id"
    )


def carried(ask: Ask, lots: Iterable[str], moment: Moment) -> dict[str, Carried]:
    """Return the shares of lots, as the newest record that says any has them.

    A lot's own transfers carry its shares; so do those that brought it out of a process. A
    correction of its origins alone moves nothing: its balances say them, and they are of the
    lot at all times.

    Args:
        ask: Runs SQL.
        lots: Lot ids.
        moment: When, and as known when.

    Returns:
        By lot id; a lot nothing is said of is missing.
    """
    found: dict[str, Carried] = {}
    for names in chunks(lots):
        for row in ask(_carried(names, moment), moment._asdict()):
            found[str(row["lot"])] = _shares(row)
    return found


# What a lot says of itself comes before what one of the processes says that it came out of: of two
# records known at one time the numbers of two senders cannot tell which is newer.
_SAID = (
    "tuple(known_at, {}, n, origins.level, origins.id, origins.share, metal_origins.analyte,"
    " metal_origins.level, metal_origins.id, metal_origins.share, shares.dimension,"
    " shares.label, shares.share)"
)


def _carried(lots: Sequence[str], moment: Moment) -> str:
    some = "(notEmpty(origins.id) OR notEmpty(shares.label) OR notEmpty(metal_origins.id))"
    return (
        f"WITH {listed(lots)} AS ids SELECT lot, max(said) AS said FROM ("  # noqa: S608  escaped
        f"SELECT lot_id AS lot, max({_SAID.format(1)}) AS said FROM transfer"
        f" WHERE lot_id IN ids AND {some}{until(moment)} GROUP BY lot_id"
        f" UNION ALL SELECT lot_id, max({_SAID.format(0)}) FROM edge"
        f" WHERE child IN arrayMap(x -> concat('lot/', x), ids) AND {some}{until(moment)}"
        " GROUP BY lot_id"
        f" UNION ALL SELECT assumeNotNull(lot_id), max({_SAID.format(1)}) FROM balance"
        f" WHERE lot_id IN ids AND {some}{known_by(moment)} GROUP BY lot_id"
        ") GROUP BY lot"
    )


def _shares(row: Row) -> Carried:
    _, _, _, *columns = cast("Sequence[object]", row["said"])
    level, origin, share, analyte, m_level, m_origin, m_share, dimension, label, s_share = (
        cast("list[object]", column) for column in columns
    )
    origins: dict[str, float] = {}
    metals: dict[str, dict[str, float]] = {}
    stages: dict[str, dict[str, float]] = {}
    for one, name, part in zip(level, origin, share, strict=True):
        _add(origins, _origin(one, name), part)
    for metal, one, name, part in zip(analyte, m_level, m_origin, m_share, strict=True):
        _add(metals.setdefault(str(metal), {}), _origin(one, name), part)
    for stage, name, part in zip(dimension, label, s_share, strict=True):
        _add(stages.setdefault(str(stage), {}), str(name), part)
    return Carried(origins, metals, stages)


def _origin(level: object, name: object) -> str:
    """Return what an origin is called; what many small ones became has a level and no name."""
    return UNKNOWN if level == UNKNOWN else str(name) or str(level)


def _add(shares: dict[str, float], name: str, part: object) -> None:
    shares[name] = shares.get(name, 0.0) + float(str(part))


def held(ask: Ask, lots: Iterable[str], moment: Moment) -> dict[str, Held]:
    """Return what lots hold: what came in less what went out, transfers and edges alike."""
    found: dict[str, Held] = {}
    for names in chunks(lots):
        for row in ask(_held(names, moment), moment._asdict()):
            found[str(row["lot"])] = Held(whole(row["dry"]), amounts(row["metals"]))
    return found


def _held(lots: Sequence[str], moment: Moment) -> str:
    """Return the statement: transfers that are no edges, then edges in and out."""
    sign = "toInt64(startsWith(credit, 'lot/')) - toInt64(startsWith(debit, 'lot/'))"
    given = "arrayMap(x -> concat('lot/', x), ids)"
    then = until(moment)
    return (
        f"WITH {listed(lots)} AS ids SELECT lot, sum(d) AS dry, sumMap(a, v) AS metals FROM ("  # noqa: S608
        f"SELECT lot_id AS lot, ({sign}) * mass_dry_g AS d, metals.analyte AS a,"
        f" arrayMap(x -> x * ({sign}), metals.value_mg) AS v FROM transfer WHERE lot_id IN ids"
        f" AND NOT startsWith(debit, 'process/') AND NOT startsWith(credit, 'process/'){then}"
        " UNION ALL SELECT lot_id, mass_dry_g, metals.analyte, metals.value_mg FROM edge"
        f" WHERE child IN {given}{then}"
        " UNION ALL SELECT lot_id, -mass_dry_g, metals.analyte,"
        " arrayMap(x -> -x, metals.value_mg) FROM edge"
        f" WHERE parent IN {given}{then}"
        ") GROUP BY lot"
    )
