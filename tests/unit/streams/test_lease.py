"""The lease: nothing leaves a worker the group may have given up."""

import asyncio

from streams.lease import Lease


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def lease(clock: Clock, ends: list[float]) -> Lease:
    return Lease(10.0, clock, ends.append)


def test_before_the_first_heartbeat_everything_may_be_sent() -> None:
    clock, ends = Clock(), list[float]()
    right = lease(clock, ends)
    clock.now_s += 1_000
    right.check()
    assert not ends


def test_lease_ends_at_nine_tenths_of_the_session() -> None:
    clock, ends = Clock(), list[float]()
    right = lease(clock, ends)
    right.renew(clock.now_s)
    clock.now_s += 9.0
    right.check()
    assert not ends
    clock.now_s += 0.1
    right.check()
    assert ends


def test_heartbeat_counts_from_when_it_was_sent() -> None:
    clock, ends = Clock(), list[float]()
    right = lease(clock, ends)

    async def slow_heartbeat() -> bool:
        clock.now_s += 8.0
        return True

    assert asyncio.run(right.watch_heartbeats(slow_heartbeat)())
    assert right.age_s == 8.0


def test_unanswered_heartbeat_renews_nothing() -> None:
    clock, ends = Clock(), list[float]()
    right = lease(clock, ends)
    right.renew(clock.now_s)

    async def lost_heartbeat() -> bool:
        clock.now_s += 5.0
        return False

    asyncio.run(right.watch_heartbeats(lost_heartbeat)())
    assert right.age_s == 5.0


def test_an_older_heartbeat_does_not_shorten_the_lease() -> None:
    clock, ends = Clock(), list[float]()
    right = lease(clock, ends)
    right.renew(clock.now_s)
    right.renew(clock.now_s - 5)
    assert right.age_s == 0.0
