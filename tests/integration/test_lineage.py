"""Lineage on the real engine, against searches and sums in memory."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pytest

import runtime.lineage
from custody.events import DeclaredOrigin, LotDeclared, Micros
from custody.genealogy import DRY
from custody.records import OriginShare, Transfer
from runtime.lineage import BACK, FORWARD, Direction, Moment, edges_into, walk
from runtime.traced import NoLineage, rows_of, trace
from tests.support.facts import Maker, corrected
from tests.support.lineage import (
    NOW,
    a_plant,
    asked,
    emptied,
    instant,
    moved,
    second,
    told,
)
from tests.support.stored import PARTITION, Stored, opened
from tests.support.streams import reference

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    with opened(tmp_path_factory.mktemp("lineage")) as stored:
        yield stored


@pytest.fixture
def stored(engine: Stored) -> Stored:
    return emptied(engine)


def a_history(seed: int, processes: int = 120) -> list[Transfer]:
    """A random history whose paths meet again and close rings, with outputs taken back later."""
    rng = random.Random(seed)
    made: list[Transfer] = []
    lots = [f"lot/L-{no}" for no in range(5)]
    for no in range(processes):
        name, at = f"process/P-{no}", no * 10
        for lot in rng.sample(lots[-8:], rng.randint(1, 3)):
            made.append(moved(len(made) + 1, (lot, name), rng.randrange(1, 1_000), at))
        for _ in range(rng.randint(1, 2)):
            old = rng.random() < 0.02
            lot = rng.choice(lots) if old else f"lot/L-{len(lots)}"
            lots += [] if old else [lot]
            output = moved(len(made) + 1, (name, lot), rng.randrange(1, 1_000), at + 5)
            made.append(output)
            if rng.random() < 0.15:
                made.append(
                    replace(
                        output, n=len(made) + 1, mass_wet_g=-output.mass_wet_g,
                        mass_dry_g=-output.mass_dry_g, known_at=second(at + 5 + rng.randrange(600)),
                        metals=tuple(replace(m, value_mg=-m.value_mg) for m in output.metals),
                        replaces_event_id=output.cause_event_id, replaces_kind=output.kind,
                    )
                )  # fmt: skip
    return made


def search(
    transfers: Sequence[Transfer], start: str, direction: Direction, steps_max: int, until: int
) -> dict[str, int]:
    """Steps from a lot to whatever can be reached, over transfers so and known by a second."""
    net: dict[tuple[str, str], int] = {}
    for t in transfers:
        if max(t.effective_at, t.known_at) <= second(until):
            ends = t.debit.removesuffix("/S"), t.credit.removesuffix("/S")
            net[ends] = net.get(ends, 0) + t.mass_dry_g
    steps, level = {start: 0}, [start]
    for step in range(1, steps_max + 1):
        onward = [
            other for one in level for (parent, child), grams in net.items() if grams
            for near, other in [(child, parent) if direction == BACK else (parent, child)]
            if near == one and other not in steps
        ]  # fmt: skip
        level = list(dict.fromkeys(onward))
        steps |= dict.fromkeys(level, step)
    return steps


@pytest.mark.parametrize("seed", [1, 2])
def test_a_walk_reaches_what_a_search_in_memory_reaches(stored: Stored, seed: int) -> None:
    print(f"seed {seed}")
    transfers = a_history(seed)
    stored.put(transfers)
    rng = random.Random(seed)
    lots = sorted({t.credit.removesuffix("/S") for t in transfers if t.credit.startswith("lot/")})
    reached = 0
    for start in rng.sample(lots, 6):
        for direction in (BACK, FORWARD):
            for until in (600, 10_000):
                moment = Moment(instant(until), instant(until)) if until == 600 else NOW
                for generations in (1, 5, 64):
                    way = walk(stored.ask, start, direction, generations, moment)
                    expected = search(transfers, start, direction, 2 * generations, until)
                    assert dict(way.steps) == expected
                    reached = max(reached, len(expected))
    assert reached > 50


def test_the_view_says_what_a_walk_says(stored: Stored) -> None:
    stored.put(a_history(3, processes=60))
    way = walk(stored.ask, "lot/L-60", BACK, 10, NOW)
    graph = edges_into(stored.ask, way.order, NOW)
    rows = stored.ask("SELECT * FROM v_lineage(lot = 'L-60')", {})
    expanded = {node for node, far in way.steps.items() if far < 20}
    walked = {
        (way.steps[e.child], e.parent, e.child, e.dry_g)
        for c in expanded
        for e in graph.into.get(c, ())
    }
    assert {(r["step"], r["parent"], r["child"], r["mass_dry_g"]) for r in rows} == walked
    edges = stored.ask("SELECT parent, child, mass_dry_g, metal_mg FROM v_edges", {})
    net = {(r["parent"], r["child"]): (r["mass_dry_g"], r["metal_mg"]) for r in edges}
    for _, parent, child, dry_g in walked:
        assert net[parent, child] == (dry_g, [dry_g * 20])


def test_a_walk_is_one_statement_for_several_steps_and_the_same_in_pieces(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names that do not fit into one statement are asked about in several."""
    stored.put(a_history(5, processes=200))
    statements: list[str] = []

    def ask(query: str, params: Mapping[str, str]) -> list[dict[str, object]]:
        statements.append(query)
        return stored.ask(query, params)

    for direction, start in ((BACK, "lot/L-200"), (FORWARD, "lot/L-140")):
        for moment in (NOW, Moment(instant(1_500), instant(1_500))):
            whole = walk(ask, start, direction, 5, moment)
            assert len(statements) <= (2 if moment.is_now else 5)
            monkeypatch.setattr(runtime.lineage, "_IDS_CHARACTERS_MAX", 40)
            pieces = walk(ask, start, direction, 5, moment)
            monkeypatch.undo()
            assert len(whole.steps) > 10
            assert dict(whole.steps) == dict(pieces.steps)
            statements.clear()


