"""The lot of the README: what its three lines weigh in the books."""

import json
from decimal import Decimal
from pathlib import Path
from typing import cast

from custody.events import LotFact
from producers.judge import accept
from producers.outcome import Accepted
from tests.support import tree
from tests.support.gateway import NOW, terms
from tests.support.world import World, amounts


def test_the_three_lines_give_what_the_readme_says() -> None:
    world = World()
    for line in tree.text(Path("examples/lot.ndjson")).splitlines():
        outcome = accept(json.loads(line, parse_float=Decimal), NOW, terms())
        assert isinstance(outcome, Accepted), outcome
        world.tell(*(cast("LotFact", draft.record) for draft in outcome.drafts))
    assert amounts(world.balances["lot/L-HAND-1/MINE-1"]) == {
        "wet": 30_000_000,
        "dry": 27_600_000,
        "Cu": 690_000_000,
    }
