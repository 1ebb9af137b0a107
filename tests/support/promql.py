"""What an expression asks of processes, held against the metrics that are declared."""

import re

from telemetry.metrics import OTHER, TABLE, Histogram

_BY_NAME = {spec.name: spec for spec in TABLE}
_SUFFIX = re.compile("_(bucket|sum|count)$")
_OF_A_SCRAPE = {"instance", "job", "le"}


def faults(expression: str) -> list[str]:
    """Name the metrics, labels and labels' values of an expression that nobody exports."""
    names = set(re.findall(r"\b(?:custody_\w+|up)\b", expression))
    wrong = [] if names else ["it asks for no metric"]
    labels: dict[str, set[str]] = {}
    for name in sorted(names - {"up"}):
        spec = _BY_NAME.get(name) or _BY_NAME.get(_SUFFIX.sub("", name))
        if spec is None or isinstance(spec, Histogram) == (name == spec.name):
            wrong.append(name)
        elif spec.label is not None:
            labels.setdefault(spec.label.name, set()).update({*spec.label.values, OTHER})
    grouped = re.findall(r"\b(?:by|without)\s*\(([^)]*)\)", expression)
    chosen = re.findall(r"(\w+)\s*=~?\s*\"([^\"]*)\"", expression)
    used = {label.strip() for group in grouped for label in group.split(",")}
    used |= {name for name, _ in chosen}
    wrong += sorted(used - _OF_A_SCRAPE - set(labels))
    return wrong + [value for name, value in chosen if name in labels and value not in labels[name]]
