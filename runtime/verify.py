"""``custody verify``: is what the warehouse says consistent, and does Kafka account for it.

Every check is one SQL statement that finds violations, asked through SQL over HTTP like any other
question, so that anyone may repeat it by hand. The sum over all accounts is zero by construction
and proves nothing; these do:

- ``balances``: the latest balance of each lot and process is the sum of its transfers.
- ``handed``: what transfers move between lots and processes is what the receivers were told.
- ``compensations``: each compensation negates, exactly and once, a transfer that stands before it.
- ``edges``: the edges of each process are its transfers with lots, to the last column.
- ``numbers``: each (sender, n) stands once, and no number is missing.
- ``negative``: no account but origin, outside, unaccounted, conversion, loss and an open process
  holds less than nothing.
- ``events``: every event id stands once among the facts, what only says the same again aside.
- ``kafka``: the records of every partition are rows, duplicates, dead letters or not stored.
- ``dead_letters``: each record that could not be read has one dead letter.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from runtime.verify_compensations import COMPENSATION_COUNT, COMPENSATIONS
from runtime.verify_facts import EVENT_COUNT, EVENTS, Ask, Row, repeated, sequence
from schemas.routes import ROUTES, Route

Ends = Mapping[str, Mapping[int, tuple[int, int]]]
"""Topic -> partition -> first offset the broker has, and the one after the last."""

VIOLATIONS_MAX = 100
"""Violations shown per check; the first ones are enough to look."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that should not be.

    Attributes:
        subject: Account, sender, event or partition.
        detail: What is wrong with it.
        pending: Records are on their way: it may be gone when they are in.
    """

    subject: str
    detail: str
    pending: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one check.

    Attributes:
        name: As in the list above.
        examined: How many things were looked at; a clean check of nothing proves nothing.
        violations: At most ``VIOLATIONS_MAX``.
        note: What is odd and no fault, in a line; empty for nothing.
    """

    name: str
    examined: int
    violations: tuple[Violation, ...]
    note: str = ""

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.violations


def verify(ask: Ask, ends: Callable[[], Ends] = dict) -> list[Check]:
    """Run all checks. Blocks; changes nothing; may be run at any time, but see below.

    Args:
        ask: Runs SQL.
        ends: Asks the broker for its offsets; without them ``kafka`` only compares the warehouse
            with itself. Asked after the warehouse: what comes in between is pending, and no flush
            reaches beyond what the broker has.

    Raises:
        Unavailable: The warehouse does not answer.
    """
    return [
        _asked(ask, "balances", _BALANCES, _ACCOUNTS),
        _asked(ask, "handed", _HANDED, _EDGES),
        _asked(ask, "compensations", COMPENSATIONS, COMPENSATION_COUNT),
        _asked(ask, "edges", _EDGES_WRONG, _EDGE_ROWS),
        _asked(ask, "numbers", _NUMBERS, _SENDERS),
        _asked(ask, "negative", _NEGATIVE, _ACCOUNTS),
        replace(_asked(ask, "events", EVENTS, EVENT_COUNT), note=repeated(ask)),
        _kafka(ask, ends),
        _asked(ask, "dead_letters", _DEAD_LETTERS, _DEAD_LETTER_COUNT),
    ]


def is_complete(found: Sequence[Check]) -> bool:
    """Tell whether nothing is on its way: only then is a violation one of any check."""
    return not any(one.pending for check in found for one in check.violations)


def numbered(ask: Ask) -> Check:
    """See that the numbers of each gateway are stored without a hole, and stand once. Blocks.

    Raises:
        Unavailable: The warehouse does not answer.
    """
    examined, wrong = sequence(ask)
    return Check("sequence", examined, tuple(Violation(*one) for one in wrong[:VIOLATIONS_MAX]))


def _asked(ask: Ask, name: str, find: str, count: str) -> Check:
    found = ask(f"{find} LIMIT {VIOLATIONS_MAX}")
    violations = tuple(Violation(str(row["subject"]), str(row["detail"])) for row in found)
    return Check(name, _int(ask(count)[0]["n"]), violations)


def _int(value: object) -> int:
    return int(str(value))


_AMOUNTS = """mass_wet_g, mass_dry_g, metals.analyte AS analytes, metals.value_mg AS amounts,
        attributes.name AS names, attributes.unit AS units, attributes.quality AS qualities,
        attributes.value_micro AS micros"""
