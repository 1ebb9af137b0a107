"""What a handover puts on its one sheet, by the script that does it, in a JavaScript engine."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import quickjs

PAGES = Path(__file__).parents[3] / "console" / "pages"
LISTS = ("standing", "held", "deeds", "changed", "opened")

Rows = list[dict[str, Any]]
Told = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def engine() -> quickjs.Context:
    """The two scripts, which know no browser, as one: they are modules, and import each other."""
    made = quickjs.Context()
    for name in ("alerts", "sheet"):
        text = (PAGES / f"{name}.js").read_text("utf-8")
        made.eval(re.sub(r"^(?:import .*|export )", "", text, flags=re.MULTILINE))
    return made


def sheet(engine: quickjs.Context, **lists: Rows) -> Told:
    whole = {name: lists.get(name, []) for name in LISTS}
    told: Told = json.loads(engine.eval(f"JSON.stringify(sheet({json.dumps(whole)}))"))
    return told


def lines(engine: quickjs.Context) -> int:
    return int(engine.eval("LINES"))


def row(no: int, cause: str = "loss", **more: object) -> dict[str, Any]:
    return {
        "alert_id": f"a-{no}", "severity": "high", "statistic": "e_value", "family": cause,
        "reason": "", "instruments": ["WB-1"], "raised_at": f"2026-11-01T00:{no % 60:02}:00Z",
        "state": "open", **more,
    }  # fmt: skip


def counted(told: Told, name: str) -> int:
    shown = sum(len(line.get("rows", [None])) for line in told[name]["lines"])
    return shown + int(told[name]["more"])


def test_a_shift_that_fits_is_told_as_it_was(engine: quickjs.Context) -> None:
    lists = {"standing": [row(no) for no in range(9)], "held": [{"lot_id": "L-1"}]}
    told = sheet(engine, **lists)
    for name in LISTS:
        assert [line["row"] for line in told[name]["lines"]] == lists.get(name, [])
        assert told[name]["more"] == 0


@pytest.mark.parametrize("causes", [1, 7, 1_000])
def test_whatever_the_flood_it_is_one_sheet_and_every_row_is_counted(
    engine: quickjs.Context, causes: int
) -> None:
    flood = [row(no, f"cause-{no % causes}") for no in range(1_000)]
    lists: dict[str, Rows] = {
        "standing": flood,
        "opened": flood,
        "changed": [{**one, "state": "retracted"} for one in flood],
        "held": [{"lot_id": f"L-{no}"} for no in range(200)],
        "deeds": [{"reason": f"{no}"} for no in range(300)],
    }
    told = sheet(engine, **lists)
    assert sum(len(told[name]["lines"]) for name in LISTS) <= lines(engine)
    assert told["deeds"]["lines"][0]["row"] == {"reason": "299"}, "the last that was done"
    for name in LISTS:
        assert told[name]["lines"], f"{name} is told of, however long the others are"
        assert counted(told, name) == len(lists[name])


def test_a_flood_of_one_cause_is_a_line_and_what_stands_for_itself_is_before_it(
    engine: quickjs.Context,
) -> None:
    lone = row(2_000, "water", severity="critical")
    told = sheet(engine, standing=[*(row(no) for no in range(1_000)), lone])
    assert [len(line.get("rows", [0])) for line in told["standing"]["lines"]] == [1, 1_000]
    assert told["standing"]["lines"][0]["row"] == lone
    assert told["standing"]["more"] == 0


def test_changes_fold_only_where_the_same_became_of_them_by_the_same(
    engine: quickjs.Context,
) -> None:
    ann = [row(no, state="resolved", actor="ann", resolution="false_alarm") for no in range(20)]
    bob = [row(no, state="resolved", actor="bob", resolution="explained") for no in range(20, 40)]
    told = sheet(engine, changed=[*ann, *bob])
    groups = [{one["actor"] for one in line["rows"]} for line in told["changed"]["lines"]]
    assert groups == [{"ann"}, {"bob"}]


def test_what_one_list_leaves_is_the_next_ones(engine: quickjs.Context) -> None:
    causes = [row(no, f"cause-{no}") for no in range(100)]
    told = sheet(engine, standing=causes)
    assert len(told["standing"]["lines"]) == lines(engine)
    assert told["standing"]["more"] == 100 - lines(engine)
