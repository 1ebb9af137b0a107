"""A circuit that never closes, in a history of ``chains``: ore goes in, what comes out is assayed.

What its outputs are measured to hold divides the attributes that lie in it, by any key and mixing.
"""

from typing import TYPE_CHECKING, Any

from tests.support.chain_references import record

if TYPE_CHECKING:
    from tests.support.chains import Chain

CIRCUIT = "CIRCUIT"
ORE = "L-9"
SITE = "PLANT"
KIND = {"kind": "leach"}


def leach(chain: "Chain") -> None:
    """Draw what happens to a circuit, and the record of what it is.

    Args:
        chain: A history that has ``ORE`` at ``SITE``; grows.
    """
    rng, maker = chain.rng, chain._maker(CIRCUIT)
    for step in range(rng.randint(1, 4)):
        for load in range(rng.choice((0, 1, 2)) if step else 2):
            wet = rng.randint(2_000_000, 12_000_000)
            chain._input(ORE, SITE, CIRCUIT, part_no=10 * step + load, mass_wet_g=wet, **KIND)
        lot = f"{CIRCUIT}-OUT-{rng.randint(0, 2)}"
        dry = rng.randint(100_000, 3_000_000)
        out: dict[str, Any] = {"part_no": step, "output_lot_id": lot, "mass_dry_g": dry, **KIND}
        chain.facts.append(maker.side(SITE, chain._later(), "output", CIRCUIT, **out))
        if chain._chance(0.7):
            chain._assayed(lot, SITE, {"Cu": rng.uniform(0.01, 0.3), "Co": 0.01})
        if chain._chance(0.3):
            lost = {"part_no": step, "loss_kind": "residue", "mass_dry_g": 900_000, **KIND}
            chain.facts.append(maker.side(SITE, chain._later(), "loss", CIRCUIT, **lost))
    if chain._chance(0.3):
        stock = {"part_no": 9, "mass_wet_g": 6_000_000, "mass_dry_g": 5_500_000, **KIND}
        chain.facts.append(maker.side(SITE, chain._later(), "stock", CIRCUIT, **stock))
    body: dict[str, Any] = {"continuous": True, "key_analyte": rng.choice(("Cu", "Co"))}
    body["allocation"] = rng.choice(("mass", "key_metal", "key_metal", "economic"))
    body["mixing"] = rng.choice(("perfect", "fifo"))
    chain.references.append(record(("process", CIRCUIT), body, len(chain.references) + 1))
