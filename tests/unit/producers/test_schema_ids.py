"""Ids of schemas with the registry there, away, and replaced."""

from pathlib import Path

import pytest

from custody.errors import Unavailable
from producers.schema_ids import SchemaIds, SchemaUnknown
from schemas import avro
from schemas.registry import StaticCatalog

LOT = avro.fingerprint("lot")


class Away:
    """A registry nobody reaches."""

    def __init__(self) -> None:
        self.asked = 0

    def schema_id(self, stem: str) -> int:
        self.asked += 1
        raise Unavailable(stem)


def test_ids_outlive_the_registry(tmp_path: Path) -> None:
    path = tmp_path / "schema-ids.json"
    assert SchemaIds(StaticCatalog(), path, "A").get("lot", LOT) == 1
    away = Away()
    ids = SchemaIds(away, path, "A")
    assert [ids.get("lot", LOT) for _ in range(3)] == [1, 1, 1]
    assert away.asked == 1
    assert ids.registry_up is False


def test_a_registry_never_asked_is_neither_up_nor_away(tmp_path: Path) -> None:
    ids = SchemaIds(StaticCatalog(), tmp_path / "schema-ids.json", "A")
    assert ids.registry_up is None
    ids.get("lot", LOT)
    assert ids.registry_up is True


def test_another_registry_has_other_ids(tmp_path: Path) -> None:
    path = tmp_path / "schema-ids.json"
    SchemaIds(StaticCatalog(), path, "A").get("lot", LOT)
    with pytest.raises(SchemaUnknown):
        SchemaIds(Away(), path, "B").get("lot", LOT)


def test_an_entry_of_yesterday_goes_out_under_yesterdays_schema(tmp_path: Path) -> None:
    path = tmp_path / "schema-ids.json"
    yesterday = bytes(32)
    path.write_text(f'{{"A": {{"lot/{yesterday.hex()}": 77}}}}')
    ids = SchemaIds(StaticCatalog(), path, "A")
    assert ids.get("lot", yesterday) == 77
    assert ids.get("lot", LOT) == 1
    with pytest.raises(SchemaUnknown):
        ids.get("lot", b"\1" * 32)
