"""Which lots have used a reference record, asked of the real engine."""

import json
from collections.abc import Iterator, Mapping

import pytest

from console.config import ConsoleConfig
from console.reader import Reader
from custody.events import Micros
from custody.rows import RefVersion
from runtime.reference_plan import Change, Wanted, lots_that_used
from schemas import topics
from sinks import migrate
from sinks.client import open_warehouse
from tests.support.facts import T0, Maker
from tests.support.store import Store

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    directory = tmp_path_factory.mktemp("uses")
    address = f"chdb://{directory / 'warehouse'}"
    warehouse = open_warehouse(address)
    migrate.migrate(warehouse, Micros(0))
    reader = Reader(ConsoleConfig(warehouse=address, token_file=directory / "token"))
    made = Store(warehouse, reader, directory)
    maker = Maker("ORE")
    made.put(
        topics.FACT,
        [
            maker.side("PLANT", 10, "input", "P-1", kind="concentrate"),
            maker.side("PLANT", 10, "output", "P-1", kind="concentrate", output_lot_id="C-1"),
            maker.side("PLANT", 20, "output", "P-2", kind="concentrate", output_lot_id="C-2"),
            maker.side("PLANT", 20, "close", "P-2", kind="concentrate"),
        ],
    )
    yield made
    reader.close()
    warehouse.close()


@pytest.mark.parametrize(("named", "lots"), [("concentrate", 3), ("P-1", 2), ("P-3", 0)])
def test_a_process_record_is_used_by_what_goes_in_and_comes_out(
    store: Store, named: str, lots: int
) -> None:
    def ask(statement: str, params: Mapping[str, str]) -> list[dict[str, object]]:
        answer = store.reader.ask(statement, "JSONEachRow", params)
        return [json.loads(line) for line in answer.splitlines()]

    version = RefVersion("e", Micros(T0), None, Micros(T0), None, void=False, body="{}")
    change = Change(Wanted(1, "process", named, version), "new", (), past=True, until=None)
    assert lots_that_used(ask, change) == lots
