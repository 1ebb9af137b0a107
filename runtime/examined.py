"""How far a lot can be traced: origin, path, custody, evolution, and what is missing."""

from collections.abc import Mapping

from custody.coverage import Evidence, covered, elements, gaps
from custody.genealogy import DRY
from custody.handing import GENERATIONS_MAX
from runtime import evidence
from runtime.client import JsonObject
from runtime.lineage import Ask, Moment
from runtime.traced import Lineage, trace

_GAPS_SHOWN_MAX = 20


def examine(ask: Ask, lot_id: str, moment: Moment) -> tuple[Lineage, list[JsonObject]]:
    """Return a lot's lineage and one answer per element; blocks.

    Raises:
        NoLineage: Nothing was posted of the lot by then.
    """
    found = trace(ask, lot_id, moment, GENERATIONS_MAX, back=True)
    lots, processes = evidence.of_nodes(ask, found.way.order, found.carried, moment)
    answers: list[JsonObject] = []
    for element in elements(found.way, lots, processes):
        missing = gaps(found.graph, found.way, element, DRY)
        by_quantity = {q: covered(found.graph, found.way, element, q) for q in found.shares}
        answer: JsonObject = {
            "element": element.name,
            "dry_fraction": _named(by_quantity.pop(DRY)),
            "metal_fraction": {q: _named(split) for q, split in by_quantity.items()},
            "first_gap": missing[0].text if missing else None,
            "gaps": [gap.text for gap in missing[:_GAPS_SHOWN_MAX]],
            "gaps_count": len(missing),
        }
        if element.name == "origin":
            answer["origins_fraction"] = origins_of(found, lot_id)
        if element.name == "geographic_path":
            answer["stages_fraction"] = stages_of(found, lot_id)
        answers.append(answer)
    return found, answers


def _named(split: Mapping[Evidence, float]) -> dict[str, float]:
    return {one.name.lower(): round(split[one], 9) for one in sorted(split, reverse=True)}


def origins_of(found: Lineage, lot_id: str) -> dict[str, float]:
    """Return the origins of a lot as shares of its dry mass, 0 to 1."""
    said = found.carried.get(lot_id)
    return {} if said is None else dict(said.origins)


def stages_of(found: Lineage, lot_id: str) -> dict[str, dict[str, float]]:
    """Return the labels of each stage of a lot as shares of its dry mass, 0 to 1."""
    said = found.carried.get(lot_id)
    return {} if said is None else {stage: dict(by) for stage, by in said.stages.items()}
