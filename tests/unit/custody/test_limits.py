"""The table of limits in docs/ledger.md has the values the core has."""

import re
from importlib import import_module

import pytest

from tests.support import tree

LIMIT = re.compile(r"^\| `(\w+)\.(\w+)` \| ([0-9e.,-]+)(?: (%)?[^|]*)? \|", re.MULTILINE)
ROWS = LIMIT.findall(tree.text(tree.ROOT / "docs/ledger.md"))


@pytest.mark.parametrize(("module", "name", "value", "percent"), ROWS)
def test_a_limit_is_what_the_rules_say(module: str, name: str, value: str, percent: str) -> None:
    said = float(value.replace(",", "")) / (100 if percent else 1)
    assert getattr(import_module("custody." + module), name) == pytest.approx(said)


def test_every_row_of_the_table_is_read() -> None:
    _, _, section = tree.text(tree.ROOT / "docs/ledger.md").partition("## Limits")
    assert len(ROWS) == section.count("\n| `")
