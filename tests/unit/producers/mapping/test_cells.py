"""One cell at a time: numbers, times, results."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest

from producers.mapping import clock
from producers.mapping.cells import Cell, letters
from producers.mapping.clock import Clock
from producers.mapping.faults import CellFault
from producers.mapping.numerals import Style, number
from producers.mapping.results import Censoring, result

COMMA = Style(",", " ")
PARIS = Clock("dd/MM/yyyy HH:mm", clock.zone("Europe/Paris"))


@pytest.mark.parametrize(
    ("text", "style", "value"),
    [
        ("45 000,5", COMMA, "45000.5"),
        ("45\u202f000", COMMA, "45000"),
        ("45\u00a0000 kg", COMMA, "45000"),
        ("1'234'567.5", Style(".", "'"), "1234567.5"),
        ("1.234,5", Style(",", "."), "1234.5"),
        ("30,000", Style(".", ","), "30000"),
        ("30,000", Style(",", ""), "30.000"),
        (",5", COMMA, "0.5"),
        ("12.", Style(), "12"),
        ("1.2E+05", Style(), "1.2E+5"),
        ("\u22123.5", Style(), "-3.5"),
        ("45000кг", Style(), "45000"),
    ],
)
def test_a_number_is_read_in_the_style_of_its_file(text: str, style: Style, value: str) -> None:
    assert number(text, style, "kg") == Decimal(value)


@pytest.mark.parametrize(
    ("cell", "style"),
    [
        ("30.000", COMMA),
        ("30,5", Style(".", ",")),
        ("30,00,000", Style(".", ",")),
        ("3 00", COMMA),
        ("30.02", Style(",", ".")),
        ("1,2,3", COMMA),
        ("", Style()),
        ("twelve", Style()),
        ("12 apples", Style()),
        ("١٢", Style()),
        ("0x10", Style()),
        ("1e999", Style()),
        ("9" * 50, Style()),
        ("inf", Style()),
        (True, Style()),
        (date(2026, 11, 3), Style()),
    ],
)
def test_what_does_not_fit_the_style_is_refused_and_never_guessed(cell: Cell, style: Style) -> None:
    with pytest.raises(CellFault) as caught:
        number(cell, style, "kg")
    assert caught.value.code == "not_a_number"


def test_a_cell_that_names_another_unit_than_its_column_is_refused() -> None:
    with pytest.raises(CellFault) as caught:
        number("45 t", Style(), "kg")
    assert (caught.value.code, caught.value.found) == ("wrong_unit", "45 t")


@pytest.mark.parametrize(
    ("cells", "read", "text"),
    [
        (["03/11/2026 06:42"], PARIS, "2026-11-03T06:42:00+01:00"),
        (["03/07/2026", "06:42"], PARIS, "2026-07-03T06:42:00+02:00"),
        (["25/10/2026 02:30 +02:00"], PARIS, "2026-10-25T02:30:00+02:00"),
        (["25/10/2026 02:30+01:00"], PARIS, "2026-10-25T02:30:00+01:00"),
        (["2026-11-03T06:42:10Z"], Clock(None, None), "2026-11-03T06:42:10+00:00"),
        (["2026-11-03 06:42"], Clock(None, clock.zone("+02:00")), "2026-11-03T06:42:00+02:00"),
        (["3-Nov-26 6:05 PM"], Clock("d-MMM-yy h:mm tt", clock.zone("UTC")),
         "2026-11-03T18:05:00+00:00"),
        (["3 août 2026 12:05 AM"], Clock("d MMM yyyy h:mm tt", clock.zone("UTC")),
         "2026-08-03T00:05:00+00:00"),
        (["20261103"], Clock("yyyyMMdd", clock.zone("UTC"), time(12)), "2026-11-03T12:00:00+00:00"),
        ([datetime(2026, 11, 3, 6, 42)], PARIS, "2026-11-03T06:42:00+01:00"),
        ([date(2026, 11, 3), time(6, 42)], PARIS, "2026-11-03T06:42:00+01:00"),
        ([datetime(2026, 11, 3), timedelta(hours=30)], PARIS, "2026-11-03T06:00:00+01:00"),
        ([date(2026, 11, 3)], Clock(None, clock.zone("UTC"), time(12)),
         "2026-11-03T12:00:00+00:00"),
    ],
)  # fmt: skip
def test_a_wall_clock_becomes_a_moment(cells: list[Cell], read: Clock, text: str) -> None:
    assert clock.moment(cells, read) == text


@pytest.mark.parametrize(
    ("cells", "read", "code"),
    [
        (["25/10/2026 02:30"], PARIS, "ambiguous_time"),
        (["29/03/2026 02:30"], PARIS, "no_such_time"),
        ([datetime(2026, 10, 25, 2, 30)], PARIS, "ambiguous_time"),
        ([datetime(2026, 3, 29, 2, 30)], PARIS, "no_such_time"),
        (["31/02/2026 02:30"], PARIS, "bad_value"),
        (["03/11/2026 24:00"], PARIS, "bad_value"),
        (["03/11/2026"], PARIS, "bad_value"),
        (["11/30/2026 06:42"], PARIS, "bad_value"),
        (["3/11/2026 06:42"], PARIS, "bad_value"),
        (["01/01/0001 00:00"], PARIS, "bad_value"),
        (["31/12/9999 23:59"], PARIS, "bad_value"),
        ([Decimal("46329.27")], PARIS, "bad_value"),
        ([date(2026, 11, 3)], PARIS, "bad_value"),
        ([time(6, 42)], PARIS, "bad_value"),
        (["3-Xyz-26 06:00"], Clock("d-MMM-yy HH:mm", clock.zone("UTC")), "bad_value"),
        (["2026-11-03 06:42"], Clock(None, None), "bad_value"),
    ],
)
def test_a_time_that_is_none_or_two_is_refused(cells: list[Cell], read: Clock, code: str) -> None:
    with pytest.raises(CellFault) as caught:
        clock.moment(cells, read)
    assert caught.value.code == code


def test_an_ambiguous_time_says_which_two_it_can_be() -> None:
    with pytest.raises(CellFault, match="ambiguous_time") as caught:
        clock.moment(["25/10/2026 02:30"], PARIS)
    assert "+02:00 or +01:00" in caught.value.allowed


CENSORING = Censoring(frozenset({"nd", "<lod"}), negative=False)


@pytest.mark.parametrize(
    ("cell", "limit", "said"),
    [
        ("2,53", None, {"value": "2.53"}),
        ("2,53", "0.01", {"value": "2.53", "detection_limit": "0.01"}),
        ("<0,01", None, {"value": None, "qualifier": "<", "detection_limit": "0.01"}),
        ("< 0,01 %", "5", {"value": None, "qualifier": "<", "detection_limit": "0.01"}),
        (">10 000", None, {"value": None, "qualifier": ">", "detection_limit": "10000"}),
        ("≤1", None, {"value": None, "qualifier": "<", "detection_limit": "1"}),
        ("ND", "0.01", {"value": None, "qualifier": "<", "detection_limit": "0.01"}),
        ("< lod", "0.01", {"value": None, "qualifier": "<", "detection_limit": "0.01"}),
        (Decimal("2.53"), None, {"value": "2.53"}),
    ],
)
def test_an_element_is_a_value_or_a_range_with_its_limit(
    cell: Cell, limit: str | None, said: dict[str, object]
) -> None:
    known = None if limit is None else Decimal(limit)
    assert result(cell, "pct", COMMA, CENSORING, known) == said


def test_less_than_a_limit_that_nothing_names_is_refused_and_no_zero() -> None:
    with pytest.raises(CellFault) as caught:
        result("ND", "pct", COMMA, CENSORING, None)
    assert caught.value.code == "missing_field"


def test_a_negative_element_is_a_limit_only_where_the_mapping_says_so() -> None:
    says = Censoring(frozenset(), negative=True)
    below = {"value": None, "qualifier": "<", "detection_limit": "0.01"}
    assert result("-0,01", "pct", COMMA, says, None) == below
    assert result("-0,01", "pct", COMMA, CENSORING, None) == {"value": "-0.01"}


def test_columns_have_the_letters_a_spreadsheet_gives_them() -> None:
    assert [letters(i) for i in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
