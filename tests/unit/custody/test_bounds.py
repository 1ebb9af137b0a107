"""Bounds that docs/ledger.md states by their figures are those of the code."""

from pathlib import Path

import pytest

from custody import carried, exchange, handing, layers, process_intake, sealing
from custody.carried import ATTRIBUTE_MAX, micro
from tests.support import tree


@pytest.mark.parametrize(
    "sentence",
    [
        f"A lot of {sealing.FACTS_MAX} facts is sealed",
        f"begin trip {sealing.TRIPS_MAX + 1:,} of a lot",
        f"at most {process_intake.SIDES_MAX:,} sides",
        f"above {handing.GENERATIONS_MAX} the edge is frozen",
        f"at most {layers.LAYERS_MAX} layers (and {layers.LAYERS_BYTES:,} bytes of shares)",
        f"More than {carried.ORIGINS_MAX} origins: the {carried.ORIGINS_MAX - 1} largest",
        f"{carried.ORIGINS_BYTES:,} bytes of origins",
        f"{carried.METALS_BYTES:,} of the shares of all metals",
        f"{carried.DIMENSIONS_BYTES:,} of all other shares",
        f"at most the {1.0 - exchange.DISAGREE_P} quantile of chi-square",
    ],
)
def test_the_document_gives_the_bounds_of_the_code(sentence: str) -> None:
    assert sentence in " ".join(tree.text(Path("docs/ledger.md")).split())


def test_ten_billion_units_of_an_attribute_are_believed() -> None:
    assert micro(1e10, "total", (0, 0, {})) == 10**16
    assert ATTRIBUTE_MAX == 1e10
