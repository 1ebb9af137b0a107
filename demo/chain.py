"""The two pictures of the chain: where the day's metal went, and where one lot came from."""

from collections.abc import Sequence
from datetime import datetime

from matplotlib.figure import Figure

from demo import flow, lineage
from demo.day import Day
from demo.figures import captioned
from demo.flow import Net
from demo.lineage import Strand
from demo.network import Look, draw, evenly
from demo.outcome import MG_PER_KG
from demo.plant import MINE_BIR, MINE_DUN
from demo.ribbons import layout

FLOW_IN = (11.5, 6.4)
LINEAGE_IN = (11.5, 8.4)
MINES_AND_LOTS = (0.085, 0.2)
"""Where the first two columns of the lineage stand, shares of the width."""
LEADS = {1: 0.19}
"""Room for the labels of the ore lots, a share of the width."""
MINE_COLOURS = {MINE_DUN: "#b3541e", MINE_BIR: "#7a6a1f"}
LOT_COLOUR = "#4a7a96"
PROCESS_COLOUR = "#5b5b8a"
PRODUCT_COLOUR = "#2e7d5b"
STOCK_COLOUR = "#8a98a5"
LOST_COLOUR = "#a33b3b"


def flow_picture(day: Day, nets: Sequence[Net], analyte: str, as_of: datetime) -> str:
    """Return the picture of where a contained metal went, with its caption."""
    return captioned(
        flow_figure(day, nets, analyte),
        f"Contained {analyte} of the day, kilograms, as known at {as_of:%Y-%m-%d %H:%M} UTC: a "
        "ribbon is as thick as the sum of the transfers between its ends, a box as what went "
        "through it. What is drawn as left lies there at the end of the day. Unaccounted is what "
        "two measurements of the same lots disagree on: on the road, at a later certificate or "
        "through a process; where the later one found more, it comes in from a box of its own.",
    )


def flow_figure(day: Day, nets: Sequence[Net], analyte: str) -> Figure:
    """Return the figure of the flow."""
    edges = flow.edges_of(nets)
    placed = layout(edges, gap=0.1)
    names = flow.labels(day, placed.boxes)
    amounts = {
        name: max(
            sum(e.amount for e in edges if e.target == name),
            sum(e.amount for e in edges if e.source == name),
        )
        for name in placed.boxes
    }
    labels = {name: f"{names[name]}\n{amounts[name] / MG_PER_KG:,.1f} kg" for name in placed.boxes}
    colours = {name: _flow_colour(name) for name in placed.boxes}
    title = f"Contained {analyte}, kg: from the mines to concentrate, tailings and stocks"
    columns = evenly(placed.layers, left=0.085, right=0.1)
    return draw(placed, Look(title, FLOW_IN, columns, {}, labels, colours))


def _flow_colour(name: str) -> str:
    if name in {flow.UNACCOUNTED, flow.MORE} or name.startswith("loss/"):
        return LOST_COLOUR
    if name.startswith("process/") or name == flow.BLEND:
        return PROCESS_COLOUR
    if name.endswith(flow.CONCENTRATE):
        return PRODUCT_COLOUR
    if name.startswith(flow.STOCK):
        return STOCK_COLOUR
    return MINE_COLOURS.get(name, LOT_COLOUR)


def lineage_picture(strands: Sequence[Strand], root: str, analyte: str, as_of: datetime) -> str:
    """Return the picture of a lot's way back to the mines, with its caption."""
    lots = len({s.giver for s in strands if s.giver.startswith("lot/")})
    return captioned(
        lineage_figure(strands, root, analyte),
        f"Where the metal of {root.partition('/')[2]} came from, as known at "
        f"{as_of:%Y-%m-%d %H:%M} UTC, over {lots} lots. Beside each box are its shares of what the "
        f"lot was made from: of the dry mass, and of the contained {analyte}, which the heights "
        "show. Each process splits its share by what went in; where many lots went in, those with "
        "the most metal are drawn and the rest is one box.",
    )


def lineage_figure(strands: Sequence[Strand], root: str, analyte: str) -> Figure:
    """Return the figure of a lineage."""
    shown = lineage.folded(strands)
    shares = lineage.shares_of(shown, root)
    placed = layout(lineage.edges_of(shown), gap=0.03)
    labels = {name: _lineage_label(name, shares[name], analyte) for name in placed.boxes}
    colours = {name: _lineage_colour(name, root) for name in placed.boxes}
    title = f"Lineage of {root.partition('/')[2]}: shares of its feed by dry mass and {analyte}"
    # Mines and ore lots stand close, and the lots' labels get what that leaves.
    columns = [*MINES_AND_LOTS, *evenly(placed.layers - 2, left=0.54, right=0.075)]
    return draw(placed, Look(title, LINEAGE_IN, columns, LEADS, labels, colours))


def _lineage_label(name: str, share: tuple[float, float], analyte: str) -> str:
    kind, ident = name.split("/")[:2]
    if kind == "process" or share == (1.0, 1.0):
        return ident
    dry, metal = f"{share[0]:.1%} dry", f"{share[1]:.1%} {analyte}"
    if ident.startswith("L-") or kind == "rest":
        return f"{ident}  {dry}, {metal}"
    return f"{ident}\n{dry}\n{metal}"


def _lineage_colour(name: str, root: str) -> str:
    if name == root:
        return PRODUCT_COLOUR
    if name.startswith("process/"):
        return PROCESS_COLOUR
    return MINE_COLOURS.get(name.removeprefix(lineage.MINE), LOT_COLOUR)
