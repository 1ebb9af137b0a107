"""Records that somebody wrote to Kafka by hand: whatever their headers say, each one is named.

Every kind of record of a gateway, with every kind of headers that is not its own. They are
dated as what was there before, so nothing but the headers and the heads speaks against them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, cast

import pytest

from custody.audit import BARE, BEYOND, BROKEN, Fault
from custody.events import LotFact, Micros, ReferenceSet
from custody.ids import derived_id
from producers.chain import Entry
from runtime.audit.standing import Standing
from schemas.routes import BY_STEM, ROUTES
from sinks.slice import Headers, Place, Slice
from tests.support import golden
from tests.support.gateway import NOW
from tests.support.signing import Plant
from tests.support.sinks import Kept, framed
from tests.support.stored import KEY, PARTITION, Stored, opened, seal, standing_of

pytestmark = [pytest.mark.integration, pytest.mark.slow]

STEMS = tuple(route.stem for route in ROUTES if route.chained)
OWN = 5
"""Records that each gateway has written itself, and signed for."""


def malformed(prev: bytes, digest: bytes) -> Mapping[str, Headers]:
    """Headers that no gateway writes, by what is wrong with them."""
    return {
        "none at all": None,
        "only whose it is": [("gateway", b"GW")],
        "no digest": [("prev", prev), ("gateway", b"GW")],
        "no digest before": [("digest", digest), ("gateway", b"GW")],
        "a name without a value": [("prev", prev), ("digest", None), ("gateway", b"GW")],
        "hexadecimal": [
            ("prev", prev.hex().encode()), ("digest", digest.hex().encode()), ("gateway", b"GW"),
        ],
        "cut short": [("prev", prev), ("digest", digest[:31]), ("gateway", b"GW")],
        "twice, the last too long": [
            ("prev", prev), ("digest", digest), ("digest", digest + b"x"), ("gateway", b"GW"),
        ],
        "capitals": [("Prev", prev), ("Digest", digest), ("Gateway", b"GW")],
    }  # fmt: skip


def borrowed(prev: bytes, digest: bytes) -> Mapping[str, Headers]:
    """Headers of the right form that are not this record's."""
    return {
        "another record's": [("prev", prev), ("digest", digest), ("gateway", b"GW")],
        "zeros": [("prev", bytes(32)), ("digest", bytes(32)), ("gateway", b"GW")],
        "the other way round": [("prev", digest), ("digest", prev), ("gateway", b"GW")],
        "without whose it is": [("prev", prev), ("digest", digest)],
    }


class Forged(NamedTuple):
    """A record by hand: its gateway, its number there, what is wrong, where it stands."""

    gateway: str
    seq: int
    wrong: str
    place: str


class Found(NamedTuple):
    """What was written by hand, and what each look at it says."""

    bare: Sequence[Forged]
    borrowed: Sequence[Forged]
    at_once: Sequence[Fault]
    with_heads: Sequence[Fault]
    all_read: Sequence[Fault]


def minutes(count: float) -> Micros:
    return Micros(NOW + int(count * 60_000_000))


def by_hand(
    stored: Stored, stem: str, plant: Plant, first: int, headers: Mapping[str, Headers]
) -> list[Forged]:
    """Write one record of a kind for each of some headers, from a number on."""
    record = cast("LotFact | ReferenceSet", golden.records(stem)[0])
    topic = BY_STEM[stem].topic
    kept: list[Kept] = []
    forged: list[Forged] = []
    for seq, (wrong, said) in enumerate(headers.items(), first):
        one = replace(
            record,
            gateway_id=plant.name,
            gateway_epoch=1,
            gateway_seq=seq,
            event_id=derived_id("forged", [stem, str(seq)]),
            recorded_at=NOW,
        )
        if isinstance(one, ReferenceSet):
            one = replace(one, partition=PARTITION)
        offset = stored.next[topic] + len(kept)
        kept.append(Kept(offset, KEY, framed(one), said))
        forged.append(Forged(plant.name, seq, wrong, f"{topic}/{PARTITION}@{offset}"))
    stored.put_slice(Slice(Place(topic, PARTITION), kept))
    return forged


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    """A gateway for each kind of record; what it wrote, what others wrote, what is said of it."""
    operator = Plant("GW-OPS", 99)
    plants = {stem: Plant(f"GW-{stem.upper()}", no) for no, stem in enumerate(STEMS, 1)}
    with opened(tmp_path_factory.mktemp("headers")) as stored:
        own: dict[str, list[Entry]] = {s: p.tickets(range(OWN)) for s, p in plants.items()}
        signed = [plant.head() for plant in plants.values()]
        known = [plant.key(operator) for plant in (*plants.values(), operator)]
        stored.put_entries([*known, *(entry for some in own.values() for entry in some)])
        stored.put_entries([*signed, operator.head()])
        seal(stored)
        audit: Standing = standing_of(stored, 60_000_000)
        assert audit.go_over(minutes(1)) == []
        bare: list[Forged] = []
        lent: list[Forged] = []
        for stem, plant in plants.items():
            last = own[stem][-1]
            assert last.prev is not None
            assert last.digest is not None
            headers = malformed(last.prev, last.digest)
            bare += by_hand(stored, stem, plant, OWN + 1, headers)
            first = OWN + 1 + len(headers)
            lent += by_hand(stored, stem, plant, first, borrowed(last.prev, last.digest))
        seal(stored)
        at_once = audit.go_over(minutes(1.5))
        stored.put_entries([head for p in plants.values() for head in (p.head(), p.head())])
        with_heads = audit.go_over(minutes(4))
        all_read = standing_of(stored).go_over(minutes(4), unsigned=True)
        yield Found(bare, lent, at_once, with_heads, all_read)


def of(faults: Sequence[Fault], one: Forged) -> list[Fault]:
    """What is said of a record by its number, of any kind."""
    number = f"1/{one.seq}"
    return [f for f in faults if f.gateway == one.gateway and f.about.split(" ")[0] == number]


def test_what_came_without_digests_is_named_at_once_with_its_place(found: Found) -> None:
    assert len(found.bare) == len(STEMS) * len(malformed(b"", b""))
    for one in found.bare:
        [fault] = of(found.at_once, one)
        assert (fault.rule, fault.about) == (BROKEN, f"1/{one.seq}{BARE}"), one
        assert one.place in fault.detail, one
        assert "without the digests" in fault.detail, one
    assert len(found.at_once) == len(found.bare), "and nothing else is"


def test_what_bears_anothers_digests_is_named_by_the_next_heads(found: Found) -> None:
    assert len(found.borrowed) == len(STEMS) * len(borrowed(b"", b""))
    for one in found.borrowed:
        [fault] = of(found.with_heads, one)
        assert (fault.rule, fault.about) == (BROKEN, f"1/{one.seq}{BEYOND}"), one
        assert one.place in fault.detail, one


def test_each_stands_once_in_the_next_passes(found: Found) -> None:
    for one in found.bare:
        assert [fault.about for fault in of(found.with_heads, one)] == [f"1/{one.seq}{BARE}"]
    assert len(found.with_heads) == len(found.bare) + len(found.borrowed)


def test_who_reads_everything_names_each_and_says_what_is_wrong_with_it(found: Found) -> None:
    for one in (*found.bare, *found.borrowed):
        said = [f for f in of(found.all_read, one) if not f.about.endswith(" order")]
        assert [fault.rule for fault in said] == [BROKEN], one
        assert one.place in said[0].detail, one
        assert ("without the digests" in said[0].detail) == (one in found.bare), one
