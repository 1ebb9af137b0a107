"""What 200 who watch cost: time from Kafka to each of them, CPU and memory of the hub.

A broker of its own; hub and HTTP in a process of their own, told to keep to one core; alerts at a
rate; everybody who watches reads all of it. Time is from the producer's call to the line at the
reader, on one clock. Prints one JSON object.

Expected: a frame is made once, so 200 x 10/s is 2,000 writes of some 2 kB a second, a tenth to a
third of a core; memory flat once the list of 4,096 events is full.

    python -m bench.live --viewers 200 --rate 10 --seconds 60
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median, quantiles

import httpx
import psutil
from confluent_kafka import Producer
from fastapi import FastAPI

from console.live.hub import Hub, LiveConfig
from console.live.places import TOPICS
from console.live_http import Live
from console.people.roles import Role
from console.server import Server
from custody.records import Alert
from runtime.stack import ports
from schemas import topics
from schemas.partition import partition_of
from schemas.registry import StaticCatalog
from tests.support import golden, stack
from tests.support.gateway import wait_for
from tests.support.sinks import framed
from tests.support.visitors import log_in, people

_PARTITIONS = 4
_USER = "watcher"
_ALERT = b'data: {"alert_id": "'


def serve(bootstrap: str, directory: Path, port: int) -> None:
    """Run a hub and its HTTP until standard input ends."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    stop = threading.Event()
    config = LiveConfig(kafka={"bootstrap.servers": bootstrap})
    hub = Hub(config, StaticCatalog(), time.monotonic)
    thread = threading.Thread(target=hub.run, args=(stop,))
    thread.start()
    with people(directory, live=Live(hub, lambda: "{}", stop.is_set)) as desk:
        desk.user(_USER, Role.VIEWER)
        app: FastAPI = desk.app
        with Server(app, "127.0.0.1", port):
            sys.stdin.read()
            stop.set()
    thread.join()


@dataclass
class Seen:
    """What those who watch have seen.

    Attributes:
        took_ms: From the producer to each of them, of each alert.
        resets: How many were told to begin anew.
        rss_mb: Memory of the hub's process, once a minute.
    """

    took_ms: list[float] = field(default_factory=list)
    resets: int = 0
    rss_mb: list[int] = field(default_factory=list)


async def watch(
    port: int, cookie: str, sent: dict[str, float], seen: Seen, there: asyncio.Semaphore
) -> None:
    """Watch until cancelled."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    head = f"GET /api/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: custody={cookie}\r\n\r\n"
    writer.write(head.encode())
    with suppress(asyncio.IncompleteReadError):
        while True:
            line = await reader.readuntil(b"\n")
            if line.startswith(_ALERT):
                name = line[len(_ALERT) : line.index(b'"', len(_ALERT))].decode()
                seen.took_ms.append((time.monotonic() - sent[name]) * 1e3)
            if line == b"event: hello\n":
                there.release()
            seen.resets += line == b"event: reset\n"


async def drive(
    bootstrap: str, port: int, cookie: str, process: psutil.Process, arguments: argparse.Namespace
) -> Seen:
    """Have them watch, and say alerts at the rate."""
    sent: dict[str, float] = {}
    seen, there = Seen(), asyncio.Semaphore(0)
    tasks = [
        asyncio.ensure_future(watch(port, cookie, sent, seen, there))
        for _ in range(arguments.viewers)
    ]
    for _ in tasks:
        await there.acquire()
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0})
    (alert, *_) = golden.records("alert")
    assert isinstance(alert, Alert)
    for no in range(round(arguments.rate * arguments.seconds)):
        if no % round(arguments.rate * 60) == 0:
            seen.rss_mb.append(process.memory_info().rss >> 20)
        lot = f"L-{no % 17}"
        place = partition_of(lot.encode(), _PARTITIONS)
        made = replace(alert, n=no, sender=f"worker/{place}", alert_id=f"bench-{no}", lot_id=lot)
        sent[made.alert_id] = time.monotonic()
        producer.produce(topics.ALERT, framed(made), lot.encode(), place)
        producer.poll(0)
        await asyncio.sleep(1 / arguments.rate)
    producer.flush(10)
    await asyncio.sleep(3)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return seen


def measure(arguments: argparse.Namespace) -> dict[str, object]:
    """Run it and return the figures."""
    port = ports.any_free()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with stack.running_kafka(directory / "kafka") as bootstrap:
            stack.create_topics(bootstrap, TOPICS, partitions=_PARTITIONS)
            command = [sys.executable, "-m", "bench.live", "--serve", bootstrap, name, str(port)]
            with subprocess.Popen(command, stdin=subprocess.PIPE) as served:
                cookie = _logged_in(port)
                process = psutil.Process(served.pid)
                before = process.cpu_times()
                began_s = time.monotonic()
                seen = asyncio.run(drive(bootstrap, port, cookie, process, arguments))
                took_s = time.monotonic() - began_s
                after, rss_after = process.cpu_times(), process.memory_info().rss
                assert served.stdin is not None
                served.stdin.close()
    expected = round(arguments.rate * arguments.seconds) * arguments.viewers
    cpu_s = after.user + after.system - before.user - before.system
    return {
        "viewers": arguments.viewers,
        "rate_per_s": arguments.rate,
        "seconds": arguments.seconds,
        "told": len(seen.took_ms),
        "expected": expected,
        "resets": seen.resets,
        "p50_ms": round(median(seen.took_ms), 1),
        "p95_ms": round(quantiles(seen.took_ms, n=20)[-1], 1),
        "max_ms": round(max(seen.took_ms), 1),
        "cores": round(cpu_s / took_s, 3),
        "rss_mb": [*seen.rss_mb, rss_after >> 20],
    }


def _logged_in(port: int) -> str:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:

        def answers() -> bool:
            with suppress(httpx.TransportError):
                return client.get("/api/live").status_code == 401
            return False

        wait_for(answers)
        assert log_in(client, _USER).status_code == 200
        wait_for(lambda: _is_live(client))
        return client.cookies["custody"]


def _is_live(client: httpx.Client) -> bool:
    with client.stream("GET", "/api/live") as answer:
        return answer.status_code == 200


def main() -> None:
    """Measure, or serve where told to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--serve", nargs=3, metavar=("BOOTSTRAP", "DIRECTORY", "PORT"))
    arguments = parser.parse_args()
    if arguments.serve:
        bootstrap, directory, port = arguments.serve
        serve(bootstrap, Path(directory), int(port))
        return
    print(json.dumps(measure(arguments)))


if __name__ == "__main__":
    main()
