"""How far a lot can be traced: the four elements, by how good the evidence is.

Traceability answers four questions: where material is from (origin), where it went (geographic
path), in whose hands it was (chain of custody), what was made of it (physical evolution). For each
a lot's mass is split by the best evidence that holds over *all* of its way: nothing, somebody's
declaration, a measurement, or the word of two that agree. Evidence is as good as its weakest link:
each lot and process on the way caps what reaches it, and mixing adds up.

The two weighings of a trip agree on its mass, its way and whose hands it was in. They say nothing
of where the ore was mined: that needs a scale at the very site, or another party's word.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from custody.events import Micros
from custody.genealogy import (
    LOT,
    NEGLIGIBLE,
    PROCESS,
    ROUNDS_MAX,
    Graph,
    Way,
    contributions,
    mix,
)


class Evidence(IntEnum):
    """How good evidence is; a greater one includes the smaller."""

    NONE = 0
    DECLARED = 1
    MEASURED = 2
    CONFIRMED = 3


@dataclass(frozen=True, slots=True)
class Movement:
    """One trip of a lot.

    Attributes:
        id: Its id, as the papers or the worker name it.
        dispatched: Facts that say it left: event ids.
        received: Facts that say it arrived.
        start: Site where it began, as far as somebody said.
        witness: Another site whose receipt names ``start`` as where it came from.
        end: Site where it ends, likewise; as the papers say also of one that has not arrived.
        left_at: When it left; None where nobody said.
        came_at: When it arrived; None where it has not, as far as somebody said.
        sold: A party that keeps no books with us took it away.
    """

    id: str
    dispatched: frozenset[str]
    received: frozenset[str]
    start: str | None = None
    witness: str | None = None
    end: str | None = None
    left_at: Micros | None = None
    came_at: Micros | None = None
    sold: bool = False

    @property
    def evidence(self) -> Evidence:
        """Two ends with facts of their own confirm each other; one fact for both measures."""
        if not self.received:
            return Evidence.NONE
        if self.dispatched and self.dispatched != self.received:
            return Evidence.CONFIRMED
        return Evidence.MEASURED


class Use(NamedTuple):
    """Where and when material of a lot went on: into a process, or onto the next trip."""

    site: str
    at: Micros


@dataclass(frozen=True, slots=True)
class LotEvidence:
    """What is known of one lot.

    Attributes:
        origins: Share of its dry mass by how good the evidence of its origin is, 0 to 1 together
            (``origin_split``); what is missing to 1 has none.
        weighed: A scale has weighed it, or a process output was measured later.
        assayed: A certificate stands.
        custodian: Somebody is named who holds it.
        movements: Its trips that count (``on_the_way``).
    """

    origins: Mapping[Evidence, float] = field(default_factory=dict)
    weighed: bool = False
    assayed: bool = False
    custodian: bool = False
    movements: tuple[Movement, ...] = ()


@dataclass(frozen=True, slots=True)
class ProcessEvidence:
    """What is known of one process: that it ended, or is of a kind that never does."""

    closed: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """A place where evidence is missing, by name."""

    node: str
    text: str


@dataclass(slots=True)
class Element:
    """One of the four elements over a walk back.

    Attributes:
        name: Its name.
        first: By lot, how what came from outside the books is split by evidence.
        caps: The best evidence that passes a node; a node that is missing passes all.
        gaps: What is missing.
    """

    name: str
    first: dict[str, dict[Evidence, float]] = field(default_factory=dict)
    caps: dict[str, Evidence] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)


def on_the_way(movements: Sequence[Movement], uses: Iterable[Use]) -> tuple[Movement, ...]:
    """Return the trips that brought a lot's material to where and when it was used.

    Walks back from each use: the trips that ended there by then, and from where and when each of
    them left. A load without a receipt may have come unseen: it counts where it left by then for
    that site, or for one that nobody names. What was sold, went elsewhere or moved later is other
    material of the lot.
    """
    found: set[Movement] = set()
    seen: set[Use] = set()
    asked = list(uses)
    while asked:
        use = asked.pop()
        if use in seen:
            continue
        seen.add(use)
        for one in _brought(movements, use):
            found.add(one)
            left = one.came_at if one.left_at is None else one.left_at
            if one.start is not None and left is not None:
                asked.append(Use(one.start, left))
    return tuple(one for one in movements if one in found)


def _brought(movements: Sequence[Movement], use: Use) -> list[Movement]:
    """Return the trips that may have brought what was used; clocks of sites may differ."""
    bound = [
        one for one in movements
        if not one.sold and (one.end == use.site or (one.end is None and one.start != use.site))
    ]  # fmt: skip
    came = [one for one in bound if one.came_at is not None and one.came_at <= use.at]
    left = [one for one in bound if one.left_at is not None and one.left_at <= use.at]
    unseen = [one for one in left if one.came_at is None]
    return (came or [one for one in left if one.came_at is not None]) + unseen


def origin_split(
    named: Mapping[str, float], weighed: Mapping[str, float], said: Mapping[str, float]
) -> dict[Evidence, float]:
    """Return how good the evidence of a lot's named origins is; fractions of its dry mass.

    Each origin is as well known as its share in all three: what two parties say is confirmed, what
    was weighed at the origin itself before it was anywhere else is measured, the rest declared.

    Args:
        named: Share of each origin that somebody named.
        weighed: By site, the share of what came from outside the books that was weighed there.
        said: By origin, the share that another party has said too.
    """
    found = dict.fromkeys(Evidence, 0.0)
    for origin, share in named.items():
        confirmed = min(share, said.get(origin, 0.0))
        measured = max(confirmed, min(share, weighed.get(origin, 0.0)))
        found[Evidence.CONFIRMED] += confirmed
        found[Evidence.MEASURED] += measured - confirmed
        found[Evidence.DECLARED] += share - measured
    return found


def elements(
    way: Way, lots: Mapping[str, LotEvidence], processes: Mapping[str, ProcessEvidence]
) -> tuple[Element, ...]:
    """Return the four elements, from what is known of each lot and process by owner path."""
    origin, path, custody, evolution = (
        Element(name)
        for name in ("origin", "geographic_path", "chain_of_custody", "physical_evolution")
    )
    for node in way.order:
        if node.startswith(LOT):
            known = lots.get(node, LotEvidence())
            _origin(origin, node, known)
            _path(path, node, known)
            _custody(custody, node, known)
            _lot_evolution(evolution, node, known)
        elif not processes.get(node, ProcessEvidence()).closed:
            evolution.caps[node] = Evidence.NONE
            evolution.gaps.append(Gap(node, f"process {node.removeprefix(PROCESS)} has no close"))
    return origin, path, custody, evolution


def covered(graph: Graph, way: Way, element: Element, quantity: str) -> dict[Evidence, float]:
    """Return how a lot's mass is split by the evidence of its whole way; fractions, sum 1.

    Args:
        graph: Edges into all nodes of the walk.
        way: The walk back from the lot.
        element: What is asked of the evidence.
        quantity: Dry mass or an analyte.
    """
    mixes = {node: mix(graph, node, quantity) for node in way.order if node not in way.cut}
    splits: dict[str, dict[Evidence, float]] = {node: {} for node in way.order}
    for _ in range(ROUNDS_MAX if way.closing else 1):
        changed = 0.0
        for node in reversed(way.order):
            first = _NOTHING if node in way.cut else element.first.get(node, _NOTHING)
            split = _mixed(mixes.get(node, {}), splits, first)
            split = _capped(split, element.caps.get(node, Evidence.CONFIRMED))
            changed += sum(abs(split[one] - splits[node].get(one, 0.0)) for one in Evidence)
            splits[node] = split
        if changed < NEGLIGIBLE:
            break
    found = splits[way.order[0]]
    # A ring that nothing ever entered has no evidence of anything.
    found[Evidence.NONE] += max(0.0, 1.0 - sum(found.values()))
    return found


def _mixed(
    parts: Mapping[str, float],
    splits: Mapping[str, Mapping[Evidence, float]],
    first: Mapping[Evidence, float],
) -> dict[Evidence, float]:
    """Return the split of a mix; what no parent gave is split as what came from outside."""
    rest = max(0.0, 1.0 - sum(parts.values()))
    split = {one: rest * first.get(one, 0.0) for one in Evidence}
    for parent, part in parts.items():
        for evidence, share in splits[parent].items():
            split[evidence] += part * share
    return split


def gaps(graph: Graph, way: Way, element: Element, quantity: str) -> list[Gap]:
    """Return the gaps that matter to a lot: the nearest first, then those of the most mass."""
    shares = contributions(graph, way, quantity)
    from_outside = [
        gap for gap in element.gaps if element.name != "origin" or _is_first(graph, way, gap.node)
    ]
    return sorted(
        (gap for gap in from_outside if shares[gap.node] > 0.0),
        key=lambda gap: (way.steps[gap.node], -shares[gap.node], gap.text),
    )


_NOTHING: Mapping[Evidence, float] = {Evidence.NONE: 1.0}


def _is_first(graph: Graph, way: Way, node: str) -> bool:
    return node in graph.entries or not any(p in way.steps for p in graph.parents(node))


def _capped(split: Mapping[Evidence, float], cap: Evidence) -> dict[Evidence, float]:
    found = dict.fromkeys(Evidence, 0.0)
    for evidence, share in split.items():
        found[min(evidence, cap)] += share
    return found


def _standing(known: LotEvidence) -> Evidence:
    """Return the best evidence of a lot that has not been mixed yet."""
    if any(one.evidence == Evidence.CONFIRMED for one in known.movements):
        return Evidence.CONFIRMED
    return Evidence.MEASURED if known.weighed else Evidence.DECLARED


def _origin(element: Element, node: str, known: LotEvidence) -> None:
    """A named origin is as good as who says so; how the lot travelled adds nothing."""
    share = min(1.0, sum(known.origins.values()))
    element.first[node] = {**known.origins, Evidence.NONE: 1.0 - share}
    if share < 1.0 - 1e-9:
        unknown = f"{(1.0 - share) * 100:.1f} % of the origin of lot {node.removeprefix(LOT)}"
        element.gaps.append(Gap(node, f"{unknown} unknown"))


def _path(element: Element, node: str, known: LotEvidence) -> None:
    element.first[node] = {_standing(known): 1.0}
    _movements(element, node, known.movements)


def _custody(element: Element, node: str, known: LotEvidence) -> None:
    _path(element, node, known)
    if not known.custodian:
        element.caps[node] = Evidence.NONE
        text = f"lot {node.removeprefix(LOT)} names no custodian"
        element.gaps.append(Gap(node, text))


def _movements(element: Element, node: str, movements: Sequence[Movement]) -> None:
    """A lot that moved is known as well as its worst trip."""
    for one in movements:
        element.caps[node] = min(one.evidence, element.caps.get(node, Evidence.CONFIRMED))
        if one.evidence == Evidence.NONE:
            name = one.id or f"of lot {node.removeprefix(LOT)}"
            element.gaps.append(Gap(node, f"movement {name} has no receipt"))


def _lot_evolution(element: Element, node: str, known: LotEvidence) -> None:
    """What a lot has become is declared until somebody weighs it and takes a sample."""
    lot_id = node.removeprefix(LOT)
    measured = known.weighed and known.assayed
    best = _standing(known) if measured else Evidence.DECLARED
    element.first[node] = {best: 1.0}
    element.caps[node] = best
    if not measured:
        missing = [
            word for word, there in (("weighing", known.weighed), ("assay", known.assayed))
            if not there
        ]  # fmt: skip
        element.gaps.append(Gap(node, f"lot {lot_id} has no {' and no '.join(missing)}"))
