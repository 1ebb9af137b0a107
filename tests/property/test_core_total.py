"""The core takes whatever the schemas allow, and says nothing that a reader would not take.

A fact that raises would end the worker, and again after each restart; an output beyond its limits
would be a dead letter, and its receiver's books would lack it.
"""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custody.events import LotFact
from schemas import codec
from schemas.routes import BY_TYPE
from tests.support import strategies
from tests.support.facts import Maker
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
        maker.side("B", 10, "output", "P", output_lot_id="X", mass_wet_g=1, mass_dry_g=2),
        maker.side("B", 11, "output", "P", output_lot_id="X", mass_wet_g=5, moisture_fraction=1.0),
        maker.side("B", 12, "close", "P"),
    )
    readable(world)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(facts, min_size=1, max_size=10))
def test_no_fact_within_its_limits_stops_the_core_or_makes_it_say_what_is_not(
    told: list[LotFact],
) -> None:
    world = World()
    world.tell(*told)
    readable(world)
