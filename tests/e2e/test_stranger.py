"""A stranger with confluent-kafka's own deserializer reads what was posted, word for word."""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from producers.service import Gateway, Options
from schemas import avro, codec
from schemas.registry import RegistryCatalog, register_all
from schemas.routes import BY_STEM, ROUTES, Record
from schemas.topics import CONTROL, FACT, TOPICS
from tests.support import gateway as support
from tests.support import golden, posted, stack
from tests.support.changes import named_types

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

STRANGER = Path(__file__).parents[2] / "docs" / "stranger.py"
WITH_REQUEST = [route.stem for route in ROUTES if golden.has_request(route.stem)]
OTHERS = [route.stem for route in ROUTES if not golden.has_request(route.stem)]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker of our own: the shared one holds records under ids of no registry."""
    with stack.running_kafka(tmp_path_factory.mktemp("stranger")) as bootstrap:
        stack.create_topics(bootstrap, [t.name for t in TOPICS], partitions=support.PARTITIONS)
        yield bootstrap


def read(bootstrap: str, registry: str, topic: str) -> list[dict[str, Any]]:
    """Run the stranger's script and return its lines."""
    done = subprocess.run(
        [sys.executable, str(STRANGER), bootstrap, registry, topic],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_stranger_reads_exactly_what_was_posted(
    broker: str, registry: str, tmp_path: Path
) -> None:
    register_all(registry)
    requests = {stem: support.golden(stem) for stem in WITH_REQUEST}
    config = support.config(tmp_path, broker, "GW-STRANGER")
    with RegistryCatalog(registry) as catalog:
        gateway = Gateway(config, catalog, registry, support.wall_clock)
        try:
            gateway.start()
            answers = gateway.take(list(requests.values()), Options(), "t").result(30)
            support.wait_for(lambda: gateway.outbox.depth == 0)
        finally:
            gateway.close()
    found = read(broker, registry, FACT) + read(broker, registry, CONTROL)
    by_id = {record["event_id"]: record for record in found}

    for (stem, request), answer in zip(requests.items(), answers, strict=True):
        item = plain(answer.item)
        records = [by_id[part["event_id"]] for part in item.get("parts") or [item]]
        said = posted.request_of(stem, records)
        expected = with_defaults(plain(request))
        assert {name: said[name] for name in expected} == expected, stem


def test_a_stranger_reads_every_other_topic(broker: str, registry: str) -> None:
    register_all(registry)
    producer = Producer({"bootstrap.servers": broker})
    expected = defaultdict(list)
    with RegistryCatalog(registry) as catalog:
        for stem in OTHERS:
            for record in golden.records(stem):
                value = codec.frame(catalog.schema_id(stem), codec.encode(record))
                producer.produce(BY_STEM[stem].topic, value, b"k")
                expected[BY_STEM[stem].topic].append(as_printed(stem, record))
    # What nobody can read must not end a stranger's reading.
    producer.produce(next(iter(expected)), b"not avro", b"k")
    assert producer.flush(30) == 0

    for topic, records in expected.items():
        found = read(broker, registry, topic)
        assert [record for record in found if record in records] == records


def with_defaults(request: dict[str, Any]) -> dict[str, Any]:
    """Return a request without its type, and with ``=`` where it names no qualifier."""
    if "results" in request:
        request["results"] = [{"qualifier": "="} | one for one in request["results"]]
    return {name: value for name, value in request.items() if name != "type"}


def as_printed(stem: str, record: Record) -> dict[str, Any]:
    """Return a record as the script prints it: times and bytes as Python writes them."""
    schema = avro.schema(stem)
    named = {part["name"]: part for part in named_types(schema)}
    found: dict[str, Any] = _printed(schema, record, named)
    return found


def _printed(kind: Any, value: Any, named: Mapping[str, Any]) -> Any:  # noqa: ANN401  any part of a schema
    kind = named.get(kind, kind) if isinstance(kind, str) else kind
    if isinstance(kind, list):
        [known] = [one for one in kind if one != "null"]
        return None if value is None else _printed(known, value, named)
    if not isinstance(kind, dict):
        return str(value) if isinstance(value, bytes) else value
    if kind.get("logicalType") == "timestamp-micros":
        return str(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value))
    if kind["type"] == "array":
        return [_printed(kind["items"], one, named) for one in value]
    if kind["type"] == "record":
        parts = {part["name"]: part["type"] for part in kind["fields"]}
        return {name: _printed(of, getattr(value, name), named) for name, of in parts.items()}
    return value


def plain(value: object) -> dict[str, Any]:
    """Return a JSON object with floats for decimals."""
    found: dict[str, Any] = json.loads(json.dumps(value, default=float))
    return found
