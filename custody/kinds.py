"""Kinds of process as data: what they conserve, and how they divide what went in.

A kind is a row of the table below, which reference data may change for one process or for a whole
kind (``References.process_kind``). Nothing else in the core asks what a kind is called.

Source:
    docs/ledger.md, "Processes".
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

RECOVERY = 0.95
"""Share of a metal that goes into the product, where nobody says."""
RECOVERY_CONCENTRATE = 0.88
"""The same of a flotation plant, which loses more."""

PERFECT = "perfect"
FIFO = "fifo"
MIXINGS = (PERFECT, FIFO)

MASS = "mass"
KEY_METAL = "key_metal"
ECONOMIC = "economic"
ALLOCATIONS = (MASS, KEY_METAL, ECONOMIC)


class Kind(NamedTuple):
    """What a process does to material.

    Attributes:
        name: As sides name it.
        chemical: Turns material into something else: only metals are conserved. Any other kind is
            physical: dry mass is conserved too.
        separating: Outputs have not the composition of the inputs; a concentrator's have not,
            though it is physical.
        continuous: Never closes; its state is what lies there.
        key_analyte: Analyte whose contained metal weighs origins; None weighs by dry mass.
        recovery: Share of a metal that goes into the outputs, where ``by_analyte`` has none.
        by_analyte: The same by analyte.
        stage: Stage that happens here (refined, metal), or None.
        allocation: What divides attributes among outputs: mass, key_metal or economic.
        mixing: How a continuous node mixes: perfect or fifo.
    """

    name: str
    chemical: bool = False
    separating: bool = False
    continuous: bool = False
    key_analyte: str | None = None
    recovery: float = 1.0
    by_analyte: Mapping[str, float] = MappingProxyType({})
    stage: str | None = None
    allocation: str = MASS
    mixing: str = PERFECT

    @property
    def divides_by(self) -> str:
        """What divides attributes: ``allocation``, but mass where no key metal is named."""
        no_key = self.allocation == KEY_METAL and self.key_analyte is None
        return MASS if no_key else self.allocation

    def recovered(self, analyte: str) -> float:
        """Return the share of an analyte that goes into the outputs."""
        return self.by_analyte.get(analyte, self.recovery)


OTHER_KIND = Kind("other", chemical=True, separating=True, recovery=RECOVERY, allocation=KEY_METAL)

UNTOLD = Kind("untold", continuous=True)
"""A process of which only inputs are known: they lie there together, and nothing is decided."""


def _chemical(name: str, stage: str) -> Kind:
    return OTHER_KIND._replace(name=name, stage=stage)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind("blend"),
            Kind("split"),
            Kind("crush"),
            Kind("repack"),
            Kind("stockpile", continuous=True),
            Kind(
                "concentrate",
                separating=True,
                recovery=RECOVERY_CONCENTRATE,
                allocation=KEY_METAL,
            ),
            _chemical("leach", "refined"),
            _chemical("refine", "refined"),
            _chemical("smelt", "metal"),
            OTHER_KIND,
        )
    }
)


def kind_of(name: str) -> Kind:
    """Return a kind by its name; one nobody knows is ``other`` under that name."""
    return KINDS.get(name) or OTHER_KIND._replace(name=name)
