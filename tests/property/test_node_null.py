"""The level is held: honest processes, whatever their kind, with errors drawn from stated u."""

import math

import numpy as np
import pytest

from custody.detect.node_facts import Node
from custody.detect.node_tests import examined
from tests.support.nodes import Plant, blend, feed, mixed, part_of, separation

PROCESSES = 1_000
KINDS = ("blend", "part assayed", "with dust", "separated", "assayed throughout", "smelted")


def honest(kind: str, rng: np.random.Generator) -> Node:
    """Draw a process in which nothing is wrong; scales and laboratories are new to each."""
    plant, feeds = Plant(rng), feed(rng, int(rng.integers(1, 5)))
    whole = mixed(*feeds)
    parts = [part_of(whole, 0.3), part_of(whole, 0.6), part_of(whole, 0.1)]
    match kind:
        case "blend":
            return blend(plant, feeds, parts)
        case "part assayed":
            return blend(plant, feeds, parts, assayed=1)
        case "with dust":
            return blend(plant, feeds, parts[:2], lost=parts[2])
        case "smelted":
            return separation(plant, feeds, 1.0, assayed=False, chemical=True)
        case _:
            return separation(plant, feeds, 0.9, assayed=kind == "assayed throughout")


@pytest.mark.parametrize("kind", KINDS)
def test_honest_processes_pass_a_level_at_most_so_often(kind: str) -> None:
    """By chance alone the best of all tests passes 10^-x in 10^-x of processes or fewer."""
    rng = np.random.default_rng(7)
    found = [examined(honest(kind, rng)) for _ in range(PROCESSES)]
    values = np.array([one.value for one in found if one is not None])
    assert len(values) == PROCESSES
    for level in (0.1, 0.01, 0.001):
        share = float((values >= -math.log10(level)).mean())
        assert share <= level + 3.0 * math.sqrt(level / PROCESSES), (kind, level, share)


def test_the_level_is_used_where_balances_are_few() -> None:
    """A test that never speaks would hold any level: one balance, and one in ten passes 0.1."""
    rng = np.random.default_rng(8)
    values = []
    for _ in range(2_000):
        node = honest("blend", rng)
        bare = [one._replace(grades={}) for one in (*node.inputs, *node.outputs)]
        count = len(node.inputs)
        node = node._replace(inputs=tuple(bare[:count]), outputs=tuple(bare[count:]))
        one = examined(node)
        assert one is not None
        values.append(one.value)
    assert float((np.array(values) >= 1.0).mean()) == pytest.approx(0.1, abs=0.02)
