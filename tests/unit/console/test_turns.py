"""Who asks next: slow queries hold their turns, and nobody else's short one waits for them."""

import asyncio
import itertools
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from console import reader as readers
from console.access import Access
from console.config import ConsoleConfig
from console.engine import Chunk, EngineError, Query
from console.errors import Beyond, Busy, Cancelled, Coded
from console.http import Process, make_app
from console.reader import Ask, Reader
from console.turns import Place, Turns
from console.who import Role, Tokens
from telemetry.http import Health
from telemetry.metrics import Metrics

NAMES = itertools.count()


def config(**changes: float) -> ConsoleConfig:
    usual = {"queries_waiting_max": 4, "query_wait_s": 30.0, **changes}
    return ConsoleConfig(warehouse="chdb:///nowhere", token_file=Path("/nowhere"), **usual)  # type: ignore[arg-type]  # numbers


def turns(**changes: float) -> Turns:
    return Turns(config(**changes), time.monotonic)


def test_two_slow_ones_leave_a_quick_turn_to_all_others() -> None:
    made = turns()
    slow = [made.take(f"slow-{no}", Role.ANALYST, "analyst") for no in range(2)]
    assert [one.place for one in slow] == [Place.ORDINARY] * 2
    for no in range(50):
        short = made.take(f"short-{no}", Role.ANALYST, "analyst")
        assert short.place is Place.QUICK
        made.give_back(short)


def test_what_was_tried_waits_for_an_ordinary_turn_and_others_get_the_quick_one() -> None:
    made = turns()
    first, _ = (made.take(f"slow-{no}", Role.ANALYST, "ann") for no in range(2))
    tried = made.take("tried", Role.ANALYST, "bob")
    waits = threading.Thread(target=made.take_ordinary, args=(tried,))
    waits.start()
    until(lambda: tried.tried)
    assert made.take("short", Role.ANALYST, "eve").place is Place.QUICK
    assert waits.is_alive(), "it waits, and keeps nobody from the quick turn"
    made.give_back(first)
    waits.join(30)
    assert not waits.is_alive()
    assert tried.place is Place.ORDINARY


def test_who_holds_no_turn_is_before_who_holds_one_and_came_first() -> None:
    made = turns(quick_at_once=0)
    mine, other = (made.take(f"slow-{who}", Role.ANALYST, who) for who in ("ann", "cyd"))
    got = list[str]()

    def ask(who: str) -> None:
        got.append(made.take(f"next-{who}", Role.ANALYST, who).asker)

    asking = [threading.Thread(target=ask, args=(who,)) for who in ("ann", "bob")]
    for no, thread in enumerate(asking, 3):
        thread.start()
        until(lambda no=no: len(made.names(Role.OPERATOR)) == no)  # type: ignore[misc]  # bound
    made.give_back(other)
    until(lambda: bool(got))
    assert got == ["bob"]
    made.give_back(mine)
    for thread in asking:
        thread.join(30)
    assert got == ["bob", "ann"]


def test_a_full_line_gives_way_to_who_has_fewer_in_it() -> None:
    made = turns(queries_at_once=1, quick_at_once=0)
    held = made.take("slow", Role.ANALYST, "ann")
    said = dict[str, str]()

    def ask(name: str, who: str) -> None:
        try:
            said[name] = made.take(name, Role.ANALYST, who).asker
        except Coded as error:
            said[name] = str(error)
        finally:
            got = made.cancel(name, Role.OPERATOR)
            if got is not None:
                made.give_back(got)

    asking = [threading.Thread(target=ask, args=(f"ann-{no}", "ann")) for no in range(4)]
    for no, thread in enumerate(asking, 2):
        thread.start()
        until(lambda no=no: len(made.names(Role.OPERATOR)) == no)  # type: ignore[misc]  # bound
    with pytest.raises(Busy, match="4 wait"):
        made.take("ann-more", Role.ANALYST, "ann")
    bob = threading.Thread(target=ask, args=("bob", "bob"))
    bob.start()
    until(lambda: "ann-3" in said)
    assert "most of them yours" in said["ann-3"]
    made.give_back(held)
    for thread in [*asking, bob]:
        thread.join(30)
    assert [said[f"ann-{no}"] for no in range(3)] == ["ann"] * 3
    assert said["bob"] == "bob"


def test_who_waits_too_long_is_told_to_come_back_and_leaves_no_trace() -> None:
    made = turns(queries_at_once=1, quick_at_once=0, query_wait_s=0.01)
    made.take("slow", Role.ANALYST, "ann")
    with pytest.raises(Busy, match="none ended"):
        made.take("late", Role.ANALYST, "bob")
    assert made.names(Role.OPERATOR) == ["slow"]


