"""A reconciled network as JSON: one object for a file, or one line per figure, node and fault."""

import math
from collections.abc import Iterator

from custody.detect import gross_error, threshold
from custody.detect.reconciliation import Fault, Reconciliation, limits
from runtime.client import JsonObject
from runtime.network_file import MASS, Network

CLOSE = threshold.chi2_quantile(0.05, 1)
"""Faults whose statistics differ by less are about as good explanations as each other."""


def document(found: Reconciliation, network: Network, alpha: float) -> JsonObject:
    """Return a result as one JSON object; a figure that is not known is null.

    Args:
        found: What came out.
        network: Of what; its units turn mass times grade into contained metal.
        alpha: Level of each family of tests.
    """
    tests = len(found.fault_tests)
    limit = threshold.chi2_quantile(alpha, found.degrees) if found.degrees else None
    best = found.fault_tests[0].p_adjusted if found.fault_tests else 1.0
    streams = list(_streams(found, network, alpha))
    return {
        "found": found.p < alpha or best < alpha or any(row["impossible"] for row in streams),
        "alpha": alpha,
        "global": {
            "statistic": found.statistic,
            "degrees_of_freedom": found.degrees,
            "p": found.p,
            "limit": limit,
            "steps": found.steps,
        },
        "mass_unit": network.mass_unit or None,
        "grade_units": network.grade_units,
        "streams": streams,
        "nodes": list(_nodes(found, network, alpha)),
        "faults": [
            {
                "rank": rank,
                "statistic": test.statistic,
                "p": test.p,
                "p_adjusted": test.p_adjusted,
                "p_left": test.p_left,
                "found": test.p_adjusted < alpha,
                "close_to_best": test.behind < CLOSE,
                "told_apart": len(test.faults) == 1,
                "hypotheses": [_fault(fault, alpha, tests) for fault in test.faults],
            }
            for rank, test in enumerate(found.fault_tests, start=1)
        ],
        "unseen": [_named(fault) for fault in found.unseen],
    }


def lines(whole: JsonObject) -> Iterator[JsonObject]:
    """Yield a result line by line: the network, its streams, nodes, faults and what is unseen."""
    lists = {"streams": "stream", "nodes": "node", "faults": "fault", "unseen": "unseen"}
    yield {"record": "network", **{key: whole[key] for key in whole if key not in lists}}
    for key, record in lists.items():
        for row in rows(whole, key):
            yield {"record": record, **row}


def rows(row: JsonObject, key: str) -> list[JsonObject]:
    """Return the list that stands in an object."""
    found = row[key]
    assert isinstance(found, list)
    return found


def _streams(found: Reconciliation, network: Network, alpha: float) -> Iterator[JsonObject]:
    limit = limits([one.z for one in found.quantities], alpha)
    for one in found.quantities:
        per = 1.0 if one.analyte is None else network.metal_per_product(one.analyte)
        most = math.inf if one.analyte is None else network.grade_max(one.analyte)
        yield {
            "stream": one.flow,
            "quantity": one.analyte or MASS,
            "class": one.status.value,
            "measured": one.measured and one.measured[0],
            "measured_u": one.measured and one.measured[1],
            "reconciled": one.reconciled and one.reconciled[0],
            "reconciled_u": one.reconciled and one.reconciled[1],
            "adjustment": one.adjustment,
            "z": one.z,
            "z_limit": limit,
            "found": one.z is not None and one.z >= limit,
            "impossible": one.reconciled is not None
            and _is_impossible(*one.reconciled, limit, most),
            "metal": one.metal and one.metal[0] * per,
            "metal_u": one.metal and one.metal[1] * per,
        }


def _is_impossible(value: float, u: float, limit: float, most: float) -> bool:
    """Tell whether a figure is below zero or beyond ``most`` by more than chance."""
    return value < -limit * u or value > most + limit * u


def _nodes(found: Reconciliation, network: Network, alpha: float) -> Iterator[JsonObject]:
    limit = limits([one.z for one in found.node_tests], alpha)
    for one in found.node_tests:
        per = 1.0 if one.analyte is None else network.metal_per_product(one.analyte)
        yield {
            "nodes": list(one.nodes),
            "quantity": one.analyte or MASS,
            "in": one.into * per,
            "out": one.out_of * per,
            "out_minus_in": (one.out_of - one.into) * per,
            "u": one.u * per,
            "z": one.z,
            "z_limit": limit,
            "p": one.p,
            "found": one.z is not None and abs(one.z) >= limit,
        }


def _named(fault: Fault) -> JsonObject:
    return {
        "kind": fault.kind,
        "at": fault.at,
        "quantity": (fault.analyte or MASS) if fault.kind == "bias" else None,
        "like": fault.like,
    }


def _fault(fault: Fault, alpha: float, tests: int) -> JsonObject:
    return {
        **_named(fault),
        "size": fault.size,
        "size_u": fault.u,
        "smallest_detectable": gross_error.smallest_detectable(fault.u, alpha, tests),
    }
