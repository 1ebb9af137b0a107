"""The turns of the partitions on their way to Kafka: in order, each once, and none starves."""

import tempfile
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from typing_extensions import override

from custody.events import Micros
from producers import store, waiting
from producers.acked import Acked
from producers.chain import Entry
from producers.lanes import TURN_ENTRIES, Lanes, Place
from producers.window import (
    GROW_S,
    LEAST_BYTES,
    MOST_BYTES,
    START_BYTES,
    TARGET_S,
    Window,
)
from schemas import topics

PLACES: list[Place] = [(topics.FACT, 0), (topics.FACT, 1), (topics.CONTROL, 1), (topics.HEAD, 1)]
FACTS = PLACES[:3]
RECORDS_MAX = 400
BODY = 300


def entry(no: int, place: Place, size: int = BODY) -> Entry:
    head = place[0] == topics.HEAD
    return Entry(
        no=no,
        seq=None if head else no,
        event_id=None,
        stem="head" if head else "weighing",
        topic=place[0],
        partition=place[1],
        key=b"L-1",
        fingerprint=b"f" * 8,
        body=bytes(size),
        prev=None,
        digest=None,
        accepted_at=Micros(no),
    )


class Disk:
    """An outbox as the turns see it: entries by place, and what is acknowledged."""

    def __init__(self) -> None:
        self.no = 0
        self.of: dict[Place, list[Entry]] = defaultdict(list)
        self.acked: set[int] = set()

    def put(self, place: Place, size: int = BODY) -> None:
        self.no += 1
        self.of[place].append(entry(self.no, place, size))

    def newest(self) -> dict[Place, int]:
        return {place: entries[-1].no for place, entries in self.of.items() if entries}

    def waits(self, place: Place) -> list[int]:
        return [one.no for one in self.of[place] if one.no not in self.acked]

    def read(self, place: Place, after: int, upto: int, limit: int) -> list[Entry]:
        found = [e for e in self.of[place] if after < e.no <= upto and e.no not in self.acked]
        return found[:limit]


class Turns(RuleBasedStateMachine):
    """An outbox that grows, a broker that answers per partition as it likes, sessions that end."""

    @initialize()
    def begin(self) -> None:
        self.disk = Disk()
        self.window = Window()
        self.now_s = 0.0
        self.session()

    def session(self) -> None:
        self.lanes = Lanes(self.disk.read, self.window, RECORDS_MAX, topics.HEAD)
        self.sent: dict[Place, list[Entry]] = defaultdict(list)
        self.due: dict[Place, list[Entry]] = defaultdict(list)

    @rule(place=st.sampled_from(PLACES), count=st.integers(1, 90), size=st.sampled_from([9, 4000]))
    def accept(self, place: Place, count: int, size: int) -> None:
        for _ in range(count):
            self.disk.put(place, size)

    @rule(late=st.lists(st.sampled_from(PLACES), max_size=4))
    def turn(self, late: list[Place]) -> None:
        """A turn; what is accepted just now is on disk, and the turn does not know of it yet."""
        self.lanes.know(self.disk.newest())
        idle = [place for place in FACTS if self.disk.waits(place) and not self.due[place]]
        for place in late:
            self.disk.put(place)
        chosen = self.lanes.next(self.now_s)
        by_place = defaultdict(list)
        for one in chosen:
            by_place[one.topic, one.partition].append(one)
        # Whatever the others have waiting or on their way, none that may send is passed over.
        assert all(by_place[place] for place in idle)
        for place, entries in by_place.items():
            assert place[0] == topics.HEAD or len(entries) <= TURN_ENTRIES
            self.sent[place] += entries
            self.due[place] += entries
        self.heads_wait_for_what_they_speak_of(by_place)

    def heads_wait_for_what_they_speak_of(self, by_place: dict[Place, list[Entry]]) -> None:
        for place in PLACES:
            if place[0] != topics.HEAD:
                continue
            for head in by_place[place]:
                before = [no for fact in FACTS for no in self.disk.waits(fact) if no < head.no]
                assert not before, f"head {head.no} sent before {before[0]} was answered"

    @rule(place=st.sampled_from(PLACES), count=st.integers(1, 60), after_s=st.floats(0, 9))
    def answer(self, place: Place, count: int, after_s: float) -> None:
        self.now_s += after_s
        for one in self.due[place][:count]:
            self.lanes.answered(one)
            self.disk.acked.add(one.no)
        del self.due[place][:count]
        self.lanes.settle(self.now_s)

    @rule(lost=st.booleans())
    def fail(self, lost: bool) -> None:  # noqa: FBT001  Hypothesis gives it by name
        """The session ends; the broker may have had what it did not answer."""
        if not lost:
            for entries in self.due.values():
                self.disk.acked.update(one.no for one in entries)
        self.session()

    @precondition(lambda self: hasattr(self, "lanes"))
    @invariant()
    def each_once_in_order_without_a_gap(self) -> None:
        for place, entries in self.sent.items():
            numbers = [one.no for one in entries]
            first = numbers[0] if numbers else 0
            whole = [one.no for one in self.disk.of[place] if one.no >= first]
            assert numbers == whole[: len(numbers)]

    @precondition(lambda self: hasattr(self, "lanes"))
    @invariant()
    def never_more_on_its_way_than_allowed(self) -> None:
        assert self.lanes.records == sum(len(entries) for entries in self.due.values())
        for place in PLACES:
            assert len(self.due[place]) <= RECORDS_MAX
        assert (self.lanes.bytes == 0) == (self.lanes.records == 0)

    @override
    def teardown(self) -> None:
        """A broker that answers again gets everything, heads too."""
        if not hasattr(self, "lanes"):
            return
        for _ in range(10_000):
            self.turn([])
            # A turn may send nothing and yet read: an acked fact, before a head that waits for it.
            if not any(self.due.values()) and not self.lanes.waits:
                break
            for place in PLACES:
                self.answer(place, RECORDS_MAX, 0.0)
        assert not any(self.disk.waits(place) for place in PLACES)
        assert not self.lanes.waits
        assert (self.lanes.records, self.lanes.bytes) == (0, 0)


