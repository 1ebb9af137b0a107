"""The law of two times: what was so, as known then, is the same whatever is learnt later."""

from collections import Counter, defaultdict
from dataclasses import replace
from itertools import accumulate, pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from custody.events import LotFact, Micros
from custody.records import Transfer
from tests.support import histories
from tests.support.asof import Sums, sums
from tests.support.chains import Chain
from tests.support.world import World

MINUTE = 60_000_000


def told(facts: list[LotFact]) -> World:
    """One gateway: facts reach the books in the order they were recorded."""
    world = World()
    world.tell(*sorted(facts, key=lambda f: (f.recorded_at, f.event_id)))
    return world


def answer(facts: list[LotFact], at: int, known: int) -> Sums:
    return sums(told(facts).transfers, at, known)


def holds_for(facts: list[LotFact], data: st.DataObject) -> None:
    known = data.draw(st.sampled_from([fact.recorded_at for fact in facts]), "known")
    at = data.draw(st.sampled_from([fact.occurred_at for fact in facts]), "at")
    then = [fact for fact in facts if fact.recorded_at <= known]
    assert answer(facts, at, known) == answer(then, at, known)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_lots_answer_for_two_times_does_not_change_when_later_facts_come(
    data: st.DataObject,
) -> None:
    holds_for(data.draw(histories.history()), data)


@settings(max_examples=20, deadline=None)
@given(st.data(), st.integers(0, 10_000))
def test_nor_does_that_of_lots_joined_by_processes(data: st.DataObject, seed: int) -> None:
    holds_for(Chain(Random(seed)).draw().facts, data)


