"""What travels with a mass: shares by origin and stage, and attributes as amounts.

Shares are fractions of the dry mass (or of one metal); what is missing to one is unknown and
travels like any origin. Attributes are integers in millionths of their unit and are moved, split
and summed like metals: in one map of amounts they stand under a key that begins with ``MARK``.

Source:
    docs/ledger.md, "Origins" and "Attributes".
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

from custody.held import Carried
from custody.ids import BETWEEN
from custody.records import AttributeAmount, MetalOrigin, OriginShare, Share

MARK = "@"
"""First character of an attribute's key among amounts; no analyte begins with it."""

ATTRIBUTE_MAX = 1e10
"""Greatest amount of an attribute that is believed, in its unit: ten million tonnes of CO2e."""

ORIGINS_MAX = 256
"""Origins of one amount; beyond it the smallest are joined."""

ORIGINS_BYTES = 12_000
METALS_BYTES = 16_000
"""Bytes of the shares of all metals together."""
DIMENSIONS_BYTES = 8_000
"""Bytes of the shares of all other dimensions together. The three keep a record below 64 kB."""

ENTRY_BYTES = 24
"""Of one share beside its key, where a record spells it most widely."""

DIGITS = 12
"""Digits of a share that is handed on by a continuous node (``rounded``)."""

UNKNOWN_ORIGIN = BETWEEN.join(("unknown", ""))
OTHER_ORIGIN = BETWEEN.join(("other", ""))

REST_MIN = 1e-9
"""A smaller rest to one is the last bits of floats."""

NOTHING_CARRIED = Carried({}, {}, {}, {})
"""Of unknown origin, with no attributes."""

Shares = Mapping[str, float]


def origin_key(level: str, name: str) -> str:
    """Return the key of an origin among shares."""
    return level + BETWEEN + name


def attribute_key(name: str, unit: str, quality: str) -> str:
    """Return the key of an attribute among amounts."""
    return MARK + BETWEEN.join(part.replace(BETWEEN, " ") for part in (name, unit, quality))


def analyte_key(name: str) -> str:
    """Return the key of an analyte among amounts: one named like an attribute is no attribute."""
    return name.replace(MARK, " ")


def origins_of(stated: Iterable[tuple[str, str, float]]) -> dict[str, float]:
    """Return origins stated as (level, id, share); one stated twice counts as the sum."""
    found: dict[str, float] = {}
    for level, name, share in stated:
        key = origin_key(level, name)
        found[key] = found.get(key, 0.0) + share
    return found


def metals_of(amounts: Mapping[str, int]) -> dict[str, int]:
    """Return the contained metals of a map of amounts, milligrams."""
    return {key: value for key, value in amounts.items() if not key.startswith(MARK)}


def attributes_of(amounts: Mapping[str, int]) -> dict[str, int]:
    """Return the attributes of a map of amounts, millionths of their units."""
    return {key: value for key, value in amounts.items() if key.startswith(MARK)}


def completed(shares: Shares) -> dict[str, float]:
    """Return origins with what is missing to one as unknown, each within 0 to 1.

    Sums of floats pass one by their last bit, and a record beyond its limits is read by nobody.
    """
    kept = {key: min(max(share, 0.0), 1.0) for key, share in sorted(shares.items())}
    rest = 1.0 - math.fsum(kept.values())
    if rest > REST_MIN:
        kept[UNKNOWN_ORIGIN] = min(kept.get(UNKNOWN_ORIGIN, 0.0) + rest, 1.0)
    return kept


def capped(shares: Shares, bytes_max: int = ORIGINS_BYTES) -> dict[str, float]:
    """Return the largest shares, and the rest as ``OTHER_ORIGIN``.

    Args:
        shares: By key.
        bytes_max: Bytes they may take; ids are as long as people make them.

    Returns:
        At most ``ORIGINS_MAX``.
    """
    if len(shares) <= ORIGINS_MAX and size_of(shares) <= bytes_max:
        return dict(shares)
    ranked = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    kept: dict[str, float] = {}
    room = bytes_max - ENTRY_BYTES - len(OTHER_ORIGIN)
    for count, (key, share) in enumerate(ranked[: ORIGINS_MAX - 1]):
        room -= ENTRY_BYTES + len(key.encode())
        if room < 0:
            ranked = ranked[count:]
            break
        kept[key] = share
    else:
        ranked = ranked[ORIGINS_MAX - 1 :]
    rest = math.fsum(share for _, share in ranked)
    kept[OTHER_ORIGIN] = kept.get(OTHER_ORIGIN, 0.0) + rest
    return dict(sorted(kept.items()))


