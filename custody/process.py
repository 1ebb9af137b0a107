"""A process: what went in, what came out, what nobody declared.

A process is a function of the set of its sides and of what its inputs handed in, whichever came
first. Its account may be below zero while it is open.

*Physical* kinds conserve dry mass and every metal; *chemical* kinds conserve metals, and what
becomes of the rest of the mass is ``conversion``. An output moves its own declared mass; its
metals are its share of what went in, by dry mass, times what the kind recovers.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from custody import accounts, handing
from custody import carried as travelling
from custody.balance import Stamp
from custody.estimate import NOTHING, Estimate, absolute, add, relative, said, times, total
from custody.held import Carried, Held, Posted
from custody.knowledge import Amount, Cause, carried_of
from custody.process_rows import ProcessRow
from custody.records import Balance, Metal
from custody.reference import Recovery, References
from custody.rows import Book, Fed

CHEMICAL = frozenset({"leach", "smelt", "refine", "other"})
"""Kinds that turn material into something else; all others are physical."""
SEPARATING = frozenset({"concentrate", *CHEMICAL})
"""Kinds whose outputs do not have the composition of their inputs."""
RECOVERY_DEFAULT = {"concentrate": 0.88}
RECOVERY = 0.95
"""Share of a metal that goes into the product, where reference data says nothing."""
RECOVERY_U_REL = 0.05
"""Relative uncertainty of a recovery nobody measured."""
OUTPUT_U_REL = 0.005
"""Relative uncertainty of an output's mass without a statement."""


class Inputs(NamedTuple):
    """Everything that went in: grams, milligrams, and estimates of them."""

    wet: int
    dry: int
    metals: dict[str, int]
    wet_estimate: Estimate
    dry_estimate: Estimate
    metal_estimates: dict[str, Estimate]


@dataclass(slots=True)
class ProcessBook:
    """What should stand for a process.

    Attributes:
        postings: By ``kind|event_id`` (``|account`` where one event has two).
        handed: What outputs hand to their lots, by event.
        wet: Grams in the process now.
        dry: Grams in the process now.
        metals: Milligrams in the process now.
        estimate: Of the dry mass.
        metal_estimates: Milligrams.
        closed: A close stands.
        kind: Kind of the process.
        findings: Names for metrics.
    """

    postings: dict[str, Posted] = field(default_factory=dict)
    handed: dict[str, Held] = field(default_factory=dict)
    wet: int = 0
    dry: int = 0
    metals: dict[str, int] = field(default_factory=dict)
    dry_estimate: Estimate = NOTHING
    wet_estimate: Estimate = NOTHING
    metal_estimates: dict[str, Estimate] = field(default_factory=dict)
    closed: bool = False
    kind: str = "other"
    findings: list[str] = field(default_factory=list)


def inputs_of(given: Mapping[str, Held]) -> Inputs:
    """Return the sum of what was handed in."""
    metals: dict[str, int] = {}
    parts: dict[str, list[Estimate]] = {}
    for held in given.values():
        for analyte, (value, u, systematic) in held.metals.items():
            metals[analyte] = metals.get(analyte, 0) + value
            parts.setdefault(analyte, []).append(Estimate(float(value), u * u, systematic))
    held_all = given.values()
    return Inputs(
        sum(held.wet for held in held_all),
        sum(held.dry for held in held_all),
        metals,
        total(Estimate(float(h.wet), h.wet_u**2, h.wet_parts) for h in held_all),
        total(Estimate(float(h.dry), h.dry_u**2, h.dry_parts) for h in held_all),
        {analyte: total(estimates) for analyte, estimates in parts.items()},
    )


