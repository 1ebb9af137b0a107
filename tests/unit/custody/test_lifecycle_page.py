"""docs/alert-lifecycle.md says which action leads where; so does the table of the core."""

import re

from custody import alerts
from producers.requests import ALERT_ACTIONS
from tests.support.tree import ROOT

STATES = {"open", "acknowledged", "shelved", "resolved", "retracted"}


def test_the_page_has_each_action_with_the_states_it_leads_from_and_to() -> None:
    page = (ROOT / "docs" / "alert-lifecycle.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|", page, re.MULTILINE)
    said = {
        (state, action): state if makes == "as it is" else makes
        for action, states, makes in rows
        for state in re.split(r", ", states)
        if state in STATES
    }
    assert [action for action, _, _ in rows] == list(ALERT_ACTIONS)
    assert said == {
        (before, step): after
        for (before, step), after in alerts.LIFECYCLE.items()
        if step in ALERT_ACTIONS and before is not None
    }
