"""File drops and MQTT inlets of a gateway in this process, looked into by hand or by themselves."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from custody.ids import uuid_text
from producers import store
from producers.config import DropConfig
from producers.drop import READERS, Drop
from producers.drop_read import Reader
from producers.inlet import Surroundings, Take
from producers.service import Gateway, Options
from tests.support.gateway import wall_clock

Result = dict[str, object]


def taking_of(gateway: Gateway) -> Take:
    return lambda raws, sender: gateway.take(raws, Options(backfill=True, facts_only=True), sender)


def surroundings(gateway: Gateway, take: Take | None = None) -> Surroundings:
    return Surroundings(
        take=take or taking_of(gateway),
        counts=gateway.counts,
        database=gateway.outbox.path,
        clock=wall_clock,
        gateway_id=gateway.config.outbox.gateway_id,
    )


def drop(
    gateway: Gateway,
    folder: Path,
    *,
    take: Take | None = None,
    readers: Mapping[str, Reader] = READERS,
    **limits: int,
) -> Drop:
    """A drop that is looked into by hand: ``looked``."""
    return Drop(DropConfig(folder=folder, **limits), surroundings(gateway, take), readers)


def looked(one: Drop) -> Drop:
    """Two looks: what was the same at both is taken."""
    for _ in range(2):
        one._look_once()
    return one


def ndjson(requests: Sequence[object]) -> str:
    return "".join(json.dumps(request, default=float) + "\n" for request in requests)


def result_of(folder: Path, name: str) -> Result:
    """The result of a file, wherever it is."""
    found = [folder / place / f"{name}.result.json" for place in ("done", "failed")]
    (path,) = [path for path in found if path.exists()]
    return cast(Result, json.loads(path.read_text("utf-8")))


def codes(result: Result) -> list[object]:
    requests = cast(list[Mapping[str, object]], result["requests"])
    return [item.get("code") or item["result"] for item in requests]


def names(folder: Path) -> list[str]:
    """What lies below a folder, without our own empty ones."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def event_ids(outbox: Path) -> list[str]:
    """The event ids in an outbox, in order: what was accepted, once or twice."""
    connection = store.connect(outbox, read_only=True)
    rows = connection.execute("SELECT event_id FROM entry WHERE seq IS NOT NULL ORDER BY no")
    found = [uuid_text(row[0]) for row in rows]
    connection.close()
    return found
