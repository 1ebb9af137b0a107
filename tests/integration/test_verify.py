"""``custody verify`` on the real engine: clean on a right ledger; each check finds its fault."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from console.config import ConsoleConfig
from console.reader import Reader
from custody.events import Micros
from custody.records import Amount, AttributeAmount, Balance, Content, DeadLetter, Metal, Transfer
from runtime.cli.dead_letters import latest_dead_letters
from runtime.verify import Check, Ends, numbered, verify
from schemas import topics
from sinks import migrate
from sinks.client import Warehouse, open_warehouse
from sinks.flush import ledger_rows
from tests.support import tree
from tests.support.sinks import weighing
from tests.support.store import KEY, PARTITION, Store

pytestmark = [pytest.mark.integration, pytest.mark.slow]

TABLES = ("transfer", "edge", "balance", "content", "weighing", "dead_letter", "ingest_batches")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Warehouse, Reader, Path]]:
    directory = tmp_path_factory.mktemp("verify")
    address = f"chdb://{directory / 'warehouse'}"
    warehouse = open_warehouse(address)
    migrate.migrate(warehouse, Micros(0))
    reader = Reader(ConsoleConfig(warehouse=address, token_file=directory / "token"))
    yield warehouse, reader, directory
    reader.close()
    warehouse.close()


@pytest.fixture
def store(opened: tuple[Warehouse, Reader, Path]) -> Store:
    warehouse, reader, directory = opened
    for table in TABLES:
        warehouse.command(f"TRUNCATE TABLE custody.{table}")
    made = Store(warehouse, reader, directory)
    made.put(topics.FACT, [weighing("L-1", 1), weighing("L-1", 2)])
    made.put(topics.TRANSFER, TRANSFERS)
    made.put(topics.FLOW, [HANDED])
    made.put(topics.BALANCE, BALANCES)
    return made


def transfer(n: int, debit: str, credit: str, dry_g: int, cu_mg: int) -> Transfer:
    return Transfer(
        sender="worker/0", n=n, kind="k", cause_event_id=f"e{n}", debit=debit, credit=credit,
        mass_wet_g=dry_g * 2, mass_dry_g=dry_g,
        metals=(Amount(analyte="Cu", value_mg=cu_mg),), effective_at=Micros(1), known_at=Micros(1),
        replaces_event_id=None, replaces_kind=None, lot_id="L-1", process_id=None,
        movement_id=None, origins=(),
    )  # fmt: skip


def balance(n: int, account: str, dry_g: int, cu_mg: int, status: str = "weighed") -> Balance:
    return Balance(
        sender="worker/0", n=n, owner="lot/L-1", account=account, lot_id="L-1", process_id=None,
        place="P", status=status, at=Micros(1), known_at=Micros(1), mass_wet_g=dry_g * 2,
        mass_wet_u_random_g=1.0, mass_wet_u_systematic_g=(), moisture_fraction=None,
        moisture_u_fraction=None, mass_dry_g=dry_g, mass_dry_u_random_g=1.0,
        mass_dry_u_systematic_g=(), origins=(),
        metals=(Metal(analyte="Cu", value_mg=cu_mg, u_random_mg=1.0, u_systematic_mg=()),),
    )  # fmt: skip


TRANSFERS = [
    transfer(1, "origin/S", "lot/L-1/S", 1000, 50),
    transfer(2, "lot/L-1/S", "process/P", 600, 30),
    transfer(3, "process/P", "loss/P/tailings", 700, 0),
]
BALANCES = [
    balance(5, "lot/L-1/S", 999, 50),
    balance(6, "lot/L-1/S", 400, 20),
    balance(7, "process/P", -100, 30, "open"),
]
HANDED = Content(
    sender="worker/0", n=4, cause_event_id="e2", from_owner="lot/L-1", to_owner="process/P",
    place="S", generation=1, effective_at=Micros(1), known_at=Micros(1), void=False,
    mass_wet_g=1200, mass_wet_u_random_g=1.0, mass_wet_u_systematic_g=(), moisture_fraction=None,
    moisture_u_fraction=None, mass_dry_g=600, mass_dry_u_random_g=1.0, mass_dry_u_systematic_g=(),
    metals=(Metal(analyte="Cu", value_mg=30, u_random_mg=1.0, u_systematic_mg=()),), origins=(),
)  # fmt: skip

LETTER = DeadLetter(
    reason="undecodable", detail="", topic=topics.FACT, partition=PARTITION, offset=2,
    timestamp_ms=0, key=KEY, value=b"bad", header_names=(), header_values=(),
)  # fmt: skip


def test_a_right_ledger_is_clean(store: Store) -> None:
    found = store.verify()
    assert {name: check.violations for name, check in found.items() if not check.clean} == {}
    examined = {name: check.examined for name, check in found.items()}
    assert examined == {
        "balances": 2, "handed": 1, "compensations": 0, "edges": 1, "numbers": 1,
        "negative": 2, "events": 2, "kafka": 4,
        "dead_letters": 0,
    }  # fmt: skip


def test_a_balance_that_is_not_the_sum_is_found(store: Store) -> None:
    store.put(topics.BALANCE, [balance(8, "lot/L-1/S", 400, 21)])
    assert store.wrong() == {
        "balances": [("lot/L-1/S", "Cu mg: transfers give 20, the balance says 21")]
    }


def test_an_account_without_a_balance_is_found(store: Store) -> None:
    store.put(topics.TRANSFER, [transfer(8, "origin/S", "lot/L-2/S", 5, 0)])
    assert [s for s, _ in store.wrong()["balances"]] == ["lot/L-2/S", "lot/L-2/S"]


def test_a_process_that_was_told_another_amount_is_found(store: Store) -> None:
    store.put(topics.FLOW, [replace(HANDED, n=8, mass_dry_g=601)])
    assert store.wrong() == {
        "handed": [("lot/L-1 -> process/P", "dry g: transfers give 600, the receiver was told 601")]
    }


def test_a_handing_that_was_withdrawn_and_not_posted_back_is_found(store: Store) -> None:
    store.put(topics.FLOW, [replace(HANDED, n=8, void=True)])
    assert len(store.wrong()["handed"]) == 3


def ghg(kg: int) -> tuple[AttributeAmount, ...]:
    return (
        AttributeAmount(name="ghg", unit="kgCO2e", quality="measured", value_micro=kg * 1_000_000),
    )


def test_attributes_that_are_carried_everywhere_are_clean(store: Store) -> None:
    moved = transfer(8, "lot/L-1/S", "process/P", 0, 0)
    store.put(topics.TRANSFER, [replace(moved, attributes=ghg(7))])
    store.put(topics.FLOW, [replace(HANDED, n=9, attributes=ghg(7))])
    held = [balance(10, "lot/L-1/S", 400, 20), balance(11, "process/P", -100, 30, "open")]
    store.put(
        topics.BALANCE,
        [replace(held[0], attributes=ghg(-7)), replace(held[1], attributes=ghg(7))],
    )
    assert store.wrong() == {"negative": [("lot/L-1/S", "ghg measured micro kgCO2e: -7000000")]}
    store.put(
        topics.TRANSFER,
        [replace(transfer(12, "outside/S", "lot/L-1/S", 0, 0), attributes=ghg(7))],
    )
    store.put(topics.BALANCE, [replace(balance(13, "lot/L-1/S", 400, 20), attributes=ghg(0))])
    assert store.wrong() == {}


def test_an_attribute_the_balance_has_and_no_transfer_brought_is_found(store: Store) -> None:
    store.put(topics.BALANCE, [replace(balance(8, "lot/L-1/S", 400, 20), attributes=ghg(3))])
    text = "ghg measured micro kgCO2e: transfers give 0, the balance says 3000000"
    assert store.wrong() == {"balances": [("lot/L-1/S", text)]}


def test_an_attribute_the_receiver_was_not_told_of_is_found(store: Store) -> None:
    store.put(topics.FLOW, [replace(HANDED, n=8, attributes=ghg(3))])
    text = "ghg measured micro kgCO2e: transfers give 0, the receiver was told 3000000"
    assert store.wrong() == {"handed": [("lot/L-1 -> process/P", text)]}


def taken_back(n: int, of: Transfer, cause: str = "e9") -> Transfer:
    return replace(
        of, n=n, cause_event_id=cause, replaces_event_id=of.cause_event_id, replaces_kind=of.kind,
        mass_wet_g=-of.mass_wet_g, mass_dry_g=-of.mass_dry_g,
        metals=tuple(replace(m, value_mg=-m.value_mg) for m in of.metals),
        attributes=tuple(replace(a, value_micro=-a.value_micro) for a in of.attributes),
    )  # fmt: skip


POSTED = replace(transfer(8, "origin/S", "outside/B", 10, 1), attributes=ghg(2))


def compensations(store: Store) -> list[tuple[str, str]]:
    return store.wrong().get("compensations", [])


def test_what_is_posted_taken_back_and_posted_again_is_clean(store: Store) -> None:
    again = replace(POSTED, n=10)
    store.put(topics.TRANSFER, [POSTED, taken_back(9, POSTED), again, taken_back(11, again)])
    assert store.wrong() == {}
    assert store.verify()["compensations"].examined == 2


def test_a_compensation_of_nothing_that_stands_before_it_is_found(store: Store) -> None:
    store.put(topics.TRANSFER, [taken_back(8, POSTED), replace(POSTED, n=9)])
    assert compensations(store) == [("worker/0/8", "no k of e8 stands before it")]


def test_a_compensation_of_another_amount_is_found(store: Store) -> None:
    wrong = {
        "mass_dry_g": replace(taken_back(9, POSTED), mass_dry_g=-11),
        "attributes": replace(taken_back(9, POSTED), attributes=ghg(-1)),
        "metals": replace(taken_back(9, POSTED), metals=()),
    }
    store.put(topics.TRANSFER, [POSTED])
    for number, one in enumerate(wrong.values(), start=9):
        store.put(topics.TRANSFER, [replace(one, n=number)])
    text = "does not negate the amounts of worker/0/8"
    assert compensations(store) == [(f"worker/0/{n}", text) for n in (9, 10, 11)]


def test_a_compensation_at_another_time_or_for_the_second_time_is_found(store: Store) -> None:
    moved = replace(taken_back(9, POSTED), effective_at=Micros(2))
    store.put(topics.TRANSFER, [POSTED, moved, taken_back(10, POSTED)])
    assert compensations(store) == [
        ("worker/0/9", "is not of the time of worker/0/8"),
        ("worker/0/10", "worker/0/8 was taken back before"),
    ]


def test_a_compensation_that_is_known_before_what_it_takes_back_is_found(store: Store) -> None:
    posted = replace(POSTED, known_at=Micros(60))
    early = replace(taken_back(9, posted), known_at=Micros(30))
    store.put(topics.TRANSFER, [posted, early])
    assert compensations(store) == [("worker/0/9", "is known before worker/0/8")]


def test_an_edge_that_is_missing_or_stands_twice_is_found(store: Store) -> None:
    store.warehouse.command("INSERT INTO custody.edge SELECT * FROM custody.edge")
    text = "transfers with lots: 1 of 600 g dry; edges: 2 of 1200 g dry"
    assert store.wrong() == {"edges": [("process/P", text)]}
    store.warehouse.command("TRUNCATE TABLE custody.edge")
    text = "transfers with lots: 1 of 600 g dry; edges: 0 of 0 g dry"
    assert store.wrong() == {"edges": [("process/P", text)]}


@pytest.mark.parametrize(
    "wrong",
    ["parent := concat(parent, 'x')", "known_at := known_at + 1", "`metals.value_mg` := [31]",
     "place := 'T'", "kind := 'measured'"],
)  # fmt: skip
def test_an_edge_with_another_column_is_found(store: Store, wrong: str) -> None:
    column, _, value = wrong.partition(" := ")
    store.warehouse.command("CREATE TABLE custody.kept AS custody.edge")
    store.warehouse.command(
        f"INSERT INTO custody.kept SELECT * REPLACE ({value} AS {column}) FROM custody.edge"  # noqa: S608
    )
    store.warehouse.command("TRUNCATE TABLE custody.edge")
    store.warehouse.command("INSERT INTO custody.edge SELECT * FROM custody.kept")
    store.warehouse.command("DROP TABLE custody.kept SYNC")
    text = "transfers with lots: 1 of 600 g dry; edges: 1 of 600 g dry; they differ elsewhere"
    assert store.wrong() == {"edges": [("process/P", text)]}


def test_the_migration_makes_the_edges_the_sink_makes(store: Store) -> None:
    measured = replace(transfer(8, "lot/L-2/S", "process/P", 7, 3), kind="measured")
    undone = replace(
        transfer(9, "lot/L-2/S", "process/P", -7, -3), kind="measured",
        replaces_kind="measured", replaces_event_id="e8",
    )  # fmt: skip
    store.put(topics.TRANSFER, [measured, undone, transfer(10, "process/P", "lot/L-2/S", 9, 1)])
    assert store.verify()["edges"].clean
    store.warehouse.command("ALTER TABLE custody.edge DELETE WHERE n > 8 SETTINGS mutations_sync=2")
    assert not store.verify()["edges"].clean
    for migration in migrate.load():
        for statement in migration.statements:
            store.warehouse.command(statement)
    found = store.verify()["edges"]
    assert (found.clean, found.examined) == (True, 4)


def test_a_number_that_is_missing_or_stands_twice_is_found(store: Store) -> None:
    store.put(topics.BALANCE, [balance(9, "lot/L-1/S", 400, 20)])
    text = "0 stand twice, 1 are missing up to 9, the lowest is 1"
    assert store.wrong() == {"numbers": [("worker/0", text)]}
    store.put(topics.BALANCE, [balance(8, "lot/L-1/S", 400, 20)])
    store.put(topics.BALANCE, [balance(8, "lot/L-1/S", 400, 20)])
    text = "1 stand twice, 0 are missing up to 9, the lowest is 1"
    assert store.wrong() == {"numbers": [("worker/0", text)]}


def test_an_account_below_nothing_is_found(store: Store) -> None:
    store.put(topics.TRANSFER, [transfer(8, "lot/L-3/S", "outside/B", 10, 1)])
    store.put(topics.BALANCE, [balance(9, "lot/L-3/S", -10, -1)])
    assert store.wrong() == {
        "negative": [("lot/L-3/S", "Cu mg: -1"), ("lot/L-3/S", "dry g: -10"),
                     ("lot/L-3/S", "wet g: -20")]
    }  # fmt: skip


def test_a_process_that_closed_below_nothing_is_found(store: Store) -> None:
    store.put(topics.BALANCE, [balance(8, "process/P", -100, 30, "closed")])
    assert [s for s, _ in store.wrong()["negative"]] == ["process/P", "process/P"]


def test_an_event_that_stands_twice_is_found(store: Store) -> None:
    store.put(topics.FACT, [weighing("L-1", 2)])
    event_id = weighing("L-1", 2).event_id
    [(subject, detail)] = store.wrong()["events"]
    assert subject == event_id
    assert detail.startswith("stands 2 times: lot L-1 under GW-1 1/2; the books count it once")


def test_numbers_of_a_gateway_that_are_missing_or_have_two_events_are_found(store: Store) -> None:
    assert numbered(store.ask) == Check("sequence", 2, ())
    store.put(topics.FACT, [weighing("L-2", 2), weighing("L-1", 5)])
    found = numbered(store.ask)
    assert found.examined == 3
    assert [one.subject for one in found.violations] == ["GW-1 epoch 1"] * 2
    missing, twice = (one.detail for one in found.violations)
    assert missing == "3 of 5 numbers are stored"
    assert twice.startswith("1 records stand under a number that another one has")
    letter = replace(LETTER, offset=9, header_names=("gateway",), header_values=(b"GW-1",))
    store.put(topics.DEAD_LETTER, [letter])
    assert "of this gateway 1 dead letters" in numbered(store.ask).violations[0].detail


def test_records_kafka_has_and_we_have_not_are_found(store: Store) -> None:
    ends = {t: dict(p) for t, p in store.ends.items()}
    ends[topics.FACT][PARTITION] = (0, 3)
    ends[topics.ALERT] = {0: (5, 6), 1: (7, 7)}
    found = store.wrong(ends=ends)
    assert found == {
        "kafka": [
            ("custody.alert.v1/0", "no flush of it has been confirmed"),
            (f"custody.fact.v1/{PARTITION}", "the broker has 0 to 3, flushes cover 0 to 2"),
        ]
    }


def test_what_is_stored_while_it_looks_is_on_its_way(store: Store) -> None:
    """Asked before the warehouse, the broker had less than flushes covered: a false violation."""

    def ends() -> Ends:
        store.put(topics.FACT, [weighing("L-1", 3)])
        return store.ends

    found = {check.name: check for check in verify(store.ask, ends)}
    assert [one.pending for one in found["kafka"].violations] == [True]
    assert not store.wrong()


def test_a_row_too_many_or_too_few_is_found(store: Store) -> None:
    store.warehouse.command(
        "INSERT INTO custody.weighing SELECT * FROM custody.weighing WHERE gateway_seq = 1"
    )
    text = "2 rows were counted, 3 stand, with 2 distinct offsets"
    assert store.wrong()["kafka"] == [(f"custody.fact.v1/{PARTITION}", text)]


def test_a_hole_in_the_ledger_is_found(store: Store) -> None:
    row = {"topic": topics.FACT, "topic_id": "id", "partition": PARTITION, "first": 4, "last": 4,
           "rows": 0, "duplicates": 0, "dead_letters": 0, "not_stored": 0, "digest": "",
           "inserted_at": 1, "writer": "t"}  # fmt: skip
    schema = ledger_rows([], "t", Micros(0)).schema
    store.warehouse.insert_arrow(
        "ingest_batches", pa.Table.from_pylist([row], schema=schema), "test"
    )
    details = [detail for _, detail in store.wrong(ends={})["kafka"]]
    assert "confirmed flushes cover 3 of 5 offsets from 0 to 5" in details
    assert "flushes account for 2 of 3 records" in details


def test_a_dead_letter_that_is_missing_is_found(store: Store) -> None:
    store.put(topics.FACT, [], extra_bad=1)
    text = "1 were counted, 0 stand on the dead-letter topic"
    assert store.wrong() == {"dead_letters": [(f"custody.fact.v1/{PARTITION}", text)]}
    store.put(topics.DEAD_LETTER, [LETTER])
    assert store.wrong() == {}


def test_the_statements_of_the_page_find_what_is_not_conserved(store: Store) -> None:
    page = tree.text(Path("docs/warehouse.md"))
    sums, inputs = re.findall(r"```sql\n(.*?)```", page, flags=re.DOTALL)
    assert store.ask(sums) == store.ask(inputs) == []
    store.put(topics.BALANCE, [balance(8, "lot/L-1/S", 401, 20)])
    [row] = store.ask(sums)
    assert row["account"] == "lot/L-1/S"
    store.put(topics.FLOW, [replace(HANDED, n=9, void=True)])
    [row] = store.ask(inputs)
    assert row["process"] == "process/P"


def test_dead_letters_are_listed_the_latest_record_first(store: Store) -> None:
    times_ms = [5, 9, 9]
    letters = [
        DeadLetter(
            reason="undecodable", detail="", topic=topics.FACT, partition=PARTITION, offset=offset,
            timestamp_ms=time_ms, key=KEY, value=b"bad", header_names=(), header_values=(),
        )
        for offset, time_ms in enumerate(times_ms)
    ]  # fmt: skip
    store.put(topics.DEAD_LETTER, letters)

    def rows(query: str, params: Mapping[str, str]) -> list[dict[str, object]]:
        answer = store.reader.ask(query, "JSONEachRow", params)
        return [json.loads(line) for line in answer.splitlines()]

    found, total = latest_dead_letters(rows, "", 2)
    assert [row["offset"] for row in found] == [2, 1]
    assert total == 3
    assert latest_dead_letters(rows, "wrong_partition", 2) == ([], 0)
