"""The two pictures of the chain carry their numbers, units and time."""

import re
from dataclasses import replace
from datetime import UTC, datetime

from matplotlib.figure import Figure

from demo import chain, lineage
from demo.day import make_day
from tests.unit.demo.test_flow import NETS
from tests.unit.demo.test_lineage import ROOT, many

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = make_day(1)
KG = [replace(net, mg=net.mg * 1_000_000) for net in NETS]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_a_box_of_the_flow_says_its_name_and_kilograms() -> None:
    found = texts(chain.flow_figure(DAY, KG, "Cu"))
    assert "MINE-DUN\n1,000.0 kg" in found
    assert "blend\nB-1-0001\n305.0 kg" in found
    assert "tailings\n20.0 kg" in found


def test_a_box_of_the_lineage_says_its_shares() -> None:
    strands = lineage.trace_back(many(45), ROOT)
    found = texts(chain.lineage_figure(strands, ROOT, "Cu"))
    assert "C" in found
    assert any(re.fullmatch(r"A\n\d+\.\d% dry\n\d+\.\d% Cu", text) for text in found)
    assert any(text.startswith("25 more lots  55.6% dry, ") for text in found)
    assert len(found) <= 40


def test_no_text_is_smaller_than_nine_points() -> None:
    sizes = [text.get_fontsize() for text in chain.flow_figure(DAY, KG, "Cu").axes[0].texts]
    assert all(isinstance(size, float) and size >= 9.0 for size in sizes)


def test_labels_of_the_flow_do_not_cover_each_other() -> None:
    figure = chain.flow_figure(DAY, KG, "Cu")
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    pairs = [(a, b) for n, a in enumerate(boxes) for b in boxes[:n]]
    assert not [pair for pair in pairs if pair[0].overlaps(pair[1])]


def test_captions_say_what_is_shown_in_which_unit_and_as_of_when() -> None:
    strands = lineage.trace_back(many(45), ROOT)
    flow = chain.flow_picture(DAY, KG, "Cu", NOON)
    way = chain.lineage_picture(strands, ROOT, "Cu", NOON)
    assert "kilograms, as known at 2026-03-02 12:00 UTC" in flow
    assert "as known at 2026-03-02 12:00 UTC, over 45 lots" in way
    assert "<svg" in flow
    assert "<svg" in way
