"""Answers for a time as tables, JSON lines and CSV."""

import csv
import io
import json

import pytest

from custody.events import Micros
from custody.records import Part
from runtime.asof import Holding, Quantity, Uncertainty
from runtime.cli import books
from runtime.cli.books import Form, Stamp
from runtime.complete import Complete
from runtime.period import FLOWS, Account, Sum
from runtime.rests import WET
from runtime.unaccounted import Unaccounted

GHG = Quantity("attribute", "ghg", "micro kgCO2e", "measured")
STAMP = Stamp(Micros(0), None, Complete(Micros(1_000_000), None, ""))
U = Uncertainty(30_000.0, (Part(source="WB-1", u=40_000.0),))
LOTS = [
    Holding("L-1", "MINE", WET, 30_000_000, U, "then", "1970-01-01T00:00:00.000000Z"),
    Holding("L-2", "MINE", WET, 10_000_000, U, "later", "1970-01-01T00:00:00.000000Z"),
    Holding("L-2", "MINE", GHG, 5_000_000, None, "none", None),
]


def test_a_stock_names_each_lot_and_its_totals_last(capsys: pytest.CaptureFixture[str]) -> None:
    books.stock("MINE", "MINE", LOTS, STAMP, Form.TABLE)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "MINE; complete up to 1970-01-01T00:00:01Z"
    assert lines[2].split()[:6] == ["L-1", "wet", "t", "30.000", "0.050", "0.030"]
    assert lines[3].endswith("1970-01-01T00:00:00Z, later")
    assert lines[5].split()[:7] == ["total", "of", "2", "wet", "t", "40.000", "0.091"]
    assert lines[6].split()[3:7] == ["ghg", "(measured)", "kgCO2e", "5.000"]


def test_json_and_csv_have_the_same_names_and_the_books_own_units(
    capsys: pytest.CaptureFixture[str],
) -> None:
    books.stock("MINE", "MINE", LOTS, STAMP, Form.JSON)
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    books.stock("MINE", "MINE", LOTS, STAMP, Form.CSV)
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [list(row) for row in rows] == [list(one) for one in objects]
    assert (objects[0]["value"], objects[0]["unit"], objects[0]["u"]) == (30_000_000, "g", 50_000.0)
    assert objects[0]["u_systematic"] == {"WB-1": 40_000.0}
    assert rows[0]["u_systematic"] == "WB-1=40000.0"
    assert objects[2]["u"] is None
    assert (objects[0]["at"], objects[0]["known"]) == ("1970-01-01T00:00:00Z", None)
    assert objects[3]["lot_id"] == "total"


def account() -> Account:
    flows = dict.fromkeys(FLOWS, 0) | {"receipts": 30_000_000, "shipments": -10_000_000}
    return Account(WET, Sum(0, U, 0, 0), flows, Sum(20_000_000, U, 1, 0))


def test_a_period_shows_what_moved_in_its_direction_and_what_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lost = Unaccounted("leg", WET, 700_000, U, 0)
    books.over_period("MINE", "MINE", ([account()], [lost]), STAMP, Form.TABLE)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["+", "receipts", "30.000"] in lines
    assert ["-", "shipments", "10.000"] in lines
    assert ["=", "closing", "20.000"] in lines
    assert ["u", "of", "closing", "0.050"] in lines
    assert ["leg", "wet", "t", "0.700", "0.050", "14.0"] in lines
    assert not any("sold" in line for line in lines)


def test_what_is_better_known_stands_apart_from_what_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    flows = dict.fromkeys(FLOWS, 0) | {"restated": 2_000_000, "unaccounted": -1_000_000}
    one = Account(WET, Sum(0, U, 0, 0), flows, Sum(1_000_000, U, 1, 0))
    lost = [Unaccounted("restated", WET, -2_000_000, U, 0), Unaccounted("stock", WET, 10**6, U, 0)]
    books.over_period("MINE", "MINE", ([one], lost), STAMP, Form.TABLE)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["+", "restated", "2.000"] in lines
    assert ["-", "unaccounted", "1.000"] in lines
    assert ["stock", "wet", "t", "1.000", "0.050", "20.0"] in lines
    assert not any(line[:1] == ["restated"] for line in lines)
    books.over_period("MINE", "MINE", ([one], lost), STAMP, Form.JSON)
    found = {o["line"]: o for o in map(json.loads, capsys.readouterr().out.splitlines())}
    assert (found["restated"]["u"], found["restated"]["z"]) == (50_000.0, 40.0)
    assert found["unaccounted"]["value"] == -found["unaccounted_stock"]["value"] == -1_000_000
    assert "unaccounted_restated" not in found


def test_the_lines_of_a_period_in_json_add_up(capsys: pytest.CaptureFixture[str]) -> None:
    books.over_period("MINE", "MINE", ([account()], []), STAMP, Form.JSON)
    values = {
        one["line"]: one["value"] for one in map(json.loads, capsys.readouterr().out.splitlines())
    }
    assert values["closing"] == values["opening"] + sum(values[name] for name in FLOWS)


def test_two_forms_at_once_are_wrong_use() -> None:
    with pytest.raises(Exception, match="not both"):
        books.form_of(as_json=True, as_csv=True)
