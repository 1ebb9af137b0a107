"""Continuous nodes by hand: what lies there, what leaves it, what a survey of the stock says."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from custody.events import Attribute, MaterialProcessed
from custody.layers import LAYERS_MAX
from custody.process_rows import ProcessRow
from custody.records import Alert, Content, OriginShare, Part, Transfer
from tests.support.facts import Maker, corrected
from tests.support.plant import ROW_MAX, Plant, amounts_of, handed, reference, shares_of

TONNE = 1_000_000
FIFO = reference("process", "P-1", '{"mixing":"fifo"}')


class Pile:
    """Sides of a stockpile P-1; lots are called after their outputs."""

    def __init__(self, kind: str = "stockpile") -> None:
        self.maker = Maker("pile")
        self.kind = kind

    def side(self, part: str, minute: float, dry: int | None = None, **more: Any) -> Any:  # noqa: ANN401
        masses = {"mass_dry_g": dry, "mass_wet_g": dry, "kind": self.kind}
        return self.maker.side("YARD", minute, part, "P-1", **(masses | more))

    def out(self, lot: str, minute: float, dry: int, **more: Any) -> MaterialProcessed:  # noqa: ANN401
        side: MaterialProcessed = self.side("output", minute, dry, output_lot_id=lot, **more)
        return side


def open_alerts(plant: Plant) -> list[Alert]:
    last = {one.alert_id: one for one in plant.outputs if isinstance(one, Alert)}
    return [one for one in last.values() if one.state == "open"]


def told_to(plant: Plant, lot: str) -> Content:
    return next(c for c in plant.told.values() if c.to_owner == "lot/" + lot)


def taken(plant: Plant, lot: str) -> dict[str, int]:
    found = amounts_of(told_to(plant, lot))
    found.pop("wet", None)
    return found


def test_an_output_takes_its_part_of_what_lies_there_and_later_trucks_do_not_change_it() -> None:
    pile, plant = Pile(), Plant()
    plant.tell(
        handed("A", 0, 30 * TONNE, {"Cu": 300}, site="A"),
        handed("B", 10, 10 * TONNE, {"Cu": 500}, site="B"),
        pile.out("X", 20, 10 * TONNE),
        handed("C", 30, 30 * TONNE, {"Cu": 30_000}, site="C"),
        pile.out("Y", 40, 30 * TONNE),
    )
    assert taken(plant, "X") == {"dry": 10 * TONNE, "Cu": 200}
    assert shares_of(told_to(plant, "X")) == {"A": 0.75, "B": 0.25}
    assert taken(plant, "Y") == {"dry": 30 * TONNE, "Cu": 15_300}
    assert shares_of(told_to(plant, "Y")) == {"A": 0.375, "B": 0.125, "C": 0.5}
    assert plant.held["Cu"] == 15_300
    assert plant.balance.status == "open"


def test_what_came_first_leaves_first() -> None:
    pile, plant = Pile(), Plant()
    plant.tell(FIFO)
    plant.tell(
        handed("A", 0, 30 * TONNE, {"Cu": 300}, site="A"),
        handed("B", 10, 10 * TONNE, {"Cu": 500}, site="B"),
        pile.out("X", 20, 20 * TONNE),
        pile.out("Y", 30, 15 * TONNE),
    )
    assert taken(plant, "X") == {"dry": 20 * TONNE, "Cu": 200}
    assert shares_of(told_to(plant, "X")) == {"A": 1.0}
    assert taken(plant, "Y") == {"dry": 15 * TONNE, "Cu": 100 + 250}
    assert shares_of(told_to(plant, "Y")) == pytest.approx({"A": 2 / 3, "B": 1 / 3})


@pytest.mark.slow
def test_many_layers_are_joined_and_nothing_is_lost() -> None:
    pile, plant = Pile(), Plant()
    plant.tell(FIFO)
    trucks = [handed(f"in-{n}", n, TONNE + n, {"Cu": 1000 + n}, site=f"M{n}") for n in range(150)]
    plant.tell(*trucks)
    plant.tell(pile.side("stock", 1e5, 200 * TONNE))
    plant.tell(pile.side("stock", 1e5 + 1, None, mass_dry_g=0))
    layers = [state.layers for key, state in plant.rows.items() if key.startswith("state/")]  # type: ignore[attr-defined]
    assert max(len(some) for some in layers) == LAYERS_MAX
    assert plant.posted()["unaccounted/P-1"]["Cu"] == sum(1000 + n for n in range(150))
    assert plant.held == {}


def test_within_one_moment_what_goes_in_comes_before_what_goes_out() -> None:
    pile, plant = Pile(), Plant()
    plant.tell(
        pile.side("stock", 0, 30 * TONNE),
        pile.out("X", 0, 10 * TONNE),
        handed("A", 0, 40 * TONNE, {"Cu": 400}),
        together=True,
    )
    assert taken(plant, "X") == {"dry": 10 * TONNE, "Cu": 100}
    assert plant.ticked() == []
    assert plant.held["dry"] == 30 * TONNE
    assert "unaccounted/P-1" not in plant.posted() or "dry" not in plant.posted()["unaccounted/P-1"]


def test_a_survey_ends_a_period_with_what_is_not_accounted_for() -> None:
    pile, plant = Pile(), Plant()
    plant.tell(
        handed("A", 0, 40 * TONNE, {"Cu": 400}, attributes={"ghg": 80}),
        pile.out("X", 10, 10 * TONNE),
        pile.side("loss", 15, 2 * TONNE, loss_kind="dust"),
        pile.side("stock", 20, 21 * TONNE),
        pile.out("Y", 30, 21 * TONNE),
    )
    assert plant.posted()["loss/P-1/dust"]["Cu"] == 20
    assert "ghg" not in plant.posted()["loss/P-1/dust"]
    lost = plant.posted()["unaccounted/P-1"]
    assert (lost["dry"], lost["Cu"]) == (7 * TONNE, 70)
    assert "ghg" not in lost
    assert taken(plant, "Y") == {"dry": 21 * TONNE, "Cu": 210, "ghg": 60}
    assert plant.held == {}


def test_what_was_burnt_for_a_pile_that_is_gone_stays_with_the_next_one() -> None:
    pile, plant = Pile(), Plant()
    plant.tell(
        handed("A", 0, 40 * TONNE, attributes={"ghg": 80}),
        pile.side("stock", 10, 0),
        handed("B", 20, 10 * TONNE),
        pile.out("X", 30, 10 * TONNE),
    )
    assert taken(plant, "X") == {"dry": 10 * TONNE, "ghg": 80}


def test_a_metal_that_no_layer_could_hold_is_not_multiplied_by_a_survey() -> None:
    pile, plant = Pile(), Plant()
    output = pile.out("X", 10, 40 * TONNE - 1)
    plant.tell(handed("A", 0, 40 * TONNE, {"Cu": 10**9}), output)
    more = {"cause_event_id": output.event_id, "from_owner": "lot/X"}
    plant.tell(handed("m", 300, 0, {"Cu": 10**8}, **more))
    plant.tell(pile.side("stock", 20, 50 * TONNE), pile.out("Y", 30, 50 * TONNE))
    assert taken(plant, "Y") == {"dry": 50 * TONNE, "Cu": 1000 * 50 * TONNE}
    assert plant.posted()["unaccounted/P-1"]["Cu"] == 10**8 + 25 - 1000 * 50 * TONNE


def test_the_first_survey_opens_the_pile_and_a_truck_before_it_makes_it_a_period() -> None:
    pile, plant = Pile(), Plant()
    plant.tell(pile.side("stock", 20, 100 * TONNE), pile.out("X", 30, 50 * TONNE))
    assert plant.posted()["origin/YARD"]["dry"] == -100 * TONNE
    assert shares_of(told_to(plant, "X")) == {"unknown": 1.0}
    plant.tell(handed("A", 0, 90 * TONNE, {"Cu": 900}, site="A"))
    assert "origin/YARD" not in plant.posted()
    assert plant.posted()["unaccounted/P-1"]["dry"] == -10 * TONNE
    assert shares_of(told_to(plant, "X")) == {"A": 1.0}
    assert taken(plant, "X") == {"dry": 50 * TONNE, "Cu": 500}


def test_a_survey_that_differs_is_found_until_the_truck_that_explains_it_comes() -> None:
    """The example of docs/detection/process-nodes.md: ten trucks on one scale, 10 t are missing."""
    pile, plant = Pile(), Plant()
    scale = (Part(source="WB-1", u=30_000.0),)
    for n in range(10):
        u = 60_000 / (30 * TONNE)
        plant.tell(handed(f"T{n}", n, 30 * TONNE, u=u, mass_dry_u_systematic_g=scale))
    plant.tell(pile.side("stock", 20, 290 * TONNE, u_mass_g=1_500_000))
    plant.pass_ticks()
    assert plant.findings == ["stock_unaccounted"]
    [alert] = open_alerts(plant)
    assert (alert.rule, alert.severity) == ("stock_unaccounted", "high")
    assert "290.000 t of dry mass where 300.000 t should lie: 10.000 t too little" in alert.reason
    assert "(u 1.541 t, -6.5 sigma)" in alert.reason
    plant.tell(pile.out("X", 15, 9 * TONNE))
    assert open_alerts(plant) == []


def test_a_survey_that_states_no_u_counts_with_five_percent() -> None:
    pile, plant = Pile(), Plant()
    plant.tell(handed("A", 0, 100 * TONNE), pile.side("stock", 10, 84 * TONNE))
    assert plant.ticked() == []
    plant.tell(handed("B", 20, 16 * TONNE), pile.side("stock", 30, 60 * TONNE))
    plant.pass_ticks()
    assert plant.findings == ["stock_unaccounted"]


def test_a_survey_and_an_input_without_any_uncertainty_are_compared_to_the_gram() -> None:
    pile, plant = Pile(), Plant()
    plant.tell(handed("A", 0, 100, u=0.0), pile.side("stock", 10, 97, u_mass_g=0))
    assert plant.ticked() == []
    plant.tell(handed("B", 20, 3, u=0.0), pile.side("stock", 30, 95, u_mass_g=0))
    plant.pass_ticks()
    assert plant.findings == ["stock_unaccounted"]


def test_what_separates_is_not_compared_with_a_survey() -> None:
    pile, plant = Pile("concentrate"), Plant()
    plant.tell(reference("process", "P-1", '{"continuous":true,"key_analyte":"Cu"}'))
    plant.tell(handed("A", 0, 100 * TONNE), pile.side("stock", 10, 5 * TONNE, u_mass_g=1))
    assert plant.ticked() == []


def test_honest_surveys_are_seldom_found() -> None:
    """Errors drawn with the u that is stated: beyond 4 sigma is one survey in 16,000."""
    rng, found = Random(7), 0
    for number in range(100):
        pile, plant = Pile(), Plant()
        bridge, true = rng.gauss(0, 30_000), 0
        scale = (Part(source="WB-1", u=30_000.0),)
        for n in range(12):
            mass = rng.randint(20, 40) * TONNE
            true += mass
            said = round(mass + rng.gauss(0, 60_000) + bridge)
            u = 60_000 / said
            plant.tell(handed(f"{number}-{n}", n, said, u=u, mass_dry_u_systematic_g=scale))
        seen = round(rng.gauss(true, 3_000_000))
        plant.tell(pile.side("stock", 20, seen, u_mass_g=3_000_000))
        found += len(plant.ticked())
    assert found == 0


def test_more_than_is_there_is_found_takes_all_and_stays_as_a_debt() -> None:
    pile, plant = Pile(), Plant()
    over = pile.out("X", 10, 50 * TONNE)
    plant.tell(handed("A", 0, 40 * TONNE, {"Cu": 400}), over)
    plant.pass_ticks()
    assert plant.findings == ["output_exceeds_content"]
    assert taken(plant, "X") == {"dry": 50 * TONNE, "Cu": 400}
    assert plant.held["dry"] == -10 * TONNE
    plant.tell(handed("B", 20, 10 * TONNE, {"Cu": 70}), pile.out("Y", 30, 5 * TONNE))
    assert taken(plant, "Y") == {"dry": 5 * TONNE, "Cu": 35}
    plant.tell(corrected(over, "c", mass_dry_g=40 * TONNE, mass_wet_g=40 * TONNE))
    assert plant.held == {"wet": 7_631_579, "dry": 5 * TONNE, "Cu": 35}


def test_a_difference_of_scales_is_no_finding() -> None:
    pile, plant = Pile(), Plant()
    plant.tell(handed("A", 0, 40 * TONNE), pile.out("X", 10, round(40.2 * TONNE)))
    assert plant.ticked() == []


def test_the_dry_mass_that_is_left_is_as_well_known_as_the_dry_part_of_what_was_lost() -> None:
    pile, plant = Pile(), Plant()
    plant.tell(handed("A", 0, 40 * TONNE, u=0.0))
    half = {"mass_wet_g": 10 * TONNE, "mass_dry_g": 5 * TONNE, "u_mass_g": 1_000_000}
    plant.tell(pile.side("loss", 10, loss_kind="mud", **half))
    assert plant.balance.mass_wet_u_random_g == pytest.approx(1_000_000)
    assert plant.balance.mass_dry_u_random_g == pytest.approx(500_000)


def test_a_separating_node_hands_over_no_metal_and_a_measurement_takes_it_out() -> None:
    pile, plant = Pile("leach"), Plant()
    plant.tell(reference("process", "P-1", '{"continuous":true,"key_analyte":"Cu"}'))
    output = pile.out("X", 20, 10 * TONNE)
    plant.tell(
        handed("A", 0, 30 * TONNE, {"Cu": 100}, site="POOR"),
        handed("B", 10, 10 * TONNE, {"Cu": 300}, site="RICH"),
        output,
    )
    assert told_to(plant, "X").metals == ()
    assert shares_of(told_to(plant, "X")) == {"POOR": 0.25, "RICH": 0.75}
    assert plant.held["Cu"] == 400
    more = {"cause_event_id": output.event_id, "from_owner": "lot/X"}
    plant.tell(handed("m", 300, 0, {"Cu": -120}, **more))
    assert plant.held["Cu"] == 280
    plant.tell(pile.side("stock", 400, 15 * TONNE))
    # 300 were drawn with what lies there by then; of those and the rest, 120 were measured.
    assert plant.held["Cu"] == 150
    assert plant.posted()["unaccounted/P-1"]["Cu"] == 130


def test_a_measured_output_changes_what_later_ones_take() -> None:
    pile, plant = Pile(), Plant()
    first = pile.out("X", 20, 10 * TONNE)
    plant.tell(handed("A", 0, 40 * TONNE, {"Cu": 400}), first, pile.out("Y", 30, 10 * TONNE))
    assert taken(plant, "Y")["Cu"] == 100
    more = {"cause_event_id": first.event_id, "from_owner": "lot/X"}
    measured = handed("m", 300, 0, {"Cu": -30}, **more)
    plant.tell(measured)
    assert taken(plant, "X")["Cu"] == 100
    assert taken(plant, "Y")["Cu"] == 90
    plant.tell(replace(measured, void=True))
    assert taken(plant, "Y")["Cu"] == 100


def test_what_the_plant_adds_leaves_with_what_lies_there() -> None:
    pile, plant = Pile(), Plant()
    ghg = Attribute(name="ghg", amount=8.0, unit="kg", per="total", quality="measured", source=None)
    plant.tell(
        pile.side("added", 0, None, attributes=(ghg,)),
        handed("A", 10, 40 * TONNE, attributes={"ghg": 2_000_000}),
        pile.out("X", 20, 10 * TONNE),
        pile.out("Y", 30, 30 * TONNE),
    )
    assert taken(plant, "X")["ghg"] == 2_500_000
    assert taken(plant, "Y")["ghg"] == 7_500_000
    assert plant.posted()["origin/YARD"] == {"ghg": -8_000_000}


def test_a_change_that_changes_nothing_later_is_told_to_nobody_later() -> None:
    pile, plant = Pile(), Plant()
    for n in range(100):
        plant.tell(handed(f"in-{n}", 10 * n, TONNE, {"Cu": 100}, site="A"))
        plant.tell(pile.out(f"X-{n}", 10 * n + 5, TONNE))
    said = len(plant.outputs)
    plant.tell(handed("in-50", 500, TONNE, {"Cu": 300}, site="A"))
    new = [output for output in plant.outputs[said:] if isinstance(output, Transfer | Content)]
    assert {output.cause_event_id for output in new} == {
        told_to(plant, "X-50").cause_event_id,
        handed("in-50", 500, 1).cause_event_id,
    }


@pytest.mark.slow
def test_trucks_in_any_order_make_the_pages_of_the_right_order() -> None:
    rng = Random(7)
    pile = Pile()
    records: list[Any] = [
        handed(f"in-{n}", n, rng.randint(1, TONNE), {"Cu": rng.randint(0, 10**6)}, site=f"M{n % 5}")
        for n in range(140)
    ]
    records += [pile.out(f"X-{n}", n + 3.5, rng.randint(1, TONNE)) for n in range(140)]
    records += [pile.side("stock", 30.0 * n, rng.randint(1, 9 * TONNE)) for n in range(5)]
    ordered, mixed = Plant(checked=False), Plant(checked=False)
    ordered.tell(*sorted(records, key=lambda r: getattr(r, "effective_at", 0) or r.occurred_at))
    rng.shuffle(records)
    mixed.tell(*records)
    assert {c: amounts_of(o) for c, o in mixed.told.items()} == {
        c: amounts_of(o) for c, o in ordered.told.items()
    }
    assert mixed.posted() == ordered.posted()
    row = mixed.rows["process/P-1"]
    assert isinstance(row, ProcessRow)
    assert len(row.pages) > 4
    assert [ref.at for ref in row.pages] == sorted(ref.at for ref in row.pages)


@pytest.mark.slow
def test_voided_events_leave_no_empty_page_behind() -> None:
    pile, plant = Pile(), Plant()
    outputs = [pile.out(f"X-{n}", n, TONNE) for n in range(130)]
    plant.tell(handed("A", 0, 200 * TONNE), *outputs)
    plant.tell(*[corrected(side, f"v-{n}", void=True) for n, side in enumerate(outputs)])
    row = plant.rows["process/P-1"]
    assert isinstance(row, ProcessRow)
    assert len(row.pages) == 1
    assert plant.told == {}
    assert plant.held["dry"] == 200 * TONNE


@pytest.mark.slow
@pytest.mark.parametrize("mixing", ["perfect", "fifo"])
def test_long_names_and_many_origins_stay_in_small_rows_and_steps(mixing: str) -> None:
    pile, plant = Pile(), Plant()
    plant.tell(reference("process", "P-1", f'{{"mixing":"{mixing}"}}'))
    for n in range(40):
        origins = tuple(
            OriginShare(level="site", id=f"{n}-{m}-" + "mine" * 20, share=1 / 200)
            for m in range(200)
        )
        plant.tell(handed(f"in-{n}", n, TONNE, {"Cu": 10**6, "Co": 10**5}, origins=origins))
    plant.tell(*[pile.out(f"X-{n}", 1000.0 + n, TONNE // 2) for n in range(40)])
    plant.tell(handed("late", 0, TONNE, {"Cu": 10**7}, site="LATE"))
    assert len(plant.told) == 40
    assert max(plant.sizes.values()) < ROW_MAX, dict(plant.sizes)
