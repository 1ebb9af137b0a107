# ruff: noqa: ANN401  fields of a fact given by name: the fact class checks them
"""The second model against a pocket calculator: one example per rule of docs/ledger.md.

All rules hold here, whatever the core is held to so far; every figure was worked out by hand.
"""

from dataclasses import replace
from typing import Any

import pytest

from custody.events import AssayResult, Attribute, LotAssayed, LotFact, ReferenceSet
from tests.support.chain_references import record
from tests.support.facts import Maker, corrected
from tests.support.oracle.books import Oracle
from tests.support.oracle.rules import RULES

ALL = dict.fromkeys(RULES, True)
LEG = ("MINE", "DEPOT")


def model(*facts: LotFact, references: tuple[ReferenceSet, ...] = ()) -> Oracle:
    found = Oracle(facts, references, ALL)
    assert not any(found.net().values())
    return found


def stock(maker: Maker, minute: float, tonnes: float, site: str = "PLANT") -> LotFact:
    gross = round(tonnes * 1000) + 15_000
    return maker.weighing(site, minute, "stock", gross, 15_000, movement_id=None)


def certificate(
    maker: Maker, minute: float, cu: float, u: float = 0.0001, **more: Any
) -> LotAssayed:
    return maker.assay("PLANT", minute, {"Cu": (cu, u)}, None, **more)


def fed(lot: str, tonnes: float, cu: float, process: str = "P", **more: Any) -> list[LotFact]:
    """A lot of that mass, without water, that goes into a process as a whole."""
    maker = Maker(lot)
    declared = {k: more.pop(k) for k in ("attributes", "declared_origins") if k in more}
    return [
        maker.lot("PLANT", 0, {"Cu": cu}, **declared),
        stock(maker, 10, tonnes),
        maker.assay("PLANT", 20, {"Cu": (cu, 0.01 * cu)}, (0.0, 0.001)),
        maker.side("PLANT", more.pop("minute", 100), "input", process, **more),
    ]


def output(maker: Maker, lot: str, dry_t: float, minute: float = 200, **more: Any) -> LotFact:
    dry = round(dry_t * 1e6)
    fields = {"output_lot_id": lot, "mass_wet_g": dry, "mass_dry_g": dry} | more
    return maker.side("PLANT", minute, "output", "P", **fields)


def attribute(name: str, amount: float, unit: str, per: str) -> Attribute:
    return Attribute(name=name, amount=amount, unit=unit, per=per, quality="declared", source=None)


# Certificates


def test_certificates_that_agree_are_a_weighted_mean() -> None:
    """u 0.0001 and 0.0002: weights 4 and 1; (4 x 2.00 + 1 x 2.05)/5 = 2.01 %; q = 5 < 10.828."""
    m = Maker()
    found = model(
        stock(m, 0, 10),
        certificate(m, 5, 0.0200, 0.0001, lab_id="A"),
        certificate(m, 6, 0.0205, 0.0002, lab_id="B"),
    )
    fraction, basis = found.lots["L-1"].now.grades["Cu"]
    assert (round(fraction, 12), basis) == (0.0201, "dry")
    assert found.findings() == set()


def test_certificates_that_disagree_leave_the_newest_and_are_found() -> None:
    """Two units of u 0.0001 each 0.001 apart: q = 50 > 10.828."""
    m = Maker()
    found = model(certificate(m, 5, 0.020, lab_id="A"), certificate(m, 6, 0.021, lab_id="B"))
    assert found.lots["L-1"].now.grades["Cu"] == (0.021, "dry")
    assert found.findings() == {("certificates_disagree", "lot/L-1")}


def test_of_one_laboratory_the_newest_counts_and_a_lower_stage_does_not() -> None:
    m = Maker()
    found = model(
        certificate(m, 5, 0.020, stage="final"),
        certificate(m, 6, 0.030, stage="final"),
        certificate(m, 7, 0.090, stage="provisional", lab_id="C"),
    )
    assert found.lots["L-1"].now.grades["Cu"] == (0.030, "dry")


def test_the_newest_certificates_basis_leaves_others_out() -> None:
    m = Maker()
    wet = certificate(m, 6, 0.018, lab_id="B")
    results: tuple[AssayResult, ...] = (replace(wet.results[0], basis="as_is"),)
    found = model(certificate(m, 5, 0.020, lab_id="A"), replace(wet, results=results))
    assert found.lots["L-1"].now.grades["Cu"] == (0.018, "as_is")


# Exchange