def size_of(shares: Mapping[str, float] | Mapping[str, int]) -> int:
    """Return how many bytes shares take in a record, rather too many."""
    return sum(ENTRY_BYTES + len(key.encode()) for key in shares)


def mixed(parts: Sequence[tuple[float, Shares]]) -> dict[str, float]:
    """Return the shares of a mixture.

    Args:
        parts: Weight of each part, any unit, at least zero, and its shares.

    Returns:
        Weighted means by key; empty where all weights are zero.
    """
    whole = math.fsum(weight for weight, _ in parts)
    if whole <= 0.0:
        return {}
    terms: dict[str, list[float]] = {}
    for weight, shares in parts:
        for key, share in shares.items():
            terms.setdefault(key, []).append(weight * share)
    return {key: min(math.fsum(some) / whole, 1.0) for key, some in sorted(terms.items())}


def bytes_of(carried: Carried) -> int:
    """Return how many bytes what is carried takes in a record, rather too many."""
    maps = [carried.origins, *carried.metal_origins.values(), *carried.shares.values()]
    return sum(size_of(shares) for shares in maps) + size_of(carried.attributes)


Part = tuple[float, Mapping[str, int], Carried]
"""Part of a mixture: its weight (grams of dry mass, or milligrams of the key analyte), its metals
in milligrams, and what it carries."""


def mixture(parts: Sequence[Part]) -> Carried:
    """Return what a mixture carries.

    Returns:
        Origins and other shares by weight, origins of each metal by that metal where they are not
        those of the dry mass, and the sum of the attributes.
    """
    return plain(blended(parts))


def blended(parts: Sequence[Part]) -> Carried:
    """Return what a mixture carries, the origins of each metal said whatever they are.

    What is mixed again and again must not be simplified in between: a difference too small to say
    would be lost ten thousand times.
    """
    by_metal: dict[str, list[tuple[float, Shares]]] = {}
    by_dimension: dict[str, list[tuple[float, Shares]]] = {}
    attributes: dict[str, int] = {}
    dimensions = {name for _, _, c in parts for name in c.shares}
    for weight, metals, c in parts:
        for analyte, value in metals.items():
            own = c.metal_origins.get(analyte, c.origins)
            by_metal.setdefault(analyte, []).append((float(max(value, 0)), own))
        for name in dimensions:
            by_dimension.setdefault(name, []).append((weight, c.shares.get(name, {})))
        for key, value in c.attributes.items():
            attributes[key] = attributes.get(key, 0) + value
    metal_origins = _all_capped(by_metal, METALS_BYTES)
    for analyte, some in by_metal.items():
        # Without a word of its own a metal is taken to come from where the dry mass does.
        if not metal_origins[analyte] and any(weight > 0.0 for weight, _ in some):
            metal_origins[analyte] = {UNKNOWN_ORIGIN: 1.0}
    return Carried(
        capped(mixed([(weight, c.origins) for weight, _, c in parts])),
        metal_origins,
        _all_capped(by_dimension, DIMENSIONS_BYTES),
        dict(sorted(attributes.items())),
    )


def plain(carried: Carried) -> Carried:
    """Return what is carried without the origins of metals that are those of the dry mass."""
    own = {
        analyte: shares
        for analyte, shares in carried.metal_origins.items()
        if shares and differ(shares, carried.origins)
    }
    return carried._replace(metal_origins=own)


def rounded(carried: Carried) -> Carried:
    """Return what is carried with shares of ``DIGITS`` digits.

    A late truck moves all later shares of a pile, but soon by less than anybody could use: what
    does not differ in twelve digits need not be told again.
    """
    return Carried(
        _rounded(carried.origins),
        {name: _rounded(shares) for name, shares in carried.metal_origins.items()},
        {name: _rounded(shares) for name, shares in carried.shares.items()},
        carried.attributes,
    )


def _rounded(shares: Shares) -> dict[str, float]:
    return {key: round(share, DIGITS) for key, share in shares.items()}


def _all_capped(
    parts: Mapping[str, Sequence[tuple[float, Shares]]], bytes_max: int
) -> dict[str, dict[str, float]]:
    """Return mixed shares by name, which divide the room evenly where it is scarce."""
    found = {name: mixed(some) for name, some in sorted(parts.items())}
    if sum(size_of(shares) for shares in found.values()) <= bytes_max:
        return {name: capped(shares, bytes_max) for name, shares in found.items()}
    each = bytes_max // len(found)
    return {name: capped(shares, each) for name, shares in found.items()}


def differ(first: Shares, second: Shares) -> bool:
    """Tell whether two sets of shares differ by more than the last bits."""
    if first.keys() != second.keys():
        return True
    return any(abs(share - second[key]) > REST_MIN for key, share in first.items())


