"""What goes in comes out, is lost, is converted or is unaccounted: to the gram."""

import pytest

from custody.carried import mixture, origins_of, said
from custody.events import LotFact
from custody.held import Carried
from custody.records import Content, OriginShare
from schemas import codec
from tests.support.facts import Maker
from tests.support.world import World, amounts


def fed_lot(lot_id: str, tonnes: int, grade: float) -> list[LotFact]:
    maker = Maker(lot_id)
    return [
        maker.lot("PLANT", 0, {"Cu": grade}),
        maker.weighing("PLANT", 10, "stock", tonnes * 1000 + 15_000, 15_000, movement_id=None),
        maker.assay("PLANT", 20, {"Cu": (grade, 0.01 * grade)}, (0.10, 0.002)),
        maker.side("PLANT", 100, "input", "P-1", mass_wet_g=tonnes * 1_000_000),
    ]


def process(
    kind: str, outputs: dict[str, int], loss_t: int = 0, *, close: bool = True
) -> list[LotFact]:
    maker = Maker("sides-of-" + kind)
    facts: list[LotFact] = [
        maker.side(
            "PLANT",
            200 + i,
            "output",
            "P-1",
            kind=kind,
            output_lot_id=lot_id,
            mass_wet_g=wet,
            moisture_fraction=0.10,
        )
        for i, (lot_id, wet) in enumerate(outputs.items())
    ]
    if loss_t:
        loss = {"loss_kind": "tailings", "mass_dry_g": loss_t * 1_000_000}
        facts.append(maker.side("PLANT", 300, "loss", "P-1", kind=kind, **loss))
    if close:
        facts.append(maker.side("PLANT", 400, "close", "P-1", kind=kind))
    return facts


def conserved(world: World) -> None:
    sums = world.sums()
    for account, balance in world.balances.items():
        assert sums.get(account, {}) == amounts(balance), account
    for name in ("wet", "dry", "Cu"):
        assert sum(account.get(name, 0) for account in sums.values()) == 0


def test_a_blend_has_the_mass_the_metal_and_the_origins_of_its_inputs() -> None:
    world = World()
    world.tell(
        *fed_lot("A", 30, 0.02), *fed_lot("B", 10, 0.04), *process("blend", {"X": 40_000_000})
    )
    conserved(world)
    blend = world.balances["lot/X/PLANT"]
    assert (blend.mass_wet_g, blend.mass_dry_g) == (40_000_000, 36_000_000)
    assert blend.metals[0].value_mg == 540_000_000 + 360_000_000
    assert world.balances["process/P-1"].status == "closed"
    assert amounts(world.balances["process/P-1"]) == {}


@pytest.mark.parametrize("certified", [False, True])
def test_a_truck_of_what_came_out_goes_by_the_process_before_shots_and_declaration(
    certified: bool,  # noqa: FBT001  a case
) -> None:
    world, maker = World(), Maker("X")
    world.tell(*fed_lot("A", 30, 0.02), *process("blend", {"X": 30_000_000}))
    world.tell(maker.lot("PLANT", 500, {"Cu": 0.05}), maker.shot("PLANT", 510, {"Cu": 0.04}))
    if certified:
        world.tell(maker.assay("PLANT", 520, {"Cu": (0.03, 0.0003)}))
    world.tell(
        maker.weighing("PLANT", 530, "dispatch", 25_000, 15_000),
        maker.move("dispatch", "PLANT", 540, ("PLANT", "PORT")),
    )
    ends = ("lot/X/PLANT", "lot/X/transit")
    [sent] = [t for t in world.transfers if (t.debit, t.credit) == ends]
    assert sent.metals[0].value_mg == (270_000_000 if certified else 180_000_000)


@pytest.mark.parametrize("first", ["process", "lot"])
def test_shots_of_what_came_out_tell_no_more_metals_than_the_process_did(first: str) -> None:
    world, maker = World(), Maker("X")
    made = [*fed_lot("A", 30, 0.02), *process("blend", {"X": 30_000_000})]
    seen: list[LotFact] = [
        maker.lot("PLANT", 500, {}),
        maker.shot("PLANT", 510, {"Cu": 0.04, "Fe": 0.3}),
        maker.weighing("PLANT", 530, "dispatch", 25_000, 15_000),
        maker.move("dispatch", "PLANT", 540, ("PLANT", "PORT")),
    ]
    if first == "lot":
        world.tell(*seen)
    world.tell(*made)
    if first == "process":
        world.tell(*seen)
    sums = world.sums()
    assert {name for account in sums for name in sums[account]} == {"wet", "dry", "Cu"}
    assert sums["lot/X/transit"]["Cu"] == 180_000_000


def test_outputs_before_inputs_end_the_same() -> None:
    facts = [*fed_lot("A", 30, 0.02), *fed_lot("B", 10, 0.04), *process("blend", {"X": 40_000_000})]
    forward, backward = World(), World()
    forward.tell(*facts)
    backward.tell(*reversed(facts))
    conserved(backward)
    assert backward.sums() == forward.sums()


