"""Fetches keep their distance, but not while something handed on is awaited."""

import asyncio

from streams.pacing import BACKLOG_RECORDS, BEHIND_S, HURRY_S, Pace


class Clock:
    """Time that a test sets."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def pace(poll_s: float = 3600.0) -> tuple[Pace, Clock]:
    clock = Clock()
    return Pace(poll_s, clock), clock


def test_a_fetch_is_due_a_polls_time_after_the_last() -> None:
    paced, clock = pace()
    clock.now_s = 100.0
    paced.fetched(3, of_flow=False)
    assert paced.early_s() == 3600.0
    clock.now_s = 3700.0
    assert paced.early_s() == 0.0


def test_a_backlog_is_fetched_at_once_until_it_is_gone() -> None:
    paced, _ = pace()
    paced.fetched(BACKLOG_RECORDS, of_flow=False)
    assert paced.early_s() == 0.0
    paced.fetched(BACKLOG_RECORDS - 1, of_flow=False)
    assert paced.early_s() > 0.0


def test_who_waits_goes_on_when_something_is_handed_on() -> None:
    async def body() -> None:
        paced, clock = pace()
        waits = asyncio.create_task(paced.wait())
        await asyncio.sleep(0)
        assert not waits.done()
        clock.now_s = HURRY_S
        paced.hurry()
        await asyncio.wait_for(waits, 60)

    asyncio.run(body())


def test_hurry_lasts_until_what_was_handed_on_is_there() -> None:
    paced, clock = pace()
    paced.hurry()
    paced.fetched(1, of_flow=False)
    assert paced.early_s() == HURRY_S
    clock.now_s = HURRY_S
    paced.fetched(1, of_flow=True)
    assert paced.early_s() == 3600.0


def test_hurry_ends_after_a_poll_where_the_next_owner_is_elsewhere() -> None:
    paced, clock = pace()
    paced.hurry()
    clock.now_s = 3600.0
    paced.fetched(1, of_flow=False)
    assert paced.early_s() == 3600.0


def test_nothing_is_fetched_while_chunks_wait_even_in_a_backlog() -> None:
    async def body() -> None:
        paced, _ = pace(poll_s=0.0)
        paced.fetched(BACKLOG_RECORDS, of_flow=False)
        paced.behind(2)
        waits = asyncio.create_task(paced.wait())
        for _ in range(3):
            await asyncio.sleep(0)
        paced.behind(1)
        await asyncio.sleep(0)
        assert not waits.done()
        paced.behind(0)
        await asyncio.wait_for(waits, BEHIND_S / 2)

    asyncio.run(body())
