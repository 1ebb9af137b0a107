"""What all pictures share: axes without clutter, and a figure as HTML with its caption."""

import io
import re
from html import escape

from matplotlib.axes import Axes
from matplotlib.figure import Figure

_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)

WIDTH_IN = 9.0
"""Width of a plot in inches."""


def styled(axes: Axes) -> Axes:
    """Take away what says nothing."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    return axes


def captioned(figure: Figure, caption: str) -> str:
    """Return a figure as HTML; it refers to nothing outside itself."""
    return f"<figure>{_svg(figure)}<figcaption>{escape(caption)}</figcaption></figure>"


def _svg(figure: Figure) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    svg = text.getvalue()
    # Its metadata names vocabularies on the web.
    return _METADATA.sub("", svg[svg.index("<svg") :])
