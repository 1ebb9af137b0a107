"""One table by two ways in at one gateway: published by hand and dropped in the watched folder."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from producers.service import Gateway
from runtime.cli import main
from tests.support import inlets
from tests.support.commanded import commanded
from tests.support.inlets import codes, looked, result_of
from tests.support.tables import weighing

pytestmark = pytest.mark.integration

TABLE = """ticket,at,lot,net,ref
T-1,2026-11-03 06:01,L-1,30000,A/1
T-2,2026-11-03 06:02,L-2,30010,A/2
"""
PROCESSING = """
version = 1
[file]
time_zone = "Africa/Lubumbashi"
mass_unit = "kg"
[constants]
site_id = "PLANT-1"
kind = "concentrate"
[[record]]
type = "processing"
[record.fields]
process_id = { column = "ticket" }
occurred_at = { column = "at" }
"inputs.0.lot_id" = { column = "lot" }
"inputs.0.mass_wet_kg" = { column = "net" }
"""
REF = 'source_ref = { column = "ref" }\n'


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    with commanded(tmp_path, monkeypatch) as started:
        yield started


Way = Callable[[str], list[object]]


@pytest.fixture
def dropped(running: Gateway, tmp_path: Path) -> Way:
    folder = tmp_path / "in"
    folder.mkdir()

    def drop(mapping: str) -> list[object]:
        (folder / "mapping.toml").write_text(mapping)
        (folder / "day.csv").write_text(TABLE)
        looked(inlets.drop(running, folder))
        return codes(result_of(folder, "day.csv"))

    return drop


@pytest.fixture
def published(running: Gateway, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Way:
    del running

    def publish(mapping: str) -> list[object]:
        table, rules = tmp_path / "day.csv", tmp_path / "map.toml"
        table.write_text(TABLE)
        rules.write_text(mapping)
        main.run(["publish", "--json", str(table), "--mapping", str(rules)])
        said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [one.get("code") or one["result"] for one in said]

    return publish


@pytest.mark.parametrize("mapping", [weighing(), weighing("", REF), PROCESSING, PROCESSING + REF])
@pytest.mark.parametrize("first", ["published", "dropped"])
def test_a_table_by_both_ways_is_taken_once(
    running: Gateway, published: Way, dropped: Way, first: str, mapping: str
) -> None:
    """Nothing of the way in goes into what a record says, or into its id."""
    ways = (published, dropped) if first == "published" else (dropped, published)
    assert [way(mapping) for way in ways] == [["accepted"] * 2, ["duplicate"] * 2]
    assert len(inlets.event_ids(running.outbox.path)) == 2


def test_a_ticket_under_two_references_is_one_fact_and_says_so(
    running: Gateway, published: Way, dropped: Way
) -> None:
    """A paper's number is its identity: another reference is another content of the same fact."""
    assert published(weighing("", REF)) == ["accepted"] * 2
    assert dropped(weighing()) == ["duplicate_conflict"] * 2
    assert len(inlets.event_ids(running.outbox.path)) == 2


def test_a_step_of_a_process_under_two_references_is_two_steps(
    running: Gateway, published: Way, dropped: Way
) -> None:
    """It has no number of its own: the reference is what tells two alike steps apart."""
    assert published(PROCESSING + REF) == ["accepted"] * 2
    assert dropped(PROCESSING) == ["accepted"] * 2
    assert len(inlets.event_ids(running.outbox.path)) == 4
