"""A schema registry in memory: the requests of the Confluent API that we make.

It stands where an ``httpx`` client would, and gives its answers: the client itself took a tenth
of a run. It tells compatible from incompatible by the rules in ``schemas.compatibility``.
"""

import json
from collections.abc import Callable
from types import SimpleNamespace, TracebackType
from typing import Any, Self
from unittest import mock

import httpx

from schemas import avro, compatibility, registry
from schemas.registry import COMPATIBILITY, RegistryCatalog
from schemas.routes import ROUTES, subject

URL = "http://registry.invalid/apis/ccompat/v7"

_NOT_FOUND = {"error_code": 40401, "message": "not found"}


class Registry:
    """Subjects with their versions, and ids over all of them.

    Args:
        before: Called at each request; what it raises is what the client sees.
    """

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self._before = before
        self._texts: list[str] = []
        self._subjects: dict[str, list[int]] = {}
        self._config: dict[str, str] = {}

    def client(self, **_: object) -> "Client":
        """Return a client of this registry."""
        return Client(self)

    def register_ours(self) -> None:
        """Register the schema of every stem, as ``custody prepare`` does."""
        for route in ROUTES:
            self._register(subject(route), avro.text(route.stem))
            self._config[subject(route)] = COMPATIBILITY

    def catalog(self) -> RegistryCatalog:
        """Return a catalog that asks this registry."""
        with mock.patch.object(registry, "httpx", self.clients()):
            return RegistryCatalog(URL)

    def clients(self) -> SimpleNamespace:
        """Return what stands in for ``httpx`` in ``schemas.registry``."""
        return SimpleNamespace(Client=self.client, HTTPError=httpx.HTTPError)

    def answer(self, request: httpx.Request, body: object) -> httpx.Response:
        """Answer a request, or raise what a client raises."""
        self._before()
        path = request.url.path.removeprefix("/apis/ccompat/v7").strip("/").split("/")
        given: dict[str, Any] = body if isinstance(body, dict) else {}
        status, answer = self._route(request.method, path, given)
        return httpx.Response(status, json=answer, request=request)

    def _route(
        self, method: str, path: list[str], body: dict[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        match method, *path:
            case "POST", "subjects", name:
                return self._look_up(name, body["schema"])
            case "POST", "subjects", name, "versions":
                return self._register(name, body["schema"])
            case "POST", "compatibility", "subjects", name, "versions", "latest":
                problems = self._problems(name, body["schema"], self._subjects[name][-1:])
                return 200, {"is_compatible": not problems}
            case method, "config", name:
                return self._configured(name, body)
            case "GET", "schemas", "ids", number if 1 <= int(number) <= len(self._texts):
                return 200, {"schema": self._texts[int(number) - 1]}
            case _:
                return 404, _NOT_FOUND

    def _configured(self, name: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if body:
            self._config[name] = body["compatibility"]
            return 200, body
        return 200, {"compatibilityLevel": self._config.get(name, COMPATIBILITY)}

    def _look_up(self, name: str, text: str) -> tuple[int, dict[str, Any]]:
        for number in self._subjects.get(name, []):
            if _same(self._texts[number - 1], text):
                return 200, {"subject": name, "id": number, "schema": text}
        return 404, _NOT_FOUND

    def _register(self, name: str, text: str) -> tuple[int, dict[str, Any]]:
        status, found = self._look_up(name, text)
        if status == 200:
            return status, {"id": found["id"]}
        if problems := self._problems(name, text, self._subjects.get(name, [])):
            return 409, {"error_code": 409, "message": problems[0]}
        self._texts.append(text)
        self._subjects.setdefault(name, []).append(len(self._texts))
        return 200, {"id": len(self._texts)}

    def _problems(self, name: str, text: str, versions: list[int]) -> list[str]:
        """Return what keeps a schema from following versions of its subject."""
        new = json.loads(text)
        found = []
        for number in versions:
            found += compatibility.problems(json.loads(self._texts[number - 1]), new)
        return [f"{name}: {one}" for one in found]


class Client:
    """The part of ``httpx.Client`` that we use.

    Args:
        registry: Who answers.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def request(self, method: str, url: str, *, json: object = None) -> httpx.Response:
        """Send a request."""
        return self._registry.answer(httpx.Request(method, url), json)

    def get(self, url: str) -> httpx.Response:
        """Ask for something."""
        return self.request("GET", url)

    def post(self, url: str, *, json: object) -> httpx.Response:
        """Send something."""
        return self.request("POST", url, json=json)

    def close(self) -> None:
        """Close nothing: there is no connection."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _same(one: str, other: str) -> bool:
    return bool(json.loads(one) == json.loads(other))
