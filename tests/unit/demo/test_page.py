"""What the page says of what was put in."""

from demo.day import make_day
from demo.follow import Verdict
from demo.page import Findings, as_text, sections
from demo.publish import Answers


def test_the_page_counts_clean_lots_and_tells_the_dirt() -> None:
    day = make_day(1)
    found = Findings(
        day=day,
        answers=Answers(),
        stored=frozenset(),
        alerts=(),
        judged=(),
        clean=(),
        totals=(),
        rows={},
        delays=(0, 0.0, 0.0),
        verdict=Verdict(0, ""),
    )
    lines = as_text(sections(found)).splitlines()
    assert any(line.startswith("clean lots with an alert") and "0 of 294" in line for line in lines)
    for lot_id in day.dirt.lots.values():
        assert any(line.endswith(lot_id) for line in lines)
