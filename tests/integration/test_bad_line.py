"""A gateway on a bad line to a real broker: nothing lost, nothing doubled, and few bytes.

``CUSTODY_TEST_LINE_SECONDS`` is how long events go on coming, and then the line is left until all
have arrived; ``CUSTODY_TEST_LINE_SEED`` draws another line.
"""

import os
import time
from collections import Counter
from dataclasses import replace
from itertools import count, islice
from pathlib import Path

import pytest

from bench.load import Plan, requests
from producers.service import Gateway, Options
from tests.support import gateway as support
from tests.support.bad_line import DOWN, UP, Weather, broker_behind
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
NAME = "GW-LINE"


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


def test_a_bad_line_loses_nothing_doubles_nothing_and_keeps_the_order(tmp_path: Path) -> None:
    with broker_behind(tmp_path / "kafka", weather()) as (near, far, line):
        support.ensure_topics(near)
        given = support.config(tmp_path / "gateway", far, NAME)
        # Found sooner that a connection is dead: the test is short.
        given = replace(given, publisher=replace(given.publisher, silence_timeout_s=5.0))
        with support.running(given, publish=False) as gateway:
            sent = events(gateway)
            started_s = time.monotonic()
            support.wait_for(lambda: gateway.outbox.depth == 0, 300.0)
            later_s = time.monotonic() - started_s
            carried = Counter(line.tally.bytes)
        found = records_of(support.read_all(near), NAME)
    print(f"seed {SEED}: {sent} events, the last {later_s:.0f} s after it came; {line.tally}")
    kept = heard_once(found)
    assert_whole_chain(kept)
    assert len(kept) == len({event_id for _, _, event_id in kept.values()}) == sent
    assert line.tally.resets + line.tally.half_open > 0, "the line was not bad enough"
    assert line.tally.stalls > 0
    repeats = sum(stem != "head" for _, _, stem in found) - sent
    per_event = {way: round(carried[way] / sent) for way in (UP, DOWN)}
    print(f"{repeats} repeats; bytes per event: {per_event}")
    # Not even where receivers would drop it: one producer all along, the broker knows its numbers.
    assert repeats == 0
    assert carried.total() / sent <= BYTES_PER_EVENT_MAX
