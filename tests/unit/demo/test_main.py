"""Where the report goes."""

from pathlib import Path

from demo.main import _report_path
from demo.publish import Answers


def test_a_day_sent_again_leaves_the_first_report(tmp_path: Path) -> None:
    first = tmp_path / "report-7.html"
    sent, again = Answers(accepted=5), Answers(duplicates=5)
    assert _report_path(tmp_path, 7, sent) == first
    assert _report_path(tmp_path, 7, again) == first
    first.write_text("")
    assert _report_path(tmp_path, 7, again) == tmp_path / "report-7-again.html"
    assert _report_path(tmp_path, 7, sent) == first