_SIDES = f"""
    SELECT credit AS account, 1 AS sign, {_AMOUNTS} FROM custody.transfer
    UNION ALL
    SELECT debit, -1, {_AMOUNTS} FROM custody.transfer
"""  # noqa: S608  put together from constants of this module, as are the others
_QUANTITIES = """
    ARRAY JOIN
        arrayConcat(['wet g', 'dry g'], arrayMap(a -> concat(a, ' mg'), analytes),
            arrayMap((a, u, q) -> concat(a, ' ', q, ' micro ', u), names, units, qualities))
            AS quantity,
        arrayConcat([mass_wet_g, mass_dry_g], amounts, micros) AS amount
"""
_SUMS = f"SELECT account, quantity, sum(sign * amount) AS total FROM ({_SIDES}) {_QUANTITIES} GROUP BY account, quantity"  # noqa: S608, E501
_LATEST = f"""
    SELECT account, status, {_AMOUNTS}
    FROM custody.balance ORDER BY account, n DESC LIMIT 1 BY account
"""  # noqa: S608
_BALANCES = f"""
SELECT account AS subject,
    concat(quantity, ': transfers give ', toString(sum(moved)), ', the balance says ',
           toString(sum(said))) AS detail
FROM (
    SELECT account, quantity, total AS moved, toInt64(0) AS said FROM ({_SUMS})
    WHERE startsWith(account, 'lot/') OR startsWith(account, 'process/')
    UNION ALL
    SELECT account, quantity, toInt64(0), amount FROM ({_LATEST}) {_QUANTITIES}
)
GROUP BY account, quantity HAVING sum(moved) != sum(said) ORDER BY account, quantity
"""  # noqa: S608  put together from constants of this module
_ACCOUNTS = "SELECT uniqExact(account) AS n FROM custody.balance"

_OWNER = r"if(startsWith({0}, 'lot/'), replaceRegexpOne({0}, '/[^/]*$', ''), {0})"
_OWNED = "match({0}, '^(lot|process)/')"
_HANDED = f"""
SELECT concat(giver, ' -> ', taker) AS subject,
    concat(quantity, ': transfers give ', toString(sum(moved)), ', the receiver was told ',
           toString(sum(told))) AS detail
FROM (
    SELECT {_OWNER.format("debit")} AS giver, {_OWNER.format("credit")} AS taker, quantity,
        amount AS moved, toInt64(0) AS told
    FROM (
        SELECT debit, credit, {_AMOUNTS}
        FROM custody.transfer
        WHERE {_OWNED.format("debit")} AND {_OWNED.format("credit")}
    ) {_QUANTITIES}
    WHERE giver != taker
    UNION ALL
    SELECT from_owner, to_owner, quantity, toInt64(0), void ? 0 : amount
    FROM (
        SELECT from_owner, to_owner, void, {_AMOUNTS}
        FROM custody.content
        ORDER BY from_owner, to_owner, cause_event_id, n DESC
        LIMIT 1 BY from_owner, to_owner, cause_event_id
    ) {_QUANTITIES}
)
GROUP BY giver, taker, quantity HAVING sum(moved) != sum(told) ORDER BY subject, quantity
"""  # noqa: S608
_EDGES = "SELECT uniqExact(from_owner, to_owner) AS n FROM custody.content"

_CARRIED = """
    origins.level, origins.id, origins.share, metal_origins.analyte, metal_origins.level,
    metal_origins.id, metal_origins.share, shares.dimension, shares.label, shares.share
"""
_WHOLE = f"""
    topic, partition, offset, timestamp, sender, n, kind, cause_event_id,
    ifNull(replaces_event_id, ''), effective_at, known_at, metals.analyte, {_CARRIED}
"""
_EDGES_WRONG = f"""
SELECT concat('process/', process) AS subject,
    concat('transfers with lots: ', toString(sum(moved)), ' of ', toString(sum(dry) AS moved_g),
           ' g dry; edges: ', toString(sum(edges)), ' of ', toString(sum(edge_dry)), ' g dry',
           if(sum(moved) = sum(edges) AND moved_g = sum(edge_dry), '; they differ elsewhere', ''))
        AS detail
FROM (
    SELECT substring(node, 9) AS process, toInt64(1) AS moved, toInt64(0) AS edges,
        gives ? all_dry : -all_dry AS dry, toInt64(0) AS edge_dry,
        cityHash64(gives ? lot : node, gives ? node : lot, account, wet, all_dry, amounts,
                   {_WHOLE}) AS hash,
        toUInt64(0) AS edge_hash
    FROM (
        SELECT *, startsWith(debit, 'lot/') AS from_lot,
            from_lot AND ifNull(replaces_kind, kind) = 'measured' AS back,
            from_lot AND NOT back AS gives, from_lot ? debit : credit AS account,
            replaceRegexpOne(account, '/[^/]*$', '') AS lot, from_lot ? credit : debit AS node,
            back ? -mass_wet_g : mass_wet_g AS wet, back ? -mass_dry_g : mass_dry_g AS all_dry,
            arrayMap(v -> back ? -v : v, metals.value_mg) AS amounts
        FROM custody.transfer
        WHERE (startsWith(debit, 'lot/') AND startsWith(credit, 'process/'))
            OR (startsWith(debit, 'process/') AND startsWith(credit, 'lot/'))
    )
    UNION ALL
    SELECT process_id, 0, 1, 0, child = concat('process/', process_id) ? mass_dry_g : -mass_dry_g,
        0, cityHash64(parent, child, concat('lot/', lot_id, '/',
                          replaceAll(replaceAll(place, '%', '%25'), '/', '%2F')), mass_wet_g,
                      mass_dry_g, metals.value_mg, {_WHOLE})
    FROM custody.edge
)
GROUP BY process
HAVING sum(moved) != sum(edges) OR sum(hash) != sum(edge_hash) ORDER BY process
"""  # noqa: S608
"""Sums of hashes, so that the memory grows with processes and not with transfers."""
_EDGE_ROWS = "SELECT count() AS n FROM custody.edge"

