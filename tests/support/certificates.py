"""Certificates of gold and what they say together."""

import math
from collections.abc import Sequence

import pytest

from custody import exchange
from custody.estimate import Estimate
from custody.events import Micros
from custody.exchange import NO_CONTRACT, Contract, Word
from custody.lot_rows import Certificate
from custody.rows import Assayed, Value


def certificate(
    name: str,
    stage: int,
    fraction: float,
    *,
    party: str = "seller",
    lab: str | None = None,
    minute: int = 0,
    dry: bool = True,
    analyte: str = "Au",
) -> Certificate:
    results = {analyte: Value(fraction, None, dry)}
    assayed = Assayed(lab or f"LAB-{name}", stage, party, None, None, results)
    return Certificate(name, Micros(minute), Micros(minute), "PORT", assayed)


def relative(certificates: Sequence[Certificate], u: float = 0.0001) -> dict[str, Estimate]:
    """Grades of gold with one standard uncertainty, in relative form, by certificate."""
    found = {}
    for one in certificates:
        if "Au" in one.assayed.results:
            value = one.assayed.results["Au"].fraction
            found[one.event_id] = Estimate(value, (u / value) ** 2 if value else 0.0, {})
    return found


def said(*certificates: Certificate, contract: Contract = NO_CONTRACT, u: float = 0.0001) -> Word:
    found = exchange.word("Au", certificates, contract, relative(certificates, u))
    assert found is not None
    assert math.fsum(weight for _, weight in found.weights) == pytest.approx(1.0)
    return found


def names(found: Word) -> dict[str, float]:
    return {one.event_id: weight for one, weight in found.weights}
