"""What any catalog does, on the one in memory and on a real registry."""

import json
from collections.abc import Iterator
from typing import cast

import httpx
import pytest

from custody.errors import Unavailable
from schemas import avro
from schemas.registry import (
    COMPATIBILITY,
    Catalog,
    Incompatible,
    RegistryCatalog,
    StaticCatalog,
    register_all,
)
from schemas.routes import BY_STEM, ROUTES, subject
from tests.support.changes import incompatible_changes, widened

STEMS = [route.stem for route in ROUTES]
UNKNOWN_ID = 999_999


@pytest.fixture(scope="module")
def registered(registry: str) -> str:
    """URL of a registry that has all our schemas."""
    register_all(registry)
    return registry


@pytest.fixture(params=["static", pytest.param("real", marks=pytest.mark.integration)])
def catalog(request: pytest.FixtureRequest) -> Iterator[Catalog]:
    if request.param == "static":
        yield StaticCatalog()
        return
    url = cast(str, request.getfixturevalue("registered"))
    with RegistryCatalog(url) as real:
        yield real


def test_each_stem_has_an_id_of_its_own(catalog: Catalog) -> None:
    assert len({catalog.schema_id(stem) for stem in STEMS}) == len(STEMS)


def test_an_id_leads_back_to_its_stem_and_text(catalog: Catalog) -> None:
    for stem in STEMS:
        writer = catalog.writer(catalog.schema_id(stem))
        assert writer is not None
        assert writer.stem == stem
        assert json.loads(writer.text) == avro.schema(stem)


def test_an_unknown_id_is_no_writer(catalog: Catalog) -> None:
    assert catalog.writer(UNKNOWN_ID) is None


@pytest.mark.integration
def test_registering_again_keeps_the_ids(registry: str) -> None:
    assert register_all(registry) == register_all(registry)


@pytest.mark.integration
def test_every_subject_is_fully_transitively_compatible(registered: str) -> None:
    for route in ROUTES:
        config = httpx.get(f"{registered}/config/{subject(route)}").json()
        assert config["compatibilityLevel"] == COMPATIBILITY


@pytest.mark.integration
@pytest.mark.parametrize("stem", STEMS)
def test_the_registry_accepts_a_further_field_and_symbol(registered: str, stem: str) -> None:
    assert accepts(registered, stem, widened(avro.schema(stem)))


@pytest.mark.integration
@pytest.mark.parametrize("stem", STEMS)
def test_the_registry_refuses_incompatible_changes(registered: str, stem: str) -> None:
    for name, schema in incompatible_changes(avro.schema(stem)).items():
        assert not accepts(registered, stem, schema), name


@pytest.mark.integration
def test_the_registry_refuses_a_symbol_for_an_enum_without_a_default(registry: str) -> None:
    enum = {"type": "enum", "name": "Bare", "namespace": "custody", "symbols": ["a"]}
    post(registry, "/subjects/custody.bare/versions", enum)

    answer = post(
        registry,
        "/compatibility/subjects/custody.bare/versions/latest",
        enum | {"symbols": ["a", "b"]},
    )

    assert answer == {"is_compatible": False}


@pytest.mark.integration
def test_a_refused_schema_is_named(registered: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = incompatible_changes(avro.schema("lot"))["a field without a default"]
    monkeypatch.setattr(avro, "text", lambda _stem: json.dumps(broken))

    with pytest.raises(Incompatible, match=r"custody\.Lot"):
        register_all(registered)


def test_a_registry_that_is_down_is_unavailable() -> None:
    with RegistryCatalog("http://127.0.0.1:9/apis/ccompat/v7", timeout_s=1.0) as catalog:
        with pytest.raises(Unavailable):
            catalog.writer(1)
        with pytest.raises(Unavailable):
            catalog.schema_id("lot")


def accepts(url: str, stem: str, schema: avro.Schema) -> bool:
    """Ask the registry without registering."""
    name = subject(BY_STEM[stem])
    answer = post(url, f"/compatibility/subjects/{name}/versions/latest", schema)
    return bool(answer["is_compatible"])


def post(url: str, path: str, schema: avro.Schema) -> dict[str, object]:
    answer = httpx.post(url + path, json={"schema": json.dumps(schema)})
    answer.raise_for_status()
    return cast(dict[str, object], answer.json())