class Scripted:
    """An engine whose queries end as a test says: after a text, or only when the time is over."""

    def __init__(self) -> None:
        self.ran = list[tuple[str, str]]()
        self.killed = list[str]()

    def run(self, query: Query) -> Generator[Chunk, None, None]:
        bound = query.settings["max_execution_time"]
        self.ran.append((query.text, bound))
        if query.text == "SELECT 'large'":
            for _ in range(5):
                yield Chunk(bytes(1 << 20))
        if query.text == "SELECT 'long'" and float(bound) < 60:
            yield Chunk(b"half")
            raise EngineError(159, "Timeout exceeded")
        yield Chunk(query.text.encode())

    def kill(self, query_id: str) -> None:
        self.killed.append(query_id)

    def close(self) -> None:
        pass


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    made = Scripted()
    monkeypatch.setattr(readers, "open_engine", lambda _: made)
    return made


def start(reader: Reader, text: str, **settings: str) -> readers.Answer:
    return reader.start(
        Ask(statement=text, role=Role.OPERATOR, query_id=f"q{next(NAMES)}", settings=settings)
    )


@pytest.mark.parametrize(("text", "first"), [("'long'", 13), ("'large'", 1 << 20)])
def test_what_the_quick_turn_is_too_short_for_begins_anew_in_an_ordinary_one(
    engine: Scripted, text: str, first: int
) -> None:
    reader = Reader(config())
    slow = [start(reader, "SELECT 'slow'") for _ in range(2)]
    long = start(reader, f"SELECT {text}")
    got = list[bytes | None]()
    asking = threading.Thread(target=lambda: got.append(long.next()))
    asking.start()
    until(lambda: (f"SELECT {text}", "5") in engine.ran)
    short = start(reader, "SELECT 'short'")
    assert short.next() == b"SELECT 'short'"
    short.close()
    assert not got, "nothing is sent of what begins anew"
    slow[0].close()
    asking.join(30)
    assert [len(part or b"") for part in got] == [first]
    assert [bound for said, bound in engine.ran if said == f"SELECT {text}"] == ["5", "60"]


def test_a_bound_of_the_asker_holds_in_the_quick_turn_too(engine: Scripted) -> None:
    reader = Reader(config())
    for _ in range(2):
        start(reader, "SELECT 'slow'")
    bounded = start(reader, "SELECT 'long'", max_execution_time="1")
    with pytest.raises(Beyond, match="at most 1 s"):
        bounded.next()
    assert engine.ran == [("SELECT 'long'", "1")]


def test_a_tried_one_is_cancelled_while_it_waits(engine: Scripted) -> None:
    reader = Reader(config())
    for _ in range(2):
        start(reader, "SELECT 'slow'")
    long = start(reader, "SELECT 'long'")
    ended = list[str]()

    def ask() -> None:
        with pytest.raises(Cancelled) as told:
            long.next()
        ended.append(str(told.value))

    asking = threading.Thread(target=ask)
    asking.start()
    until(lambda: bool(engine.ran))
    stopping = reader.cancel(long.query_id, Role.OPERATOR)
    assert stopping is not None
    assert stopping.ended, "who waits has nothing to end"
    asking.join(30)
    assert "was cancelled" in ended[0]


def stoppable(reader: Reader) -> FastAPI:
    """Return the answers of a console on an engine that a test scripts."""
    access = Access(Tokens({Role.OPERATOR: "token"}))
    health = Health(ok=True, fields={})
    process = Process(Metrics("warehouse"), lambda: health, lambda: True)
    return make_app(config(), reader, access, process)


@pytest.mark.parametrize("way", ["delete", "kill"])
def test_who_stops_what_does_not_heed_is_answered_and_it_is_told_again(
    engine: Scripted, way: str
) -> None:
    """The answer came after five seconds and said that it had ended."""
    asyncio.run(stop_a_deaf_one(engine, way))


async def stop_a_deaf_one(engine: Scripted, way: str) -> None:
    reader = Reader(config())
    held = start(reader, "SELECT 'deaf'")
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(stoppable(reader)),
        base_url="http://console",
        headers={"Authorization": "Bearer token"},
    )

    async def stop() -> httpx.Response:
        if way == "delete":
            return await http.delete(f"/v1/queries/{held.query_id}")
        return await http.post("/", content=f"KILL QUERY WHERE query_id = '{held.query_id}'")

    async with http:
        first = await stop()
        again = len(engine.killed)
        assert (await http.get("/v1/queries")).json() == [held.query_id]
        held.close()
        last = await stop()
    assert again > readers._KILLS_AT_ONCE, "told again after the answer"
    if way == "delete":
        assert (first.status_code, first.json()["status"]) == (202, "asked to stop")
        assert last.status_code == 404
    else:
        assert first.text == f"waiting\t{held.query_id}\n"
        assert last.text == f"not found\t{held.query_id}\n"


def test_what_does_not_heed_is_said_before_the_engine_is_told_for_long(engine: Scripted) -> None:
    reader = Reader(config())
    held = start(reader, "SELECT 'deaf'")
    stopping = reader.cancel(held.query_id, Role.OPERATOR)
    assert stopping is not None
    assert not stopping.ended
    assert engine.killed == [held.query_id] * readers._KILLS_AT_ONCE
    held.close()
    stopping.insist()
    assert len(engine.killed) == readers._KILLS_AT_ONCE, "it has ended: nothing is told"


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)
