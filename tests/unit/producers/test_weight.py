"""What a body takes in memory is known before it is made, and bodies together take no more."""

import asyncio
import gc
import gzip
import tracemalloc
from collections.abc import Iterator

import pytest
from starlette.requests import Request

from producers import strict_json
from producers.body import Bodies
from producers.weight import Room, TooHeavy, room_bytes, weighed
from web.problem import Problem

MANY = 100_000
LARGEST = 1 << 20
SLACK = 16_384
"""Objects that a parse takes whatever its text."""


def repeated(one: bytes) -> bytes:
    return b"[" + b",".join([one] * (MANY // (len(one) + 1))) + b"]"


def counted(shape: str) -> bytes:
    return ",".join(shape % number for number in range(9_000)).encode()


SHAPES = {
    "whole numbers": repeated(b"1"),
    "decimals": repeated(b"1.5"),
    "lists": repeated(b"[]"),
    "objects": repeated(b"{}"),
    "objects of one": b"[" + counted('{"%x":1.5}') + b"]",
    "names that no other has": b"{" + counted('"%x":1.5') + b"}",
    "wide names that no other has": b"{" + counted('"%x\U0001f600":1.5') + b"}",
    "one text": b'"' + b"a" * MANY + b'"',
    "one wide character": b'"' + b"a" * MANY + '\U0001f600"'.encode(),
    "deep": b"[" * 90 + b"]" * 90,
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_body_takes_no_more_than_it_weighs(name: str) -> None:
    body = SHAPES[name]
    gc.collect()
    tracemalloc.start()
    try:
        # A copy: the body's own bytes are in its weight.
        made = strict_json.parsed(bytes(bytearray(body)))
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert made is not None
    assert taken <= weighed([body], 1 << 24) + SLACK


def test_a_body_is_weighed_the_same_in_whatever_pieces() -> None:
    body = SHAPES["wide names that no other has"]
    for size in (1, 7, 4096):
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        assert weighed(pieces, 1 << 24) == weighed([body], 1 << 24)


def test_the_first_piece_too_many_ends_the_weighing() -> None:
    asked: list[int] = []

    def pieces() -> Iterator[bytes]:
        for number in range(1_000):
            asked.append(number)
            yield b"[]," * 1_000

    with pytest.raises(TooHeavy):
        weighed(pieces(), LARGEST)
    assert len(asked) * 1_000 * 360 < 2 * room_bytes(LARGEST)


def request_of(body: bytes, encoding: str = "gzip") -> Request:
    """A post whose body comes whole."""
    headers = [(b"content-encoding", encoding.encode())]

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


def test_a_bomb_of_short_values_is_refused_without_being_inflated_or_parsed() -> None:
    """8 MB of empty lists in 8 kB made 180 MB of them before anybody counted."""
    bomb = gzip.compress(repeated(b"[]") * (8 * LARGEST // MANY))

    async def posted() -> None:
        async with Bodies(16 * LARGEST, 5.0).parsed(request_of(bomb)):
            pytest.fail("it was parsed")

    gc.collect()
    tracemalloc.start()
    try:
        with pytest.raises(Problem) as refused:
            asyncio.run(posted())
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert refused.value.status == 413
    assert taken < LARGEST, "two pieces of 64 kB, and what runs them"


def test_many_at_once_hold_no_more_than_one_may_and_each_has_its_turn() -> None:
    """Each is answered only when all that fit are in: twelve that fit one by one take turns."""
    body = gzip.compress(b'["' + b"a" * (LARGEST // 2) + b'"]')
    bodies = Bodies(LARGEST, 5.0)
    held: list[int] = []

    async def posted() -> None:
        async with bodies.parsed(request_of(body)) as parsed:
            assert isinstance(parsed, list)
            held.append(bodies.room.held_bytes)
            await asyncio.sleep(0)

    async def all_of_them() -> None:
        await asyncio.gather(*(posted() for _ in range(12)))

    asyncio.run(all_of_them())
    assert len(held) == 12
    assert LARGEST < max(held) <= room_bytes(LARGEST)
    assert bodies.room.held_bytes == 0


def test_what_comes_of_all_bodies_together_is_bounded() -> None:
    bodies = Bodies(LARGEST, 5.0)
    body = b" " * (LARGEST - 1)
    said: list[int] = []

    async def posted() -> None:
        try:
            async with bodies.parsed(request_of(body, "identity")):
                pytest.fail("spaces are no JSON")
        except Problem as problem:
            said.append(problem.status)

    async def all_of_them() -> None:
        # All have come before the first is weighed: the room is taken.
        async with bodies.room.held(bodies.room.bytes_max):
            running = [asyncio.create_task(posted()) for _ in range(4)]
            for _ in range(10):
                await asyncio.sleep(0)
        await asyncio.gather(*running)

    asyncio.run(all_of_them())
    assert sorted(said) == [400, 400, 503, 503]


def test_who_goes_away_while_he_waits_leaves_his_place() -> None:
    async def tried() -> int:
        room = Room(10)

        async def waits() -> None:
            async with room.held(8):
                await asyncio.sleep(0)

        async with room.held(8):
            gone, next_one = asyncio.create_task(waits()), asyncio.create_task(waits())
            await asyncio.sleep(0)
            gone.cancel()
            await asyncio.sleep(0)
        await next_one
        return room.held_bytes

    assert asyncio.run(tried()) == 0
