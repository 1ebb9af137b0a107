"""Ids of schemas as the registry gave them, remembered beside the outbox.

A gateway whose registry is away can go on publishing what it has published before; and an entry
written under yesterday's schema is published under yesterday's id.
"""

import json
import logging
from pathlib import Path
from typing import Protocol

from custody.errors import Unavailable
from schemas import avro

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
        self._asked: dict[tuple[str, bytes], int] = {}
        self.registry_up = True

    def get(self, stem: str, fingerprint: bytes) -> int:
        """Return the id to publish an entry under.

        Raises:
            SchemaUnknown: The registry is away and never gave it.
        """
        known = self._asked.get((stem, fingerprint))
        if known is None:
            known = self._ask(stem, fingerprint)
        return known

    def _ask(self, stem: str, fingerprint: bytes) -> int:
        name = f"{stem}/{fingerprint.hex()}"
        kept = self._kept()
        if fingerprint == avro.fingerprint(stem):
            try:
                found = self._catalog.schema_id(stem)
            except Unavailable as error:
                self.registry_up = False
                if name not in kept:
                    raise SchemaUnknown(stem, fingerprint) from error
                # Not remembered: the registry is asked again for the next record.
                return kept[name]
            self.registry_up = True
            self._keep(name, found)
            self._asked[stem, fingerprint] = found
            return found
        if name not in kept:
            raise SchemaUnknown(stem, fingerprint)
        return kept[name]

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
