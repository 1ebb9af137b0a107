"""A short history for a run of the whole way: one or two lots, at most one process, odd things."""

from random import Random

from typing_extensions import override

from custody.events import ReferenceSet
from tests.support.chain_references import drawn_references
from tests.support.chains import KINDS, ROUTE, Chain

KEPT_REFERENCES = 3
TRUCKS_MAX = 2


class Day(Chain):
    """As ``Chain`` draws it, but shorter: a run takes each fact through everything there is."""

    @override
    def draw(self) -> "Day":
        lots = [f"L-{n}" for n in range(self.rng.choice((1, 1, 1, 2)))]
        for lot in lots:
            self._mined(lot)
        if self.rng.random() < 0.5:
            lots = self._processed("P-1", self.rng.choice(KINDS[0]), ROUTE[1], lots)
        self._late_assays()
        self._weighed_again()
        self._corrections()
        drawn = drawn_references(self.rng, ROUTE[:2], self.rules)
        kept = self.rng.randint(0, KEPT_REFERENCES)
        more = drawn[kept:] if self.rng.random() < 0.5 else []
        self.references = drawn[:kept] + [one for one in more if _divides(one)]
        return self

    @override
    def _travel(
        self,
        lot: str,
        ends: tuple[str, str],
        trucks: int,
        load_kg: tuple[int, int] = (15_000, 30_000),
    ) -> None:
        super()._travel(lot, ends, min(trucks, TRUCKS_MAX), load_kg)

    @override
    def _input(self, lot: str, site: str, process: str, **more: object) -> None:
        # A gateway takes no side without a mass.
        if more.get("mass_wet_g") is None:
            more["mass_wet_g"] = self.rng.randint(5_000_000, 20_000_000)
        super()._input(lot, site, process, **more)


def _divides(one: ReferenceSet) -> bool:
    """Whether a record says by which key a concentrator divides attributes, or what it needs."""
    is_said = one.kind == "price" or (one.kind, one.id) == ("process", "concentrate")
    return is_said and one.corrects is None


def day(seed: int) -> Day:
    """Return the history of a seed."""
    drawn = Day(Random(seed))
    drawn.draw()
    return drawn
