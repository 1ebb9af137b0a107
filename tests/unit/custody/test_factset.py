from dataclasses import replace

from custody.events import LotFact, Micros
from custody.factset import merged, standing
from custody.reduce import reduced
from custody.rows import FactRow, Finding
from tests.support.facts import Maker, corrected, event_id

MAKER = Maker()
FIRST = MAKER.weighing("A", 0, "dispatch", 45_000, 15_000)
SECOND = MAKER.weighing("A", 5, "dispatch", 45_100, 15_000)


def rows(*facts: LotFact) -> list[FactRow]:
    return [reduced(fact) for fact in facts]


def ids(facts: list[FactRow]) -> list[str]:
    return [fact.head.event_id for fact in facts]


def rules(findings: list[Finding]) -> list[str]:
    return [finding.rule for finding in findings]


def test_a_repeated_fact_is_one_fact() -> None:
    facts, changed = merged(rows(FIRST), rows(FIRST, SECOND, SECOND))
    assert ids(facts) == [FIRST.event_id, SECOND.event_id]
    assert changed == [1]


def test_of_two_copies_the_earlier_stands_whichever_came_first() -> None:
    late = replace(FIRST, recorded_at=Micros(FIRST.recorded_at + 5))
    assert merged(rows(FIRST), rows(late))[0] == merged(rows(late), rows(FIRST))[0] == rows(FIRST)


def test_the_greatest_correction_speaks_and_the_conflict_is_named() -> None:
    early = corrected(FIRST, "c1", 10, net_g=1)
    late = corrected(FIRST, "c2", 20, net_g=2)
    stand, unseen, findings = standing(rows(late, FIRST, early))
    assert ids(stand) == [event_id("c2")]
    assert (unseen, rules(findings)) == ([], ["correction_conflict"])


def test_a_correction_of_a_correction_speaks_for_both() -> None:
    once = corrected(FIRST, "c1", 10)
    twice = corrected(once, "c2", 10)
    assert ids(standing(rows(twice, FIRST, once))[0]) == [event_id("c2")]


def test_a_void_leaves_nothing_and_a_void_of_a_void_has_no_effect() -> None:
    void = corrected(FIRST, "v", void=True)
    again = corrected(void, "vv", void=True)
    assert standing(rows(FIRST, void, SECOND))[0] == rows(SECOND)
    stand, _, findings = standing(rows(FIRST, void, again))
    assert (stand, rules(findings)) == ([], ["void_of_void"])


def test_a_correction_without_its_target_stands_for_itself() -> None:
    stand, unseen, findings = standing(rows(corrected(FIRST, "c1")))
    assert ids(stand) == [event_id("c1")]
    assert (unseen, rules(findings)) == ([FIRST.event_id], ["correction_target_unseen"])


def test_facts_that_correct_each_other_stand_for_nothing() -> None:
    one = replace(FIRST, corrects=SECOND.event_id)
    two = replace(SECOND, corrects=FIRST.event_id)
    assert standing(rows(one, two))[0] == []
