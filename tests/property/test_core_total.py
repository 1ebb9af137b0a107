"""The core takes whatever the schemas allow, and says nothing that a reader would not take.

A fact that raises would end the worker, and again after each restart; an output beyond its limits
would be a dead letter, and its receiver's books would lack it.
"""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custody.events import LotFact, Micros, ReferenceSet
from schemas import codec
from schemas.routes import BY_TYPE
from tests.support import strategies
from tests.support.facts import Maker, event_id
from tests.support.world import World

NAMES = st.sampled_from(["A", "B"])


def named(fact: Any, names: list[str]) -> LotFact:  # noqa: ANN401  any class of fact
    """Let facts be about few lots, trips and processes, so that they meet."""
    fields = ("lot_id", "movement_id", "process_id", "output_lot_id", "site_id")
    changes: dict[str, Any] = {
        field: name
        for field, name in zip(fields, names, strict=True)
        if getattr(fact, field, None) is not None
    }
    changes |= {"event_id": fact.event_id + names[0], "corrects": None}
    found: LotFact = replace(fact, **changes)
    return found


facts = st.builds(
    named,
    st.one_of(
        strategies.lots(),
        strategies.weighings(),
        strategies.weighings(),
        strategies.assays(),
        strategies.scans(),
        strategies.shipments(),
        strategies.processings(),
        strategies.processings(),
    ),
    st.lists(NAMES, min_size=5, max_size=5),
)


def readable(world: World) -> None:
    """Everything that was said can be read back within its limits."""
    for output in world.outputs:
        codec.decode(BY_TYPE[type(output)].stem, codec.encode(output))


@pytest.mark.parametrize("moisture", [0.0, 1e-300, 0.9999999999999999, 1.0])
@pytest.mark.parametrize("grade", [0.0, 1e-300, 1.0])
def test_edges_of_a_certificate_are_taken(moisture: float, grade: float) -> None:
    maker = Maker("L")
    ends = ("A", "B")
    world = World()
    world.tell(
        maker.lot("A", 0, {"Cu": grade}),
        maker.shot("A", 1, {"Cu": grade, "Fe": 0.1}),
        maker.weighing("A", 2, "dispatch", 40_000, 15_000),
        maker.move("dispatch", "A", 3, ends),
        maker.assay("A", 4, {"Cu": (grade, None)}, (moisture, 0.001)),
        maker.move("receipt", "B", 5, ends),
        maker.weighing("B", 6, "receipt", 39_000, 15_000),
        maker.shot("B", 7, {"Cu": grade, "Fe": 0.1}),
        maker.assay("B", 8, {"Cu": (grade, 0.0)}, (moisture, None)),
        maker.side("B", 9, "input", "P"),
        maker.side("B", 9, "input", "P", mass_dry_g=1_000, part_no=2),
        maker.side(
            "B", 9, "input", "P", mass_dry_g=2_000, part_no=3, moisture_fraction=0.9999999999999999
        ),
        maker.side("B", 10, "output", "P", output_lot_id="X", mass_wet_g=1, mass_dry_g=2),
        maker.side("B", 11, "output", "P", output_lot_id="X", mass_wet_g=5, moisture_fraction=1.0),
        maker.side("B", 12, "close", "P"),
    )
    readable(world)


def test_an_analyte_named_like_an_attribute_is_taken() -> None:
    """Its key among the amounts was taken apart into three, and that ended the worker."""
    maker, world = Maker("L"), World()
    world.tell(
        maker.lot("A", 0, {"@": 0.1}),
        maker.weighing("A", 1, "dispatch", 40_000, 15_000),
        maker.shot("A", 2, {"@x": 0.1}),
        maker.assay("A", 3, {"@\x1f\x1f": (0.1, None)}),
        maker.side("A", 4, "input", "P"),
    )
    readable(world)
    assert not any(transfer.attributes for transfer in world.transfers)


def test_an_alert_between_two_times_in_the_wrong_order_can_be_read() -> None:
    """Said with a deviation below zero it was a dead letter, and the warehouse lacked the alert."""
    maker, world = Maker("L"), World()
    world.tell(
        maker.weighing("A", 60, "dispatch", 45_000, 15_000),
        maker.weighing("B", 0, "receipt", 40_000, 15_000),
    )
    assert {alert.rule for alert in world.alerts.values()} == {
        "lot_eprocess",
        "impossible_speed",
    }
    readable(world)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(facts, min_size=1, max_size=10))
def test_no_fact_within_its_limits_stops_the_core_or_makes_it_say_what_is_not(
    told: list[LotFact],
) -> None:
    world = World()
    world.tell(*told)
    readable(world)


NUMBERS = ("interval_kg", "u_systematic_rel", "repeatability_kg", "systematic_share",
           "heterogeneity_rel", "bias_rel", "u_rel", "moisture_u", "moisture_fraction",
           "grade_u_rel", "recovery", "expected_loss", "expected_loss_u")  # fmt: skip
odd_values = st.one_of(
    st.floats(), st.integers(), st.none(), st.booleans(), st.text(max_size=3), st.just(10**400),
    st.dictionaries(st.sampled_from(["Cu", "Co"]), st.floats(), max_size=2),
)  # fmt: skip
bodies = st.one_of(
    st.text(max_size=10),
    st.dictionaries(st.sampled_from(NUMBERS), odd_values).map(json.dumps),
    st.dictionaries(st.sampled_from(NUMBERS), odd_values).map(
        lambda leg: json.dumps({"legs": [{"from": "A", "to": "B"} | leg, 1]})
    ),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(bodies, min_size=5, max_size=5), st.sampled_from(["blend", "smelt"]))
def test_no_reference_body_stops_the_lots_that_rest_on_it(texts: list[str], kind: str) -> None:
    maker, ends, world = Maker("L"), ("A", "B"), World()
    subjects = (("device", "WB-A"), ("device", "XRF-A"), ("laboratory", "LAB-A"),
                ("commodity", "copper"), ("process", kind), ("route", "R"))  # fmt: skip
    for no, (subject, text) in enumerate(zip(subjects, [*texts, texts[0]], strict=True)):
        world.tell(reference(subject, text, no))
    world.tell(
        maker.lot("A", 0, {"Cu": 0.02}, route_id="R"),
        maker.shot("A", 1, {"Cu": 0.02, "Fe": 0.1}),
        maker.weighing("A", 2, "dispatch", 40_000, 15_000),
        maker.move("dispatch", "A", 3, ends),
        maker.move("receipt", "B", 5, ends),
        maker.weighing("B", 6, "receipt", 39_000, 15_000, device_id="WB-A"),
        maker.shot("B", 7, {"Cu": 0.01, "Fe": 0.1}, device_id="XRF-A"),
        maker.assay("A", 8, {"Cu": (0.02, None)}, (0.1, None)),
        maker.side("B", 9, "input", "P", kind=kind),
        maker.side("B", 10, "output", "P", output_lot_id="X", mass_wet_g=5_000_000, kind=kind),
        maker.side("B", 12, "close", "P", kind=kind),
    )
    readable(world)
    assert world.balances["lot/X/B"].mass_wet_g == 5_000_000


def reference(subject: tuple[str, str], body: str, seq: int) -> ReferenceSet:
    return ReferenceSet(
        event_id=event_id(f"ref {seq}"),
        gateway_id="GW-1",
        gateway_epoch=1,
        gateway_seq=seq + 1,
        partition=0,
        kind=subject[0],
        id=subject[1],
        valid_from=Micros(0),
        valid_to=None,
        recorded_at=Micros(seq + 1),
        corrects=None,
        void=False,
        body=body,
    )