def exchanged(s: float | None, b: float | None, u: float | None, rule: str | None) -> Oracle:
    m = Maker()
    facts: list[LotFact] = [m.lot("PLANT", 0, {}, contract_id="C")]
    sides = (("seller", s, "exchanged"), ("buyer", b, "exchanged"), ("umpire", u, "umpire"))
    for party, value, stage in sides:
        if value is not None:
            facts.append(certificate(m, 5, value, stage=stage, party=party, lab_id=party))
    body = {"splitting_limit": {"Cu": 0.003}} | ({} if rule is None else {"umpire_rule": rule})
    return model(*facts, references=(record(("contract", "C"), body, 1),))


@pytest.mark.parametrize(
    ("s", "b", "u", "rule", "book"),
    [
        (0.020, None, None, None, 0.020),
        (None, 0.021, None, None, 0.021),
        (0.020, 0.022, None, None, 0.021),
        (0.020, 0.022, 0.050, None, 0.021),
        (0.020, None, 0.026, "mean_with_nearer", 0.026),
        (None, 0.020, 0.026, "between_or_nearer", 0.026),
        (0.020, 0.030, None, None, 0.025),
        (0.020, 0.030, 0.026, None, 0.026),
        (0.020, 0.030, 0.026, "umpire", 0.026),
        (0.020, 0.030, 0.026, "mean_with_nearer", 0.028),
        (0.020, 0.030, 0.026, "between_or_nearer", 0.026),
        (0.020, 0.030, 0.036, "between_or_nearer", 0.030),
    ],
)
def test_exchange_of_assays(
    s: float | None, b: float | None, u: float | None, rule: str | None, book: float
) -> None:
    found = exchanged(s, b, u, rule)
    assert found.lots["L-1"].now.grades["Cu"][0] == pytest.approx(book)
    due = {("umpire_due", "lot/L-1")} if (s, b, u) == (0.020, 0.030, None) else set()
    assert found.findings() == due


# Travels


def test_a_trip_and_its_loss_on_the_basis_of_the_dispatch() -> None:
    """30 t at 10 % and 2 %: 27 t dry, 540 kg Cu; 50 kg less arrive: 45 kg dry, 0.9 kg Cu."""
    m = Maker()
    found = model(
        m.assay("MINE", -60, {"Cu": (0.02, 0.0002)}, (0.10, 0.002)),
        m.weighing("MINE", 0, "dispatch", 45_000, 15_000),
        m.move("dispatch", "MINE", 1, LEG),
        m.move("receipt", "DEPOT", 2, LEG),
        m.weighing("DEPOT", 3, "receipt", 44_950, 15_000),
    )
    assert found.accounts() == {
        "origin/MINE": {"wet": -30_000_000, "dry": -27_000_000, "Cu": -540_000_000},
        "lot/L-1/DEPOT": {"wet": 29_950_000, "dry": 26_955_000, "Cu": 539_100_000},
        "unaccounted/MINE-DEPOT": {"wet": 50_000, "dry": 45_000, "Cu": 900_000},
    }


def test_a_bought_lot_comes_from_its_party_and_a_sold_one_goes_to_its() -> None:
    m = Maker()
    found = model(
        m.move("receipt", "DEPOT", 0, ("X", "DEPOT"), counterparty="TRADER"),
        m.weighing("DEPOT", 1, "receipt", 45_000, 15_000),
        m.weighing("DEPOT", 2, "dispatch", 45_000, 15_000, movement_id="M-2"),
        replace(
            m.move("dispatch", "DEPOT", 3, LEG, movement_id="M-2"),
            to_site=None,
            counterparty="BUYER",
        ),
    )
    assert found.accounts() == {
        "outside/TRADER": {"wet": -30_000_000, "dry": -28_500_000},
        "outside/BUYER": {"wet": 30_000_000, "dry": 28_500_000},
    }


def test_more_leaves_than_came_and_it_is_found() -> None:
    """30 t came and 40 t left, each known to about 43 kg: far beyond 4 sigma."""
    m = Maker()
    found = model(
        stock(m, 0, 30, "DEPOT"),
        m.weighing("DEPOT", 2, "dispatch", 55_000, 15_000),
        m.move("dispatch", "DEPOT", 3, ("DEPOT", "PORT")),
    )
    assert found.accounts()["unaccounted/L-1"]["wet"] == -10_000_000
    assert found.findings() == {("overdrawn", "lot/L-1")}


# What stands


