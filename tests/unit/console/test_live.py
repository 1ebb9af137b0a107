"""Live events without Kafka: ids, the ring, one who watches, and how the parts are."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from starlette.types import Message

from console import live_http
from console.live.hub import Hub, LiveConfig
from console.live.places import TOPICS, Place, places_of, text_of
from console.live.pulse import STALE_S, Part, Pulse, Workers
from console.live.ring import Ring, Told
from console.live.telling import Telling, told
from console.live.viewer import HEARTBEAT_S, Watch
from console.live_http import EventStream, Live
from console.people.door import Visitor
from console.people.roles import Role
from custody.records import Alert, Balance
from schemas import topics
from schemas.registry import StaticCatalog
from telemetry.http import Health, OpsServer
from telemetry.metrics import Metrics
from tests.support import golden
from tests.support.sinks import Kept, framed
from tests.support.visitors import PASSWORD, Clock, Desk, people

PARTITIONS = 2
START = {(topic, number): 0 for topic in TOPICS for number in range(PARTITIONS)}
ALERTS: Place = (topics.ALERT, 0)


def event(no: int, place: Place = ALERTS) -> Told:
    return Told(place, no, b"event: alert\ndata: %d\n" % no)


def hub(entries_max: int = 100) -> tuple[Hub, Ring]:
    made = Hub(LiveConfig(kafka={}), StaticCatalog(), Clock().seconds)
    made.ring = Ring(START, entries_max, 1 << 20)
    return made, made.ring


def watch(
    made: Hub, goes_on: Callable[[], bool] = lambda: True, over: Callable[[], str] = lambda: ""
) -> Watch:
    assert made.ring is not None
    return Watch(made, made.ring, lambda: "{}", goes_on, over)


async def upto(chunks: AsyncGenerator[bytes, None], name: str) -> list[bytes]:
    """The events up to the first of a name, each as its lines."""
    found: list[bytes] = []
    async for chunk in chunks:
        for one in chunk.split(b"\n\n"):
            if one:
                found.append(one)
                if f"event: {name}".encode() in one:
                    return found
    return found


@pytest.mark.parametrize(
    "text", ["", "a", "a1", "a1.2-b1.2-c1", "a1.2-b1.2-d1.2", "a1.x-b1.2-c1.2", "a" + "1.2" * 5_000]
)
def test_an_id_of_other_partitions_is_none(text: str) -> None:
    assert places_of(text, START) is None


def test_an_id_says_every_place() -> None:
    places = {place: no * 7 for no, place in enumerate(START)}
    assert text_of(places) == "a0.7-b14.21-c28.35"
    assert places_of(text_of(places), START) == places


def test_the_ring_is_bounded_by_entries_and_by_bytes_and_knows_what_is_gone() -> None:
    ring = Ring(START, 10, 1 << 20)
    ring.add([event(no) for no in range(25)], {ALERTS: 27})
    now = ring.standing()
    assert [entry.offset for entry in now.entries] == list(range(15, 25))
    assert (now.start[ALERTS], now.end[ALERTS], now.next_no) == (15, 27, 25)
    assert ring.after(14, 5) is None
    assert [entry.offset for entry in ring.after(15, 3) or []] == [15, 16, 17]
    assert ring.after(25, 5) == []
    small = Ring(START, 1_000, 200)
    small.add([event(no) for no in range(100)], {})
    assert sum(len(entry.frame) for entry in small.standing().entries) <= 200


def test_who_is_too_slow_is_told_to_begin_anew_from_the_present() -> None:
    made, ring = hub(entries_max=10)

    async def watched() -> list[bytes]:
        chunks = watch(made).chunks(None)
        await upto(chunks, "health")
        ring.add([event(no) for no in range(11)], {})
        return await upto(chunks, "never")

    (said,) = asyncio.run(watched())
    assert said.startswith(b"id: a11.0-b0.0-c0.0\nevent: reset\n")
    assert made.watching == 0


def test_who_comes_back_has_ids_of_what_he_has_seen_in_every_partition() -> None:
    made, ring = hub()
    other: Place = (topics.CONTROL, 1)
    ring.add([event(0), event(0, other), event(1), event(1, other)], {})

    async def missed() -> list[bytes]:
        return await upto(watch(made).chunks("a1.0-b0.0-c0.2"), "hello")

    _, first, hello = asyncio.run(missed())
    assert first == b"id: a2.0-b0.0-c0.2\nevent: alert\ndata: 1"
    assert hello.startswith(b"id: a2.0-b0.0-c0.2\n")


@pytest.mark.parametrize("last_id", ["nonsense", "a9.0-b0.0-c0.0"])
def test_an_id_that_cannot_be_of_these_topics_begins_anew(last_id: str) -> None:
    made, _ = hub()

    async def asked() -> list[bytes]:
        return await upto(watch(made).chunks(last_id), "never")

    assert b"event: reset" in asyncio.run(asked())[-1]


def test_a_page_ends_with_its_session_and_is_told_why(tmp_path: Path) -> None:
    made, _ = hub()

    async def watched(desk: Desk, name: str, end: Callable[[Visitor], object]) -> list[bytes]:
        visitor = desk.visits.door.enter(name, PASSWORD, "10.0.0.7")
        chunks = watch(made, over=lambda: desk.visits.door.why_over(visitor)).chunks(None)
        await upto(chunks, "health")
        end(visitor)
        return await upto(chunks, "never")

    with people(tmp_path) as desk:
        desk.user("ann", Role.VIEWER)
        desk.user("bob", Role.VIEWER)
        ends: list[tuple[str, Callable[[Visitor], object], str]] = [
            ("ann", desk.visits.door.leave, "over"),
            ("ann", lambda _: desk.clock.pass_s(3_601), "over"),
            (
                "ann",
                lambda _: desk.register.set_password("ann", "four more words here", desk.clock()),
                "over",
            ),
            ("bob", lambda _: desk.register.disable("bob", desk.clock()), "shut-out"),
        ]
        for name, end, why in ends:
            said = asyncio.run(watched(desk, name, end))
            assert said == [b'event: over\ndata: {"why": "%s"}' % why.encode()]
    assert HEARTBEAT_S <= 2
    assert made.watching == 0


def test_a_page_ends_with_the_process_and_its_session_goes_on() -> None:
    made, _ = hub()
    beats = iter([True, False])

    async def watched() -> list[bytes]:
        return await upto(watch(made, lambda: next(beats)).chunks(None), "never")

    said = asyncio.run(watched())
    assert [b"health" in one for one in said] == [False, False, True]


def test_other_topics_under_the_same_name_begin_anew() -> None:
    made, _ = hub()

    async def watched() -> list[bytes]:
        chunks = watch(made).chunks(None)
        await upto(chunks, "health")
        made.ring = Ring(START, 10, 1 << 20)
        return await upto(chunks, "reset")

    assert b"event: reset" in asyncio.run(watched())[-1]


def test_a_line_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_http, "_SEND_S", 0.01)
    made, _ = hub()
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    stream = EventStream(watch(made).chunks(None))
    asyncio.run(stream({"type": "http"}, receive, send))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert made.watching == 0
    assert "content-length" not in stream.headers


def test_who_leaves_is_forgotten() -> None:
    made, _ = hub()

    async def send(message: Message) -> None:
        del message

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    asyncio.run(EventStream(watch(made).chunks(None))({"type": "http"}, receive, send))
    assert made.watching == 0


def test_only_who_may_see_watches_and_only_once_kafka_has_answered(tmp_path: Path) -> None:
    made = Hub(LiveConfig(kafka={}), StaticCatalog(), Clock().seconds)
    with people(tmp_path, live=Live(made, lambda: "{}", lambda: True)) as desk:
        desk.user("ann", Role.VIEWER)
        assert desk.client().get("/api/live").status_code == 401
        said = desk.browser("ann").get("/api/live")
        assert (said.status_code, said.json()["type"]) == (503, "/problems/not-live")
        made.ring = Ring(START, 10, 1 << 20)
        live = desk.browser("ann").get("/api/live")
        assert live.headers["content-type"].startswith("text/event-stream")
        assert live.headers["cache-control"] == "no-store"
        assert "event: hello" in live.text


def messages(stem: str, count: int = 1) -> list[Kept]:
    (record, *_) = golden.records(stem)
    assert isinstance(record, Alert | Balance)
    key = (record.lot_id or "").encode()
    return [Kept(no, key, framed(record)) for no in range(count)]


def test_what_a_worker_says_again_is_told_once_and_what_cannot_be_read_not_at_all() -> None:
    telling = Telling(StaticCatalog(), 1)
    place = (topics.ALERT, 0)
    broken = Kept(0, b"x", b"\x00nonsense")
    again = telling.read(place, [broken, *messages("alert", 2)])
    assert len(again) == 1
    assert telling.read(place, messages("alert")) == []
    (said,) = told(place, again)
    line = json.loads(said.body.partition(b"data: ")[2])
    assert line["alert_id"] == "mass_in_transit:lot/L-24-0117"


def test_of_an_accounts_balances_the_last_is_told() -> None:
    place = (topics.BALANCE, 0)
    read = Telling(StaticCatalog(), 1).read(place, messages("balance"))
    twice = [read[0], type(read[0])(5, read[0].record)]
    (said,) = told(place, twice)
    assert said.offset == 5
    assert said.body.startswith(b"event: balance\ndata: {")


def test_a_worker_that_stops_is_not_well_and_says_why() -> None:
    clock = Clock()
    assert Workers((), clock.seconds).state() is None
    well = Health(ok=True)
    with OpsServer("127.0.0.1", 0, Metrics("worker"), lambda: well) as server:
        workers = Workers([f"http://127.0.0.1:{server.port}"], clock.seconds)
        assert workers.state() == Part(ok=False, since_s=None, reason="not asked yet")
        with closing(httpx.Client()) as client:
            for url in workers._urls:
                workers._ask(client, url)
            assert workers.state() == Part(ok=True, since_s=0.0)
            clock.pass_s(STALE_S + 1)
            late = workers.state()
            assert late is not None
            assert not late.ok
            well = Health(ok=False, reason="stuck")
            for url in workers._urls:
                workers._ask(client, url)
    said = workers.state()
    assert said is not None
    assert (said.ok, said.reason) == (False, "stuck")


def test_the_parts_are_looked_at_once_for_all() -> None:
    clock, looks = Clock(), []

    def look() -> dict[str, Part | None]:
        looks.append(1)
        return {"worker": None, "sink": Part(ok=False, since_s=4.04, reason="stuck")}

    pulse = Pulse(look, lambda: 1.26, lambda: "2026-11-05T07:12:00Z", clock.seconds)
    assert json.loads(pulse()) == {
        "at": "2026-11-05T07:12:00Z",
        "ok": False,
        "since_record_s": 1.3,
        "worker": None,
        "sink": {"ok": False, "since_s": 4.0, "reason": "stuck"},
    }
    pulse()
    assert len(looks) == 1
    clock.pass_s(1)
    pulse()
    assert len(looks) == 2
