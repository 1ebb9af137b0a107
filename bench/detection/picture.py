"""Detection probability against size, one panel per fraud, as an SVG."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.detection.table import POWER, Found

CURVES = ("best possible", "ours", "at ln 1000", "eight classic tests")
STYLES = ("k--", "C0-", "C0:", "C1-")


def draw(found: list[Found], title: str, path: Path) -> None:
    """Write the picture; the same figures give the same file."""
    mpl.rcParams["svg.hashsalt"] = "bench.detection"
    figure = Figure(figsize=(10.0, 5.6), layout="constrained")
    axes = figure.subplots(2, 3, sharey=True)
    for one, ax in zip(found, axes.flat, strict=True):
        _panel(one, ax)
    axes.flat[0].legend(fontsize="x-small", loc="lower right")
    figure.suptitle(title, fontsize="medium")
    figure.supxlabel("size, percent", fontsize="small")
    figure.supylabel("detection probability", fontsize="small")
    figure.savefig(path, format="svg", metadata={"Date": None})


def _panel(one: Found, ax: Axes) -> None:
    sizes = [100.0 * row[0] for row in one.power]
    for at, (label, style) in enumerate(zip(CURVES, STYLES, strict=True), start=1):
        ax.plot(sizes, [row[at] for row in one.power], style, label=label, linewidth=1.2)
    ax.axhline(POWER, color="0.8", linewidth=0.8, zorder=0)
    ax.set_title(one.fraud.replace("_", ", "), fontsize="small")
    ax.set_ylim(0.0, 1.02)
    ax.tick_params(labelsize="x-small")
