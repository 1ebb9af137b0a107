"""Send a load to a running gateway at a steady rate, and say what came of it."""

import itertools
import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bench.load import Plan, Request, requests
from schemas.registry import Catalog, RegistryCatalog

_TIMEOUT_S = 30.0
_LISTS_PER_S = 40


@dataclass(frozen=True, slots=True)
class Target:
    """A running stack's addresses and the gateway's token."""

    gateway: str
    kafka: str
    registry: str
    token: str
    console: str
    partitions: int = 4


@dataclass(slots=True)
class Sent:
    """What was answered."""

    events: int = 0
    seconds: float = 0.0
    event_ids: list[str] = field(default_factory=list)


def target(data_dir: Path | None = None) -> Target:
    """Read the addresses of the stack that runs from a data directory."""
    base = data_dir or Path(os.environ.get("CUSTODY_DATA_DIR", ".custody"))
    addresses = json.loads((base / "addresses.json").read_text())
    return Target(
        gateway=addresses["gateway"],
        kafka=addresses["kafka"],
        registry=addresses["registry"],
        console=addresses["console"],
        token=(base / "gateway" / "token").read_text().strip(),
    )


def confluent_catalog(url: str) -> Catalog:
    """Return the catalog of a real registry."""
    return RegistryCatalog(url)


def drive(to: Target, plan: Plan, *, rate: int) -> Sent:
    """Post the plan's requests at ``rate`` events per second; late lists are sent at once.

    Raises:
        RuntimeError: The gateway refused something.
    """
    return post(to, requests(plan), rate=rate)


def post(to: Target, events: Iterable[Request], *, rate: int = _LISTS_PER_S) -> Sent:
    """Post requests in order at ``rate`` per second; late lists are sent at once.

    Raises:
        RuntimeError: The gateway refused something.
    """
    sent = Sent()
    size = max(1, rate // _LISTS_PER_S)
    way = iter(events)
    started = time.monotonic()
    with httpx.Client(
        base_url=to.gateway, headers={"Authorization": f"Bearer {to.token}"}, timeout=_TIMEOUT_S
    ) as client:
        for no in itertools.count():
            block = list(itertools.islice(way, size))
            if not block:
                break
            wait_s = started + no * size / rate - time.monotonic()
            if wait_s > 0:
                time.sleep(wait_s)
            answer = client.post("/v1/events", json=block)
            answer.raise_for_status()
            for result in answer.json():
                if result["result"] != "accepted":
                    raise RuntimeError(json.dumps(result))
                sent.event_ids.append(result["event_id"])
            sent.events += len(block)
    sent.seconds = time.monotonic() - started
    return sent
