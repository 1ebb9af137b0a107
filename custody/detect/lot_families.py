"""What a fraud does to a lot: its direction by family and size, and how likely it is thought.

Shifts of (ln dry mass, ln dry share, ln of the dry share that is said, ln c by analyte):

    loss             dry mass ln(1 - x)
    gain             dry mass ln(1 + x)
    water            dry mass and dry share ln(1 - x): the truck weighs the same
    water_falsified  the same, and the moisture certificate does not show it
    waste            every ln c ln(1 - x)
    foreign_material ln c by ln((1 - x) + x b/a) for every other site's b; a is the origin's
    omnibus          any change of composition, normal with deviation ``OMNIBUS_U``

Weights are thought before anything is measured; they are those of detection.md section 1, spread
over onsets, sizes and sites, and add up to one.

Source:
    docs/detection/mixture.md
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from custody.detect.lot_facts import Floats, Ints, Model, Site
from custody.detect.lot_pattern import COMPOSITION, DRY_MASS, DRY_SHARE, MOISTURE_SAID, Prior


class Family(StrEnum):
    """Kinds of fraud, by the names that alerts use."""

    LOSS = "loss"
    GAIN = "gain"
    WATER = "water"
    WATER_FALSIFIED = "water_falsified"
    WASTE = "waste"
    FOREIGN = "foreign_material"
    OMNIBUS = "omnibus"


ORIGIN_MISMATCH = "origin_mismatch"
"""Name of foreign material that was there before the lot was first measured."""
FAMILIES = tuple(Family)
PLAIN = tuple(family for family in Family if family not in {Family.FOREIGN, Family.OMNIBUS})
"""Families whose direction needs no site."""
IN_TRANSIT = {
    Family.LOSS: 0.15,
    Family.GAIN: 0.03,
    Family.WATER: 0.10,
    Family.WATER_FALSIFIED: 0.02,
    Family.WASTE: 0.08,
    Family.FOREIGN: 0.48,
    Family.OMNIBUS: 0.045,
}
"""How likely each is thought, of all that may happen to a lot; spread evenly over the legs.

Foreign material has the most because it pays the most for being sought: a site and a size among
some hundreds. Equal weights would find a theft of 1.1 % and miss a swap of 8 %.
"""
AT_ORIGIN = {Family.WASTE: 0.02, Family.FOREIGN: 0.055, Family.OMNIBUS: 0.02}
"""The same for what was done before the lot was first measured."""
SIZES = (0.01, 0.014, 0.02, 0.03, 0.045, 0.07, 0.1, 0.15, 0.25, 0.4, 0.6, 1.0)
"""Grid of sizes: share of the dry mass that was taken, added or exchanged."""
SIZE_MAX = 0.6
"""Greatest size of what takes away: at one nothing would be left to measure."""
WASTE_MAX = 0.9975
"""Greatest share of waste that is told from less: of every metal a part in 400 is left."""
USUAL_IN_TRANSIT = {
    Family.LOSS: (0.01, 0.07),
    Family.GAIN: (0.01, 0.07),
    Family.WATER: (0.01, 0.15),
    Family.WATER_FALSIFIED: (0.07, 0.40),
    Family.WASTE: (0.01, 0.25),
    Family.FOREIGN: (0.02, 0.40),
}
"""Sizes that good instruments can just show; the weight of others is a tenth.

