"""The broker and the registry keep their state over a restart, on other ports."""

from pathlib import Path

import httpx
import pytest
from confluent_kafka.admin import AdminClient

from tests.support import stack

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_topic_survives_a_restart_on_another_port(tmp_path: Path) -> None:
    with stack.running_kafka(tmp_path) as bootstrap:
        stack.create_topics(bootstrap, ["custody.kept"], partitions=3)
    with stack.running_kafka(tmp_path) as bootstrap:
        found = AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=10).topics
    assert len(found["custody.kept"].partitions) == 3


def test_schema_and_its_rule_survive_a_restart_on_another_port(tmp_path: Path) -> None:
    versions = "subjects/custody.kept-custody.Kept/versions"
    with stack.running_registry(tmp_path) as url:
        first = httpx.post(f"{url}/{versions}", json={"schema": _SCHEMA}, timeout=30).json()
    with stack.running_registry(tmp_path) as url:
        kept = httpx.get(f"{url}/schemas/ids/{first['id']}", timeout=30).json()
        refused = httpx.post(f"{url}/{versions}", json={"schema": _BREAKING}, timeout=30)
    assert "tonnes" in kept["schema"]
    assert refused.status_code == 409


_SCHEMA = (
    '{"type":"record","name":"Kept","namespace":"custody",'
    '"fields":[{"name":"tonnes","type":"long"}]}'
)
_BREAKING = _SCHEMA.replace('"long"', '"string"')
