"""Answers as files: whole in each format, or not there, with the warehouse's own words."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from custody.errors import Refused
from runtime import export
from runtime.client import BadRequest, Endpoint, Warehouse
from runtime.own_format import OwnFormat
from runtime.too_many_rows import TooManyRows
from tests.support.desk import Desk, config_at, open_desk

pytestmark = [pytest.mark.integration, pytest.mark.slow]

MANY = 300_000
QUERY = (
    "SELECT number AS n, {lot:String} AS lot, toDateTime64('2026-01-01', 6, 'UTC') AS t,"  # noqa: S608
    f" toUUID('123e4567-e89b-12d3-a456-426614174000') AS id FROM numbers({MANY})"
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_desk(config_at(tmp_path_factory.mktemp("export"))) as made:
        yield made


@pytest.fixture
def warehouse(desk: Desk) -> Iterator[Warehouse]:
    url = f"http://127.0.0.1:{desk.port}"
    made = Warehouse(Endpoint("warehouse", url, desk.config.token_file))
    yield made
    made.close()


def _table(path: Path, format_name: str) -> pa.Table:
    match format_name:
        case "parquet":
            return pyarrow.parquet.read_table(path)
        case "arrow":
            return pa.ipc.open_file(path).read_all()
        case _:
            return pyarrow.csv.read_csv(path)


@pytest.mark.parametrize("format_name", ["parquet", "arrow"])
def test_a_file_has_all_rows(warehouse: Warehouse, tmp_path: Path, format_name: str) -> None:
    path, told = tmp_path / "out", list[int]()
    path.write_text("what was there before")
    with warehouse.arrow(QUERY, {"lot": "L 1"}, MANY) as parts:
        assert export.export(parts, format_name, path, told.append, MANY) == MANY
    table = _table(path, format_name)
    assert (table.num_rows, table["n"][MANY - 1].as_py(), table["lot"][0].as_py()) == (
        MANY,
        MANY - 1,
        "L 1",
    )
    assert told == sorted(told)
    assert len(told) > 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_csv_has_a_heading_also_without_rows(warehouse: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    for condition, rows in (("1", 2), ("0", 0)):
        query = f"SELECT number AS n, ['a', 'b'] AS s FROM numbers(2) WHERE {condition}"  # noqa: S608
        with warehouse.arrow(query, {}, 10) as parts:
            assert export.export(parts, "csv", path, lambda _: None, 10) == rows
        table = _table(path, "csv")
        assert table.column_names == ["n", "s"]
        assert table["s"].to_pylist() == ['["a", "b"]'] * rows


def test_what_is_refused_is_said_before_a_file_is_begun(warehouse: Warehouse) -> None:
    with (
        pytest.raises(BadRequest, match="UNKNOWN_IDENTIFIER"),
        warehouse.arrow("SELECT nonsense", {}, 10),
    ):
        pass
    with (
        pytest.raises(TooManyRows, match="--rows-max 10"),
        warehouse.arrow("SELECT number FROM numbers(11)", {}, 10),
    ):
        pass


def test_an_answer_that_breaks_off_leaves_what_was_there(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    path = tmp_path / "out.parquet"
    path.write_text("before")
    # One thread, and far behind the first rows: else the error may come before any of them.
    query = (
        f"SELECT number, intDiv(1, number - {MANY * 3 - 1}) FROM numbers({MANY * 3})"  # noqa: S608
        " SETTINGS max_threads = 1"
    )
    with (
        warehouse.arrow(query, {}, MANY * 9) as parts,
        pytest.raises(export.Broken, match="Division by zero"),
    ):
        export.export(parts, "parquet", path, lambda _: None, MANY * 9)
    with warehouse.arrow(QUERY, {"lot": "a"}, MANY) as parts:
        whole = b"".join(parts)
    for end in (len(whole) // 2, len(whole) - 8, len(whole) - 1):
        with pytest.raises(export.Broken):
            export.export(iter([whole[:end]]), "parquet", path, lambda _: None, MANY)
    late = b"\r\n__exception__\r\ntag\r\nCode: 396. DB::Exception: too many\n32 tag\r\n"
    with pytest.raises(TooManyRows, match=f"--rows-max {MANY}"):
        export.export(iter([whole[: len(whole) // 2], late]), "parquet", path, lambda _: None, MANY)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_query_with_a_format_of_its_own_is_refused(warehouse: Warehouse) -> None:
    with (
        pytest.raises(OwnFormat, match="FORMAT CSV"),
        warehouse.arrow("SELECT 1 FORMAT CSV", {}, 1),
    ):
        pass
    with warehouse.arrow("SELECT 1 FORMAT ArrowStream", {}, 1) as parts:
        assert b"".join(parts)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no/such"):
        export.export(iter([]), "csv", tmp_path / "no" / "such", lambda _: None, 10)
