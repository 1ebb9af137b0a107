"""Lineage and traceability as a person asks for them: over HTTP, from a running stack.

Lot A: 30 t wet at 1 % Cu; lot B: 10 t at 3 %, its truck without a movement_id; both 10 % moist, so
27 and 9 t dry and 270 kg of copper each. A concentrator whose own record names copper turns them
into lot X: half of it is of A by copper, three quarters by mass.
"""

from collections.abc import Mapping
from typing import cast

import pytest

from tests.support.facts import event_id
from tests.support.gateway import wait_for
from tests.support.system import System

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

A, B, X = "L-LIN-A", "L-LIN 'B' \\ 50 %", "L-LIN-X"
PROCESS = "P-LIN"
DAY = "2026-10-0{}T0{}:{:02}:00Z"

Request = Mapping[str, object]


def a_way(lot: str, mine: str, tonnes: int, copper_pct: float, trip: str | None) -> list[Request]:
    """A lot from its mine to the plant, weighed at both ends, with a certificate."""
    here = {"site_id": mine, "lot_id": lot}
    truck: dict[str, object] = {"vehicle_id": "LIN 1", **({"movement_id": trip} if trip else {})}
    kg = tonnes * 1_000
    scale = {
        "type": "weighing", "lot_id": lot, **truck, "gross_kg": kg + 15_000, "tare_kg": 15_000,
        "net_kg": kg, "tare_kind": "weighed",
    }  # fmt: skip
    return [
        {
            "type": "lot", **here, "occurred_at": DAY.format(1, 6, 0), "form": "ore",
            "commodity": "copper", "custody_model": "mass_balance", "custodian": mine,
            "declared_origins": [{"level": "site", "id": mine, "share": 1.0}],
        },
        {
            "type": "assay", **here, "occurred_at": DAY.format(1, 6, 5), "lab_id": "LAB-LIN",
            "certificate_no": f"A {lot}", "stage": "final", "party": "seller",
            "moisture": {"value": 10.0, "unit": "pct", "u": 0.2},
            "results": [{"analyte": "Cu", "value": copper_pct, "unit": "pct", "basis": "dry"}],
        },
        {
            **scale, "site_id": mine, "device_id": f"WB-{mine}", "ticket_no": f"{lot} 1",
            "occurred_at": DAY.format(1, 7, 0), "purpose": "dispatch", "direction": "out",
        },
        {
            "type": "shipment", **here, **truck, "kind": "dispatch", "carrier": "TRK",
            "occurred_at": DAY.format(1, 7, 1), "from_site": mine, "to_site": "LIN-PLANT",
            # Papers without a movement_id have no natural key.
            "event_id": event_id(f"papers of {lot}"),
        },
        {
            **scale, "site_id": "LIN-PLANT", "device_id": "WB-LIN", "ticket_no": f"{lot} 2",
            "occurred_at": DAY.format(1, 8, 0), "purpose": "receipt", "direction": "in",
        },
    ]  # fmt: skip


def side(lot: str, kg: int) -> dict[str, object]:
    return {"lot_id": lot, "mass_wet_kg": kg, "moisture_fraction": 0.1, "u_mass_kg": 20}


FACTS: list[Request] = [
    {
        "type": "reference", "kind": "process", "id": PROCESS, "body": {"key_analyte": "Cu"},
        "valid_from": "2026-01-01T00:00:00Z",
    },
    *a_way(A, "LIN-MINE-A", 30, 1.0, "WAY-LIN-A"),
    *a_way(B, "LIN-MINE-B", 10, 3.0, None),
    {
        "type": "processing", "site_id": "LIN-PLANT", "process_id": PROCESS, "kind": "concentrate",
        "occurred_at": DAY.format(2, 6, 0), "inputs": [side(A, 30_000), side(B, 10_000)],
        "outputs": [side(X, 3_000)], "losses": [], "close": True,
    },
]  # fmt: skip


