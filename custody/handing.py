"""What lots and processes hand each other: in full, as now known, replaced by the next.

The giver posts the transfer and says the content; the receiver counts the content. Both use the
same integers, so what leaves one owner arrives at the other to the gram and the milligram.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from custody import carried as travelling
from custody.estimate import Estimate, said
from custody.events import Micros
from custody.held import Carried, Held
from custody.knowledge import Amount, Cause
from custody.process_rows import Told
from custody.records import Content, Metal, Part

GENERATIONS_MAX = 64
"""Handings in a row; more is a ring of lots and processes, and the edge is frozen."""


DIGEST_BYTES = 16

U_DIGITS = 6
"""Significant digits of an uncertainty that a continuous node hands on."""


def generation_after(given: Iterable[Held]) -> int:
    """Return the generation of what an owner hands on, given what it got."""
    return 1 + max([held.generation for held in given], default=0)


def held(
    cause: Cause,
    ends: tuple[str, str],
    generation: int,
    amount: Amount,
    estimates: tuple[Estimate, Estimate, Mapping[str, Estimate]],
    carried: Carried,
) -> Held:
    """Return an amount with its uncertainty.

    Args:
        cause: The side of the process it stands for.
        ends: Receiving owner, and the place where it happens.
        generation: One more than the largest of what went in.
        amount: Grams and milligrams as posted.
        estimates: Wet and dry mass in grams, metals in milligrams; values are not used.
        carried: What it carries; attributes are taken from the amount.
    """
    wet_u, wet_parts = said(estimates[0])
    dry_u, dry_parts = said(estimates[1])
    metals: dict[str, tuple[int, float, dict[str, float]]] = {}
    for analyte, value in travelling.metals_of(amount.amounts).items():
        u, parts = said(estimates[2][analyte])
        metals[analyte] = (value, u, _mapping(parts))
    return Held(
        cause.event_id,
        ends[0],
        ends[1],
        generation,
        cause.at,
        amount.wet,
        wet_u,
        _mapping(wet_parts),
        amount.dry,
        dry_u,
        _mapping(dry_parts),
        metals,
        travelling.with_attributes(carried, amount.amounts),
    )


def received(content: Content) -> Held:
    """Return what a content says; the other end is who sent it."""
    return Held(
        content.cause_event_id,
        content.from_owner,
        content.place,
        content.generation,
        content.effective_at,
        content.mass_wet_g,
        content.mass_wet_u_random_g,
        _mapping(content.mass_wet_u_systematic_g),
        content.mass_dry_g,
        content.mass_dry_u_random_g,
        _mapping(content.mass_dry_u_systematic_g),
        {
            metal.analyte: (metal.value_mg, metal.u_random_mg, _mapping(metal.u_systematic_mg))
            for metal in content.metals
        },
        travelling.heard(
            content.origins, content.metal_origins, content.shares, content.attributes
        ),
        content.mass_stated,
        tuple(metal.analyte for metal in content.metals if metal.expected),
        content.process_kind,
    )


def contents(
    before: Mapping[str, Held], now: Mapping[str, Held], owner: str, known_at: Micros
) -> list[Content]:
    """Return what must be said so that receivers know ``now`` where they knew ``before``.

    Args:
        before: What was said, by cause.
        now: What holds.
        owner: Row key of the giver.
        known_at: When it became known, microseconds.
    """
    said_now: list[Content] = []
    for key, old in before.items():
        new = now.get(key)
        if new is None or new.owner != old.owner:
            said_now.append(_content(old, owner, known_at, void=True))
    for key, new in now.items():
        old_or_none = before.get(key)
        if old_or_none is None or old_or_none != new:
            said_now.append(_content(new, owner, known_at, void=False))
    return said_now


def amounts_of(given: Held) -> dict[str, int]:
    """Return metals and attributes of what is handed on, in one map."""
    metals = {analyte: value for analyte, (value, _, _) in given.metals.items()}
    return metals | given.carried.attributes


def rounded(given: Held) -> Held:
    """Return what is handed on with figures that are the same where nobody could tell them apart.

    Amounts are integers already; shares and uncertainties lose the digits beyond use.
    """
    return given._replace(
        wet_u=_significant(given.wet_u),
        wet_parts={source: _significant(u) for source, u in given.wet_parts.items()},
        dry_u=_significant(given.dry_u),
        dry_parts={source: _significant(u) for source, u in given.dry_parts.items()},
        metals={
            analyte: (
                value,
                _significant(u),
                {source: _significant(part) for source, part in parts.items()},
            )
            for analyte, (value, u, parts) in given.metals.items()
        },
        carried=travelling.rounded(given.carried),
    )


def _significant(u: float) -> float:
    return float(f"{u:.{U_DIGITS}g}")


def told_of(given: Held) -> Told:
    """Return what is remembered of a content: enough to withdraw it and to see a change."""
    digest = hashlib.blake2b(repr(given).encode(), digest_size=DIGEST_BYTES).digest()
    return Told(given.owner, given.place, given.generation, given.at, digest)


def telling(given: Held, owner: str, known_at: Micros) -> Content:
    """Return the content that says what is handed on.

    Args:
        given: What is handed on.
        owner: Row key of the giver.
        known_at: When it became known, microseconds.
    """
    return _content(given, owner, known_at, void=False)


def withdrawing(cause: str, told: Told, owner: str, known_at: Micros) -> Content:
    """Return the content that withdraws what was told.

    Args:
        cause: Event it was told for.
        told: What is remembered of it.
        owner: Row key of the giver.
        known_at: When it became known, microseconds.
    """
    nothing = Held(
        cause,
        told.owner,
        told.place,
        told.generation,
        told.at,
        0,
        0.0,
        {},
        0,
        0.0,
        {},
        {},
        travelling.NOTHING_CARRIED,
    )
    return _content(nothing, owner, known_at, void=True)


def _content(given: Held, owner: str, known_at: Micros, *, void: bool) -> Content:
    wet, dry = given.wet, given.dry
    shares = travelling.said(given.carried)
    return Content(
        sender="",
        n=0,
        cause_event_id=given.cause,
        from_owner=owner,
        to_owner=given.owner,
        place=given.place,
        generation=given.generation,
        effective_at=given.at,
        known_at=known_at,
        void=void,
        mass_wet_g=wet,
        mass_wet_u_random_g=given.wet_u,
        mass_wet_u_systematic_g=_parts(given.wet_parts),
        moisture_fraction=1.0 - dry / wet if 0 <= dry <= wet and wet else None,
        moisture_u_fraction=None,
        mass_dry_g=dry,
        mass_dry_u_random_g=given.dry_u,
        mass_dry_u_systematic_g=_parts(given.dry_parts),
        metals=tuple(
            Metal(
                analyte=a,
                value_mg=v,
                u_random_mg=u,
                u_systematic_mg=_parts(parts),
                expected=a in given.expected,
            )
            for a, (v, u, parts) in given.metals.items()
        ),
        origins=shares.origins,
        metal_origins=shares.metal_origins,
        shares=shares.shares,
        attributes=travelling.said_attributes(given.carried.attributes),
        mass_stated=given.stated,
        process_kind=given.kind,
    )


def _mapping(parts: Sequence[Part]) -> dict[str, float]:
    return {part.source: part.u for part in parts}


def _parts(mapping: Mapping[str, float]) -> tuple[Part, ...]:
    return tuple(Part(source=source, u=u) for source, u in mapping.items())
