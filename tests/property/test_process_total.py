"""A process takes whatever its sides and lots may say, and says nothing that nobody can read."""

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from custody.events import Attribute
from custody.kinds import KINDS
from tests.support.facts import Maker, corrected
from tests.support.plant import Plant, handed, reference

MASSES = [0, 1, 2, 3, 10**6, 10**13 - 1, 10**13]
"""Grams up to the greatest a schema allows."""
PARTS = ["output", "loss", "stock", "added", "close", "other", "input"]
AMOUNTS = [0.0, 1e308, -1e308, 1e10, 1e-300]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_no_number_stops_a_process(seed: int) -> None:
    """Every step is stored and every record encoded within its limits, or the plant raises."""
    rng = Random(seed)
    kind, plant = rng.choice(sorted(KINDS)), Plant()
    if rng.random() < 0.5:
        mixing, continuous = rng.choice(["perfect", "fifo"]), rng.choice(["true", "false"])
        allocation = rng.choice(["mass", "key_metal", "economic"])
        body = (
            f'{{"key_analyte":"Cu","mixing":"{mixing}","continuous":{continuous},'
            f'"allocation":"{allocation}"}}'
        )
        plant.tell(reference("process", kind, body))
        plant.tell(reference("price", "Cu", '{"analyte":"Cu","amount":1e12,"per":"g"}'))
    records = [an_input(rng, n) for n in range(rng.randint(0, 6))]
    for n in range(rng.randint(0, 8)):
        records += a_side(rng, kind, n)
    rng.shuffle(records)
    plant.tell(*records)


def an_input(rng: Random, n: int) -> Any:  # noqa: ANN401  a record
    dry = rng.choice(MASSES)
    return handed(
        f"in-{n}",
        rng.randint(0, 5),
        dry,
        {"Cu": rng.choice([0, 1000 * dry]), "Co": rng.choice([0, dry])},
        attributes={"ghg": rng.choice([0, -(10**16), 10**16, 3])},
        u=rng.choice([0, 1e-300, 10.0]),
        mass_wet_g=rng.choice(MASSES),
    )


def a_side(rng: Random, kind: str, n: int) -> list[Any]:
    """A side, perhaps a correction of it, perhaps what it was measured to be."""
    attributes = tuple(
        Attribute(
            name="ghg",
            amount=rng.choice(AMOUNTS),
            unit="kg",
            per=rng.choice(["total", "t_dry", "t_wet", "t_Cu", "t_"]),
            quality="other",
            source=None,
        )
        for _ in range(2)
    )
    side = Maker(f"side-{n}").side(
        "PLANT",
        rng.randint(0, 5),
        rng.choice(PARTS),
        "P-1",
        kind=rng.choice([kind, kind, kind, "crush"]),
        lot_id=None,
        output_lot_id=rng.choice(["X", "Y", None]),
        mass_dry_g=rng.choice([None, *MASSES]),
        mass_wet_g=rng.choice([None, *MASSES]),
        moisture_fraction=rng.choice([None, 0.0, 1.0, 0.5, 0.999999]),
        u_mass_g=rng.choice([None, 0, 10**13]),
        attributes=attributes,
    )
    found: list[Any] = [side]
    if rng.random() < 0.3:
        found.append(corrected(side, f"c-{n}", void=rng.random() < 0.5))
    if rng.random() < 0.3:
        metals = {"Cu": rng.choice([-(10**16), 10**16])}
        dry = rng.choice([-(10**13), 0, 10**13])
        found.append(handed(f"m-{n}", 9, dry, metals, cause_event_id=side.event_id, u=0.1))
    return found
