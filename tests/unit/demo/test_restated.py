"""Levels of the chain from sums by pair of accounts, and what a correction has to do."""

from dataclasses import replace

from demo.day import make_day
from demo.restated import Level, Moved, Restated, kilograms, lacks, levels

DAY = make_day(1)
LOT = DAY.corrected.lot_id
BLEND, CAMPAIGN = (process.process_id for process in DAY.processes)
MIXED, PRODUCT = (process.output.lot_id for process in DAY.processes)
ROWS = [
    Moved(f"lot/{LOT}/DEPOT-EMB", f"process/{BLEND}", 100, 110),
    Moved("lot/L-1-9999/DEPOT-EMB", f"process/{BLEND}", 500, 500),
    Moved(f"process/{BLEND}", f"lot/{MIXED}/DEPOT-EMB", 601, 609),
    Moved(f"process/{BLEND}", f"unaccounted/{BLEND}", -1, 1),
    Moved(f"lot/{MIXED}/CONC-HOY", f"process/{CAMPAIGN}", 601, 609),
    Moved(f"process/{CAMPAIGN}", f"lot/{PRODUCT}/CONC-HOY", 541, 548),
    Moved(f"process/{CAMPAIGN}", f"loss/{CAMPAIGN}/tailings", 60, 61),
]
RESTATED = Restated(
    known_at="2026-03-02 18:00:00.000000",
    levels=tuple(levels(DAY, ROWS)),
    lots=(MIXED, PRODUCT, LOT),
    compensations=3,
    transfers=3,
    rest_mg={BLEND: (0, 0), CAMPAIGN: (0, 0)},
)


def test_each_level_sums_the_pairs_of_its_accounts() -> None:
    found = {level.name: (level.before_mg, level.after_mg) for level in levels(DAY, ROWS)}
    assert found[f"{LOT} into the blend"] == (100, 110)
    assert found["all 6 lots into the blend"] == (600, 610)
    assert found[f"blend {MIXED}"] == (601, 609)
    assert found["unaccounted in the blend"] == (-1, 1)
    assert found[f"{MIXED} into the campaign"] == (601, 609)
    assert found[f"concentrate {PRODUCT}"] == (541, 548)
    assert found["tailings"] == (60, 61)


def test_nothing_lacks_where_all_levels_rose_and_sums_hold() -> None:
    assert lacks(RESTATED, DAY) == []


def test_a_level_that_did_not_move_a_lot_too_many_and_a_rest_are_said() -> None:
    still = replace(RESTATED, levels=(Level("tailings", 60, 60),))
    assert lacks(still, DAY) == ["tailings: the corrections moved 0 mg"]
    more = replace(RESTATED, lots=(*RESTATED.lots, "L-1-9999"))
    assert "L-1-9999" in lacks(more, DAY)[0]
    rest = replace(RESTATED, rest_mg={BLEND: (0, 1)})
    assert lacks(rest, DAY) == [
        f"process {BLEND}: 0 mg are left of what went in before the correction, 1 after"
    ]


def test_kilograms_are_shown_to_the_gram() -> None:
    assert kilograms(4_821_324_523) == "4,821.325"
    assert kilograms(-637_185) == "-0.637"
