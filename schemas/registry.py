"""Which schema an id stands for, and which id a stem has: from a registry or from a table.

Ids are given by the registry; nothing of ours assumes one. Subjects follow
TopicRecordNameStrategy, compatibility is FULL_TRANSITIVE. Writers look ids up and never register;
``register_all`` is a step of its own, taken when a release is set up.

The Confluent API is spoken over httpx: five requests, no retries (the caller has its own budget),
and a gateway that installs nothing for it.
"""

import json
from collections.abc import Callable
from functools import cached_property
from types import TracebackType
from typing import Any, Protocol, Self

import httpx

from custody.errors import Refused, Unavailable
from schemas import avro
from schemas.plan import Plan, Unreadable, plan_of
from schemas.routes import BY_STEM, ROUTES, Record, subject
from schemas.rows import row_reader


class Writer:
    """One registered schema as a writer used it, and how to read it.

    Attributes:
        plan: Its resolution against ours.
        text: The schema as registered.
    """

    def __init__(self, plan: Plan, text: str) -> None:
        self.plan = plan
        self.text = text

    @property
    def stem(self) -> str:
        """Stem of the route table."""
        return self.plan.stem

    @cached_property
    def read(self) -> Callable[[bytes, int], Record]:
        """Function from a message and the start of its body to the record."""
        return row_reader(self.plan)


class Catalog(Protocol):
    """What readers and writers ask about schema ids."""

    def schema_id(self, stem: str) -> int:
        """Return the id to write a stem's present schema under.

        Raises:
            Unavailable: The registry cannot be asked.
        """
        ...

    def writer(self, schema_id: int) -> Writer | None:
        """Return the schema an id stands for; None where it is unknown or none of ours.

        Blocks on the first sight of an id, at most the registry's timeout.

        Raises:
            Unavailable: The registry cannot be asked.
        """
        ...


class StaticCatalog:
    """A catalog from a table in memory: ids are 1 + the position in the route table.

    Further schemas, such as an older version of one, are added with ``add``.
    """

    def __init__(self) -> None:
        self._ids = {route.stem: no for no, route in enumerate(ROUTES, start=1)}
        self._texts = {no: avro.text(stem) for stem, no in self._ids.items()}
        self._writers: dict[int, Writer | None] = {}

    def add(self, text: str) -> int:
        """Register a further schema and return its id; a known text keeps its id."""
        for no, known in self._texts.items():
            if known == text:
                return no
        no = max(self._texts) + 1
        self._texts[no] = text
        return no

    def schema_id(self, stem: str) -> int:
        """Return the id of a stem's present schema."""
        return self._ids[BY_STEM[stem].stem]

    def writer(self, schema_id: int) -> Writer | None:
        """Return the schema an id stands for; None where it is unknown or none of ours."""
        if schema_id not in self._writers:
            text = self._texts.get(schema_id)
            self._writers[schema_id] = None if text is None else writer_of(text)
        return self._writers[schema_id]


def writer_of(text: str) -> Writer | None:
    """Return how to read a registered schema; None where it cannot be read or is none of ours."""
    try:
        plan = plan_of(json.loads(text))
    except Unreadable:
        return None
    return None if plan is None else Writer(plan, text)


COMPATIBILITY = "FULL_TRANSITIVE"
TIMEOUT_S = 5.0

_NOT_FOUND = 404
_REFUSALS = frozenset({409, 422})


class RegistryDown(Unavailable):
    """The registry did not answer, or not as a registry does."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"schema registry at {url}: {reason}",
            expected="the Confluent API of a schema registry",
            next_step="custody status",
        )


class NotRegistered(Unavailable):
    """The present schema of a stem is not in the registry yet."""

    def __init__(self, stem: str) -> None:
        super().__init__(
            f"schema registry: the schema of {stem} is not registered",
            expected=f"subject {subject(BY_STEM[stem])}",
            next_step="custody prepare",
        )


class Incompatible(Refused):
    """The registry refuses a schema."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"schema registry refuses {name}: {reason}",
            expected=f"a schema that is {COMPATIBILITY} with all versions",
            next_step="give new fields and enums a default; remove nothing",
        )


class RegistryCatalog:
    """The catalog of a real registry; remembers what it has seen, as ids never change.

    One connection, for one thread at a time. Close it, or use it as a context manager.
    """

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        """Ask nothing yet.

        Args:
            url: Base of the Confluent API, such as ``http://localhost:8081/apis/ccompat/v7``.
            timeout_s: Longest wait for one answer.
        """
        self._api = _Api(url, timeout_s)
        self._ids: dict[str, int] = {}
        self._writers: dict[int, Writer | None] = {}

    def schema_id(self, stem: str) -> int:
        """Return the id of a stem's present schema.

        Raises:
            Unavailable: The registry cannot be asked, or does not have it yet.
        """
        if stem not in self._ids:
            body = {"schema": avro.text(stem)}
            answer = self._api.ask("POST", f"/subjects/{subject(BY_STEM[stem])}", body)
            if answer is None:
                raise NotRegistered(stem)
            self._ids[stem] = int(answer["id"])
        return self._ids[stem]

    def writer(self, schema_id: int) -> Writer | None:
        """Return the schema an id stands for; None where it is unknown or none of ours.

        What is unknown is asked for again the next time: it may be registered by then.

        Raises:
            Unavailable: The registry cannot be asked.
        """
        if schema_id not in self._writers:
            answer = self._api.ask("GET", f"/schemas/ids/{schema_id}")
            if answer is None:
                return None
            self._writers[schema_id] = writer_of(str(answer["schema"]))
        return self._writers[schema_id]

    def close(self) -> None:
        """Close the connection."""
        self._api.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def register_all(url: str, *, timeout_s: float = TIMEOUT_S) -> dict[str, int]:
    """Register the schema of each stem and set its subject to FULL_TRANSITIVE.

    Harmless to repeat: a schema that is there keeps its id.

    Args:
        url: Base of the Confluent API.
        timeout_s: Longest wait for one answer.

    Returns:
        Id by stem.

    Raises:
        Incompatible: The registry refuses one; those before it in the route table are registered.
        Unavailable: The registry cannot be asked.
    """
    api = _Api(url, timeout_s)
    with api.client:
        return {
            route.stem: _register(api, subject(route), avro.text(route.stem)) for route in ROUTES
        }


def _register(api: "_Api", name: str, text: str) -> int:
    """Register one schema under a subject and return its id."""
    answer = api.ask("POST", f"/subjects/{name}/versions", {"schema": text})
    # After the first version and not before: a subject without versions has no configuration
    # in every registry, and a first version has nothing to be compatible with.
    api.ask("PUT", f"/config/{name}", {"compatibility": COMPATIBILITY})
    if answer is None:
        raise RegistryDown(api.url, "404 to a registration")
    return int(answer["id"])


class _Api:
    """The Confluent API: a JSON object, None for 404, or an error that says what to do."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self.url = url.rstrip("/")
        self.client = httpx.Client(timeout=timeout_s)

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any] | None:
        try:
            answer = self.client.request(method, self.url + path, json=body)
            if answer.status_code == _NOT_FOUND:
                return None
            if answer.status_code in _REFUSALS:
                raise Incompatible(path.split("/")[2], answer.text[:500])
            answer.raise_for_status()
            found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise RegistryDown(self.url, str(error) or type(error).__name__) from error
        if not isinstance(found, dict):
            raise RegistryDown(self.url, "no JSON object to " + path)
        return found
