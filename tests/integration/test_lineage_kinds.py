"""Lineage mixes each process as the books do: shares by walking against origins as posted."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from custody.events import LotFact, Micros, ReferenceSet
from custody.genealogy import DRY
from runtime.examined import examine
from runtime.lineage import Moment
from runtime.process_kinds import kinds_of
from runtime.traced import trace
from tests.support.chain_references import record
from tests.support.facts import T0, Maker, corrected, event_id
from tests.support.lineage import NOW, emptied, instant, told
from tests.support.stored import PARTITION, Stored, opened
from tests.support.world import World

pytestmark = [pytest.mark.integration, pytest.mark.slow]

MINUTE = 60
OUTPUT, CLOSE = 120, 130
"""Minutes at which the sides are stated."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    with opened(tmp_path_factory.mktemp("kinds")) as stored:
        yield stored


@pytest.fixture
def stored(engine: Stored) -> Stored:
    return emptied(engine)


def key(
    subject: str,
    analyte: str | None,
    seq: int,
    valid: tuple[float, float | None] = (0, None),
    **more: Any,  # noqa: ANN401  fields of a record given by name
) -> ReferenceSet:
    """What is said of a process or a kind from one minute to another."""
    body = {"physical": False} if analyte is None else {"key_analyte": analyte}
    begins, ends = (None if at is None else Micros(T0 + round(at * MINUTE * 1e6)) for at in valid)
    made = record(("process", subject), body, seq, 0 if not begins or not valid[0] else begins)
    return replace(made, partition=PARTITION, valid_to=ends, **more)


def a_smelter(kinds: Sequence[str] = ("smelt", "smelt"), fed_as: str = "smelt") -> list[LotFact]:
    """Matte with all the copper and as much flux go into a furnace; its sides name their kinds."""
    facts: list[LotFact] = []
    for lot, mine, tonnes, grade in (("MATTE", "MINE-A", 10, 0.6), ("FLUX", "MINE-B", 30, 0.0)):
        maker, trip = Maker(lot), f"W-{lot}"
        kg = tonnes * 1_000 + 15_000
        facts += [
            maker.lot(mine, 0, {"Cu": grade}),
            maker.weighing(mine, 10, "dispatch", kg, 15_000, movement_id=trip),
            maker.move("dispatch", mine, 11, (mine, "PLANT"), movement_id=trip),
            maker.weighing("PLANT", 60, "receipt", kg, 15_000, movement_id=trip),
            maker.side("PLANT", 100, "input", "P-7", kind=fed_as, mass_wet_g=tonnes * 1_000_000),
        ]
    node = Maker("P-7")
    for no, kind in enumerate(kinds[:-1]):
        output = {"output_lot_id": f"X{no or ''}", "mass_wet_g": 5_000_000}
        facts.append(node.side("PLANT", OUTPUT + no, "output", "P-7", kind=kind, **output))
    facts.append(node.side("PLANT", CLOSE, "close", "P-7", kind=kinds[-1]))
    return facts


def origins_of(world: World) -> dict[str, float]:
    return {one.id: one.share for one in world.balances["lot/X/PLANT"].origins}


def of_matte(stored: Stored) -> float:
    found = trace(stored.ask, "X", NOW, 9, back=True)
    return found.shares[DRY]["lot/MATTE"]


