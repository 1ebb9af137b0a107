"""A gateway on a bad line to a real broker: nothing lost, nothing doubled, and few bytes.

``CUSTODY_TEST_LINE_SECONDS`` is how long events go on coming, and then the line is left until all
have arrived; ``CUSTODY_TEST_LINE_SEED`` draws another line.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice
from pathlib import Path

import pytest

from bench.load import Plan, requests
from producers.config import GatewayConfig
from producers.service import Gateway, Options
from tests.support import gateway as support
from tests.support.bad_line import DOWN, FAIR, UP, BadLine, Weather, broker_behind
from tests.support.heard import assert_whole_chain, heard_once, records_of

pytestmark = pytest.mark.integration

SECONDS = float(os.environ.get("CUSTODY_TEST_LINE_SECONDS", "6"))
SEED = int(os.environ.get("CUSTODY_TEST_LINE_SEED", "20261128"))
LONG = SECONDS > 60

BACKLOG = 200
"""Events that wait when the line comes: more than it carries in the time."""

PAUSE_S = 0.5
"""Between events that come one by one."""

BYTES_PER_EVENT_MAX = 500


def weather() -> Weather:
    """As bad as a line may be; a short test sees its connections end more often."""
    line = Weather(SEED)
    return line if LONG else replace(line, ends_after_s=7.0)


def events(gateway: Gateway) -> int:
    """Have events come, many at once and then one by one; return how many."""
    plant = requests(Plan("LINE", 10_000, seed=SEED))
    gateway.take(list(islice(plant, BACKLOG)), Options(), "t").result(30)
    gateway.start()
    end_s = time.monotonic() + SECONDS
    for more in count():
        if time.monotonic() >= end_s:
            return BACKLOG + more
        gateway.take([next(plant)], Options(), "t").result(30)
        time.sleep(PAUSE_S)
    raise AssertionError


Behind = tuple[str, str, BadLine]


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    """A broker's address on this machine, the one over the line, and the line."""
    with broker_behind(tmp_path_factory.mktemp("kafka")) as found:
        support.ensure_topics(found[0])
        yield found


def over(
    behind: Behind, directory: Path, name: str, *, silence_s: float, delivery_s: float = 120.0
) -> GatewayConfig:
    """A gateway over the line that finds sooner that it is dead: a test is short."""
    given = support.config(directory, behind[1], name)
    patience = replace(given.publisher, silence_timeout_s=silence_s, delivery_timeout_s=delivery_s)
    return replace(given, publisher=patience)


def reasons(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Why nothing was published, as the log says."""
    return [str(getattr(record, "reason", "")) for record in caplog.records]


def test_a_bad_line_loses_nothing_doubles_nothing_and_keeps_the_order(
    behind: Behind, tmp_path: Path
) -> None:
    near, _, line = behind
    line.change(weather())
    given = over(behind, tmp_path, "GW-BAD", silence_s=5.0)
    with support.running(given, publish=False) as gateway:
        sent = events(gateway)
        started_s = time.monotonic()
        support.wait_for(lambda: gateway.outbox.depth == 0, 300.0)
        later_s = time.monotonic() - started_s
        tally, carried = line.tally, Counter(line.tally.bytes)
        line.change(FAIR)
    print(f"seed {SEED}: {sent} events, the last {later_s:.0f} s after it came; {tally}")
    found = records_of(support.read_all(near), "GW-BAD")
    kept = heard_once(found)
    assert_whole_chain(kept)
    assert len(kept) == len({event_id for _, _, event_id in kept.values()}) == sent
    assert tally.resets + tally.half_open > 0, "the line was not bad enough"
    assert tally.stalls > 0
    repeats = sum(stem != "head" for _, _, stem in found) - sent
    per_event = {way: round(carried[way] / sent) for way in (UP, DOWN)}
    print(f"{repeats} repeats; bytes per event: {per_event}")
    # Not even where receivers would drop it: one producer all along, the broker knows its numbers.
    assert repeats == 0
    assert carried.total() / sent <= BYTES_PER_EVENT_MAX


def test_a_ticket_that_comes_alone_takes_no_more_than_any_other(
    behind: Behind, tmp_path: Path
) -> None:
    """Both ways, connections that are there already; the table in docs/gateway.md adds it up."""
    _, _, line = behind
    line.change(FAIR)
    given = over(behind, tmp_path, "GW-LONE", silence_s=20.0)
    with support.running(given, publish=False) as gateway:
        gateway.publisher.start()
        for no in range(21):
            if no == 1:
                line.change(FAIR)
            gateway.take([support.ticket(no)], Options(), "t").result(30)
            support.wait_for(lambda: gateway.outbox.depth == 0)
        carried = Counter(line.tally.bytes)
    per_event = {way: carried[way] / 20 for way in (UP, DOWN)}
    print(f"alone: {per_event}")
    assert 0 < sum(per_event.values()) <= BYTES_PER_EVENT_MAX


def test_what_is_never_answered_is_given_up_as_a_whole_and_sent_anew(
    behind: Behind, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The line goes dumb with records on it: the session ends, and the next begins with them."""
    near, _, line = behind
    given = over(behind, tmp_path, "GW-DUMB", silence_s=1.0, delivery_s=1.0)
    with support.running(given) as gateway:
        gateway.take([support.ticket(no) for no in range(50)], Options(), "t").result(30)
        support.wait_for(lambda: gateway.outbox.depth == 0)
        line.hold(still=True)
        gateway.take([support.ticket(no) for no in range(50, 90)], Options(), "t").result(30)
        support.wait_for(lambda: any("no answer for" in why for why in reasons(caplog)))
        assert gateway.outbox.depth >= 40
        line.hold(still=False)
        support.wait_for(lambda: gateway.outbox.depth == 0)
    kept = heard_once(records_of(support.read_all(near), "GW-DUMB"))
    assert_whole_chain(kept)
    assert len(kept) == 90
