"""What any catalog does, and what a registry does: in memory and the real one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast
from unittest import mock

import httpx
import pytest

from custody.errors import Unavailable
from schemas import avro
from schemas import registry as schemas_registry
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
from tests.support.sim.registry import URL, Client, Registry

STEMS = [route.stem for route in ROUTES]
UNKNOWN_ID = 999_999


@dataclass(frozen=True, slots=True)
class Served:
    """A registry that has all our schemas: the real one, or ``kept`` of simulations."""

    url: str
    client: httpx.Client | Client
    kept: Registry | None = None

    @contextmanager
    def spoken_to(self) -> Iterator[None]:
        """Let our client reach it."""
        clients = httpx if self.kept is None else self.kept.clients()
        with mock.patch.object(schemas_registry, "httpx", clients):
            yield


@pytest.fixture(scope="module")
def real(registry: str) -> Iterator[Served]:
    register_all(registry)
    with httpx.Client() as client:
        yield Served(registry, client)


@pytest.fixture(scope="module")
def memory() -> Served:
    kept = Registry()
    served = Served(URL, kept.client(), kept)
    with served.spoken_to():
        register_all(URL)
    return served


REGISTRIES = ["memory", pytest.param("real", marks=pytest.mark.integration)]


@pytest.fixture(params=REGISTRIES)
def registered(request: pytest.FixtureRequest) -> Iterator[Served]:
    served = cast(Served, request.getfixturevalue(request.param))
    with served.spoken_to():
        yield served


@pytest.fixture(params=["static", *REGISTRIES])
def catalog(request: pytest.FixtureRequest) -> Iterator[Catalog]:
    if request.param == "static":
        yield StaticCatalog()
        return
    served = cast(Served, request.getfixturevalue(request.param))
    with served.spoken_to(), RegistryCatalog(served.url) as asking:
        yield asking


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


def test_registering_again_keeps_the_ids(registered: Served) -> None:
    assert register_all(registered.url) == register_all(registered.url)


def test_every_subject_is_fully_transitively_compatible(registered: Served) -> None:
    for route in ROUTES:
        config = registered.client.get(f"{registered.url}/config/{subject(route)}").json()
        assert config["compatibilityLevel"] == COMPATIBILITY


@pytest.mark.parametrize("stem", STEMS)
def test_the_registry_accepts_a_further_field_and_symbol(registered: Served, stem: str) -> None:
    assert accepts(registered, stem, widened(avro.schema(stem)))


@pytest.mark.parametrize("stem", STEMS)
def test_the_registry_refuses_incompatible_changes(registered: Served, stem: str) -> None:
    for name, schema in incompatible_changes(avro.schema(stem)).items():
        assert not accepts(registered, stem, schema), name


def test_the_registry_refuses_a_symbol_for_an_enum_without_a_default(registered: Served) -> None:
    enum = {"type": "enum", "name": "Bare", "namespace": "custody", "symbols": ["a"]}
    post(registered, "/subjects/custody.bare/versions", enum)

    answer = post(
        registered,
        "/compatibility/subjects/custody.bare/versions/latest",
        enum | {"symbols": ["a", "b"]},
    )

    assert answer == {"is_compatible": False}


def test_a_refused_schema_is_named(registered: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = incompatible_changes(avro.schema("lot"))["a field without a default"]
    monkeypatch.setattr(avro, "text", lambda _stem: json.dumps(broken))

    with pytest.raises(Incompatible, match=r"custody\.Lot"):
        register_all(registered.url)


def test_a_registry_that_is_down_is_unavailable() -> None:
    with RegistryCatalog("http://127.0.0.1:9/apis/ccompat/v7", timeout_s=1.0) as catalog:
        with pytest.raises(Unavailable):
            catalog.writer(1)
        with pytest.raises(Unavailable):
            catalog.schema_id("lot")


def accepts(to: Served, stem: str, schema: avro.Schema) -> bool:
    """Ask the registry without registering."""
    name = subject(BY_STEM[stem])
    answer = post(to, f"/compatibility/subjects/{name}/versions/latest", schema)
    return bool(answer["is_compatible"])


def post(to: Served, path: str, schema: avro.Schema) -> dict[str, object]:
    answer = to.client.post(to.url + path, json={"schema": json.dumps(schema)})
    answer.raise_for_status()
    return cast(dict[str, object], answer.json())
