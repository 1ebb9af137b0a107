"""Rows of totals are proposed to be left out; a ticket that begins like one is not."""

from pathlib import Path

import pytest

from producers.mapping.cells import Row
from producers.mapping.draft import Draft
from producers.mapping.form import FileRule, Where
from producers.mapping.layout import fits, top_of
from producers.mapping.read import Skipped
from producers.mapping.suggest import suggest

HEAD = "Ticket;Date;Gross kg;Tare kg;Lot"
AT = "2026-11-28 06:00;45000;15000;L-1"


def _draft(tmp_path: Path, *rows: str) -> Draft:
    path = tmp_path / "table.csv"
    path.write_text("\n".join((HEAD, f"A-1;{AT}", *rows)) + "\n", "utf-8")
    return suggest(path)


def _patterns(draft: Draft) -> list[str]:
    wheres = next((line.value for line in draft.file if line.key == "skip_where"), ())
    assert isinstance(wheres, tuple)
    found: list[str] = []
    for where in wheres:
        assert isinstance(where, dict)
        assert isinstance(where["matches"], tuple)
        found += map(str, where["matches"])
    return found


def _is_left_out(draft: Draft, ticket: str) -> bool:
    top = top_of(iter([Row(1, tuple(HEAD.split(";")))]), FileRule())
    patterns = tuple(_patterns(draft))
    where = Where(column="Ticket", matches=patterns or ("-",))
    return fits(Row(2, (ticket,)), where, top)


@pytest.mark.parametrize(
    "ticket", ["SUMMIT-9", "TOTALENERGIES-1", "Sommer-3", "SUMATRA 4", "Gesamtwerk-1", "Meana-1"]
)
def test_a_ticket_that_begins_like_a_total_is_none(tmp_path: Path, ticket: str) -> None:
    draft = _draft(tmp_path, f"{ticket};{AT}", "Total;;90000;30000;", "Summe;;1;1;", "Mean;;1;1;")
    assert sorted(_patterns(draft)) == ["mean", "summe", "total"]
    assert not _is_left_out(draft, ticket)
    assert not [doubt for doubt in draft.doubts if ticket in doubt]


@pytest.mark.parametrize(
    ("row", "tomorrow"),
    [("Total", "Total"), ("TOTAL:", "Total:"), ("Total 2 loads", "total 31 loads"),
     ("Sub-total (2)", "Sub-total (3)"), ("Sous-total : 2", "sous-total : 4"),
     ("Somme (2)", "Somme (9)"), ("Итого: 2", "Итого: 7"),
     ("合计", "合计"), ("合计2车", "合计31车")],
)  # fmt: skip
def test_a_row_of_totals_is_left_out_today_and_tomorrow(
    tmp_path: Path, row: str, tomorrow: str
) -> None:
    draft = _draft(tmp_path, f"{row};;90000;30000;")
    assert _is_left_out(draft, row)
    assert _is_left_out(draft, tomorrow)


def test_a_total_alone_is_one_though_it_has_a_date(tmp_path: Path) -> None:
    assert _patterns(_draft(tmp_path, f"Total;{AT}")) == ["total"]


def test_a_row_in_between_is_data_and_a_doubtful_point(tmp_path: Path) -> None:
    draft = _draft(tmp_path, f"Sum 9;{AT}", "Sum 2 loads;;90000;30000;")
    assert "row 3: 'Sum 9' begins like a total" in draft.doubts
    assert _patterns(draft) == ["sum 2 loads"], "no pattern that would leave out row 3 as well"


def test_many_rows_left_out_are_counted_and_some_named() -> None:
    skipped = Skipped()
    assert skipped.text() == ""
    for no in range(1, 31):
        skipped.add(no)
    assert skipped.text().startswith("skipped 30 (rows 1, 2, 3")
    assert skipped.text().endswith("20, ...)")
