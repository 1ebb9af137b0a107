"""Rows + duplicates + dead letters + what has no table = the records the broker has, exactly."""

import json
from collections.abc import Mapping

import clickhouse_connect

from runtime.ends import ends
from runtime.verify import verify
from schemas import topics

NAMES = [topic.name for topic in topics.TOPICS]

_LEDGER = """
SELECT topic, sum(i.rows) + sum(i.duplicates) + sum(i.dead_letters) + sum(i.not_stored) AS records
FROM custody.ingest_batches AS i GROUP BY topic
"""


def asked(
    address: str, query: str, parameters: Mapping[str, str] | None = None
) -> list[dict[str, object]]:
    """Rows of a query, column names as keys, by a second client on the warehouse's path."""
    client = clickhouse_connect.get_client(dsn=address, database="custody")
    try:
        body = client.raw_query(query, dict(parameters or {}), fmt="JSONEachRow")
    finally:
        client.close()
    return [json.loads(line) for line in body.splitlines()]


def records(bootstrap: str) -> dict[str, int]:
    """How many records each topic has had, of topics that had any."""
    found = ends({"bootstrap.servers": bootstrap}, NAMES)
    counts = {topic: sum(end for _, end in places.values()) for topic, places in found.items()}
    return {topic: count for topic, count in counts.items() if count}


def is_complete(address: str, bootstrap: str) -> bool:
    """Whether all that stands on the topics is sealed, the sink's own dead letters included."""
    sealed = {str(row["topic"]): int(str(row["records"])) for row in asked(address, _LEDGER)}
    return sealed == records(bootstrap)


def violations(address: str, bootstrap: str) -> dict[str, object]:
    """What ``custody verify`` finds wrong, by check; empty where all is accounted for."""
    bounds = ends({"bootstrap.servers": bootstrap}, NAMES)
    checks = verify(lambda query: asked(address, query), lambda: bounds)
    return {check.name: check.violations for check in checks if not check.clean}