class Derivation:
    """Derives what should stand for one process; used once.

    Args:
        process_id: The process.
        row: Its standing sides in canonical order, what inputs handed in, what it said last.
        references: Recoveries.
    """

    __slots__ = (
        "_account",
        "_before",
        "_book",
        "_given",
        "_inputs",
        "_process_id",
        "_references",
        "_sides",
    )

    def __init__(
        self,
        process_id: str,
        row: ProcessRow,
        references: References,
    ) -> None:
        self._process_id = process_id
        self._account = accounts.process(process_id)
        self._before = row
        self._sides = row.sides
        self._given = row.given
        self._references = references
        self._inputs = inputs_of(row.given)
        self._book = ProcessBook()

    def derive(self) -> ProcessBook:
        """Return what should stand."""
        book, inputs = self._book, self._inputs
        book.kind = self._sides[-1].side.kind if self._sides else "other"
        book.wet, book.dry, book.metals = inputs.wet, inputs.dry, dict(inputs.metals)
        book.wet_estimate, book.dry_estimate = inputs.wet_estimate, inputs.dry_estimate
        book.metal_estimates = dict(inputs.metal_estimates)
        outputs = [fed for fed in self._sides if fed.side.part == "output"]
        losses = [fed for fed in self._sides if fed.side.part == "loss"]
        carried = carried_of(Book(), self._given)
        recovery = self._recovery()
        self._put_out(outputs, recovery, carried)
        self._lose(losses, recovery)
        closes = [fed for fed in self._sides if fed.side.part == "close"]
        if closes:
            self._close(closes[-1])
        return book

    def _recovery(self) -> Recovery:
        kind = self._book.kind
        if kind not in SEPARATING or not self._sides:
            return Recovery(None, 1.0, {})
        at = self._sides[-1].at
        return self._references.recovery(kind, at, RECOVERY_DEFAULT.get(kind, RECOVERY))

    def _mass(self, fed: Fed) -> tuple[int, int]:
        """Return wet and dry grams of a side; moisture is its own, else that of the inputs."""
        side, inputs = fed.side, self._inputs
        share = inputs.dry / inputs.wet if inputs.wet > 0 else 1.0
        if side.moisture is not None:
            share = 1.0 - side.moisture
        if side.dry is not None:
            wet = side.wet
            if wet is None:
                wet = round(side.dry / share) if share > 0.0 else side.dry
            return wet, side.dry
        wet = side.wet or 0
        return wet, round(wet * share)

    def _post(self, kind: str, fed: Fed, credit: str, amount: Amount, *, account: str = "") -> None:
        key = f"{kind}|{fed.event_id}"
        self._book.postings[f"{key}|{account}" if account else key] = Posted(
            self._account,
            credit,
            amount.wet,
            amount.dry,
            amount.amounts,
            fed.at,
            fed.known,
            None,
            self._process_id,
        )
        book = self._book
        book.wet -= amount.wet
        book.dry -= amount.dry
        for analyte, value in amount.amounts.items():
            book.metals[analyte] = book.metals.get(analyte, 0) - value

    def _put_out(self, outputs: Sequence[Fed], recovery: Recovery, carried: Carried) -> None:
        """Post outputs and say what each hands to its lot."""
        inputs, book = self._inputs, self._book
        separating = book.kind in SEPARATING
        out_dry = sum(self._mass(fed)[1] for fed in outputs)
        whole = out_dry if separating else inputs.dry
        generation = handing.generation_after(self._given)
        for fed in outputs:
            if fed.side.lot is None:
                book.findings.append("output_without_lot")
                continue
            wet, dry = self._mass(fed)
            share = dry / whole if whole > 0 else 0.0
            metals = {
                analyte: round(value * share * recovery.by_analyte.get(analyte, recovery.share))
                for analyte, value in inputs.metals.items()
            }
            amount = Amount(wet, dry, metals)
            if generation > handing.GENERATIONS_MAX:
                amount = self._frozen(fed, amount)
            self._post("process_output", fed, accounts.lot(fed.side.lot, fed.site), amount)
            if fed.event_id in book.handed:
                continue
            estimates = self._estimates(fed, amount, separating=separating)
            self._take_off(estimates)
            book.handed[fed.event_id] = handing.held(
                Cause(fed.at, fed.known, fed.event_id),
                ("lot/" + fed.side.lot, fed.site),
                generation,
                amount,
                estimates,
                carried,
            )

    def _frozen(self, fed: Fed, amount: Amount) -> Amount:
        """Return what an output deep in a ring moved last; its content is not said again."""
        self._book.findings.append("cycle_or_too_deep")
        last = self._before.posted.get(f"process_output|{fed.event_id}")
        handed = self._before.handed.get(fed.event_id)
        if last is None or handed is None:
            return amount
        self._book.handed[fed.event_id] = handed
        return Amount(last.wet, last.dry, last.amounts)

    def _estimates(
        self, fed: Fed, amount: Amount, *, separating: bool
    ) -> tuple[Estimate, Estimate, dict[str, Estimate]]:
        """Return wet and dry mass and metals of an output with their uncertainty."""
        u = fed.side.u_mass if fed.side.u_mass is not None else OUTPUT_U_REL * amount.wet
        wet = Estimate(float(amount.wet), float(u) ** 2, {})
        dry = relative(wet)._replace(value=float(amount.dry))
        grade_var = RECOVERY_U_REL**2 if separating else 0.0
        metals: dict[str, Estimate] = {}
        for analyte, value in amount.amounts.items():
            grade = relative(self._inputs.metal_estimates[analyte])
            estimate = times(grade, Estimate(1.0, dry.var + grade_var, {}))
            metals[analyte] = absolute(estimate._replace(value=float(value)))
        return wet, absolute(dry), metals

    def _take_off(self, estimates: tuple[Estimate, Estimate, dict[str, Estimate]]) -> None:
        book = self._book
        book.wet_estimate = add(book.wet_estimate, estimates[0], -1.0)
        book.dry_estimate = add(book.dry_estimate, estimates[1], -1.0)
        for analyte, estimate in estimates[2].items():
            book.metal_estimates[analyte] = add(book.metal_estimates[analyte], estimate, -1.0)

    def _lose(self, losses: Sequence[Fed], recovery: Recovery) -> None:
        """Post declared losses; what a separation does not recover goes with them."""
        inputs, book = self._inputs, self._book
        separating = book.kind in SEPARATING
        whole = sum(self._mass(fed)[1] for fed in losses) if separating else inputs.dry
        for fed in losses:
            wet, dry = self._mass(fed)
            share = dry / whole if whole > 0 else 0.0
            metals: dict[str, int] = {}
            for analyte, value in inputs.metals.items():
                left = 1.0
                if separating:
                    left -= recovery.by_analyte.get(analyte, recovery.share)
                metals[analyte] = round(value * share * left)
            kind = fed.side.loss_kind or "other"
            self._post("loss", fed, accounts.loss(self._process_id, kind), Amount(wet, dry, metals))

    def _close(self, close: Fed) -> None:
        """Post the rest: what a chemical kind turned into something else, then the unaccounted."""
        book = self._book
        book.closed = True
        if book.kind in CHEMICAL:
            converted = Amount(book.wet, book.dry, {})
            self._post("conversion", close, accounts.conversion(self._process_id), converted)
        rest = Amount(book.wet, book.dry, dict(book.metals))
        if rest.dry < -4.0 * math.sqrt(_var(book.dry_estimate)):
            book.findings.append("output_exceeds_input")
        self._post("close", close, accounts.unaccounted(self._process_id), rest)