Turns.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
test_turns = Turns.TestCase


def turns_until(lanes: Lanes, wanted: Callable[[list[Entry]], bool], most: int) -> int:
    """Turns until something wanted is sent, every answer coming at once."""
    for turn in range(1, most + 1):
        chosen = lanes.next(0.0)
        for one in chosen:
            lanes.answered(one)
        lanes.settle(0.0)
        if wanted(chosen):
            return turn
    raise AssertionError(f"not within {most} turns")


def test_a_head_does_not_overtake_what_came_just_before_it() -> None:
    disk = Disk()
    disk.put(PLACES[3])
    lanes = Lanes(disk.read, Window(), RECORDS_MAX, topics.HEAD)
    lanes.know(disk.newest())
    disk.put(FACTS[0])
    disk.put(PLACES[3])
    assert [one.no for one in lanes.next(0.0)] == [1]


def test_a_long_backlog_of_one_partition_keeps_no_other_waiting() -> None:
    disk = Disk()
    for _ in range(50_000):
        disk.put(FACTS[0], 1)
    lanes = Lanes(disk.read, Window(), RECORDS_MAX, topics.HEAD)
    lanes.know(disk.newest())
    assert lanes.next(0.0)
    disk.put(FACTS[1])
    late = disk.no
    lanes.know(disk.newest())
    assert turns_until(lanes, lambda sent: late in [one.no for one in sent], 1) == 1


def test_a_partition_that_answers_nothing_keeps_no_other_waiting() -> None:
    disk = Disk()
    for _ in range(1_000):
        for place in FACTS:
            disk.put(place)
    lanes = Lanes(disk.read, Window(), RECORDS_MAX, topics.HEAD)
    lanes.know(disk.newest())
    mute = FACTS[0]
    for _ in range(1_000):
        for one in lanes.next(0.0):
            if (one.topic, one.partition) != mute:
                lanes.answered(one)
                disk.acked.add(one.no)
        lanes.settle(0.0)
    assert not disk.waits(FACTS[1])
    assert not disk.waits(FACTS[2])
    assert len(disk.waits(mute)) == 1_000


@given(
    st.lists(
        st.tuples(st.integers(1, MOST_BYTES), st.integers(1, MOST_BYTES), st.floats(0, 300)),
        max_size=60,
    )
)
def test_a_window_stays_within_its_bounds_and_moves_as_the_answers_say(
    answers: list[tuple[int, int, float]],
) -> None:
    window, now_s = Window(), 0.0
    for size, used, delay_s in answers:
        now_s += delay_s
        before = window.limit_bytes
        window.answered(size, used, delay_s, now_s)
        assert LEAST_BYTES <= window.limit_bytes <= MOST_BYTES
        if delay_s > TARGET_S:
            assert window.limit_bytes <= before
        elif delay_s > GROW_S or used * 2 < before:
            assert window.limit_bytes == before
        else:
            assert window.limit_bytes == min(MOST_BYTES, before + size)


