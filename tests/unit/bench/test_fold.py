"""The bench of the fold measures what it says, with tests of lots and without."""

from contextlib import nullcontext
from unittest.mock import patch

from bench.fold import run, untested
from bench.plant_day import draw_day
from custody.detect.mixture import Detector


def test_the_books_alone_say_the_same_books_and_judge_no_lot() -> None:
    facts = draw_day(3, 1, seed=1)
    said, judged = [], []
    for alone in (False, True):
        real = Detector.judged
        with (
            patch.object(Detector, "judged", autospec=True, side_effect=real) as judge,
            untested() if alone else nullcontext(),
        ):
            said.append(run("few", facts, 1, encode=True).outputs)
            judged.append(judge.call_count)
    tested, books = said
    assert books["Balance"] == tested["Balance"] > 0
    assert books["Transfer"] == tested["Transfer"] > 0
    assert judged[0] > 0 == judged[1]
