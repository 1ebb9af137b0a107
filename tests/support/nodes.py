"""Processes that balance exactly, and measurements of them by scales and laboratories they share.

Independent of the code that judges them: truth first, then one error per device, then one per
figure. A device's error is drawn once for all that it measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from custody.detect.node_facts import Node, Stream
from custody.estimate import Estimate

METALS = ("Co", "Cu", "Fe")
MASS_U, GRADE_U = 0.002, 0.01
"""Relative u of a figure's own; that of its scale or laboratory is half of it."""

Material = tuple[float, Mapping[str, float]]
"""Dry mass, grams; grades, milligrams per gram."""


@dataclass
class Plant:
    """Scales and laboratories of one process, with the errors they have today."""

    rng: np.random.Generator
    errors: dict[str, float] = field(default_factory=dict)

    def figure(self, value: float, u_rel: float, source: str) -> Estimate:
        """Measure something: relative errors of its own and of its source."""
        share = 0.5 * u_rel
        error = self.errors.setdefault(source, share * self.rng.normal())
        read = value * (1.0 + error + u_rel * self.rng.normal())
        return Estimate(read, (u_rel * read) ** 2, {source: share * read})

    def stream(self, name: str, material: Material, *, assayed: bool = True) -> Stream:
        """Measure a stream on one of two scales; one laboratory assays all."""
        mass, grades = material
        scale = f"WB-{hash_of(name) % 2}"
        return Stream(
            name,
            f"event-{name}",
            self.figure(mass, MASS_U, scale),
            {a: self.figure(c, GRADE_U, f"LAB/{a}") for a, c in grades.items()} if assayed else {},
        )


def hash_of(name: str) -> int:
    """Return a number that is the same in every run."""
    return sum(name.encode())


def feed(rng: np.random.Generator, count: int) -> list[Material]:
    """Draw ores of 20 to 60 t."""
    return [
        (
            float(rng.uniform(2e7, 6e7)),
            {a: float(rng.uniform(5.0, 50.0)) for a in METALS},
        )
        for _ in range(count)
    ]


def mixed(*materials: Material) -> Material:
    """Return materials together."""
    mass = sum(one[0] for one in materials)
    return mass, {a: sum(m * g[a] for m, g in materials) / mass for a in materials[0][1]}


def part_of(material: Material, share: float) -> Material:
    """Return a share of a material."""
    return material[0] * share, material[1]


def blend(
    plant: Plant,
    feeds: list[Material],
    outputs: list[Material],
    *,
    assayed: int | None = None,
    lost: Material | None = None,
) -> Node:
    """Measure a blend; of its outputs so many are assayed, and a loss is only weighed."""
    count = len(outputs) if assayed is None else assayed
    losses = () if lost is None else (plant.stream("dust", lost, assayed=False),)
    return Node(
        tuple(plant.stream(f"in-{n}", one) for n, one in enumerate(feeds)),
        tuple(plant.stream(f"out-{n}", one, assayed=n < count) for n, one in enumerate(outputs)),
        losses,
        conserves_mass=True,
        separating=False,
    )


def separation(
    plant: Plant, feeds: list[Material], recovery: float, *, assayed: bool, chemical: bool = False
) -> Node:
    """Measure a separation into a concentrate and tailings, assayed or a declared loss."""
    mass, grades = mixed(*feeds)
    pull = 0.05 * mass
    rich: Material = pull, {a: recovery * mass * c / pull for a, c in grades.items()}
    poor: Material = (
        mass - pull, {a: (1.0 - recovery) * mass * c / (mass - pull) for a, c in grades.items()}
    )  # fmt: skip
    tailings = plant.stream("tailings", poor, assayed=assayed)
    product = plant.stream("product", rich)
    return Node(
        tuple(plant.stream(f"in-{n}", one) for n, one in enumerate(feeds)),
        (product, tailings) if assayed else (product,),
        () if assayed else (tailings,),
        conserves_mass=not chemical,
        separating=True,
    )
