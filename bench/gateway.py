"""Accepts per second of one gateway: durable, through HTTP, with and without a broker.

    python -m bench.gateway
    python -m bench.gateway --broker --events 20000

Prints one JSON line per shape: lists of 100 from four senders, then single posts from 32.
Every answer is awaited, so every event counted is on disk. For lists the gateway has one core,
where the system can say so. ``cpu_s_per_million`` is its alone; the senders run in this process.
With ``--broker`` a real broker is started, the events are published meanwhile, and
``published_per_s`` counts until the outbox is empty.
"""

import argparse
import http.client
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from tests.support import gateway as support
from tests.support import stack

DRAIN_TIMEOUT_S = 300.0


@dataclass(frozen=True)
class Figure:
    """One line of the result."""

    shape: str
    broker: bool
    events: int
    accepts_per_s: float
    answer_ms_p50: float
    answer_ms_p99: float
    cpu_s_per_million: float
    published_per_s: float | None


def main() -> None:
    """Run both shapes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--broker", action="store_true")
    given = parser.parse_args()
    for shape, size, senders, events in (
        ("lists of 100", 100, 4, given.events),
        ("single posts", 1, 32, given.events // 4),
    ):
        with gateway(broker=given.broker, one_core=size > 1) as process:
            posts = bodies(shape, events, size)
            figure = measure(process, shape, posts, senders, broker=given.broker)
            print(json.dumps(asdict(figure)), flush=True)


@contextmanager
def gateway(*, broker: bool, one_core: bool) -> Iterator[support.Process]:
    """A gateway process, with a broker of its own or none, on one core or all."""
    with ExitStack() as cleanup:
        base = Path(cleanup.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp")))
        bootstrap = support.NOWHERE
        if broker:
            bootstrap = cleanup.enter_context(stack.running_kafka(base / "kafka"))
            support.ensure_topics(bootstrap)
        process = support.Process(base / "gateway", bootstrap)
        with on_one_core() if one_core else nullcontext():
            process.start()
        cleanup.callback(process.terminate)
        yield process


@contextmanager
def on_one_core() -> Iterator[None]:
    """Let what is started meanwhile run on one core, where the system can do that."""
    if sys.platform != "linux":
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def bodies(shape: str, events: int, size: int) -> list[bytes]:
    """Bodies of distinct weighings, ``size`` in each."""
    texts = [
        json.dumps(support.ticket(no, source_ref=shape, ticket_no=f"{shape}-{no}"), default=str)
        for no in range(events)
    ]
    if size == 1:
        return [text.encode() for text in texts]
    return [f"[{','.join(texts[at : at + size])}]".encode() for at in range(0, events, size)]


def measure(
    process: support.Process, shape: str, posts: Sequence[bytes], senders: int, *, broker: bool
) -> Figure:
    """Post everything from some senders at once and await every answer."""
    size = 100 if shape.startswith("lists") else 1
    answers_ms: list[float] = []
    cpu = psutil.Process(process.pid).cpu_times
    cpu_before, started = cpu(), time.perf_counter()
    threads = [
        threading.Thread(target=send, args=(process, posts[no::senders], answers_ms))
        for no in range(senders)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s = time.perf_counter() - started
    assert len(answers_ms) == len(posts), "a sender failed"
    published = None
    if broker:
        support.wait_for(lambda: support.waiting(process) == 0, DRAIN_TIMEOUT_S)
        published = time.perf_counter() - started
    cpu_after = cpu()
    events = len(posts) * size
    cpu_s = cpu_after.user + cpu_after.system - cpu_before.user - cpu_before.system
    ranked = sorted(answers_ms)
    return Figure(
        shape=shape,
        broker=broker,
        events=events,
        accepts_per_s=round(events / took_s),
        answer_ms_p50=round(ranked[len(ranked) // 2], 1),
        answer_ms_p99=round(ranked[int(len(ranked) * 0.99)], 1),
        cpu_s_per_million=round(cpu_s / events * 1e6, 1),
        published_per_s=None if published is None else round(events / published),
    )


def send(process: support.Process, posts: Sequence[bytes], answers_ms: list[float]) -> None:
    """Post one after the other over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", process.port)
    headers = {"Authorization": f"Bearer {process.token}", "Content-Type": "application/json"}
    for body in posts:
        started = time.perf_counter()
        connection.request("POST", "/v1/events?backfill=true", body, headers)
        response = connection.getresponse()
        text = response.read()
        assert response.status == 202, text
        assert b"refused" not in text, text
        answers_ms.append((time.perf_counter() - started) * 1000)
    connection.close()


if __name__ == "__main__":
    main()
