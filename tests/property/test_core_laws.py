"""Laws of the books on whole chains: time, conservation, repetition, order.

Each history is drawn by a seed (``tests/support/chains.py``), so that a failure can be repeated.
"""

from collections.abc import Sequence
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from custody.events import LotFact
from custody.records import Content, Transfer
from tests.support import agreement
from tests.support.agreement import Sums
from tests.support.chains import Chain, arrival
from tests.support.world import World, amounts

FEW = settings(max_examples=12, deadline=None)
seeds = st.integers(0, 10**6)


def told(chain: Chain, facts: Sequence[LotFact]) -> World:
    world = World()
    world.tell(*chain.references, *facts)
    return world


def canonical(facts: Sequence[LotFact]) -> list[LotFact]:
    return sorted(facts, key=lambda f: (f.occurred_at, f.recorded_at, f.event_id))


def answer(transfers: Sequence[Transfer], effective: int, known: int) -> Sums:
    """What the accounts held at a time, as far as was known at another."""
    return agreement.sums_of(
        t for t in transfers if t.effective_at <= effective and t.known_at <= known
    )


@FEW
@given(seeds)
def test_an_answer_for_two_times_never_changes_once_all_of_then_is_recorded(seed: int) -> None:
    """Facts come in the order they were recorded; after each, the past is asked again."""
    rng = Random(seed)
    chain = Chain(rng).draw()
    recorded = sorted(chain.facts, key=lambda f: (f.recorded_at, f.event_id))
    world = told(chain, [])
    answers: list[tuple[int, int, Sums]] = []
    for at, fact in enumerate(recorded):
        world.tell(fact)
        complete = at + 1 == len(recorded) or recorded[at + 1].recorded_at > fact.recorded_at
        if complete and rng.random() < 0.2:
            asked: tuple[int, int] = rng.choice(recorded).occurred_at, fact.recorded_at
            answers.append((*asked, answer(world.transfers, *asked)))
    for when, known, then in answers:
        assert answer(world.transfers, when, known) == then


@FEW
@given(seeds)
def test_what_one_owner_gives_another_has_to_the_gram(seed: int) -> None:
    """A content has the integers of its transfer, and no transfer goes to an owner untold."""
    rng = Random(seed)
    chain = Chain(rng).draw()
    world = told(chain, arrival(chain.facts, rng))
    # An output's event also names what its lot gives back once it is measured.
    handed = {
        (o.cause_event_id, o.from_owner.partition("/")[0]): o
        for o in world.outputs
        if isinstance(o, Content) and o.from_owner != o.to_owner
    }
    givers = {"process_input": "lot", "measured": "lot", "process_output": "process"}
    sums: dict[tuple[str, str], dict[str, int]] = {}
    for t in world.transfers:
        cause = t.replaces_event_id or t.cause_event_id
        giver = givers.get(t.replaces_kind or t.kind)
        if giver is not None:
            held = sums.setdefault((cause, giver), {})
            moved = {"wet": t.mass_wet_g, "dry": t.mass_dry_g}
            moved |= {m.analyte: m.value_mg for m in t.metals}
            for name, value in moved.items():
                held[name] = held.get(name, 0) + value
    given_away = {c: {n: v for n, v in held.items() if v} for c, held in sums.items()}
    said = {c: {} if o.void else content(o) for c, o in handed.items()}
    assert {c: v for c, v in given_away.items() if v} == {c: v for c, v in said.items() if v}


def content(handed: Content) -> dict[str, int]:
    found = {"wet": handed.mass_wet_g, "dry": handed.mass_dry_g}
    found |= {metal.analyte: metal.value_mg for metal in handed.metals}
    return {name: value for name, value in found.items() if value}


@FEW
@given(seeds)
def test_repeating_any_prefix_twice_says_nothing_new(seed: int) -> None:
    rng = Random(seed)
    chain = Chain(rng).draw()
    facts = arrival(chain.facts, rng)
    world = told(chain, facts)
    said = len(world.outputs)
    rows = {key: repr(row) for key, row in world.rows.items()}
    prefix = facts[: rng.randint(1, len(facts))]
    world.tell(*prefix)
    world.tell(*prefix, together=True)
    assert len(world.outputs) == said
    assert {key: repr(row) for key, row in world.rows.items()} == rows


@settings(max_examples=4, deadline=None)
@given(seeds)
def test_five_orders_with_repeats_end_in_the_same_balances(seed: int) -> None:
    rng = Random(seed)
    chain = Chain(rng).draw()
    expected = standing(told(chain, canonical(chain.facts)))
    for _ in range(5):
        facts = chain.facts + [f for f in chain.facts if rng.random() < 0.1]
        rng.shuffle(facts)
        assert standing(told(chain, facts)) == expected


def standing(world: World) -> dict[str, tuple[object, ...]]:
    """What each account holds, with its uncertainty and shares, without when it was said."""
    return {
        account: (
            amounts(b),
            (b.mass_wet_u_random_g, b.mass_wet_u_systematic_g),
            (b.mass_dry_u_random_g, b.mass_dry_u_systematic_g),
            (b.metals, b.origins, b.metal_origins, b.shares, b.attributes),
        )
        for account, b in world.balances.items()
        if amounts(b)
    }
