"""What ``custody lineage`` takes."""

import click

from custody import handing
from runtime.cli.lineage import lineage


def test_a_walk_goes_as_deep_as_the_ledger_hands_anything_on() -> None:
    [depth] = [option for option in lineage.params if option.name == "depth"]
    assert isinstance(depth.type, click.IntRange)
    assert (depth.type.max, depth.default) == (handing.GENERATIONS_MAX, handing.GENERATIONS_MAX)