def test_a_split_gives_back_what_it_took_to_the_milligram() -> None:
    world = World()
    outputs = {"X": 10_000_001, "Y": 9_999_998, "Z": 10_000_001}
    world.tell(*fed_lot("A", 30, 0.02345), *process("split", outputs))
    conserved(world)
    given = sum(world.balances[f"lot/{lot}/PLANT"].metals[0].value_mg for lot in outputs)
    rest = world.sums().get("unaccounted/P-1", {}).get("Cu", 0)
    taken = sum(m.value_mg for t in world.transfers if t.kind == "process_input" for m in t.metals)
    assert given + rest == taken
    assert abs(rest) <= 3


def test_a_concentrator_recovers_its_share_and_loses_the_rest_with_the_tailings() -> None:
    world = World()
    world.tell(*fed_lot("A", 30, 0.02), *process("concentrate", {"C": 2_000_000}, loss_t=25))
    conserved(world)
    concentrate = world.balances["lot/C/PLANT"]
    assert concentrate.metals[0].value_mg == pytest.approx(0.88 * 540_000_000)
    assert world.sums()["loss/P-1/tailings"]["Cu"] == pytest.approx(0.12 * 540_000_000)
    assert world.sums()["unaccounted/P-1"]["dry"] == 200_000


def test_a_smelter_converts_the_rest_of_the_mass_and_no_metal() -> None:
    world = World()
    world.tell(*fed_lot("A", 30, 0.02), *process("smelt", {"M": 600_000}))
    conserved(world)
    assert world.sums()["conversion/P-1"].keys() == {"wet", "dry"}
    assert world.sums()["unaccounted/P-1"].keys() == {"Cu"}


def test_an_open_process_may_owe() -> None:
    world = World()
    world.tell(*process("blend", {"X": 40_000_000}, close=False))
    assert world.balances["process/P-1"].mass_wet_g == -40_000_000
    conserved(world)


def test_a_later_assay_of_an_input_restates_what_it_gave() -> None:
    world = World()
    world.tell(*fed_lot("A", 30, 0.02), *process("blend", {"X": 30_000_000}))
    late = Maker("A", count=50).assay("PLANT", 500, {"Cu": (0.021, 0.0001)}, None, stage="final")
    world.tell(late)
    conserved(world)
    assert world.balances["lot/X/PLANT"].metals[0].value_mg == 567_000_000


def test_an_input_without_a_mass_takes_all_there_is() -> None:
    facts = fed_lot("A", 30, 0.02)
    object.__setattr__(facts[3], "mass_wet_g", None)
    world = World()
    world.tell(*facts)
    conserved(world)
    assert amounts(world.balances["lot/A/PLANT"]) == {}
    assert world.balances["process/P-1"].mass_wet_g == 30_000_000


def test_a_ring_of_lots_and_processes_is_cut_at_64() -> None:
    world = World()
    sides = Maker("ring")
    ring = [
        Maker("A").side("PLANT", 10, "input", "P-1", mass_wet_g=1_000_000),
        sides.side("PLANT", 20, "output", "P-1", output_lot_id="A", mass_wet_g=1_000_000),
    ]
    world.tell(*fed_lot("B", 1, 0.02)[:3], *ring)
    assert len(world.outputs) < 2_000


def test_a_share_is_never_more_than_the_whole() -> None:
    """Four shares of one origin came to 1.0000000000000002, and their record was a dead letter."""
    mine = Carried(origins_of([("site", "MINE", 1.0)]), {}, {}, {})
    mixed = mixture([(float(dry), {}, mine) for dry in (7, 6, 7, 4)])
    assert said(mixed).origins == (OriginShare(level="site", id="MINE", share=1.0),)
    thrice = origins_of([("site", "A", 0.1), ("site", "A", 0.2), ("site", "A", 0.7)])
    assert [o.share for o in said(mine._replace(origins=thrice)).origins] == [1.0]


def test_a_side_drier_than_its_own_wet_mass_is_still_told_to_its_lot() -> None:
    facts = process("blend", {})
    maker = Maker("sides-of-odd")
    odd = {"output_lot_id": "X", "mass_wet_g": 1_000_000, "mass_dry_g": 2_000_000}
    facts.append(maker.side("PLANT", 210, "output", "P-1", **odd))
    world = World()
    world.tell(*fed_lot("A", 30, 0.02), *facts)
    conserved(world)
    told = [record for record in world.outputs if isinstance(record, Content)]
    assert {c.to_owner for c in told} == {"process/P-1", "lot/X"}
    for record in told:
        codec.decode("content", codec.encode(record))


def test_lots_go_through_a_stockpile_and_a_late_certificate_restates_what_left_it() -> None:
    world = World()
    pile = process("stockpile", {"X": 10_000_000, "Y": 10_000_000}, close=False)
    world.tell(*fed_lot("A", 30, 0.02), *fed_lot("B", 10, 0.04), *pile)
    conserved(world)
    assert world.balances["lot/X/PLANT"].metals[0].value_mg == 225_000_000
    assert world.balances["process/P-1"].status == "open"
    late = Maker("A", count=50).assay("PLANT", 500, {"Cu": (0.021, 0.0001)}, None, stage="final")
    world.tell(late)
    conserved(world)
    assert world.balances["lot/Y/PLANT"].metals[0].value_mg == 231_750_000