def is_whole(rows: list[dict[str, object]]) -> bool:
    """Tell whether the books have the lot that came out, with the origins of both that went in."""
    return len(rows) == 4 and len(cast("dict[str, float]", rows[0]["origins"])) == 2


@pytest.fixture(scope="module")
def plant(system: System) -> System:
    """The stack once the books have the lot that came out."""
    system.publish(FACTS)
    wait_for(lambda: is_whole(system.lines("lineage", X, check=False)))
    return system


def lines(system: System, *arguments: str) -> dict[object, dict[str, object]]:
    """The answer's objects, by lot or process."""
    rows = system.lines("lineage", *arguments)
    return {row["lot_id"] or row["process_id"]: row for row in rows}


def test_back_names_what_a_lot_was_made_of_with_shares_and_origins(plant: System) -> None:
    found = lines(plant, X, "--back")
    assert list(found) == [X, PROCESS, B, A]
    assert [row["steps"] for row in found.values()] == [0, 1, 2, 2]
    for lot, mine in ((A, "LIN-MINE-A"), (B, "LIN-MINE-B")):
        assert found[lot]["share_dry_fraction"] == pytest.approx(0.5)
        assert found[lot]["share_metal_fraction"] == {"Cu": pytest.approx(0.5)}
        assert found[lot]["origins"] == {mine: 1.0}
    assert found[X]["origins"] == pytest.approx({"LIN-MINE-A": 0.5, "LIN-MINE-B": 0.5})
    text = plant.custody("lineage", X).stdout.splitlines()
    assert text[0].startswith(f"lot {X}  100.0 %  Cu 100.0 %")
    assert [line for line in text if B in line]


def test_forward_names_where_it_went_and_how_much_of_it_is_there(plant: System) -> None:
    found = lines(plant, B, "--forward")
    assert list(found) == [B, PROCESS, X]
    assert found[B]["held_dry_g"] == 0
    # 2.7 t dry, half of it by copper; the concentrate holds 88 % of 540 kg.
    assert found[X]["held_dry_g"] == 1_350_000
    metals = found[X]["held_metal_mg"]
    assert isinstance(metals, dict)
    assert metals["Cu"] == pytest.approx(0.5 * 0.88 * 540e6, rel=1e-6)


def test_an_instant_shows_what_was_so_and_known_by_then(plant: System) -> None:
    assert list(lines(plant, X, "--at", "2026-10-03")) == [X, PROCESS, B, A]
    assert list(lines(plant, A, "--forward", "--at", "2026-10-02")) == [A]
    none = plant.custody("traceability", X, "--at", "2026-10-03", "--known", "2026-10-03",
                         check=False)  # fmt: skip
    assert (none.returncode, none.stdout) == (2, "")
    assert f"lot {X}: no transfer of it at" in none.stderr


def test_traceability_says_what_is_proved_and_the_first_gap(plant: System) -> None:
    by_name = {one["element"]: one for one in plant.lines("traceability", X)}
    gap = {
        "origin": None, "geographic_path": None,
        "chain_of_custody": f"lot {X} names no custodian",
        "physical_evolution": f"lot {X} has no weighing and no assay",
    }  # fmt: skip
    assert {name: one["first_gap"] for name, one in by_name.items()} == gap
    confirmed = {"confirmed": 1.0, "declared": 0.0, "measured": 0.0, "none": 0.0}
    assert by_name["geographic_path"]["dry_fraction"] == pytest.approx(confirmed)
    measured = confirmed | {"confirmed": 0.0, "measured": 1.0}
    assert by_name["origin"]["dry_fraction"] == pytest.approx(measured)
    assert by_name["origin"]["origins_fraction"] == pytest.approx(
        {"LIN-MINE-A": 0.5, "LIN-MINE-B": 0.5}
    )
    text = plant.custody("traceability", X).stdout
    assert f"first gap: lot {X} names no custodian" in text
    assert "origin: LIN-MINE-A 50.0 %, LIN-MINE-B 50.0 %" in text