_DERIVED: tuple[Route, ...] = tuple(route for route in ROUTES if route.derived)
_NUMBERED = " UNION ALL ".join(f"SELECT sender, n FROM custody.{r.table}" for r in _DERIVED)  # noqa: S608
_NUMBERS = f"""
SELECT sender AS subject,
    concat(toString(count() - uniqExact(n)), ' stand twice, ',
           toString(max(n) - uniqExact(n)), ' are missing up to ', toString(max(n)),
           ', the lowest is ', toString(min(n))) AS detail
FROM ({_NUMBERED})
GROUP BY sender HAVING count() != uniqExact(n) OR min(n) != 1 OR max(n) != uniqExact(n)
ORDER BY sender
"""  # noqa: S608
_SENDERS = f"SELECT uniqExact(sender) AS n FROM ({_NUMBERED})"  # noqa: S608

_NEGATIVE = f"""
SELECT account AS subject, concat(quantity, ': ', toString(total)) AS detail
FROM ({_SUMS})
WHERE total < 0
    AND NOT match(account, '^(origin|outside|unaccounted|conversion|loss)/')
    AND account NOT IN (
        SELECT account FROM ({_LATEST}) WHERE startsWith(account, 'process/') AND status = 'open'
    )
ORDER BY account, quantity
"""  # noqa: S608

_DEAD_LETTERS = """
SELECT concat(topic, '/', toString(partition)) AS subject,
    concat(toString(sum(counted)), ' were counted, ', toString(sum(stand)),
           ' stand on the dead-letter topic') AS detail
FROM (
    SELECT topic, partition, dead_letters AS counted, toInt64(0) AS stand
    FROM custody.ingest_batches
    UNION ALL
    SELECT record_topic, record_partition, toInt64(0), toInt64(uniqExact(record_offset))
    FROM custody.dead_letter GROUP BY record_topic, record_partition
)
GROUP BY topic, partition HAVING sum(counted) != sum(stand) ORDER BY subject
"""
_DEAD_LETTER_COUNT = "SELECT count() AS n FROM custody.dead_letter"

_LEDGER = """
SELECT topic, partition, min(first) AS low, max(last) + 1 AS high, sum(last - first + 1) AS span,
    sum(rows + duplicates + dead_letters + not_stored) AS records, sum(rows) AS stored
FROM custody.ingest_batches GROUP BY topic, partition ORDER BY topic, partition
"""
_STORED = " UNION ALL ".join(
    f"SELECT topic, partition, offset FROM custody.{r.table}"  # noqa: S608
    for r in ROUTES
    if r.table is not None
)
_ROWS = f"""
SELECT topic, partition, count() AS rows, uniqExact(offset) AS offsets
FROM ({_STORED}) GROUP BY topic, partition
"""  # noqa: S608


def _kafka(ask: Ask, ends: Callable[[], Ends]) -> Check:
    ledger = {_place(row): row for row in ask(_LEDGER)}
    stored = {_place(row): row for row in ask(_ROWS)}
    expected = {
        (topic, partition): bounds
        for topic, partitions in ends().items()
        for partition, bounds in partitions.items()
        if bounds[0] < bounds[1]
    }
    violations = [
        Violation(f"{place[0]}/{place[1]}", detail, pending)
        for place in sorted(ledger.keys() | stored.keys() | expected.keys())
        for detail, pending in _account(ledger.get(place), stored.get(place), expected.get(place))
    ]
    return Check("kafka", len(ledger), tuple(violations[:VIOLATIONS_MAX]))


def _place(row: Row) -> tuple[str, int]:
    return str(row["topic"]), _int(row["partition"])


def _account(
    ledger: Row | None, stored: Row | None, bounds: tuple[int, int] | None
) -> Iterator[tuple[str, bool]]:
    """Yield what does not fit in a partition, and whether it is only not in yet."""
    if ledger is None:
        yield "no flush of it has been confirmed", bounds is not None
        return
    low, high, span, records, rows = (
        _int(ledger[name]) for name in ("low", "high", "span", "records", "stored")
    )
    if span != high - low:
        yield f"confirmed flushes cover {span} of {high - low} offsets from {low} to {high}", False
    if records != span:
        yield f"flushes account for {records} of {span} records", False
    found, offsets = (_int(stored[n]) if stored else 0 for n in ("rows", "offsets"))
    if not found == offsets == rows:
        yield f"{rows} rows were counted, {found} stand, with {offsets} distinct offsets", False
    if bounds is not None and (low > bounds[0] or high != bounds[1]):
        detail = f"the broker has {bounds[0]} to {bounds[1]}, flushes cover {low} to {high}"
        yield detail, low <= bounds[0] and high < bounds[1]