CASES: dict[str, tuple[list[ReferenceSet], list[LotFact], float]] = {
    "its kind has a key": ([key("smelt", "Cu", 1)], a_smelter(), 1.0),
    "a concentrator separates": (
        [key("concentrate", "Cu", 1)], a_smelter(("concentrate",) * 2, "concentrate"), 1.0,
    ),
    "a blend does not separate": ([key("blend", "Cu", 1)], a_smelter(("blend",) * 2), 0.25),
    "its own record is taken instead": (
        [key("smelt", "Cu", 1), key("P-7", None, 2)], a_smelter(), 0.25,
    ),
    "its own record alone": ([key("P-7", "Cu", 1)], a_smelter(), 1.0),
    "its own record has ended": (
        [key("smelt", "Cu", 1), key("P-7", None, 2, (0, CLOSE))], a_smelter(), 1.0,
    ),
    "its own record ends after the last side": (
        [key("smelt", "Cu", 1), key("P-7", None, 2, (0, CLOSE + 1))], a_smelter(), 0.25,
    ),
    "a version that is not yet": (
        [key("smelt", None, 1), key("smelt", "Cu", 2, (CLOSE + 1, None))], a_smelter(), 0.25,
    ),
    "a void record": (
        [key("smelt", "Cu", 1),
         key("smelt", "Cu", 2, corrects=key("smelt", "Cu", 1).event_id, void=True)],
        a_smelter(), 0.25,
    ),
    "most sides name the kind": (
        [key("smelt", "Cu", 1)], a_smelter(("smelt", "smelt", "blend")), 1.0,
    ),
    "the newest side names another": (
        [key("smelt", "Cu", 1)], a_smelter(("blend", "blend", "smelt")), 0.25,
    ),
    "of equals the first by name": ([key("smelt", "Cu", 1)], a_smelter(("smelt", "blend")), 0.25),
    "inputs name no kind": ([key("smelt", "Cu", 1)], a_smelter(fed_as="blend"), 1.0),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_shares_by_walking_are_the_origins_of_the_books(stored: Stored, name: str) -> None:
    references, facts, share = CASES[name]
    world = told(stored, facts, references)
    assert origins_of(world)["MINE-A"] == pytest.approx(share), "the books"
    assert of_matte(stored) == pytest.approx(share)


def test_corrected_and_withdrawn_sides_do_not_name_a_kind(stored: Stored) -> None:
    facts = a_smelter(("blend", "smelt", "blend"))
    first, last = (fact for fact in facts if getattr(fact, "kind", "") == "blend")
    as_smelt = corrected(first, "as smelt", 30.0, kind="smelt")
    withdrawn = corrected(last, "withdrawn", 31.0, void=True)
    world = told(stored, [*facts, as_smelt, withdrawn], [key("smelt", "Cu", 1)])
    assert origins_of(world)["MINE-A"] == of_matte(stored) == 1.0
    assert kinds_of(stored.ask, ["P-7"], NOW)["P-7"].name == "smelt"
    before = Moment(instant(1_000_000), instant((OUTPUT + 15) * MINUTE))
    assert kinds_of(stored.ask, ["P-7"], before)["P-7"].name == "blend"


def test_a_process_without_sides_of_its_own_has_no_kind(stored: Stored) -> None:
    told(stored, [fact for fact in a_smelter() if getattr(fact, "part", "input") == "input"])
    assert kinds_of(stored.ask, ["P-7", "P-8"], NOW) == {}


@pytest.mark.parametrize("ends", [None, CLOSE])
def test_what_never_closes_by_reference_data_has_no_gap(stored: Stored, ends: float | None) -> None:
    facts = [fact for fact in a_smelter() if getattr(fact, "part", "") != "close"]
    tank = key("P-7", None, 1, (0, ends))
    output = replace(facts[-1], occurred_at=Micros(T0 + CLOSE * MINUTE * 1_000_000))
    told(stored, [*facts[:-1], output], [replace(tank, body='{"continuous":true}')])
    evolution = examine(stored.ask, "X", NOW)[1][3]
    gaps = evolution["gaps"]
    assert isinstance(gaps, list)
    assert ("process P-7 has no close" in gaps) == (ends is not None)


def test_many_processes_are_asked_about_in_few_questions(stored: Stored) -> None:
    """Ids that do not fit into one statement are cut into several."""
    asked: list[str] = []

    def ask(query: str, params: Any) -> list[dict[str, object]]:  # noqa: ANN401
        asked.append(query)
        return stored.ask(query, params)

    told(stored, a_smelter(), [key("smelt", "Cu", 1)])
    found = kinds_of(ask, [*(f"P-{event_id(str(no))}" for no in range(2_000)), "P-7"], NOW)
    assert list(found) == ["P-7"]
    assert found["P-7"].key_analyte == "Cu"
    assert len(asked) == 4