def test_corrections_and_voids_and_what_is_odd_about_them() -> None:
    m = Maker()
    first = stock(m, 0, 30)
    once = corrected(first, "once", 10, net_g=20_000_000)
    again = corrected(first, "again", 20, net_g=21_000_000)
    assert model(first, again, once).accounts()["lot/L-1/PLANT"]["wet"] == 21_000_000
    assert model(first, again, once).findings() == {("correction_conflict", "lot/L-1")}
    assert model(once).findings() == {("correction_target_unseen", "lot/L-1")}
    void = corrected(first, "void", 30, void=True)
    voided = model(first, void, corrected(void, "no", 30, void=True))
    assert voided.accounts() == {}
    assert voided.findings() == {("void_of_void", "lot/L-1")}


def test_a_reference_begins_late_is_corrected_and_withdrawn() -> None:
    first = record(("commodity", "copper"), {"moisture_fraction": 0.2}, 1)
    second = record(("commodity", "copper"), {"moisture_fraction": 0.4}, 2)
    gone = replace(
        second, event_id="gone", corrects=second.event_id, void=True, recorded_at=second.recorded_at
    )

    def dry(*references: ReferenceSet) -> int:
        m = Maker()
        told = model(m.lot("PLANT", 0, {}), stock(m, 1, 10), references=references)
        return told.accounts()["lot/L-1/PLANT"]["dry"]

    assert dry() == 9_500_000
    assert dry(second, first) == 6_000_000
    assert dry(gone, second, first) == 8_000_000


# Processes


def test_a_split_in_three_gives_the_last_output_what_rounding_left() -> None:
    """10 g Cu in 1 t over three outputs of a third: 3,333 mg each, the last one 3,334."""
    m = Maker("sides")
    parts = [
        output(m, lot, 0, mass_wet_g=grams, mass_dry_g=grams)
        for lot, grams in (("X", 333_333), ("Y", 333_333), ("Z", 333_334))
    ]
    found = model(*fed("A", 1, 1e-5), *parts, m.side("PLANT", 300, "close", "P"))
    copper = sorted(found.accounts()[f"lot/{lot}/PLANT"]["Cu"] for lot in ("X", "Y", "Z"))
    assert copper == [3_333, 3_333, 3_334]
    assert not {a for a in found.accounts() if a.startswith(("process/", "unaccounted/P"))}


def test_a_concentrator_with_recovery_and_key_analyte() -> None:
    """600 kg Cu, recovery 0.9: 540 kg over 2 t; tailings take 60 kg.

    Origins by contained copper: 400 kg of one mine, 200 kg of the other.
    """
    m = Maker("sides")
    body = {"recovery": 0.9, "key_analyte": "Cu"}
    found = model(
        *fed("A", 10, 0.04),
        *fed("B", 10, 0.02, minute=101, declared_origins=()),
        output(m, "C", 2, kind="concentrate"),
        m.side("PLANT", 210, "loss", "P", kind="concentrate", loss_kind="t", mass_dry_g=18_000_000),
        m.side("PLANT", 300, "close", "P", kind="concentrate"),
        references=(record(("process", "concentrate"), body, 1),),
    )
    assert found.accounts()["lot/C/PLANT"]["Cu"] == 540_000_000
    assert found.accounts()["loss/P/t"]["Cu"] == 60_000_000
    assert found.lots["C"].carried.origins == {
        ("site", "PLANT"): pytest.approx(2 / 3),
        ("unknown", ""): pytest.approx(1 / 3),
    }


def test_a_smelter_converts_mass_and_makes_metal_where_it_stands() -> None:
    m = Maker("sides")
    found = model(
        *fed("A", 10, 0.04),
        output(m, "C", 0.4, kind="smelt"),
        m.side("PLANT", 300, "close", "P", kind="smelt"),
        references=(record(("site", "PLANT"), {"name": "PLANT", "country": "ZM"}, 1),),
    )
    assert found.accounts()["conversion/P"] == {"wet": 9_600_000, "dry": 9_600_000}
    assert found.accounts()["unaccounted/P"] == {"Cu": 20_000_000}
    assert found.lots["C"].carried.shares["metal", "ZM"] == 1.0


def test_a_process_that_gives_far_more_than_it_got_is_found_open_or_closed() -> None:
    m = Maker("sides")
    sides = [*fed("A", 10, 0.04), output(m, "C", 25)]
    assert model(*sides).findings() == {("output_exceeds_input", "process/P")}
    closed = model(*sides, m.side("PLANT", 300, "close", "P"))
    assert closed.findings() == {("output_exceeds_input", "process/P")}