@pytest.mark.parametrize(("direction", "read"), [(BACK, "custody.edge"), (FORWARD, "by_parent")])
def test_each_direction_reads_rows_in_its_own_order(
    stored: Stored, direction: Direction, read: str
) -> None:
    """Nested sets too: a set that scanned the table would examine all of its rows."""
    stored.put(a_history(4, processes=3_000))
    rows = int(str(stored.ask("SELECT count() AS n FROM edge", {})[0]["n"]))
    statements: list[str] = []

    def ask(query: str, params: Mapping[str, str]) -> list[dict[str, object]]:
        statements.append(query)
        return stored.ask(query, params)

    before = examined(stored)
    way = walk(ask, "lot/L-1500", direction, 2, NOW)
    assert examined(stored) - before < rows
    assert len(way.steps) > 5
    plan = stored.ask(f"EXPLAIN {statements[0]}", {})
    assert any(f"ReadFromMergeTree ({read})" in str(row["explain"]) for row in plan)


def examined(stored: Stored) -> int:
    """Rows the engine has read from tables since it was started."""
    [row] = stored.ask("SELECT value FROM system.events WHERE event = 'SelectedRows'", {})
    return int(str(row["value"]))


def test_a_blend_of_a_thousand_lots_is_one_tree(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored.put([
        *(moved(no, (f"lot/a rather long lot id L-{no:04d}'\\", "process/P"), 1_000 + no)
          for no in range(1, 1_001)),
        moved(1_001, ("process/P", "lot/BLEND"), 1_500_000),
    ])  # fmt: skip
    found = trace(stored.ask, "BLEND", NOW, 64, back=True)
    ancestors = [row for row in rows_of(found) if row["steps"] == 2]
    assert len(ancestors) == 1_000
    assert sum(float(str(row["share_dry_fraction"])) for row in ancestors) == pytest.approx(1.0)
    lines = asked(stored, monkeypatch, "lineage", "BLEND").splitlines()
    assert len(lines) == 15
    assert lines[0] == "lot BLEND  100.0 %  Cu 100.0 %"
    assert lines[-1] == "   └─ and 988 more, together 98.4 %"


def test_a_blend_is_traced_to_its_mines_by_mass_and_by_metal(stored: Stored) -> None:
    told(stored, a_plant())
    found = trace(stored.ask, "X", NOW, 64, back=True)
    by_lot = {str(row["lot_id"]): row for row in rows_of(found)}
    assert by_lot["A"]["share_dry_fraction"] == pytest.approx(0.75)
    assert by_lot["A"]["share_metal_fraction"] == pytest.approx({"Cu": 0.5})
    assert by_lot["A"]["origins"] == {"MINE-A": 1.0}
    assert by_lot["X"]["origins"] == pytest.approx({"MINE-A": 0.75, "MINE-B": 0.25})


def test_a_corrected_origin_moves_nothing_and_is_found_in_what_was_made_of_it(
    stored: Stored,
) -> None:
    facts = a_plant()
    declared = next(fact for fact in facts if isinstance(fact, LotDeclared))
    other = (DeclaredOrigin(level="site", id="ELSEWHERE", share=1.0),)
    told(stored, [*facts, corrected(declared, "other", 500.0, declared_origins=other)])
    by_lot = {
        str(row["lot_id"]): row for row in rows_of(trace(stored.ask, "X", NOW, 64, back=True))
    }
    assert by_lot["A"]["origins"] == {"ELSEWHERE": 1.0}
    assert by_lot["X"]["origins"] == pytest.approx({"ELSEWHERE": 0.75, "MINE-B": 0.25})
    before = Moment(instant(400 * 60), instant(400 * 60))
    by_lot = {
        str(row["lot_id"]): row for row in rows_of(trace(stored.ask, "X", before, 64, back=True))
    }
    assert by_lot["A"]["origins"] == {"MINE-A": 1.0}


def test_a_lots_own_word_comes_before_that_of_one_of_its_processes(stored: Stored) -> None:
    """Both are known at one time, and the process's partition has counted further."""
    mine, other = (OriginShare(level="site", id=name, share=1.0) for name in ("MINE", "OTHER"))
    of_process = replace(
        moved(7, ("process/P", "lot/X"), 10), origins=(other,), sender="worker/9", n=900
    )
    own = replace(moved(7, ("lot/X/PLANT", "lot/X/transit"), 10), origins=(mine,), n=1, lot_id="X")
    stored.put([of_process, own])
    [row] = [r for r in rows_of(trace(stored.ask, "X", NOW, 9, back=True)) if r["lot_id"] == "X"]
    assert row["origins"] == {"MINE": 1.0}


def test_forward_says_what_each_lot_holds_of_it_and_what_is_left(stored: Stored) -> None:
    world = told(stored, a_plant())
    found = trace(stored.ask, "A", NOW, 64, back=False)
    by_lot = {str(row["lot_id"]): row for row in rows_of(found)}
    x = world.balances["lot/X/PLANT"]
    assert by_lot["X"]["held_dry_g"] == round(x.mass_dry_g * 0.75)
    assert by_lot["X"]["held_metal_mg"] == {"Cu": round(x.metals[0].value_mg * 0.5)}
    assert by_lot["A"]["held_dry_g"] == sum(
        b.mass_dry_g for account, b in world.balances.items() if account.startswith("lot/A/")
    )


def test_of_a_metal_that_nobody_knew_of_when_it_was_handed_on_no_share_is_said(
    stored: Stored,
) -> None:
    """It is none of zero: a certificate of the product alone says that there is cobalt."""
    seen = Maker("X", count=50).assay("PLANT", 160, {"Co": (0.002, 0.0001)}, (0.10, 0.002))
    world = told(stored, [*a_plant(), seen])
    cobalt = {m.analyte: m.value_mg for m in world.balances["lot/X/PLANT"].metals}["Co"]
    assert cobalt > 0
    of_a, of_x = (
        {str(row["lot_id"]): row for row in rows_of(trace(stored.ask, lot, NOW, 64, back=False))}
        for lot in ("A", "X")
    )
    assert list(of_a["X"]["held_metal_mg"]) == ["Cu"]  # type: ignore[call-overload]
    assert of_x["X"]["held_metal_mg"]["Co"] == cobalt  # type: ignore[index]


def test_before_the_output_there_is_no_ancestor_and_before_all_no_lineage(stored: Stored) -> None:
    told(stored, a_plant())
    early = Moment(instant(119 * 60), instant(10_000_000))
    assert [row["lot_id"] for row in rows_of(trace(stored.ask, "A", early, 9, back=False))] == [
        "A", None,
    ]  # fmt: skip
    with pytest.raises(NoLineage, match="lot X: no transfer of it at"):
        trace(stored.ask, "X", early, 9, back=True)


def test_a_measurement_of_an_output_belongs_to_its_edge(stored: Stored) -> None:
    told(stored, a_plant())
    less = moved(500, ("lot/X", "process/P-7"), 6_000_000, 200 * 60)
    stored.put([replace(less, kind="measured")])
    into = edges_into(stored.ask, ["lot/X"], NOW).into["lot/X"]
    assert [(edge.parent, edge.dry_g) for edge in into] == [("process/P-7", 30_000_000)]
    assert walk(stored.ask, "lot/X", BACK, 9, NOW).rings == ()


def test_a_chemical_process_mixes_by_the_key_analyte_of_its_kind(stored: Stored) -> None:
    node = Maker("P")
    stored.put([
        moved(1, ("lot/MATTE", "process/P"), 100), replace(
            moved(2, ("lot/FLUX", "process/P"), 100), metals=()),
        moved(3, ("process/P", "lot/X"), 50),
        replace(node.side("S", 0, "output", "P", kind="smelt", output_lot_id="X"), gateway_seq=1),
    ])  # fmt: skip
    smelt = replace(
        reference("any", PARTITION, 1), kind="process", id="smelt",
        valid_from=Micros(0), body='{"key_analyte": "Cu"}',
    )  # fmt: skip
    stored.put([smelt])
    found = trace(stored.ask, "X", NOW, 9, back=True)
    assert found.shares[DRY]["lot/FLUX"] == 0.0
    assert found.shares[DRY]["lot/MATTE"] == 1.0


@pytest.mark.parametrize("shape", ["--json", "--csv", "--table"])
def test_each_form_has_one_line_per_node(
    stored: Stored, monkeypatch: pytest.MonkeyPatch, shape: str
) -> None:
    told(stored, a_plant())
    lines = asked(stored, monkeypatch, "lineage", "X", shape).splitlines()
    assert len(lines) == (4 if shape == "--json" else 5)
    if shape == "--csv":
        assert lines[0].split(",")[:4] == ["lot_id", "process_id", "steps", "share_dry_fraction"]


def test_a_ring_is_named_and_the_depth_is_told(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored.put([
        moved(1, ("lot/A", "process/F"), 90), moved(2, ("lot/SLAG", "process/F"), 10),
        moved(3, ("process/F", "lot/SLAG"), 10), moved(4, ("process/F", "lot/X"), 80),
        moved(5, ("process/E", "lot/A"), 90),
    ])  # fmt: skip
    text = asked(stored, monkeypatch, "lineage", "X")
    assert "ring: process/F -> lot/SLAG -> process/F" in text
    assert "lot A  100.0 %" in text
    beyond = "1 lots lead on beyond 1 processes: --depth"
    assert beyond in asked(stored, monkeypatch, "lineage", "X", "--depth", "1")
    assert "beyond" not in asked(stored, monkeypatch, "lineage", "X", "--depth", "2")
    stored.put([moved(6, ("lot/X", "process/G"), 80)])
    assert beyond in asked(stored, monkeypatch, "lineage", "A", "--forward", "--depth", "1")
    assert "beyond" not in asked(stored, monkeypatch, "lineage", "A", "--forward")