def _var(estimate: Estimate) -> float:
    return estimate.var + sum(u * u for u in estimate.parts.values())


def balance_of(book: ProcessBook, place: str, stamp: Stamp, carried: Carried) -> Balance:
    """Return the balance of what is in a process; a closed one holds nothing, exactly."""
    wet_u, wet_parts = said(NOTHING if book.closed else book.wet_estimate)
    dry_u, dry_parts = said(NOTHING if book.closed else book.dry_estimate)
    metals: list[Metal] = []
    for analyte, value in book.metals.items():
        u, parts = said(NOTHING if book.closed else book.metal_estimates[analyte])
        metals.append(Metal(analyte=analyte, value_mg=value, u_random_mg=u, u_systematic_mg=parts))
    return Balance(
        sender="",
        n=0,
        owner=stamp.owner,
        account=stamp.owner,
        lot_id=None,
        process_id=stamp.process_id,
        place=place,
        status="closed" if book.closed else "open",
        at=stamp.at,
        known_at=stamp.known,
        mass_wet_g=book.wet,
        mass_wet_u_random_g=wet_u,
        mass_wet_u_systematic_g=wet_parts,
        moisture_fraction=None,
        moisture_u_fraction=None,
        mass_dry_g=book.dry,
        mass_dry_u_random_g=dry_u,
        mass_dry_u_systematic_g=dry_parts,
        metals=tuple(metals),
        origins=travelling.said_origins(carried),
        metal_origins=travelling.said_metal_origins(carried),
        shares=travelling.said_shares(carried),
    )
