"""A seeded plant in the real engine: a chain of lots and processes, its books beside its facts."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from random import Random

from console.answering import Watermarks
from console.answers import Answers
from console.lot_status import CompleteTo
from console.lots_http import Lots, status_told
from custody.events import LotDeclared, LotFact
from custody.records import Drift
from runtime.told.wired import answers
from schemas.routes import Record
from tests.support.chains import Chain
from tests.support.facts import last_ticks
from tests.support.store import PARTITION, Store, opened
from tests.support.world import World

WATERMARK = (
    "INSERT INTO custody.watermark (site_id, complete_to, said_at) VALUES"
    " ('', '2026-12-31 00:00:00', '2026-12-31 00:00:00'),"
    " ('PLANT', '2026-12-30 00:00:00', '2026-12-31 00:00:00')"
)


def numbered(facts: list[LotFact]) -> list[LotFact]:
    """As one gateway numbers them, in the order it takes them."""
    ordered = sorted(facts, key=lambda fact: (fact.recorded_at, fact.event_id))
    return [replace(fact, gateway_seq=no) for no, fact in enumerate(ordered, start=1)]


def plant(seed: int = 1) -> tuple[list[LotFact], World]:
    """Return the facts of a drawn plant, and the world that has heard and judged them."""
    facts, world = numbered(Chain(Random(seed)).draw().facts), World()
    world.tell(*facts)
    # What waits is judged: alerts of lots, nodes and instruments.
    world.tell(*last_ticks())
    return facts, world


def on_one(records: Iterable[Record], partition: int) -> list[Record]:
    """Return records as they stand on one partition of their topics, copies for others left out."""
    return [replace(one, partition=partition) if isinstance(one, Drift) else one for one in records]


@dataclass
class Seeded:
    """What stands in the tables, and whom to ask."""

    store: Store
    world: World
    declared: frozenset[str]

    @cached_property
    def answers(self) -> Answers:
        ask = self.store.rows
        lots = Lots(ask, CompleteTo(ask, lambda: 0.0), lambda: "")
        complete_to = Watermarks(ask, lambda: 0.0).get
        return answers(ask, lambda lot: status_told(lots, lot, None), complete_to)

    def put(self, *records: Record) -> None:
        """Store more records."""
        self.store.put_all(records)

    @property
    def process(self) -> str:
        """A process that lots went into and came out of."""
        fed = {t.process_id for t in self.world.transfers if t.debit.startswith("lot/")}
        made = {t.process_id for t in self.world.transfers if t.credit.startswith("lot/")}
        return min(str(name) for name in fed & made if name)

    @property
    def lot(self) -> str:
        """A lot that was declared, moved, holds something and has metals."""
        held = [
            b
            for b in self.world.balances.values()
            if b.lot_id in self.declared and b.mass_wet_g and b.metals and b.place != "transit"
        ]
        return min(str(b.lot_id) for b in held)


@contextmanager
def seeded(directory: Path, seed: int = 1) -> Iterator[Seeded]:
    """Fill a warehouse, once; closed at the end of the block."""
    with opened(directory) as store:
        facts, world = plant(seed)
        store.put_all(on_one([*facts, *world.outputs], PARTITION))
        store.warehouse.command(WATERMARK)
        declared = frozenset(str(fact.lot_id) for fact in facts if isinstance(fact, LotDeclared))
        yield Seeded(store, world, declared)