def micro(amount: float, per: str, amounts: tuple[int, int, Mapping[str, int]]) -> int:
    """Return a stated amount of an attribute in millionths of its unit.

    Args:
        amount: In its unit.
        per: total, t_wet, t_dry or t_<analyte>.
        amounts: Grams wet and dry, milligrams by analyte, that it is per.

    Returns:
        Half-even; zero beyond ``ATTRIBUTE_MAX``, which nobody meant.
    """
    wet, dry, metals = amounts
    if per == "total":
        value = amount * 1e6
    elif per == "t_wet":
        value = amount * wet
    elif per == "t_dry":
        value = amount * dry
    else:
        value = amount * metals.get(per.removeprefix("t_"), 0) / 1e3
    return round(value) if abs(value) <= ATTRIBUTE_MAX * 1e6 else 0


def with_attributes(carried: Carried, amounts: Mapping[str, int]) -> Carried:
    """Return what is carried with the attributes of a map of amounts."""
    return carried._replace(attributes=attributes_of(amounts))


class Said(NamedTuple):
    """Shares as a record has them: the same for all records of a lot in one step."""

    origins: tuple[OriginShare, ...]
    metal_origins: tuple[MetalOrigin, ...]
    shares: tuple[Share, ...]


def said(carried: Carried) -> Said:
    """Return the shares of what is carried as a record has them.

    Origins are complete and in order of level and id; those of a metal are there where they are
    not those of the dry mass.
    """
    return Said(_said_origins(carried), _said_metal_origins(carried), _said_shares(carried))


def mark_of(said: Said) -> int:
    """Return 56 bits that stand for shares as said, to nine digits; 0 for none."""
    if not any(said):
        return 0
    digest = blake2b(digest_size=7)
    named: list[tuple[object, float]] = [((o.level, o.id), o.share) for o in said.origins]
    named += [((m.analyte, m.level, m.id), m.share) for m in said.metal_origins]
    named += [((s.dimension, s.label), s.share) for s in said.shares]
    for name, share in named:
        digest.update(repr((name, round(share, 9))).encode())
    return int.from_bytes(digest.digest())


def _said_origins(carried: Carried) -> tuple[OriginShare, ...]:
    return tuple(
        [
            OriginShare(level=level, id=name, share=share)
            for (level, name), share in _split(completed(carried.origins))
        ]
    )


def _said_metal_origins(carried: Carried) -> tuple[MetalOrigin, ...]:
    return tuple(
        [
            MetalOrigin(analyte=analyte, level=level, id=name, share=share)
            for analyte, shares in sorted(carried.metal_origins.items())
            for (level, name), share in _split(completed(shares))
        ]
    )


def _said_shares(carried: Carried) -> tuple[Share, ...]:
    return tuple(
        [
            Share(dimension=dimension, label=label, share=min(share, 1.0))
            for dimension, shares in sorted(carried.shares.items())
            for label, share in sorted(shares.items())
        ]
    )


def said_attributes(amounts: Mapping[str, int], sign: int = 1) -> tuple[AttributeAmount, ...]:
    """Return the attributes of a map of amounts, times a sign, as a record has them."""
    found: list[AttributeAmount] = []
    for key in sorted([key for key in amounts if key.startswith(MARK)]):
        name, unit, quality = key[len(MARK) :].split(BETWEEN)
        value = sign * amounts[key]
        found.append(AttributeAmount(name=name, unit=unit, quality=quality, value_micro=value))
    return tuple(found)


def heard(
    origins: Iterable[OriginShare],
    metal_origins: Iterable[MetalOrigin],
    shares: Iterable[Share],
    attributes: Iterable[AttributeAmount],
) -> Carried:
    """Return what a record says is carried."""
    by_metal: dict[str, dict[str, float]] = {}
    for one in metal_origins:
        by_metal.setdefault(one.analyte, {})[origin_key(one.level, one.id)] = one.share
    by_dimension: dict[str, dict[str, float]] = {}
    for share in shares:
        by_dimension.setdefault(share.dimension, {})[share.label] = share.share
    return Carried(
        {origin_key(one.level, one.id): one.share for one in origins},
        by_metal,
        by_dimension,
        {attribute_key(a.name, a.unit, a.quality): a.value_micro for a in attributes},
    )


def _split(shares: Shares) -> list[tuple[tuple[str, str], float]]:
    found: list[tuple[tuple[str, str], float]] = []
    for key, share in sorted(shares.items()):
        level, _, name = key.partition(BETWEEN)
        found.append(((level, name), share))
    return found