def test_a_measured_output_tells_its_process() -> None:
    """Handed over 10 t with 400 kg Cu; its certificate says 4.1 %: 10 kg came from the process."""
    m, x = Maker("sides"), Maker("X")
    found = model(
        *fed("A", 10, 0.04),
        output(m, "X", 10),
        m.side("PLANT", 300, "close", "P"),
        certificate(x, 400, 0.041, stage="final"),
    )
    assert found.accounts()["lot/X/PLANT"]["Cu"] == 410_000_000
    assert found.accounts()["unaccounted/P"] == {"Cu": -10_000_000}
    assert "unaccounted/X" not in found.accounts()


# Attributes


def test_attributes_go_to_outputs_by_mass_and_never_to_losses() -> None:
    """10 t with 50 kg/t and 100 kg of the plant: 600 kg over 2 t and 4 t, 200 and 400 kg."""
    m = Maker("sides")
    ghg = (attribute("ghg", 50, "kg", "t_dry"),)
    own = (attribute("ghg", 100, "kg", "total"),)
    sides = [
        *fed("A", 10, 0.04, attributes=ghg),
        output(m, "X", 2),
        output(m, "Y", 4),
        m.side("PLANT", 205, "loss", "P", loss_kind="t", mass_dry_g=4_000_000),
        m.side("PLANT", 206, "added", "P", attributes=own),
    ]
    opened = model(*sides).attributes()
    assert opened["lot/X/PLANT"] == {"@ghg/kg/declared": 120_000_000}
    closed = model(*sides, m.side("PLANT", 300, "close", "P")).attributes()
    assert closed["lot/X/PLANT"] == {"@ghg/kg/declared": 200_000_000}
    assert closed["lot/Y/PLANT"] == {"@ghg/kg/declared": 400_000_000}
    # The first weighing knew 5 % moisture by default: 25 kg came with the certificate.
    assert closed["origin/PLANT"] == {"@ghg/kg/declared": -575_000_000}
    assert closed["unaccounted/A"] == {"@ghg/kg/declared": -25_000_000}
    assert not {a for a in closed if a.startswith("loss/")}


# Stockpiles


def pile(mixing: str) -> Oracle:
    """10 t with 400 kg of one mine, 10 t with 200 kg of nobody; 5 t, then 10 t are taken."""
    m = Maker("sides")
    return model(
        *fed("A", 10, 0.04, kind="stockpile", minute=100),
        *fed("B", 10, 0.02, kind="stockpile", minute=101, declared_origins=()),
        output(m, "X", 5, kind="stockpile"),
        output(m, "Y", 10, 201, kind="stockpile"),
        references=(record(("process", "P"), {"mixing": mixing}, 1),),
    )


def test_a_well_mixed_pile_gives_its_mean() -> None:
    found = pile("perfect")
    assert found.accounts()["lot/X/PLANT"]["Cu"] == 150_000_000
    assert found.accounts()["lot/Y/PLANT"]["Cu"] == 300_000_000
    assert found.accounts()["process/P"]["Cu"] == 150_000_000
    assert found.lots["X"].carried.origins["site", "PLANT"] == pytest.approx(0.5)


def test_a_layered_pile_gives_the_oldest_first() -> None:
    """X is 5 t of the first; Y is the other 5 t of it and 5 t of the second: 200 + 100 kg."""
    found = pile("fifo")
    assert found.accounts()["lot/X/PLANT"]["Cu"] == 200_000_000
    assert found.accounts()["lot/Y/PLANT"]["Cu"] == 300_000_000
    assert found.lots["X"].carried.origins == {("site", "PLANT"): pytest.approx(1.0)}
    assert found.lots["Y"].carried.origins["unknown", ""] == pytest.approx(0.5)


def test_a_stock_taking_ends_a_period() -> None:
    """10 t with 400 kg, measured as 9 t: 1 t with 40 kg is unaccounted for; 9 t stay."""
    m = Maker("sides")
    more = {"kind": "stockpile", "mass_wet_g": 9_000_000, "mass_dry_g": 9_000_000}
    found = model(*fed("A", 10, 0.04, kind="stockpile"), m.side("PLANT", 200, "stock", "P", **more))
    assert found.accounts()["unaccounted/P"]["Cu"] == 40_000_000
    assert found.accounts()["process/P"] == {
        "wet": 9_000_000, "dry": 9_000_000, "Cu": 360_000_000,
    }  # fmt: skip


def test_more_than_lies_there_moves_all_the_same_and_is_found() -> None:
    m = Maker("sides")
    found = model(*fed("A", 10, 0.04, kind="stockpile"), output(m, "X", 25, kind="stockpile"))
    assert found.findings() == {("output_exceeds_content", "process/P")}
    assert found.accounts()["process/P"] == {"wet": -15_000_000, "dry": -15_000_000}
    assert found.accounts()["lot/X/PLANT"]["Cu"] == 400_000_000