What is greater is found by the direction of these as well, so little is lost on it.
"""
USUAL_AT_ORIGIN = {Family.WASTE: (0.10, 0.60), Family.FOREIGN: (0.10, 1.0)}
UNUSUAL = 0.1
OMNIBUS_U = (0.03, 0.08, 0.2)
"""Deviations of a free change of each ln c; an equal weight each."""
RATIO_LN_MAX = 6.0
"""Sites that differ by more than this factor (400) in an analyte count as if by it."""


@dataclass(frozen=True, slots=True, eq=False)
class Directions:
    """The fixed directions of a model; K of them, C shift columns.

    Attributes:
        shifts: (K, C).
        family: Index into ``FAMILIES``, (K,).
        size: (K,).
        site: Index into ``sites``, -1 for none, (K,).
        sites: Ids of the sites that foreign material may be from.
        in_transit: Weight of each direction, over all legs, (K,).
        at_origin: Likewise.
    """

    shifts: Floats
    family: Ints
    size: Floats
    site: Ints
    sites: tuple[str, ...]
    in_transit: Floats
    at_origin: Floats

    def onset_weights(self, stations: Sequence[int], legs: int) -> Floats:
        """Return the weight of every direction at any of some first stations, (K,).

        Args:
            stations: First stations; 0 is the origin.
            legs: How many the way has.
        """
        in_transit = sum(station > 0 for station in stations) / max(legs, 1)
        return self.in_transit * in_transit + self.at_origin * (0 in stations)


def omnibus_weight(stations: Sequence[int], legs: int, *, alone: bool) -> float:
    """Return the weight of a free change at any of some first stations.

    Args:
        stations: First stations; 0 is the origin.
        legs: How many the way has.
        alone: It stands for foreign material as well.
    """
    families = (Family.OMNIBUS, Family.FOREIGN) if alone else (Family.OMNIBUS,)
    in_transit = sum(station > 0 for station in stations) / max(legs, 1)
    return sum(
        IN_TRANSIT[family] * in_transit + AT_ORIGIN[family] * (0 in stations) for family in families
    )


def shift(family: Family, sizes: Floats, analytes: int) -> Floats:
    """Return the shifts of a family that needs no site, shape (sizes, C)."""
    d = np.zeros((len(sizes), COMPOSITION + analytes))
    if family is Family.GAIN:
        d[:, DRY_MASS] = np.log1p(sizes)
        return d
    taken = np.log1p(-np.minimum(sizes, SIZE_MAX))
    if family is Family.WASTE:
        d[:, COMPOSITION:] = taken[:, None]
        return d
    d[:, DRY_MASS] = taken
    if family in {Family.WATER, Family.WATER_FALSIFIED}:
        d[:, DRY_SHARE] = taken
    if family is Family.WATER_FALSIFIED:
        d[:, MOISTURE_SAID] = -taken
    return d


def foreign_shift(ratio: Floats, sizes: Floats) -> Floats:
    """Return the shifts of material mixed in, shape (sizes, C).

    Args:
        ratio: ln b - ln a by analyte; zero where either is unknown.
        sizes: Share of the dry mass exchanged, 0 to 1.
    """
    d = np.zeros((len(sizes), COMPOSITION + len(ratio)))
    there = np.exp(np.clip(ratio, -RATIO_LN_MAX, RATIO_LN_MAX))
    d[:, COMPOSITION:] = np.log1p(sizes[:, None] * (there - 1.0))
    return d


def directions(model: Model, prior: Prior) -> Directions:
    """Return all fixed directions of a model.

    Without a library, or where nobody knows the origin, nothing is known of foreign material's
    direction: its weight goes to the free change.
    """
    sizes = np.array(SIZES)
    less = sizes[sizes <= SIZE_MAX]
    others = foreign_sites(model)
    blocks: list[tuple[Family, Floats, int, Floats]] = [
        (f, less, -1, shift(f, less, len(model.analytes))) for f in PLAIN
    ]
    blocks += [
        (Family.FOREIGN, sizes, number, foreign_shift(ratios(model, prior, other), sizes))
        for number, other in enumerate(others)
    ]
    share = {Family.FOREIGN: 1.0 / max(len(others), 1)}
    return Directions(
        np.concatenate([shifts for _, _, _, shifts in blocks]),
        np.repeat([FAMILIES.index(f) for f, _, _, _ in blocks], [len(x) for _, x, _, _ in blocks]),
        np.concatenate([x for _, x, _, _ in blocks]),
        np.repeat([site for _, _, site, _ in blocks], [len(x) for _, x, _, _ in blocks]),
        tuple(other.site_id for other in others),
        np.concatenate(
            [
                IN_TRANSIT[f] * share.get(f, 1.0) * usual(x, USUAL_IN_TRANSIT[f])
                for f, x, _, _ in blocks
            ]
        ),
        np.concatenate(
            [
                AT_ORIGIN.get(f, 0.0)
                * share.get(f, 1.0)
                * usual(x, USUAL_AT_ORIGIN.get(f, (0.0, 1.0)))
                for f, x, _, _ in blocks
            ]
        ),
    )


def usual(sizes: Floats, between: tuple[float, float]) -> Floats:
    """Return weights of sizes that add up to one, those outside of a range a tenth."""
    weight = np.where((sizes >= between[0]) & (sizes <= between[1]), 1.0, UNUSUAL)
    return np.asarray(weight / weight.sum())


def foreign_sites(model: Model) -> list[Site]:
    """Return the sites that foreign material may be from."""
    if model.origin is None:
        return []
    return [site for site in model.library if site.site_id != model.origin.site_id]


def ratios(model: Model, prior: Prior, other: Site) -> Floats:
    """Return ln b - ln a by analyte, zero where either is unknown."""
    assert model.origin is not None
    known = set(model.origin.analytes)
    there = dict(zip(other.analytes, other.mean.tolist(), strict=True))
    return np.array(
        [
            there[a] - float(prior.mean[at]) if a in there and a in known else 0.0
            for at, a in enumerate(model.analytes)
        ]
    )