@given(rate=st.integers(4_000, 20_000_000), trip_s=st.floats(0.001, 1.0))
def test_a_window_finds_a_line_s_rate_and_keeps_its_queue_short(rate: int, trip_s: float) -> None:
    """A line of that many bytes/s: what is handed over is answered in seconds, not in minutes."""
    window, now_s = Window(), 0.0
    for _ in range(200):
        delay_s = trip_s + window.limit_bytes / rate
        now_s += delay_s
        window.answered(window.limit_bytes, window.limit_bytes, delay_s, now_s)
    queue_s = window.limit_bytes / rate
    assert queue_s <= TARGET_S or window.limit_bytes == LEAST_BYTES
    # And it is not idle either: a round trip's worth is on its way, or all that ever may be.
    assert window.limit_bytes >= min(MOST_BYTES, rate * trip_s) / 2


def test_a_window_shrinks_once_for_what_was_late_together() -> None:
    window = Window()
    for at_s in (100.0, 100.1, 100.2):
        window.answered(1_000, START_BYTES, 8.0, at_s)
    assert window.limit_bytes == START_BYTES // 2


@given(
    floor=st.integers(1, 50),
    before=st.sets(st.integers(1, 400)),
    rounds=st.lists(st.lists(st.integers(1, 400), max_size=60), max_size=20),
)
def test_what_is_acknowledged_is_what_a_set_of_numbers_would_say(
    floor: int, before: set[int], rounds: list[list[int]]
) -> None:
    known = {no for no in before if no >= floor}
    acked = Acked(floor, before)
    for numbers in rounds:
        fresh = {no for no in numbers if no >= acked.floor} - known
        assert acked.add(numbers) == len(fresh)
        known |= fresh
        lowest = floor
        while lowest in known:
            lowest += 1
        assert acked.floor == lowest


def test_a_million_acknowledged_above_one_that_waits_take_a_million_bytes() -> None:
    acked = Acked(1)
    assert acked.add(range(2, 1_000_001)) == 999_999
    assert acked.floor == 1
    assert len(acked._seen) <= 1_000_001
    assert acked.add([1]) == 1
    assert acked.floor == 1_000_001
    assert len(acked._seen) == 0


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from(PLACES), max_size=80), st.sets(st.integers(0, 79)))
def test_what_waits_is_read_by_partition_as_it_stands_in_the_file(
    placed: list[Place], acked: set[int]
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "outbox.sqlite3"
        writer = store.create(path)
        entries = [entry(no + 1, place) for no, place in enumerate(placed)]
        store.put_entries(writer, 1, entries)
        store.put_acks(writer, [store.Ack(no + 1, no, Micros(1)) for no in acked])
        left = [one for one in entries if one.no - 1 not in acked]
        assert waiting.count(writer) == len(left)
        assert waiting.lowest(writer) == min((one.no for one in left), default=None)
        assert waiting.newest(writer) == {(e.topic, e.partition): e.no for e in left}
        for place in PLACES:
            mine = [one for one in left if (one.topic, one.partition) == place]
            assert waiting.read(writer, place, 0, 1_000, 1_000) == mine
            for one in mine:
                assert waiting.read(writer, place, one.no - 1, one.no, 9) == [one]
            assert waiting.read(writer, place, 0, 1_000, 3) == mine[:3]
        writer.close()


def test_reading_a_partition_looks_at_nothing_of_the_others(tmp_path: Path) -> None:
    """By SQLite's own count of steps: as many behind 20,000 entries of another as behind none."""
    steps: dict[int, int] = {}
    for backlog in (0, 20_000):
        writer = store.create(tmp_path / f"{backlog}.sqlite3")
        writer.execute("BEGIN")
        store.put_entries(writer, 1, [entry(no + 1, FACTS[0], 9) for no in range(backlog)])
        store.put_entries(writer, 1, [entry(backlog + 1 + no, FACTS[1]) for no in range(50)])
        writer.execute("COMMIT")
        counted = [0]
        writer.set_progress_handler(partial(_count, counted), 1)
        assert len(waiting.read(writer, FACTS[1], 0, backlog + 50, 64)) == 50
        writer.set_progress_handler(None, 0)
        writer.close()
        steps[backlog] = counted[0]
    assert steps[20_000] == steps[0] > 0


def _count(counted: list[int]) -> int:
    counted[0] += 1
    return 0
