"""Chains followed in memory: any single change is found, and nothing else is."""

import hashlib
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from custody.audit import BROKEN, GAP, REUSED, REWRITTEN, RULES, Chain, Claim, Link, Stretch
from custody.digest import GENESIS, link, merkle_root
from custody.events import Micros

FINGERPRINT = hashlib.sha256(b"schema").digest()
SIZE = 12


def history(bodies: Sequence[bytes]) -> list[Link]:
    links: list[Link] = []
    prev = GENESIS
    for at, body in enumerate(bodies):
        digest = link(prev, FINGERPRINT, body)
        links.append(
            Link(
                at + 1,
                prev,
                digest,
                good=True,
                topic="fact",
                partition=at % 3,
                offset=at,
                event_id=f"e{at + 1}",
            )
        )
        prev = digest
    return links


def claim(links: Sequence[Link], size: int, by: str = "GW") -> Claim:
    digests = [one.digest for one in links[:size]]
    return Claim(size, merkle_root(digests), digests[-1], by, Micros(1))


def stretch(links: Sequence[Link]) -> Stretch:
    places: dict[str, list[int]] = {}
    for one in links:
        places.setdefault(f"{one.topic}/{one.partition}", []).append(one.offset)
    starts = {place: min(offsets) for place, offsets in places.items()}
    ends = {place: max(offsets) for place, offsets in places.items()}
    return Stretch(links[0].seq, links[0].prev, [one.digest for one in links], starts, ends)


HONEST = history([b"%d" % no for no in range(SIZE)])
CLAIMS = [claim(HONEST, size) for size in (1, 5, SIZE)]


@given(st.lists(st.integers(1, SIZE - 1), max_size=4, unique=True))
def test_an_honest_history_has_no_fault_however_it_is_cut(cuts: list[int]) -> None:
    bounds = [0, *sorted(cuts), SIZE]
    quick, slow = Chain(("GW", 1)), Chain(("GW", 1))
    for first, last in pairwise(bounds):
        part = HONEST[first:last]
        assert quick.fits(stretch(part))
        assert quick.follow(stretch(part), CLAIMS) == []
        assert slow.inspect(part, CLAIMS) == []
    assert quick.frontier is not None
    assert slow.frontier is not None
    assert quick.frontier.root() == slow.frontier.root() == CLAIMS[-1].root


@given(st.integers(1, SIZE - 2), st.sampled_from(["bytes", "drop", "exchange", "order"]))
def test_a_single_change_is_found_by_its_number(at: int, how: str) -> None:
    links = list(HONEST)
    match how:
        case "bytes":
            links[at] = links[at]._replace(good=False)
        case "drop":
            del links[at]
        case "exchange":
            links[at] = links[at]._replace(digest=hashlib.sha256(b"other").digest())
        case _:
            links[at] = links[at]._replace(partition=(at + 1) % 3, offset=-1)
            links[at - 1] = links[at - 1]._replace(partition=(at + 1) % 3)
    found = Chain(("GW", 1)).inspect(links, [])
    about = {"bytes": f"1/{at + 1}", "exchange": f"1/{at + 1}", "drop": f"1/{at + 1}"}
    rule = GAP if how == "drop" else BROKEN

    assert [(one.rule, one.about) for one in found] == [(rule, about.get(how, f"1/{at + 1} order"))]
    assert {one.rule for one in found} <= RULES


def test_a_history_made_anew_from_any_record_on_contradicts_the_first_head_behind_it() -> None:
    for at in range(SIZE):
        bodies = [b"%d" % no for no in range(SIZE)]
        bodies[at] = b"other"
        found = Chain(("GW", 1)).follow(stretch(history(bodies)), CLAIMS)
        first = next(one.size for one in CLAIMS if one.size > at)

        assert [(one.rule, one.about) for one in found] == [("history_rewritten", f"1/{first}")]


def test_behind_a_gap_the_chain_goes_on_and_heads_are_held_by_their_last_digest() -> None:
    chain = Chain(("GW", 1))
    chain.inspect(HONEST[:3], [])
    chain.pass_over(5)
    lying = CLAIMS[-1]._replace(digest=bytes(32))

    assert chain.inspect(HONEST[5:], [lying._replace(root=None)])[0].rule == "history_rewritten"


@given(at=st.integers(1, SIZE - 2), whole=st.booleans())
def test_two_that_write_under_one_name_contradict_nobody(at: int, *, whole: bool) -> None:
    bodies = [b"%d" % no for no in range(SIZE)]
    other = history([*bodies[:at], *(body + b"x" for body in bodies[at:])])
    mixed = sorted(
        [*HONEST, *(one._replace(offset=one.offset + 100) for one in other[at:])],
        key=lambda one: (one.seq, one.digest),
    )
    mixed = mixed if whole else [one for one in mixed if one.seq <= at + 1 or one in HONEST]
    last = SIZE if whole else at + 1
    claims = [claim(HONEST, at + 1), claim(other, last), claim(other, last, "GW-B"), CLAIMS[-1]]
    chain = Chain(("GW", 1))
    found = [one for one in chain.inspect(mixed, claims) if not one.about.endswith(" order")]

    assert {one.rule for one in found} == {REUSED}
    assert [one.about for one in found] == [f"1/{seq + 1}" for seq in range(at, last)]
    assert chain.recall(claim(other, last)._replace(digest=None)) == []


def test_a_second_record_under_a_number_covers_no_history_made_anew() -> None:
    bodies = [b"%d" % no for no in range(SIZE)]
    second = history([*bodies[:5], b"second"])[5]._replace(offset=100)
    anew = history([*bodies[:5], b"other", *bodies[6:]])
    links = sorted([*HONEST, second], key=lambda one: one.seq)
    found = Chain(("GW", 1)).inspect(links, [claim(anew, 6), claim(anew, SIZE)])

    assert [(one.rule, one.about) for one in found] == [(REUSED, "1/6"), (REWRITTEN, "1/6")]
