"""A closed batch as its tests see it: streams with what was measured of them.

Source:
    docs/detection/process-nodes.md
"""

import math
from collections.abc import Mapping, Sequence

from custody.batch import Batch
from custody.detect import node_facts, node_verdict
from custody.detect.lot_model import SITES_MAX, fingerprint
from custody.detect.node_facts import Node, Stream
from custody.detect.reconciliation import Materials
from custody.events import Micros
from custody.held import Held
from custody.kinds import Kind
from custody.process import Standing, dry_share, side_mass
from custody.process_known import Whole, dry_known, in_whole, leaving
from custody.reference import References
from custody.verdict import Verdict
from custody.worth import priced

PER_FRACTION = 1000.0
"""Milligrams per gram."""


def judged(node: Node, references: References, at: Micros) -> Verdict | None:
    """Judge a closed process; other sites' material is read only where something does not fit.

    Args:
        node: Its streams.
        references: Fingerprints of sites.
        at: Time of which they are asked.
    """
    return node_verdict.judge(
        node, lambda: _materials(references, at), lambda: _value(node, references, at)
    )


def _value(node: Node, references: References, at: Micros) -> float | None:
    """Return what the metals that went in are worth; None where none has a price."""
    metals: dict[str, float] = {}
    for one in node.inputs:
        for analyte, grade in one.grades.items():
            metals[analyte] = metals.get(analyte, 0.0) + one.dry.value * grade.value
    return priced(metals, references, at)[0]


def _materials(references: References, at: Micros) -> Materials:
    found: dict[str, dict[str, float]] = {}
    for site_id, body in references.library(at)[:SITES_MAX]:
        site = fingerprint(site_id, body)
        if site is not None:
            grades = zip(site.analytes, site.mean.tolist(), strict=True)
            found[f"{site_id}'s"] = {a: PER_FRACTION * math.exp(ln) for a, ln in grades}
    return found


def node_of(
    batch: Batch,
    kind: Kind,
    sides: Sequence[Standing],
    given: tuple[Mapping[str, Held], Mapping[str, Held]],
    references: References,
) -> Node:
    """Return what a process has as streams.

    Args:
        batch: The process as derived: what its outputs handed over, and the dry share they have.
        kind: What it does.
        sides: Those that stand.
        given: What lots handed in, and what outputs were measured to be less than handed over.
        references: Laboratories of sites.
    """
    inputs, measured = given
    outputs: list[Stream] = []
    losses: list[Stream] = []
    for one in sides:
        if one.side.part == "loss":
            losses.append(_stated(one, one.side.loss_kind or "loss", batch.whole, references))
        elif one.side.part == "output":
            handed = batch.outcomes[one.number].handed
            back = measured.get(one.cause.event_id)
            if handed is None or back is None:
                name = one.side.lot or "output without a lot"
                outputs.append(_stated(one, name, batch.whole, references))
            else:
                outputs.append(_measured(one, handed, back))
    return Node(
        tuple(
            node_facts.stream(
                held.owner.removeprefix("lot/"),
                cause,
                in_whole(held, batch.whole, batch.source),
                sorted(held.metals),
            )
            for cause, held in inputs.items()
        ),
        tuple(outputs),
        tuple(losses),
        conserves_mass=not kind.chemical,
        separating=kind.separating,
    )


def _stated(one: Standing, name: str, whole: Whole, references: References) -> Stream:
    """Return a stream of which only its side says anything, beside the dry share of the inputs."""
    wet, dry = side_mass(one.side, dry_share(whole.wet, whole.dry))
    mass = dry_known(leaving(one, wet, dry, references), whole.share)
    return Stream(name, one.cause.event_id, node_facts.floored(node_facts.named(mass)), {})


def _measured(one: Standing, handed: Held, back: Held) -> Stream:
    """Return an output that a certificate speaks of: handed over, less what it was not."""
    metals = {
        analyte: (handed.metals.get(analyte, (0, 0.0, {}))[0] - value, u, parts)
        for analyte, (value, u, parts) in back.metals.items()
    }
    held = handed._replace(
        dry=handed.dry - back.dry, dry_u=back.dry_u, dry_parts=back.dry_parts, metals=metals
    )
    return node_facts.stream(one.side.lot or "", one.cause.event_id, held, sorted(metals))
