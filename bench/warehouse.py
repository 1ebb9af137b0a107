"""How long analysts and the lot page wait, at ten million facts of 250,000 lots.

Facts, transfers and balances are made by SQL in the embedded engine, in months, as the sink's
tables have them, and merged by themselves only; two facts in a thousand are corrected. A question
is asked as the console asks (one thread, its limits), of seeded lots, and beside it the plain scan
it is to spare: the same sum without the projection, the same lot without its sorting key. CPU is
that of this process; a busy machine shows in the difference from the time.

The rows are of partitions that no topic has, so that a sink beside them does not ask whose they
are.

Goals: history of a lot 40 ms, daily production over all history 40 ms, lot page p95 250 ms.
Lineage has its own bench. Prints one JSON object per line.

    python -m bench.warehouse --facts 10000000
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from console.answering import Watermarks
from console.answers import SUMMARY, Asked
from console.config import ConsoleConfig
from console.lot_status import CompleteTo
from console.lots_http import Lots, status_told
from console.reader import Reader
from console.search_rows import hits
from custody.events import Micros
from runtime.told.wired import answers
from sinks import migrate
from sinks.client import Warehouse, open_warehouse

_PER_INSERT = 500_000
LOT_SHARE = 40
"""Facts per lot."""
_GATEWAY = (
    "'custody.fact.v1' AS topic, 60 + number % 4 AS partition, number AS offset,"
    " toDateTime64('2026-01-01 00:00:00', 3) + number * {step} AS timestamp, 1 AS schema_id,"
    " concat('L-', toString(number % {lots})) AS key,"
    " concat('{stem}-', lower(hex(sipHash128(number)))) AS event_id, 'GW-1' AS gateway_id,"
    " 1 AS gateway_epoch, number AS gateway_seq,"
    " concat('SITE-', toString(number % 12)) AS site_id, key AS lot_id,"
    " toDateTime64(timestamp, 6) AS occurred_at, toDateTime64(timestamp, 6) AS recorded_at,"
    " if(number % 1000 < 2 AND number > {lots},"
    " concat('{stem}-', lower(hex(sipHash128(number - {lots})))), NULL) AS corrects, false AS void"
)
_STEMS = {
    "weighing": (
        0.4,
        (
            "toString(number) AS ticket_no, concat('W-', toString(number)) AS movement_id,"
            " concat('WB-', toString(number % 24)) AS device_id, 'receipt' AS purpose,"
            " 'in' AS direction, toInt64(28000000 + rand(1) % 4000000) AS net_g,"
            " 'weighed' AS tare_kind"
        ),
    ),
    "xrf": (
        0.3,
        (
            "concat('XRF-', toString(number % 24)) AS device_id, toInt64(number) AS shot_no,"
            " 'as_is' AS basis"
        ),
    ),
    "shipment": (0.2, "'receipt' AS kind, concat('W-', toString(number)) AS movement_id"),
    "assay": (
        0.1,
        (
            "toString(number) AS certificate_no, concat('LAB-', toString(number % 6)) AS lab_id,"
            " 'final' AS stage, 'seller' AS party"
        ),
    ),
}
_TRANSFER = (
    "'custody.transfer.v1' AS topic, 60 + number % 4 AS partition, number AS offset,"
    " toDateTime64('2026-01-01 00:00:00', 3) + number * {step} AS timestamp, 1 AS schema_id,"
    " 'worker/0' AS sender, number AS n, concat('L-', toString(number % {lots})) AS lot_id,"
    " ['receipt', 'first_weighing', 'process_output'][number % 3 + 1] AS kind,"
    " concat('e-', toString(number)) AS cause_event_id,"
    " [concat('lot/', lot_id, '/SITE-', toString(number % 11)), 'origin/SITE-1',"
    " concat('process/P-', toString(intDiv(number, 100)))][number % 3 + 1] AS debit,"
    " concat('lot/', lot_id, '/SITE-', toString(number % 12)) AS credit,"
    " toInt64(28000000 + rand(1) % 4000000) AS mass_wet_g, toInt64(mass_wet_g * 0.92)"
    " AS mass_dry_g, ['Cu', 'Co'] AS `metals.analyte`,"
    " [mass_dry_g * 25, mass_dry_g * 3] AS `metals.value_mg`,"
    " toDateTime64(timestamp, 6) AS effective_at, toDateTime64(timestamp, 6) AS known_at"
)
_BALANCE = (
    "'custody.balance.v1' AS topic, 60 + number % 4 AS partition, number AS offset,"
    " toDateTime64('2026-01-01 00:00:00', 3) + number * {step} AS timestamp, 1 AS schema_id,"
    " 'worker/0' AS sender, number AS n, concat('L-', toString(number % {lots})) AS lot_id,"
    " concat('lot/', lot_id) AS owner, concat('SITE-', toString(number % 12)) AS place,"
    " concat(owner, '/', place) AS account, 'weighed' AS status,"
    " toDateTime64(timestamp, 6) AS at, toDateTime64(timestamp, 6) AS known_at,"
    " toInt64(28000000) AS mass_wet_g, 12000. AS mass_wet_u_random_g,"
    " toInt64(26000000) AS mass_dry_g, 15000. AS mass_dry_u_random_g,"
    " ['site', 'region'] AS `origins.level`, ['SITE-1', 'R-1'] AS `origins.id`,"
    " [0.7, 0.2] AS `origins.share`"
)
_SCAN = (
    "SELECT splitByChar('/', credit)[-1] AS site, toDate32(effective_at) AS day, sum(mass_dry_g)"
)
_HISTORY = (
    "SELECT occurred_at, site_id, event_type, kind, document_no, mass_kg FROM v_events"
    " WHERE lot_id = {lot:String} ORDER BY occurred_at"
)
_WHOLE = "SELECT * FROM v_events WHERE lot_id = {lot:String} ORDER BY occurred_at"
_DAILY = "SELECT * FROM v_daily_production"
_PARTS = ("history", "facts", "changes", "movements", "lineage", "attributes")


def fill(warehouse: Warehouse, facts: int, lots: int) -> None:
    """Make facts, transfers and balances; blocks for minutes."""
    made = {stem: (round(facts * part), own) for stem, (part, own) in _STEMS.items()}
    made["lot"] = (lots, "'ore' AS commodity")
    for stem, (rows, own) in made.items():
        _insert(warehouse, stem, rows, lots, f"{_GATEWAY}, {own}".replace("{stem}", stem))
    _insert(warehouse, "transfer", facts // 2, lots, _TRANSFER)
    _insert(warehouse, "balance", facts // 10, lots, _BALANCE)
    copied = "topic, partition, offset, timestamp, key, lot_id"
    warehouse.command(
        f"INSERT INTO custody.correction ({copied}, stem, event_id, corrects, void, recorded_at)"  # noqa: S608  constants
        f" SELECT {copied}, _table, event_id, assumeNotNull(corrects), void, recorded_at"
        " FROM custody.events_all WHERE corrects IS NOT NULL"
    )
    for migration in migrate.load():
        for statement in migration.statements:
            if statement.startswith("INSERT INTO custody.event "):
                warehouse.command(statement)


def settle(warehouse: Warehouse) -> None:
    """Wait until no merge runs: what is asked meanwhile waits for a core, not for the question."""
    while warehouse.rows("SELECT count() FROM system.merges") != [(0,)]:
        time.sleep(0.5)


def _insert(warehouse: Warehouse, table: str, rows: int, lots: int, select: str) -> None:
    step = 180 * 86_400 / max(1, rows)
    for first in range(0, rows, _PER_INSERT):
        count = min(_PER_INSERT, rows - first)
        shown = select.replace("{lots}", str(lots)).replace("{step}", f"{step:.9f}")
        names = [part.rpartition(" AS ")[2].strip() for part in _split(shown)]
        warehouse.command(
            f"INSERT INTO custody.{table} ({', '.join(names)})"  # noqa: S608  constants
            f" SELECT {shown} FROM numbers({first}, {count})"
        )


def _split(select: str) -> list[str]:
    """Cut a list of expressions at its outer commas."""
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(select):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and not depth:
            parts.append(select[start:at])
            start = at + 1
    return [*parts, select[start:]]


def measured(name: str, goal_ms: float, ask: Callable[[], object], times: int) -> float:
    """Ask so often, print how long it took, and return the median, milliseconds."""
    ask()
    wall, cpu = [], []
    for _ in range(times):
        began, worked = time.perf_counter(), time.process_time()
        ask()
        wall.append((time.perf_counter() - began) * 1e3)
        cpu.append((time.process_time() - worked) * 1e3)
    wall.sort()
    cpu.sort()
    line = {
        "bench": "warehouse",
        "question": name,
        "p50_ms": round(wall[len(wall) // 2], 1),
        "p95_ms": round(wall[int(len(wall) * 0.95)], 1),
        "cpu_p50_ms": round(cpu[len(cpu) // 2], 1),
        "goal_ms": goal_ms or None,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
    return wall[len(wall) // 2]


def run(facts: int, lots: int, directory: Path) -> None:
    """Fill a warehouse and measure."""
    address = f"chdb://{directory / 'warehouse'}"
    warehouse = open_warehouse(address)
    migrate.migrate(warehouse, Micros(0))
    began = time.perf_counter()
    fill(warehouse, facts, lots)
    settle(warehouse)
    reader = Reader(ConsoleConfig(warehouse=address, token_file=directory / "token"))
    rng = random.Random(1)

    def ask(statement: str) -> Callable[[], object]:
        return _asking(reader, rng, lots, statement)

    [[parts]] = warehouse.rows("SELECT count() FROM system.parts WHERE active")
    size = {"facts": facts, "lots": lots, "parts": parts}
    filled = {"bench": "warehouse_filled", **size, "s": round(time.perf_counter() - began)}
    sys.stdout.write(json.dumps(filled) + "\n")
    _pair(
        ("history of a lot", 40.0, ask(_WHOLE)),
        ask("SELECT count() FROM events_all WHERE endsWith(lot_id, {lot:String})"),
    )
    _pair(
        ("daily production of all sites", 40.0, ask(_DAILY)),
        ask(f"{_SCAN} FROM transfer WHERE offset >= 0 GROUP BY site, day"),
    )
    measured("history of a lot, six columns of it", 40.0, ask(_HISTORY), 40)
    _lot_page(reader, rng, lots)
    _search(reader, rng, facts, lots)
    measured("coverage of all sites", 0, ask("SELECT * FROM v_coverage"), 3)
    measured("stock of all sites now", 0, ask("SELECT * FROM v_stock"), 2)
    measured("all weighings, in the view", 0, ask("SELECT sum(net_kg) FROM v_weighings"), 3)
    measured("all weighings, in the table", 0, ask("SELECT sum(net_g) FROM weighing"), 3)
    measured("complete to", 0, ask("SELECT * FROM v_complete_to"), 3)
    reader.close()
    warehouse.close()


def questions(reader: Reader, rng: random.Random, lots: int) -> dict[str, Callable[[], object]]:
    """What people wait for: the questions with a goal, each of a lot drawn anew."""
    return {
        "history of a lot": _asking(reader, rng, lots, _WHOLE),
        "daily production of all sites": _asking(reader, rng, lots, _DAILY),
        "lot page, first byte with data": _page(reader, rng, lots)(SUMMARY),
    }


def _asking(reader: Reader, rng: random.Random, lots: int, statement: str) -> Callable[[], object]:
    def once() -> object:
        return reader.ask(statement, "JSONEachRow", {"lot": f"L-{rng.randrange(lots)}"})

    return once


def _page(reader: Reader, rng: random.Random, lots: int) -> Callable[[str], Callable[[], object]]:
    """What a page of a lot asks, by its parts."""

    def ask(statement: str, values: Mapping[str, str]) -> list[dict[str, object]]:
        body = reader.ask(statement, "JSONEachRow", values)
        return [json.loads(line) for line in body.splitlines()]

    gate = Lots(ask, CompleteTo(ask, time.monotonic), lambda: "")
    told = answers(
        ask, lambda lot: status_told(gate, lot, None), Watermarks(ask, time.monotonic).get
    )

    def part(name: str) -> Callable[[], object]:
        def once() -> object:
            to = told.complete_to()
            return to, told.parts["lots"][name](Asked(subject=f"L-{rng.randrange(lots)}"))

        return once

    return part


def _lot_page(reader: Reader, rng: random.Random, lots: int) -> None:
    """Measure what a page of a lot asks: its first bytes with data, then each further part."""
    part = _page(reader, rng, lots)
    measured("lot page, first byte with data", 250.0, part(SUMMARY), 40)
    for name in _PARTS:
        measured(f"lot page, {name}", 0, part(name), 20)


def _search(reader: Reader, rng: random.Random, facts: int, lots: int) -> None:
    """Measure the search of any id: of what has it, in other letters, and of what nothing has."""

    def ask(statement: str, values: Mapping[str, str]) -> list[dict[str, object]]:
        body = reader.ask(statement, "JSONEachRow", values)
        return [json.loads(line) for line in body.splitlines()]

    weighings = round(facts * _STEMS["weighing"][0])
    asked: Mapping[str, Callable[[], str]] = {
        "a lot": lambda: f"L-{rng.randrange(lots)}",
        "a ticket": lambda: str(rng.randrange(weighings)),
        "a trip": lambda: f"W-{rng.randrange(weighings)}",
        "a lot in small letters": lambda: f"l-{rng.randrange(lots)}",
        "a trip in small letters": lambda: f"w-{rng.randrange(weighings)}",
        "what nothing has": lambda: f"NONE-{rng.randrange(lots)}",
    }
    for name, pick in asked.items():

        def once(pick: Callable[[], str] = pick) -> object:
            return hits(ask, pick())

        measured(f"search of {name}", 0, once, 7)


def _pair(asked: tuple[str, float, Callable[[], object]], scan: Callable[[], object]) -> None:
    name, goal_ms, ask = asked
    median = measured(name, goal_ms, ask, 40)
    plain = measured(f"{name}, by plain scan", 0, scan, 3)
    ratio = {"bench": "warehouse", "question": name, "of_plain_scan": round(median / plain, 4)}
    sys.stdout.write(json.dumps(ratio) + "\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=int, default=10_000_000)
    parser.add_argument("--lots", type=int, default=0, help="default: a lot per 40 facts")
    parsed = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory:
        run(parsed.facts, parsed.lots or parsed.facts // LOT_SHARE, Path(directory))


if __name__ == "__main__":
    main()
