"""What loading reference records would change, against what is known."""

import pytest

from custody.events import Micros
from custody.rows import RefRow, RefVersion
from runtime.cli.reference import change_line, show
from runtime.reference_plan import Change, Wanted, leaves, lots_that_used, plan

NOW = Micros(1_000)


def version(start: int, body: str, **more: object) -> RefVersion:
    made = RefVersion(f"e{start}", Micros(start), None, Micros(5), None, void=False, body=body)
    return made._replace(**more)  # type: ignore[arg-type]


def planned(*versions: RefVersion, known: tuple[RefVersion, ...] = ()) -> list[Change]:
    rows = {("device", "WB"): RefRow(list(known))} if known else {}
    wanted = [Wanted(i, "device", "WB", v) for i, v in enumerate(versions, start=1)]
    return list(plan(wanted, rows, NOW))


def test_the_first_statement_is_new_with_all_its_fields() -> None:
    [change] = planned(version(2_000, '{"class":"III","legs":[{"from":"A"}]}'))
    assert (change.what, change.past) == ("new", False)
    assert change.fields == (("class", None, "III"), ("legs.0.from", None, "A"))


def test_a_later_version_is_compared_field_by_field_with_the_one_in_force() -> None:
    known = (version(10, '{"a":1,"b":2}'),)
    [change] = planned(version(20, '{"a":1,"b":3,"c":4}'), known=known)
    assert (change.what, change.past) == ("new version", True)
    assert change.fields == (("b", 2, 3), ("c", None, 4))


def test_the_same_again_is_the_same_and_reaches_nowhere() -> None:
    known = (version(10, '{"a":1}'),)
    [change] = planned(version(10, '{"a":1}', event_id="line 1"), known=known)
    assert (change.what, change.past, change.fields) == ("same", False, ())


def test_another_statement_for_the_same_start_is_a_conflict_unless_it_corrects() -> None:
    known = (version(10, '{"a":1}'),)
    [change] = planned(version(10, '{"a":2}'), known=known)
    assert (change.what, change.fields) == ("conflict", (("a", 1, 2),))
    [change] = planned(version(10, '{"a":2}', event_id="c", corrects="e10"), known=known)
    assert (change.what, change.fields) == ("correction", (("a", 1, 2),))


def test_a_withdrawal_takes_every_field_away() -> None:
    known = (version(10, '{"a":1}'),)
    [change] = planned(version(10, "{}", event_id="c", corrects="e10", void=True), known=known)
    assert (change.what, change.fields) == ("withdrawal", (("a", 1, None),))


def test_of_a_withdrawal_the_version_before_is_in_force_again() -> None:
    """It said "0.6 -> absent", though nothing was absent then."""
    known = (version(10, '{"a":0.5}'), version(20, '{"a":0.6,"b":1}'))
    gone = version(20, "{}", event_id="c", corrects="e20", void=True)
    [change] = planned(gone, known=known)
    assert (change.what, change.fields) == ("withdrawal", (("a", 0.6, 0.5), ("b", 1, None)))
    assert change.again == known[0]
    ended = (known[0]._replace(valid_to=Micros(15)), known[1])
    [change] = planned(gone, known=ended)
    assert (change.again, change.fields) == (None, (("a", 0.6, None), ("b", 1, None)))
    line = change_line(change, 3)
    assert line["in_force"] is None


def test_of_a_corrections_withdrawal_nothing_of_either_is_left() -> None:
    known = (version(10, '{"a":1}'), version(10, '{"a":2}', event_id="c", corrects="e10"))
    gone = version(10, "{}", event_id="v", corrects="c", void=True, known=Micros(9))
    [change] = planned(gone, known=known)
    assert (change.again, change.fields) == (None, (("a", 2, None),))


def test_it_is_said_which_version_is_in_force_again(capsys: pytest.CaptureFixture[str]) -> None:
    known = (version(10, '{"a":0.5}'), version(20, '{"a":0.6}'))
    gone = version(20, "{}", event_id="c", corrects="e20", void=True)
    for start, said in ((0, "the version from 1970-01-01"), (1, "nothing is in force then")):
        [change] = planned(gone, known=known[start:])
        show(change, 3)
        assert said in capsys.readouterr().out


def test_a_shorter_validity_is_a_difference() -> None:
    known = (version(10, '{"a":1}'),)
    [change] = planned(
        version(10, '{"a":1}', event_id="c", corrects="e10", valid_to=Micros(20)), known=known
    )
    assert change.fields == (("valid_to", None, "1970-01-01 00:00:00Z"),)


def test_records_of_one_file_follow_each_other() -> None:
    first, second = planned(version(2_000, '{"a":1}'), version(3_000, '{"a":2}'))
    assert (first.what, second.what) == ("new", "new version")
    assert second.fields == (("a", 1, 2),)


def test_the_past_it_reaches_ends_where_the_next_version_begins() -> None:
    known = (version(10, '{"a":1}'), version(50, '{"a":2}'))
    [change] = planned(version(20, '{"a":3}'), known=known)
    assert change.until == 50
    [change] = planned(version(20, '{"a":3}', valid_to=Micros(30)), known=known)
    assert change.until == 30


def test_lots_are_asked_for_only_where_a_kind_is_named_by_facts() -> None:
    asked: list[str] = []

    def ask(statement: str, params: object) -> list[dict[str, object]]:
        del params
        asked.append(statement)
        return [{"lots": 7}]

    [change] = planned(version(10, "{}"))
    assert lots_that_used(ask, change) == 7
    assert "device_id" in asked[0]
    [future] = planned(version(2_000, "{}"))
    assert lots_that_used(ask, future) is None
    price = Change(Wanted(1, "price", "Cu", version(10, "{}")), "new", (), past=True, until=None)
    assert lots_that_used(ask, price) is None
    assert len(asked) == 1


def test_leaves_are_named_by_their_path_and_empty_branches_stay() -> None:
    assert leaves({"a": {"b": [1, {"c": None}]}, "d": {}}) == {"a.b.0": 1, "a.b.1.c": None, "d": {}}
