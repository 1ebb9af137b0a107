"""Lots and processes for questions about lineage: transfers by hand, and a plant that blends."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar, Self

import pytest
from click.testing import CliRunner

from custody.events import LotFact, Micros, ReferenceSet
from custody.records import Amount, Balance, Transfer
from runtime.cli import connect
from runtime.cli.main import cli
from runtime.lineage import Moment
from tests.support.facts import T0, Maker
from tests.support.stored import Stored
from tests.support.world import World

NOW = Moment()

TABLES = (
    "transfer",
    "edge",
    "balance",
    "lot",
    "weighing",
    "assay",
    "shipment",
    "processing",
    "reference",
)


def emptied(stored: Stored) -> Stored:
    """Return a warehouse with nothing in the tables that questions about lineage read."""
    for table in TABLES:
        stored.warehouse.command(f"TRUNCATE TABLE custody.{table}")
    stored.next.clear()
    return stored


def moved(
    n: int, ends: tuple[str, str], grams: int, at: int = 0, known: int | None = None
) -> Transfer:
    """A transfer between a lot and a process, named without their accounts; seconds after T0."""
    debit, credit = (f"{end}/S" if end.startswith("lot/") else end for end in ends)
    return Transfer(
        sender="worker/0", n=n, kind="process_input" if debit[0] == "l" else "process_output",
        cause_event_id=f"e{n}", debit=debit, credit=credit, mass_wet_g=grams, mass_dry_g=grams,
        metals=(Amount(analyte="Cu", value_mg=grams * 20),), effective_at=second(at),
        known_at=second(at if known is None else known), replaces_event_id=None,
        replaces_kind=None, lot_id=None, process_id=None, movement_id=None, origins=(),
    )  # fmt: skip


def second(no: int) -> Micros:
    return Micros(T0 + no * 1_000_000)


def instant(no: int) -> str:
    """The end of a second, as the warehouse writes times."""
    return f"{datetime.fromtimestamp(T0 // 1_000_000 + no, UTC):%Y-%m-%d %H:%M:%S}"


def asked(stored: Stored, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    class Asked:
        rows = staticmethod(lambda query, params=None: stored.ask(query, params or {}))
        complete_to = ""
        complete_sites: ClassVar[Mapping[str, str]] = {}

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(connect, "warehouse", Asked)
    # By way of the whole command line: a command used alone first keeps other help options.
    result = CliRunner().invoke(cli, arguments, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.stdout


def a_plant(*, close: bool = True, receipt: bool = True) -> list[LotFact]:
    """Two trucks from two mines to a plant that blends them; copper 1 % and 3 %."""
    facts: list[LotFact] = []
    for lot, mine, tonnes, grade in (("A", "MINE-A", 30, 0.01), ("B", "MINE-B", 10, 0.03)):
        maker, trip = Maker(lot), f"W-{lot}"
        kg = tonnes * 1_000 + 15_000
        facts += [
            maker.lot(mine, 0, {"Cu": grade}, custodian=mine),
            maker.assay(mine, 5, {"Cu": (grade, 0.0001)}, (0.10, 0.002)),
            maker.weighing(mine, 10, "dispatch", kg, 15_000, movement_id=trip),
            maker.move("dispatch", mine, 11, (mine, "PLANT"), movement_id=trip),
        ]
        if receipt or lot == "A":
            facts.append(maker.weighing("PLANT", 60, "receipt", kg, 15_000, movement_id=trip))
        facts.append(maker.side("PLANT", 100, "input", "P-7", mass_wet_g=tonnes * 1_000_000))
    node = Maker("P-7")
    output = {"output_lot_id": "X", "mass_wet_g": 40_000_000, "moisture_fraction": 0.10}
    facts.append(node.side("PLANT", 120, "output", "P-7", **output))
    if close:
        facts.append(node.side("PLANT", 130, "close", "P-7"))
    product = Maker("X")
    facts += [
        product.lot("PLANT", 121, {"Cu": 0.015}, custodian="PLANT", declared_origins=()),
        product.weighing("PLANT", 140, "stock", 55_000, 15_000, movement_id=None),
        product.assay("PLANT", 150, {"Cu": (0.015, 0.0001)}, (0.10, 0.002)),
    ]
    return facts


def said_balances(world: World) -> list[Balance]:
    return [output for output in world.outputs if isinstance(output, Balance)]


def told(
    stored: Stored, facts: Sequence[LotFact], references: Sequence[ReferenceSet] = ()
) -> World:
    """Store facts and reference data, and what the core makes of them."""
    world = World()
    world.tell(*references, *facts)
    numbered = [replace(fact, gateway_seq=no) for no, fact in enumerate(facts, start=1)]
    stored.put([*references, *numbered, *world.transfers, *said_balances(world)])
    return world
