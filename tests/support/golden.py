"""The golden chain: request.json -> event.json -> avro.hex -> row.json, one folder per stem.

``event.json`` is an array, since one request may become several records; bytes stand in it as
hexadecimal. ``avro.hex`` has a line for each. ``python -m tests.support.golden`` writes them anew;
the difference is reviewed like code.
"""

import json
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import cast

from producers.judge import accept
from producers.outcome import Accepted
from schemas import codec
from schemas.plan import Leaf, Many, Maybe, Node, Struct, own_plan
from schemas.routes import ROUTES, Record
from tests.support import gateway

FOLDER = Path(__file__).parents[1] / "golden"


def records(stem: str) -> list[Record]:
    """Return the golden records of a stem."""
    root = own_plan(stem).root
    return [cast(Record, _record(root, one)) for one in json.loads(_event(stem).read_text())]


def bodies(stem: str) -> list[bytes]:
    """Return the golden Avro bodies of a stem."""
    return [bytes.fromhex(line) for line in _avro(stem).read_text().splitlines()]


def accepted(stem: str) -> list[Record]:
    """Return what the gateway makes of the golden request, numbered from 1."""
    outcome = accept(gateway.golden(stem), gateway.NOW, gateway.terms())
    assert isinstance(outcome, Accepted), outcome
    return [
        replace(draft.record, gateway_seq=seq) for seq, draft in enumerate(outcome.drafts, start=1)
    ]


def has_request(stem: str) -> bool:
    return (FOLDER / stem / "request.json").exists()


def as_json(value: object) -> object:
    """Return a record as JSON values, bytes as hexadecimal."""
    if is_dataclass(value):
        return {f.name: as_json(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return [as_json(part) for part in value]
    return value.hex() if isinstance(value, bytes) else value


def write() -> None:
    """Write event.json of the stems that have a request, and avro.hex of all."""
    for route in ROUTES:
        if has_request(route.stem):
            events = [as_json(record) for record in accepted(route.stem)]
            _event(route.stem).write_text(json.dumps(events, indent=2) + "\n")
        lines = [codec.encode(record).hex() for record in records(route.stem)]
        _avro(route.stem).write_text("\n".join(lines) + "\n")


def _record(node: Node, value: object) -> object:
    match node:
        case Struct(cls=cls, members=members):
            assert cls is not None
            assert isinstance(value, dict)
            return cls(**{m.name: _record(m.node, value[m.name]) for m in members})
        case Many(item=item):
            assert isinstance(value, list)
            return tuple(_record(item, part) for part in value)
        case Maybe(inner=inner):
            return None if value is None else _record(inner, value)
        case Leaf(kind="bytes"):
            return bytes.fromhex(cast(str, value))
        case _:
            return value


def _event(stem: str) -> Path:
    return FOLDER / stem / "event.json"


def _avro(stem: str) -> Path:
    return FOLDER / stem / "avro.hex"


if __name__ == "__main__":
    from tests.support import golden_row

    write()
    golden_row.write()
