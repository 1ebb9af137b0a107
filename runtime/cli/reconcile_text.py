"""What ``custody reconcile`` prints: tables of streams, nodes and faults, then a verdict."""

import math
from collections.abc import Iterator

from custody.detect.reconciliation import Status
from runtime.cli import output
from runtime.client import JsonObject
from runtime.network_file import MASS, Network
from runtime.reconciled import rows

_FAULTS_SHOWN_MAX = 8
_NOTHING = "global test: nothing follows from two measurements, so nothing can be tested"
_EXACT = "global test: what follows from two measurements is exact and agrees; no test is left"


def show(whole: JsonObject, network: Network) -> None:
    """Print what was found.

    Args:
        whole: The result, as ``runtime.reconciled.document`` makes it.
        network: What was asked.
    """
    streams = [_labelled(row, network) for row in rows(whole, "streams")]
    graded = any(row["quantity"] != MASS for row in streams)
    output.table(_STREAM_COLUMNS + (_METAL_COLUMNS if graded else ()), streams)
    nodes = [
        {**_labelled(row, network), "where": " + ".join(map(str, rows(row, "nodes")))}
        for row in rows(whole, "nodes")
    ]
    faults = list(_fault_rows(whole))
    for columns, cells in ((_NODE_COLUMNS, nodes), (_FAULT_COLUMNS, faults)):
        if cells:
            output.result("")
            output.table(columns, cells)
    hidden = len(rows(whole, "faults")) - _FAULTS_SHOWN_MAX
    if hidden > 0:
        output.talk(f"... and {hidden} tests of other faults; --json shows all")
    output.result("")
    for line in _verdict(whole):
        output.result(line)


def _labelled(row: JsonObject, network: Network) -> JsonObject:
    name = str(row["quantity"])
    unit = network.mass_unit if name == MASS else network.grade_units.get(name, "")
    return {**row, "of": f"{name} {unit}".rstrip()}


def _fault_rows(document: JsonObject) -> Iterator[JsonObject]:
    for test in rows(document, "faults")[:_FAULTS_SHOWN_MAX]:
        first = True
        for hypothesis in rows(test, "hypotheses"):
            shown = {"what": _what(hypothesis), **hypothesis}
            yield {**test, **shown, "rank": test["rank"]} if first else {**shown, "rank": "or"}
            first = False


def _what(fault: JsonObject) -> str:
    """Return a fault in words; its size says whether a leak is a gain."""
    at, size = fault["at"], fault.get("size")
    match fault["kind"]:
        case "bias":
            return f"bias of {at} {fault['quantity']}"
        case "source":
            return f"bias of {at}, in its u"
        case _:
            like = f" like {fault['like']}" if fault["like"] else ""
            gain = isinstance(size, float) and size < 0.0
            return f"{'gain' if gain else 'leak'} at {at}{like}"


def _verdict(whole: JsonObject) -> Iterator[str]:
    of_all = whole["global"]
    assert isinstance(of_all, dict)
    if of_all["limit"] is None:
        exact = any(row["class"] == Status.REDUNDANT for row in rows(whole, "streams"))
        yield _EXACT if exact else _NOTHING
    else:
        agree = "disagree" if of_all["p"] < whole["alpha"] else "agree"
        yield (
            f"global test: {of_all['statistic']:.4g}, degrees of freedom"
            f" {of_all['degrees_of_freedom']}, limit {of_all['limit']:.4g} at alpha"
            f" {whole['alpha']:g}, p {of_all['p']:.2g}: the figures {agree}"
        )
    tests = rows(whole, "faults")
    if tests and tests[0]["found"]:
        yield _explained(tests[0], whole)
        close = [str(test["rank"]) for test in tests[1:] if test["close_to_best"]]
        if close:
            yield f"about as good: rank {', '.join(close)}; only a further measurement decides"
    for row in rows(whole, "streams"):
        if row["impossible"]:
            size = _figure(row["reconciled"], row["reconciled_u"])
            beyond = "below zero" if size.startswith("-") else "more than all there is"
            yield (
                f"{row['stream']} {row['quantity']} {size} is {beyond}, which cannot be: "
                "a figure that it follows from is wrong, or the network is"
            )
    unseen = [_what(fault) for fault in rows(whole, "unseen")]
    if unseen:
        yield f"no test here sees: {'; '.join(unseen)}"


def _explained(test: JsonObject, whole: JsonObject) -> str:
    """Return what the best fault says, and whether it is enough."""
    first, *others = rows(test, "hypotheses")
    size = f"{_figure(first['size'], first['size_u'])} (u {_figure(first['size_u'])})"
    said = f"best fault: {_what(first)}: {size}"
    if others:
        said += f", or {len(others)} more of rank 1 (nothing measured here tells them apart)"
    left, alpha = test["p_left"], whole["alpha"]
    assert isinstance(alpha, float)
    if not isinstance(left, float):
        return said
    rest = "explains the rest" if left >= alpha else "does not explain all of it"
    return f"{said}; it {rest} (p {left:.2g})"


def _figure(value: object, u: object = None) -> str:
    """Return a number with as many digits as its u has two of; ``-`` where it is not known."""
    if not isinstance(value, int | float):
        return "-"
    scale = abs(value) if not isinstance(u, int | float) else u
    if not scale:
        return f"{value:.6g}"
    digits = 1 - math.floor(math.log10(scale))
    return f"{value:,.{min(max(digits, 0), 12)}f}"


def _column(title: str, key: str, u: str | None = None) -> output.Column:
    return output.Column(title, lambda row: _figure(row.get(key), u and row.get(u)), right=True)


def _ratio(title: str, key: str) -> output.Column:
    """Return a column of a z, with a star where it passes its limit."""

    def show(row: output.Row) -> str:
        z = row.get(key)
        return f"{z:.2f}{'*' if row['found'] else ' '}" if isinstance(z, float) else "- "

    return output.Column(title, show, right=True)


def _chance(title: str, key: str) -> output.Column:
    def show(row: output.Row) -> str:
        p = row.get(key)
        return f"{p:.2g}" if isinstance(p, float) else ""

    return output.Column(title, show, right=True)


_STREAM_COLUMNS = (
    output.text("stream", "stream"),
    output.text("of", "of"),
    _column("measured", "measured", "measured_u"),
    _column("u", "measured_u"),
    _column("reconciled", "reconciled", "reconciled_u"),
    _column("u", "reconciled_u"),
    _column("adjustment", "adjustment", "measured_u"),
    _ratio("z", "z"),
    output.text("class", "class"),
)
_METAL_COLUMNS = (_column("metal", "metal", "metal_u"), _column("u", "metal_u"))
_NODE_COLUMNS = (
    output.text("node", "where"),
    output.text("of", "of"),
    _column("in", "in", "u"),
    _column("out", "out", "u"),
    _column("out - in", "out_minus_in", "u"),
    _column("u", "u"),
    _ratio("z", "z"),
    _chance("p", "p"),
)
_FAULT_COLUMNS = (
    output.text("rank", "rank", right=True),
    output.text("single fault", "what"),
    _column("size", "size", "size_u"),
    _column("u", "size_u"),
    _chance("p, all tests", "p_adjusted"),
    _chance("p of the rest", "p_left"),
    _column("found from", "smallest_detectable", "size_u"),
)
