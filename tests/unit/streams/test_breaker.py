"""The breaker: a bad deploy stops, one bad plant does not."""

import pytest

from streams.breaker import BAD_MIN, RUN_MAX, WINDOW_RECORDS, Breaker, TooManyDeadLetters


def test_a_hundred_bad_records_in_a_short_history_stop() -> None:
    breaker = Breaker("t")
    for _ in range(BAD_MIN - 1):
        breaker.bad("L-1", "undecodable")
    with pytest.raises(TooManyDeadLetters):
        breaker.bad("L-1", "undecodable")


def test_fewer_than_a_hundred_never_stop() -> None:
    breaker = Breaker("t")
    for no in range(BAD_MIN - 1):
        breaker.bad(f"L-{no}", "undecodable")


def test_a_run_from_two_senders_stops_at_one_percent() -> None:
    breaker = Breaker("t")
    breaker.good(WINDOW_RECORDS)
    for no in range(RUN_MAX - 1):
        breaker.bad(f"L-{no % 2}", "unknown_schema")
    with pytest.raises(TooManyDeadLetters, match="of the last"):
        breaker.bad("L-1", "unknown_schema")


def test_a_readable_record_ends_a_run() -> None:
    breaker = Breaker("t")
    breaker.good(WINDOW_RECORDS)
    for no in range(BAD_MIN):
        breaker.bad(f"L-{no % 2}", "undecodable")
        breaker.good(1)


def test_more_than_one_percent_of_a_full_window_stops() -> None:
    breaker = Breaker("t")
    breaker.good(WINDOW_RECORDS - BAD_MIN)
    for _ in range(BAD_MIN):
        breaker.bad("GW-1", "out_of_range")
    with pytest.raises(TooManyDeadLetters):
        breaker.bad("GW-1", "out_of_range")


def test_one_percent_is_not_more_than_one_percent() -> None:
    breaker = Breaker("t")
    for _ in range(3 * BAD_MIN):
        breaker.good(99)
        breaker.bad("GW-1", "out_of_range")


def test_bad_records_leave_with_their_window() -> None:
    breaker = Breaker("t")
    breaker.good(WINDOW_RECORDS)
    for _ in range(BAD_MIN):
        breaker.good(1)
        breaker.bad("GW-1", "out_of_range")
    breaker.good(WINDOW_RECORDS)
    for _ in range(BAD_MIN):
        breaker.good(1)
        breaker.bad("GW-1", "out_of_range")
