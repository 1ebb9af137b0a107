"""``python -m bench.flood``: how soon a page answers who types while 1,000 alerts come in a minute.

A real broker, the real engine, a real browser. A key is pressed four times a second; told is the
time from the key to the next frame, as the browser itself times it (Event Timing).
"""

import argparse
import itertools
import statistics
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from confluent_kafka import Producer

from console.live.places import TOPICS
from schemas import topics
from schemas.partition import partition_of
from tests.support import chromium, consoles, stack
from tests.support.alerts import alert
from tests.support.chromium import Visitors
from tests.support.sinks import framed

PARTITIONS = 4
AT_MOST_MS = 200
_KEY_EVERY_MS = 250

_TIMED = """
window.keys = [];
new PerformanceObserver((list) => list.getEntries().forEach((one) => {
  if (one.name === "keydown") window.keys.push(one.duration);
})).observe({type: "event", durationThreshold: 16});
"""


def flood(bootstrap: str, alerts: int, seconds: float, ended: threading.Event) -> None:
    """Say alerts evenly over a time, as a worker does."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5})
    begun, numbers = time.monotonic(), itertools.count(time.time_ns())
    for no in range(alerts):
        one = alert(f"FLOOD-{no}", severity="high" if no % 4 else "low")
        key = (one.lot_id or "").encode()
        place = partition_of(key, PARTITIONS)
        said = replace(one, sender=f"worker/{place}", n=next(numbers), version=1)
        producer.produce(topics.ALERT, framed(said), key, place)
        producer.poll(0)
        ended.wait(max(0.0, begun + seconds * (no + 1) / alerts - time.monotonic()))
    producer.flush(30)
    ended.set()


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as directory,
        stack.running_kafka(Path(directory) / "kafka") as bootstrap,
    ):
        stack.create_topics(bootstrap, list(TOPICS), partitions=PARTITIONS)
        keys = _measured(Path(directory) / "c", bootstrap, asked.alerts, asked.seconds)
    # A key that is answered within one frame is not told at all: it counts as one frame.
    late = sorted(keys)
    print(f"{asked.alerts:,} alerts in {asked.seconds:g} s; keys that took longer than a frame:")
    if late:
        p95 = late[int(0.95 * (len(late) - 1))]
        middle = statistics.median(late)
        print(f"{len(late)}, p50 {middle:.0f} ms, p95 {p95:.0f} ms, longest {late[-1]:.0f} ms")
    print(
        f"at most {AT_MOST_MS} ms: {'held' if not late or late[-1] <= AT_MOST_MS else 'not held'}"
    )


def _measured(directory: Path, bootstrap: str, alerts: int, seconds: float) -> list[float]:
    with (
        consoles.running(directory, bootstrap) as console,
        chromium.running() as browser,
        closing(Visitors(browser, console.url)) as people,
        people.visit("the-operator", "/now") as visit,
    ):
        visit.page.wait_for_selector(".light.live")
        visit.page.evaluate(_TIMED)
        visit.page.focus("#q")
        ended = threading.Event()
        thread = threading.Thread(target=flood, args=(bootstrap, alerts, seconds, ended))
        thread.start()
        while thread.is_alive():
            visit.page.keyboard.press("x")
            visit.page.wait_for_timeout(_KEY_EVERY_MS)
        thread.join()
        keys: list[float] = visit.page.evaluate("window.keys")
        return keys


if __name__ == "__main__":
    main()
