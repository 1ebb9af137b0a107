"""Which schema an id stands for, and which id a stem has: from a registry or from a table.

Ids are given by the registry; nothing of ours stores or assumes one. Subjects follow
TopicRecordNameStrategy, compatibility is FULL_TRANSITIVE.
"""

import json
from collections.abc import Callable
from functools import cached_property
from typing import Protocol

from schemas import avro
from schemas.plan import Plan, Unreadable, plan_of
from schemas.routes import BY_STEM, ROUTES, Record
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
