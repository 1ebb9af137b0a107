"""What Hotelling's T2 would add to one assay alone: ``python -m bench.detection.origin``.

Sketched before measuring: as good as the mixture for material of a site nobody knows, worse for
all that a family describes. A world of its own: sites about a common mean, analytes correlated by
0.4, histories of so many lots each; both tests are told the same means and covariances, and each
gets the threshold that one honest lot in a thousand passes.
"""

import argparse
import math
from collections.abc import Iterator, Mapping

import numpy as np
from scipy import special  # type: ignore[import-untyped]  # it ships no types

from custody.detect.lot_facts import Assay, Floats, Model, Readings, Site
from custody.detect.mixture import Detector

SITES, HISTORIES, HONEST, LOTS = 12, 30, 4_000, 150
U_REL = 0.012
TAIL_DEGREES_MIN = 3
"""Least second degrees of freedom of F, which has the longest tail then."""


class Origins:
    """One library, estimated from histories, and both tests of an assay against its first site."""

    def __init__(self, analytes: int, lots: int, rng: np.random.Generator) -> None:
        self._rng = rng
        grand = rng.normal(-5.0, 1.0, analytes)
        correlated = 0.4 + 0.6 * np.eye(analytes)
        self._mean = [grand + rng.normal(0.0, 0.45, analytes) for _ in range(SITES + 1)]
        self._covariance = [rng.uniform(0.12, 0.25) ** 2 * correlated for _ in range(SITES + 1)]
        names = tuple(f"a{number:02}" for number in range(analytes))
        library = []
        for number in range(SITES):
            history = self.drawn(number, lots)
            library.append(
                Site(
                    site_id=f"S{number:02}",
                    analytes=names,
                    mean=history.mean(axis=0),
                    covariance=_shrunk(np.cov(history, rowvar=False), lots),
                    lots=lots,
                )
            )
        self._site = library[0]
        self._detector = Detector(
            Model(
                analytes=names, stations=("mine",), legs=(), origin=library[0],
                library=tuple(library), dry_share=(-0.08, 0.03), xrf={}, errors={},
            )
        )  # fmt: skip
        fractions = dict(zip(names, np.exp(grand).tolist(), strict=True))
        assay = Assay(
            event_id="e", station="mine", laboratory="LAB", fractions=fractions,
            u_rel_default=U_REL,
        )  # fmt: skip
        self._pattern = self._detector.layout(Readings(assays=(assay,))).pattern

    def drawn(self, site: int, lots: int) -> Floats:
        """Return ln c of lots; the site after the library's last is in no library."""
        return self._rng.multivariate_normal(self._mean[site], self._covariance[site], lots)

    def judge(self, truth: Floats) -> Floats:
        """Return ln E and -log10 p of T2 by lot, shape (2, lots)."""
        seen = truth + self._rng.normal(0.0, U_REL, truth.shape)
        n, p = self._site.lots, truth.shape[1]
        covariance = self._site.covariance * (1.0 + 1.0 / n) + U_REL**2 * np.eye(p)
        off = seen - self._site.mean
        t2 = np.einsum("ij,ij->i", off @ np.linalg.inv(covariance), off)
        v = max(n - 1, p - 1 + TAIL_DEGREES_MIN)
        chance = special.fdtrc(p, v - p + 1, t2 * (v - p + 1) / (v * p))
        ln_p = -np.log10(np.maximum(chance, 1e-300))
        return np.array([self._detector.ln_e(self._pattern, seen), ln_p])


def _shrunk(covariance: Floats, lots: int) -> Floats:
    """Return a covariance drawn towards a common correlation, the more the fewer lots."""
    deviations = np.sqrt(np.diag(covariance))
    share = len(deviations) / (len(deviations) + lots)
    return np.asarray(
        (1.0 - share) * covariance + share * np.diag(deviations) @ np.diag(deviations)
    )


def _frauds(world: Origins, other: int, analytes: int) -> Iterator[tuple[str, Floats]]:
    rng = np.random.default_rng(other)
    for share in (0.3, 0.6, 1.0):
        for name, site in (("a site of the library", other), ("a site nobody knows", SITES)):
            mine, theirs = np.exp(world.drawn(0, LOTS)), np.exp(world.drawn(site, LOTS))
            yield f"{share:.0%} of {name}", np.log((1.0 - share) * mine + share * theirs)
    yield "40% waste", world.drawn(0, LOTS) + math.log(0.6)
    yield "one analyte doubled", world.drawn(0, LOTS) + np.eye(analytes)[0] * math.log(2.0)
    yield "each analyte off by 30%", world.drawn(0, LOTS) + rng.normal(0, 0.3, (LOTS, analytes))


def compared(analytes: int, lots: int) -> Mapping[str, tuple[float, float]]:
    """Return by fraud the shares found by E and by T2, each at one false alarm in a thousand."""
    rng = np.random.default_rng(1000 * analytes + lots)
    honest, found = [], dict[str, list[Floats]]()
    for number in range(HISTORIES):
        world = Origins(analytes, lots, rng)
        honest.append(world.judge(world.drawn(0, HONEST)))
        for name, truth in _frauds(world, 1 + number % (SITES - 1), analytes):
            found.setdefault(name, []).append(world.judge(truth))
    limits = np.quantile(np.hstack(honest), 0.999, axis=1)
    shares = {k: (np.hstack(v) >= limits[:, None]).mean(axis=1) for k, v in found.items()}
    return {name: (float(by_e), float(by_t2)) for name, (by_e, by_t2) in shares.items()}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--analytes", type=int, default=6)
    parser.add_argument("--lots", type=int, default=100, help="of each history")
    options = parser.parse_args()
    print("| fraud | by E | by T2 |\n|---|---|---|")
    for name, (by_e, by_t2) in compared(options.analytes, options.lots).items():
        print(f"| {name} | {by_e:.0%} | {by_t2:.0%} |")


if __name__ == "__main__":
    main()
