import pytest

from custody.events import Micros
from runtime.moment import NotAPeriod, NotATime, period_of, sql_time, time_of

DAY = 86_400_000_000


def test_a_date_is_its_first_instant_in_utc() -> None:
    assert time_of("1970-01-02", "--at") == DAY


def test_a_zone_is_read_and_microseconds_are_kept() -> None:
    assert time_of("1970-01-01T02:00:00.000001+02:00", "--at") == 1
    assert time_of("1970-01-01t00:00:01z", "--at") == 1_000_000


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026-13-01", "2026-11-03T06:00:00", "20261103", "2026-11-03T25:00:00Z",
     "1899-12-31", "2300-01-01", "0001-01-01T00:00:00+23:00", "now"],
)  # fmt: skip
def test_what_is_no_time_is_refused_with_the_option_it_stood_behind(text: str) -> None:
    with pytest.raises(NotATime, match="--known"):
        time_of(text, "--known")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026", "2026-01-01", "2027-01-01"),
        ("2026-11", "2026-11-01", "2026-12-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("2024-02-29", "2024-02-29", "2024-03-01"),
        ("2026-11-01/2026-11-08T06:00:00Z", "2026-11-01", "2026-11-08T06:00:00Z"),
    ],
)
def test_a_period_ends_where_the_next_begins(text: str, start: str, end: str) -> None:
    assert period_of(text) == (time_of(start, ""), time_of(end, ""))


@pytest.mark.parametrize("text", ["", "2026-00", "2026-02-30", "26-11", "2026-12-01/2026-11-01"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(NotAPeriod, match="--period"):
        period_of(text)


def test_a_time_for_the_warehouse_keeps_every_digit() -> None:
    assert sql_time(Micros(1)) == "1970-01-01 00:00:00.000001"
    assert sql_time(Micros(-1)) == "1969-12-31 23:59:59.999999"
