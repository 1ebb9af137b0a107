"""When unreadable records stop worker and sink, and when one sender is quarantined instead."""

import pytest

from schemas.breaker import Breaker, Limits, TooManyDeadLetters


def _breaker(limits: Limits | None = None) -> Breaker:
    return Breaker("custody.fact.v1/2", limits or Limits())


def _feed(breaker: Breaker, good: int, senders: list[str]) -> None:
    breaker.good(good)
    for sender in senders:
        breaker.bad(sender, "undecodable")


def test_a_few_bad_records_stop_nothing() -> None:
    breaker = _breaker()
    for _ in range(50):
        _feed(breaker, 500, ["GW-1", "GW-2", "GW-3"])
    assert breaker.quarantined == set()


def test_a_run_from_two_senders_stops() -> None:
    breaker = _breaker()
    _feed(breaker, 100_000, ["GW-1", "GW-2"] * 49 + ["GW-1"])
    with pytest.raises(TooManyDeadLetters, match="fact"):
        breaker.bad("GW-2", "undecodable")


def test_a_good_record_ends_a_run() -> None:
    breaker = _breaker()
    for _ in range(3):
        _feed(breaker, 50_000, ["GW-1", "GW-2"] * 49)
    assert breaker.quarantined == set()


def test_more_than_one_in_a_hundred_stops() -> None:
    breaker = _breaker()
    _feed(breaker, 9_900, [])
    for no in range(100):
        _feed(breaker, 1, [f"GW-{no % 2}"])
    with pytest.raises(TooManyDeadLetters, match="101 of the last 10000 records"):
        breaker.bad("GW-1", "undecodable")


def test_one_bad_sender_is_quarantined_and_the_others_still_count() -> None:
    breaker = _breaker()
    _feed(breaker, 10_000, [])
    for _ in range(500):
        _feed(breaker, 1, ["GW-9"])
    assert breaker.quarantined == {"GW-9"}
    _feed(breaker, 20_000, ["GW-1"] * 99)
    assert breaker.quarantined == {"GW-9"}


def test_bad_records_beyond_the_window_are_forgotten() -> None:
    breaker = _breaker(Limits(window_records=1_000, count_min=10))
    for _ in range(20):
        _feed(breaker, 1_000, ["GW-1", "GW-2"] * 4)
