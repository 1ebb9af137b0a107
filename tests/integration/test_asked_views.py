"""A view says the same whatever settings its reader asks with, of those that the door hears."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from console.asked import TRANSPORT, SettingRefused
from custody.errors import Refused
from tests.support.chains import Chain
from tests.support.seeded import numbered
from tests.support.store import Store, opened
from tests.support.world import World

pytestmark = [pytest.mark.integration, pytest.mark.slow]

_SWITCHES = """
SELECT name, value = '1' AS is_on FROM system.settings
WHERE NOT readonly AND type = 'Bool'
    AND NOT startsWith(name, 'output_format_') AND NOT startsWith(name, 'force_')
"""
"""Those that a request may turn: not how values are written, nor what refuses a query."""

_VIEWS = """
SELECT name, mapKeys(CAST(parameterized_view_parameters, 'Map(String, String)')) AS asked
FROM system.tables WHERE database = 'custody' AND engine = 'View' ORDER BY name
"""
_SAID = (
    "SELECT count() AS n, sum(cityHash64(toJSONString(tuple(*)))) AS said FROM (SELECT * FROM {})"
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A chain of lots and processes, its books beside its facts."""
    directory: Path = tmp_path_factory.mktemp("asked")
    facts, world = numbered(Chain(Random(1)).draw().facts), World()
    world.tell(*facts)
    with opened(directory) as store:
        store.put_all([*facts, *world.outputs])
        yield store


def calls(store: Store) -> list[str]:
    """Every view as it stands in FROM, with a time and a lot of what is stored."""
    [known] = store.ask(
        "SELECT toString(min(effective_at)) AS period_start, toString(max(effective_at)) AS at,"
        " at AS period_end, '2090-01-01 00:00:00' AS known_at, max(lot_id) AS lot"
        " FROM custody.transfer"
    )
    found = []
    for view in store.ask(_VIEWS):
        asked = view["asked"]
        assert isinstance(asked, list)
        values = ", ".join(f"{name} = '{known[name]}'" for name in asked)
        found.append(f"{view['name']}({values})" if asked else str(view["name"]))
    return found


def test_what_a_view_says_is_the_same_with_every_setting_that_is_heard(store: Store) -> None:
    """With ``join_use_nulls`` ``v_complete_to`` had no rows; with another NULL stood for 0."""
    switches = [row for row in store.ask(_SWITCHES) if row["name"] not in TRANSPORT]
    turned = ", ".join(f"{row['name']} = {0 if row['is_on'] else 1}" for row in switches)
    assert {"transform_null_in", "final"} <= {row["name"] for row in switches}
    views = calls(store)
    assert len([view for view in views if "(" in view]) > 3
    wrong = []
    for view in views:
        try:
            [said] = store.ask(f"{_SAID.format(view)} SETTINGS {turned}")
        except Refused as refused:
            wrong.append(f"{view}: {refused}")
            continue
        if [said] != store.ask(_SAID.format(view)):
            wrong.append(view)
    assert wrong == []


@pytest.mark.parametrize("name", ["join_use_nulls", "aggregate_functions_null_for_empty"])
def test_what_gives_null_for_nothing_may_only_be_said_to_be_off(store: Store, name: str) -> None:
    with pytest.raises(SettingRefused, match=f"{name} .*views would answer otherwise"):
        store.ask(f"SELECT count() AS n FROM v_complete_to SETTINGS {name} = 1")  # noqa: S608
    assert store.ask(f"SELECT 1 AS one SETTINGS {name} = 0") == [{"one": 1}]
    assert store.ask("SELECT sumOrNull(1) AS s FROM v_lots WHERE 0") == [{"s": None}]
