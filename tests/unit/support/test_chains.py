"""The histories hold what they promise, or a run over them would show nothing."""

from random import Random

from custody.events import LotAssayed, LotMoved, MaterialProcessed
from tests.support.chains import Chain
from tests.support.oracle.rules import RULES

ALL = dict.fromkeys(RULES, True)
CHAINS = [Chain(Random(seed), ALL).draw() for seed in range(150)]
FACTS = [fact for chain in CHAINS for fact in chain.facts]
RECORDS = [record for chain in CHAINS for record in chain.references]


def test_one_seed_is_one_history() -> None:
    again = Chain(Random(7), ALL).draw()
    assert (again.facts, again.references) == (CHAINS[7].facts, CHAINS[7].references)


def test_every_side_of_a_process_and_every_kind_occurs() -> None:
    sides = [fact for fact in FACTS if isinstance(fact, MaterialProcessed)]
    assert {side.part for side in sides} == {"input", "output", "loss", "stock", "added", "close"}
    assert len({side.kind for side in sides}) == 10


def test_material_is_exchanged_bought_and_sold() -> None:
    stages = {(f.stage, f.party) for f in FACTS if isinstance(f, LotAssayed)}
    assert {("exchanged", "seller"), ("exchanged", "buyer"), ("umpire", "umpire")} <= stages
    partners = {f.counterparty for f in FACTS if isinstance(f, LotMoved)}
    assert {"TRADER", "BUYER"} <= partners


def test_every_class_of_fact_is_corrected_and_withdrawn_and_so_are_corrections() -> None:
    by_id = {(id(chain), f.event_id): f for chain in CHAINS for f in chain.facts}
    changed = {type(f) for f in FACTS if f.corrects and not f.void}
    assert changed == {type(f) for f in FACTS}
    assert {type(f) for f in FACTS if f.void} == changed
    named = [(id(chain), str(f.corrects)) for chain in CHAINS for f in chain.facts if f.corrects]
    targets = [by_id[name] for name in named if name in by_id]
    assert len(targets) < len(named), "every target was seen"
    assert any(target.corrects for target in targets)
    assert any(target.void for target in targets)


def test_reference_data_is_restated_corrected_and_withdrawn() -> None:
    kinds = {"site", "device", "laboratory", "commodity", "price", "contract", "process", "route"}
    assert {record.kind for record in RECORDS} == kinds
    assert any(record.corrects and not record.void for record in RECORDS)
    assert any(record.void for record in RECORDS)
    assert any(record.valid_from > 0 for record in RECORDS)