def test_a_later_known_certificate_does_change_what_is_known_later() -> None:
    facts = Chain(Random(5)).draw().facts
    last = max(fact.recorded_at for fact in facts)
    middle = sorted(fact.recorded_at for fact in facts)[len(facts) // 2]
    assert answer(facts, last, middle) != answer(facts, last, last)


# Chunks: what many records made known together


def delayed(facts: list[LotFact], data: st.DataObject) -> list[LotFact]:
    """The facts as they arrive: each recorded and sent up to an hour after it happened.

    When a fact is sent says nothing of when it was recorded: a gateway that had no network sends
    what it recorded before others did, after what those recorded was applied.
    """
    few = st.lists(st.integers(0, 60), min_size=len(facts), max_size=len(facts))
    recorded, sent = data.draw(few, "recorded"), data.draw(few, "sent")
    late = [
        (fact.occurred_at + sending * MINUTE, fact.event_id, replace(fact, recorded_at=Micros(at)))
        for fact, delay, sending in zip(facts, recorded, sent, strict=True)
        for at in [fact.occurred_at + delay * MINUTE]
    ]
    return [fact for _, _, fact in sorted(late, key=lambda one: one[:2])]


def cut(facts: list[LotFact], data: st.DataObject) -> list[list[LotFact]]:
    """The same facts in chunks, in their order."""
    ends = data.draw(st.sets(st.integers(1, len(facts))), "ends") | {len(facts)}
    starts = [0, *sorted(ends)]
    return [facts[a:b] for a, b in pairwise(starts)]


Owner = tuple[str | None, str | None]
"""Lot, or process where it is of no lot."""

Said = tuple[object, ...]
"""Kind, cause, accounts, amounts and effective time of a posting."""


def said(t: Transfer) -> Said:
    """What a transfer posts, or what the one posted that it takes back."""
    sign = -1 if t.replaces_event_id is not None else 1
    amounts = {m.analyte: sign * m.value_mg for m in t.metals}
    amounts |= {"@" + a.name: sign * a.value_micro for a in t.attributes}
    masses = sign * t.mass_wet_g, sign * t.mass_dry_g
    cause = t.replaces_event_id or t.cause_event_id
    ends = t.debit, t.credit
    return t.kind, cause, *ends, masses, tuple(sorted(amounts.items())), t.effective_at


def standing(transfers: list[Transfer], known: int) -> set[Said]:
    """What stood posted as known at a time."""
    found: Counter[Said] = Counter()
    for t in transfers:
        if t.known_at <= known:
            found[said(t)] += 1 if t.replaces_event_id is None else -1
    return set(+found)


def one_by_one(facts: list[LotFact]) -> list[Transfer]:
    world = World()
    world.tell(*facts)
    return world.transfers


def in_chunks(chunks: list[list[LotFact]]) -> list[Transfer]:
    world = World()
    for chunk in chunks:
        world.tell(*chunk, together=True)
    return world.transfers


def never_runs_backwards(transfers: list[Transfer]) -> None:
    """What an owner had said by a known time is what it had said by some step."""
    newest: dict[Owner, int] = defaultdict(int)
    stood: dict[tuple[Owner, str, str, str, str], int] = {}
    for t in transfers:
        owner = t.lot_id, t.process_id if t.lot_id is None else None
        assert t.known_at >= newest[owner]
        newest[owner] = t.known_at
        if t.replaces_event_id is None:
            stood[owner, t.kind, t.cause_event_id, t.debit, t.credit] = t.known_at
        else:
            one = owner, str(t.replaces_kind), t.replaces_event_id, t.debit, t.credit
            assert t.known_at >= stood.pop(one)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_chunk_makes_nothing_known_that_was_not(data: st.DataObject) -> None:
    """What stands in a chunked world as known at a time stood then or before, told one by one."""
    facts = delayed(data.draw(histories.history()), data)
    single, chunked = one_by_one(facts), in_chunks(cut(facts, data))
    for known in {fact.recorded_at for fact in facts}:
        posted = {said(t) for t in single if t.known_at <= known and t.replaces_event_id is None}
        assert standing(chunked, known) <= posted


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_what_a_lot_had_said_by_a_known_time_is_what_it_said_by_some_fact(
    data: st.DataObject,
) -> None:
    """By the last one with none recorded later among those before it, however they arrive."""
    facts = delayed(data.draw(histories.history()), data)
    transfers = one_by_one(facts)
    never_runs_backwards(transfers)
    newest = list(accumulate((fact.recorded_at for fact in facts), max))
    at = max(fact.occurred_at for fact in facts)
    for known in {fact.recorded_at for fact in facts}:
        count = sum(time <= known for time in newest)
        assert sums(transfers, at, known) == sums(one_by_one(facts[:count]), at, max(newest))


@settings(max_examples=40, deadline=None)
@given(st.data(), st.integers(0, 10_000))
def test_nor_do_lots_and_processes_in_chunks_run_backwards(data: st.DataObject, seed: int) -> None:
    facts = delayed(Chain(Random(seed)).draw().facts, data)
    never_runs_backwards(in_chunks(cut(facts, data)))


def ends_alike(facts: list[LotFact], data: st.DataObject, *, one_lot: bool) -> None:
    """Comparable is a known time that no later fact is of; of one lot, one that its time passes."""
    chunks = cut(facts, data)
    single, chunked = one_by_one(facts), in_chunks(chunks)
    known, told_so_far = 0, 0
    for chunk in chunks:
        known = max(known, *(fact.recorded_at for fact in chunk))
        told_so_far += len(chunk)
        after = [fact.recorded_at for fact in facts[told_so_far:]]
        if known < min(after[:1] if one_lot else after, default=known + 1):
            for at in {fact.occurred_at for fact in facts}:
                assert sums(chunked, at, known) == sums(single, at, known)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_where_a_chunk_ends_its_answers_are_those_of_its_facts_one_by_one(
    data: st.DataObject,
) -> None:
    ends_alike(delayed(data.draw(histories.history()), data), data, one_lot=True)


@settings(max_examples=20, deadline=None)
@given(st.data(), st.integers(0, 10_000))
def test_and_so_are_those_of_many_lots_and_processes(data: st.DataObject, seed: int) -> None:
    ends_alike(delayed(Chain(Random(seed)).draw().facts, data), data, one_lot=False)
