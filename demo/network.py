"""Draws a layout of ribbons: boxes, curved ribbons between them, and their labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from demo.ribbons import Box, Layout, Ribbon

BOX_WIDTH = 0.011
"""Width of a box, a share of the picture's."""
INK = "#1c2733"
LABEL_PT = 9.5
THIN_PT = 0.7
"""Least width a ribbon or box is drawn with, so that a small amount is still seen."""

_MOVE, _LINE, _CURVE, _CLOSE = (
    int(code) for code in (Path.MOVETO, Path.LINETO, Path.CURVE4, Path.CLOSEPOLY)
)


@dataclass(frozen=True, slots=True)
class Look:
    """How a network is drawn.

    Attributes:
        title: Above it.
        size_in: Width and height, inches.
        columns: Left side of each layer's boxes, shares of the width.
        leads: How far a ribbon runs level before it bends, by the layer it comes from: room for
            labels. Shares of the width.
        labels: Lines of text beside each box; a node without any has none.
        colours: By node; a ribbon has that of where it comes from.
    """

    title: str
    size_in: tuple[float, float]
    columns: Sequence[float]
    leads: Mapping[int, float]
    labels: Mapping[str, str]
    colours: Mapping[str, str]


def evenly(layers: int, left: float, right: float) -> list[float]:
    """Return columns at equal distances, with room for labels at both ends of the picture."""
    room = 1.0 - left - right - BOX_WIDTH
    return [left + room * number / max(layers - 1, 1) for number in range(layers)]


def draw(layout: Layout, look: Look) -> Figure:
    """Return the picture of a layout; boxes of the first layer have their labels at the left."""
    figure = Figure(figsize=look.size_in, layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(-0.01, 1.03)
    axes.axis("off")
    axes.set_title(look.title, loc="left", fontsize=12.5, color=INK)
    for ribbon in sorted(layout.ribbons, key=lambda r: -r.thick):
        axes.add_patch(_ribbon(ribbon, look))
    for box in layout.boxes.values():
        axes.add_patch(_box(box, look))
        _label(axes, box, look)
    return figure


def _box(box: Box, look: Look) -> Rectangle:
    place = (look.columns[box.layer], box.low)
    height = box.high - box.low
    colour = look.colours[box.name]
    return Rectangle(
        place, BOX_WIDTH, height, facecolor=colour, edgecolor=colour, linewidth=THIN_PT
    )


def _ribbon(ribbon: Ribbon, look: Look) -> PathPatch:
    lower = list(zip(ribbon.layers, ribbon.lows, strict=True))
    points, codes = _side(lower, look)
    above = [(x, y + ribbon.thick) for x, y in reversed(points)]
    outline = Path(
        [*points, *above, points[0]],
        [_MOVE, *codes, _LINE, *reversed(codes), _CLOSE],
    )
    colour = look.colours[ribbon.edge.source]
    return PathPatch(
        outline, facecolor=colour, edgecolor=colour, linewidth=THIN_PT, alpha=0.38, zorder=0.5
    )


def _side(
    corners: list[tuple[int, float]], look: Look
) -> tuple[list[tuple[float, float]], list[int]]:
    """Return the lower side of a ribbon: level at the layers it touches, curved between.

    Returns:
        Points, and how to come to each of them but the first.
    """
    points = [(look.columns[corners[0][0]] + BOX_WIDTH, corners[0][1])]
    codes: list[int] = []
    for (layer, y), (other, end) in pairwise(corners):
        here = look.columns[layer] + BOX_WIDTH + look.leads.get(layer, 0.0)
        there = look.columns[other]
        middle = (here + there) / 2
        points += [(here, y), (middle, y), (middle, end), (there, end)]
        codes += [_LINE, _CURVE, _CURVE, _CURVE]
    return points, codes


def _label(axes: Axes, box: Box, look: Look) -> None:
    at_left = box.layer == 0
    x = look.columns[box.layer]
    axes.text(
        x - 0.006 if at_left else x + BOX_WIDTH + 0.006,
        box.middle,
        look.labels.get(box.name, ""),
        ha="right" if at_left else "left",
        va="center",
        fontsize=LABEL_PT,
        color=INK,
        linespacing=1.15,
        # A plate, not an outline of the letters: those would be a megabyte of curves.
        bbox={"boxstyle": "round,pad=0.12", "facecolor": "white", "alpha": 0.72, "linewidth": 0},
    )
