"""The worked questions of the analysts' page: question, statement, answer."""

import re

from tests.support.tree import ROOT

_ASKED = re.compile(
    r"^### (.+?)\n\n```sql\n(.*?)\n```\n\n((?:\|[^\n]*\n)+)", re.MULTILINE | re.DOTALL
)


def questions() -> list[tuple[str, str, str]]:
    """Return each question with its statement and the answer as Markdown."""
    found = _ASKED.findall((ROOT / "docs" / "analysts.md").read_text("utf-8"))
    assert len(found) == 10
    return [(question, statement, answer.strip()) for question, statement, answer in found]
