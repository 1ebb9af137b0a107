"""Ids of schemas as the registry gave them, remembered beside the outbox.

A gateway whose registry is away can go on publishing what it has published before; and an entry
written under yesterday's schema is published under yesterday's id.
"""

import json
import logging
import math
import time
from pathlib import Path
from typing import Protocol

from custody.errors import Unavailable
from schemas import avro

ASK_AGAIN_S = 30.0
"""A registry that is away is asked again after this; until then its ids of old serve."""

log = logging.getLogger(__name__)


class SchemaUnknown(Unavailable):
    """No id is known for the schema an entry was written under."""

    def __init__(self, stem: str, fingerprint: bytes) -> None:
        super().__init__(
            f"no id known for schema {stem} {fingerprint.hex()[:16]}",
            expected="the registry at hand, or an id from an earlier time",
            next_step="custody status; the outbox keeps what waits",
        )


class Catalog(Protocol):
    """Who gives ids."""

    def schema_id(self, stem: str) -> int:
        """Return the id of a stem's present schema.

        Raises:
            Unavailable: The registry cannot be asked.
        """
        ...


class SchemaIds:
    """Ids by stem and fingerprint. Used by the publisher's thread only.

    Args:
        catalog: Who gives ids; asked once per stem and process.
        path: File that keeps them; replaced as a whole.
        registry: Name of the registry, such as its URL: another registry has other ids.
    """

    def __init__(self, catalog: Catalog, path: Path, registry: str) -> None:
        self._catalog = catalog
        self._path = path
        self._registry = registry
        # Id, and when to ask again: never where the registry gave it, soon where the file did.
        self._known: dict[tuple[str, bytes], tuple[int, float]] = {}
        self.registry_up: bool | None = None
        """Whether it answered when last asked; None before it was."""

    def get(self, stem: str, fingerprint: bytes) -> int:
        """Return the id to publish an entry under.

        Raises:
            SchemaUnknown: The registry is away and never gave it.
        """
        found = self._known.get((stem, fingerprint))
        if found is None or time.monotonic() >= found[1]:
            found = self._ask(stem, fingerprint)
            self._known[stem, fingerprint] = found
        return found[0]

    def _ask(self, stem: str, fingerprint: bytes) -> tuple[int, float]:
        name = f"{stem}/{fingerprint.hex()}"
        if fingerprint == avro.fingerprint(stem):
            try:
                given = self._catalog.schema_id(stem)
            except Unavailable as error:
                self.registry_up = False
                log.warning("registry away", extra={"stem": stem, "reason": error.what})
            else:
                self.registry_up = True
                self._keep(name, given)
                return given, math.inf
        kept = self._kept().get(name)
        if kept is None:
            raise SchemaUnknown(stem, fingerprint)
        return kept, time.monotonic() + ASK_AGAIN_S

    def _kept(self) -> dict[str, int]:
        return self._file().get(self._registry, {})

    def _file(self) -> dict[str, dict[str, int]]:
        try:
            found: dict[str, dict[str, int]] = json.loads(self._path.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return found

    def _keep(self, name: str, schema_id: int) -> None:
        every = self._file()
        every.setdefault(self._registry, {})[name] = schema_id
        fresh = self._path.with_suffix(".new")
        try:
            fresh.write_text(json.dumps(every, indent=1, sort_keys=True))
            fresh.replace(self._path)
        except OSError as error:
            log.warning("schema ids not kept", extra={"reason": str(error)})
