"""Every number of an e-value alert follows from its other numbers, by scripts of strangers."""

import ast
import math
import sys
from functools import cache
from random import Random
from typing import Any

import pytest

from custody.core import CustodyFold
from custody.detect import lot_information, lot_verdict
from custody.events import ActionTaken, LotFact, ReferenceSet
from custody.records import Alert
from producers.judge import MESSAGE_BYTES_MAX
from runtime.backtest.replay import Replay
from schemas import codec
from tests.support import tree
from tests.support.facts import Maker, event_id, last_ticks
from tests.support.fleet import Fleet
from tests.support.instruments import reference
from tests.support.measured_lots import (
    ANALYTES,
    MEAN,
    haul,
    lot,
    mixed,
    origin,
    suspicions,
)
from tests.support.recomputed import (
    FOLDER,
    LINES_MAX,
    SHARED,
    line_of,
    names,
    said_by,
    script,
    wrong,
)
from tests.support.world import World
from tests.unit.custody.test_charts import open_alerts, said
from tests.unit.custody.test_node_alerts import blend, nodes

ALL_SAY = {"recompute", "recompute_e", "recompute_posterior", "recompute_size"}
"""Scripts that have something to say of every alert."""


@cache
def hauls() -> dict[str, list[LotFact | ReferenceSet]]:
    """Return what is said of one lot of each family."""
    ore = lot(Random(6))
    other = mixed(lot(Random(2)), 0.8)
    odd = {a: c * (1.35 if no % 2 else 0.7) for no, (a, c) in enumerate(ore.items())}
    return {
        "loss": haul(6, at_origin=ore, at_port=ore, came_kg=43_800),
        "gain": haul(6, at_origin=ore, at_port=ore, came_kg=46_200),
        "water": haul(6, at_origin=ore, at_port=ore, moistures=(0.08, 0.16)),
        "water_falsified": haul(6, at_origin=ore, at_port=ore, water=0.4),
        "waste": haul(6, at_origin=ore, at_port={a: 0.85 * c for a, c in ore.items()}),
        "foreign_material": haul(6, at_origin=ore, at_port=mixed(ore, 0.12)),
        "origin_mismatch": haul(2, at_origin=other, at_port=other),
        "omnibus": haul(6, at_origin=ore, at_port=odd),
    }


@cache
def alert_of(family: str) -> Alert:
    world = World()
    world.tell(*hauls()[family])
    [alert] = suspicions(world)
    assert alert.family == family
    return alert


def agrees(line: dict[str, Any]) -> None:
    for name in names():
        if script(name).mine(line):
            said = script(name).sums(line)
            assert said or name not in ALL_SAY
            assert not wrong(said), name


@pytest.mark.parametrize("family", hauls())
def test_every_number_of_an_alert_can_be_done_again(family: str) -> None:
    line = line_of(alert_of(family))
    agrees(line)
    assert set(script("recompute_detectable").sums(line)) == set(line["detectable"])


def test_the_alerts_of_a_backtest_can_be_done_again_too() -> None:
    for family in ("loss", "foreign_material"):
        said = [one for said in Replay(CustodyFold()).run(hauls()[family]) for one in said]
        alerts = [one for one in said if isinstance(one, Alert) and one.rule == "lot_eprocess"]
        assert [one.family for one in alerts][-1:] == [family]
        for one in alerts:
            agrees(line_of(one))


CHANGES: list[tuple[str, tuple[Any, ...]]] = [
    ("loss", ("value",)),
    ("loss", ("size",)),
    ("loss", ("size_u",)),
    ("loss", ("posterior", "loss")),
    ("loss", ("ln_e", "loss")),
    ("loss", ("detectable", "loss")),
    ("loss", ("evidence", 0, "observed")),
    ("loss", ("evidence", 0, "u")),
    ("loss", ("onsets", 1, "probability")),
    ("loss", ("onsets", 1, "score", 0)),
    ("loss", ("onsets", 1, "information", 0)),
    ("loss", ("trips", 0, "score")),
    ("loss", ("trips", 0, "information")),
    ("loss", ("trips", 0, "probability")),
    ("foreign_material", ("causes", 0, "probability")),
    ("foreign_material", ("size",)),
    ("foreign_material", ("detectable", "foreign_material")),
    ("foreign_material", ("onsets", 1, "information", -1)),
    ("foreign_material", ("other_sites", 0, "probability")),
    ("foreign_material", ("other_sites", 0, "ln_ratios", 3)),
    ("foreign_material", ("other_sites", 0, "spread", 0)),
    ("foreign_material", ("own_spread", 0)),
    ("omnibus", ("size_u",)),
    ("omnibus", ("onsets", 1, "score", 5)),
    ("omnibus", ("onsets", 1, "information", 20)),
]


@pytest.mark.parametrize(("family", "path"), CHANGES, ids=str)
def test_a_number_that_is_changed_by_a_hundredth_is_found(
    family: str, path: tuple[Any, ...]
) -> None:
    line = line_of(alert_of(family))
    *way, last = path
    place: Any = line
    for key in way:
        place = place[key]
    assert isinstance(place[last], float)
    place[last] *= 1.01
    with pytest.raises(AssertionError):
        agrees(line)


def test_rows_that_have_no_room_are_one_that_says_what_they_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lot_verdict, "EVIDENCE_MAX", 6)
    world = World()
    world.tell(*hauls()["waste"])
    [alert] = suspicions(world)
    assert [one.quantity for one in alert.evidence].count("others") == 1
    assert len(alert.evidence) == 6
    agrees(line_of(alert))


def test_what_a_person_does_with_an_alert_says_the_figures_of_the_evidence_it_shows() -> None:
    """A shot that makes E less than tenfold is no version; the next one has its figures."""
    world = World()
    world.tell(*hauls()["loss"])
    [before] = suspicions(world)
    maker = Maker(count=1_000)
    world.tell(maker.assay("PORT", 900, {"Cu": (0.02, 0.002)}, moisture=(0.0801, 0.002)))
    assert world.alerts[before.alert_id] is before
    world.tell(action(before, "acknowledge"))
    [after] = [one for one in world.alerts.values() if one.rule == "lot_eprocess"]
    assert (after.state, after.version) == ("acknowledged", before.version + 1)
    assert after.value != before.value
    agrees(line_of(after))


def action(alert: Alert, name: str) -> ActionTaken:
    return ActionTaken(
        event_id=event_id(name),
        gateway_id="GW-1",
        gateway_epoch=1,
        gateway_seq=1,
        action=name,
        alert_id=alert.alert_id,
        version=alert.version,
        subject=alert.subject,
        actor="A. Kabila",
        reason="seen",
        recorded_at=alert.raised_at,
    )


def far(stations: int, sites: int, shots: int, *, apart: float = 1.2) -> Alert:
    """Return the alert of a swap on a long way, of a lot that is shot and shot again.

    Args:
        stations: Along the way, with two instruments each.
        sites: In the library.
        shots: Of each instrument at each.
        apart: How far the means of sites are, in logarithms.
    """
    rng, maker = Random(1), Maker()
    way = [f"SITE-{no:03d}" for no in range(stations)]
    means = {
        f"SITE-{no:03d}": {a: MEAN[a] + rng.gauss(0, apart) for a in ANALYTES}
        for no in range(sites)
    }
    ore = {a: math.exp(x) for a, x in means[way[0]].items()}
    other = {a: 0.7 * ore[a] + 0.3 * math.exp(means[way[1]][a]) for a in ANALYTES}
    known = [reference("fingerprint", site, origin(site, mean)) for site, mean in means.items()]
    facts: list[LotFact | ReferenceSet] = [*known, maker.lot(way[0], -60, {"Cu": 0.018})]
    for no, site in enumerate(way):
        for shot in range(2 * shots):
            grades = ore if site != way[-1] else other
            seen = {a: 0.92 * c * math.exp(rng.gauss(0, 0.04)) for a, c in grades.items()}
            gun = f"XRF-{site}-{shot % 2}"
            facts.append(maker.shot(site, 400 * no + shot, seen, device_id=gun))
        if site != way[-1]:
            trip = {"movement_id": f"M-{no}"}
            left = 400 * no + 150
            facts.append(maker.weighing(site, left, "dispatch", 45_000, 15_000, **trip))
            facts.append(maker.weighing(way[no + 1], left + 60, "receipt", 45_000, 15_000, **trip))
    world = World()
    world.tell(*facts, together=True)
    [alert] = suspicions(world)
    return alert


def test_the_longest_alert_fits_into_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row of a series names all its shots, which alone would be more than a message."""
    monkeypatch.setattr(lot_verdict, "IDS_BYTES_MAX", 1 << 20)
    assert len(codec.encode(far(5, 40, 32))) > MESSAGE_BYTES_MAX
    monkeypatch.undo()
    alert = far(5, 40, 32)
    assert len(alert.evidence) == lot_verdict.EVIDENCE_MAX
    assert len(codec.encode(alert)) <= MESSAGE_BYTES_MAX
    assert sum(bool(one.spread) for one in alert.other_sites) >= 1


def test_an_alert_says_less_where_there_is_no_room_and_then_its_causes_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = far(2, 6, 2, apart=0.3)
    assert sum(bool(one.spread) for one in whole.other_sites) > 2
    agrees(line_of(whole))
    spent = spent_without_spreads(whole)
    monkeypatch.setattr(lot_information, "BYTES_MAX", spent)
    less = far(2, 6, 2, apart=0.3)
    assert [one.site_id for one in less.other_sites if one.spread] == [less.causes[0].site_id]
    agrees(line_of(less))
    monkeypatch.setattr(lot_information, "BYTES_MAX", spent - 1)
    least = far(2, 6, 2, apart=0.3)
    assert (least.way, least.shifts, least.onsets, least.trips) == ((), (), (), ())
    assert (least.other_sites, least.own_spread) == ((), ())
    assert least.causes == whole.causes


def spent_without_spreads(alert: Alert) -> int:
    """Return the bytes of what an alert's e-value follows from, with one site's spread."""
    numbers = sum(1 + len(one.score) + len(one.information) for one in alert.onsets)
    numbers += 4 * len(alert.trips) + 2 * len(alert.own_spread)
    numbers += sum(1 + len(one.ln_ratios) for one in alert.other_sites)
    texts = 2 * [*alert.way, *alert.shifts[3:]]
    texts += [one.movement_id for one in alert.trips]
    texts += [one.site_id for one in alert.other_sites]
    return 8 * numbers + len("".join(texts))


def test_the_scripts_are_short_and_know_nothing_of_this_project() -> None:
    assert len(names()) == 8
    for path in [*FOLDER.glob("*.py")]:
        assert path.stem in {*names(), *SHARED}
        text = tree.text(path)
        assert len(text.splitlines()) <= LINES_MAX, path
        for node in ast.walk(ast.parse(text)):
            modules = [node.module] if isinstance(node, ast.ImportFrom) else []
            modules += [one.name for one in node.names] if isinstance(node, ast.Import) else []
            assert set(modules) <= {*SHARED, *sys.stdlib_module_names}, path


@cache
def told_alerts() -> dict[str, Alert]:
    """Return one alert of each family that is said of something else than a lot."""
    scale = Fleet(2, lots=50, since=20, scale=("WB-DEPOT", 0.003))
    road = Fleet(1, lots=110, since=20, stolen=("MINE-B>DEPOT", 0.0025))
    found = {family: chart(fleet) for family, fleet in
             (("instrument_bias", scale), ("route_loss", road))}  # fmt: skip
    for family, facts in (("node loss", blend(54_000)), ("node waste", blend(60_000, grade=0.8))):
        world = World()
        world.tell(*facts.values(), *last_ticks())
        found[family] = nodes(world)[-1]
    return found


def chart(fleet: Fleet) -> Alert:
    [alert] = open_alerts(said(fleet.records())).values()
    return alert


SPOILT: dict[str, tuple[str, tuple[Any, ...], str]] = {
    "recompute": ("loss", ("value",), "ln E"),
    "recompute_e": ("loss", ("value",), "ln E"),
    "recompute_posterior": ("loss", ("posterior", "loss"), "loss"),
    "recompute_size": ("loss", ("size_u",), "u of size"),
    "recompute_exchange": ("foreign_material", ("size_u",), "u of size"),
    "recompute_detectable": ("loss", ("detectable", "loss"), "loss"),
    "recompute_charts": ("instrument_bias", ("size",), "size"),
    "recompute_node": ("node loss", ("detectable", "loss"), "detectable loss"),
}


def lines_of_all() -> dict[str, dict[str, Any]]:
    of_lots = {family: line_of(alert_of(family)) for family in hauls()}
    return of_lots | {family: line_of(alert) for family, alert in told_alerts().items()}


@pytest.mark.parametrize("name", names())
def test_a_script_ends_with_one_and_names_the_figure_that_differs(name: str) -> None:
    lines = lines_of_all()
    assert said_by(name, list(lines.values())) == (0, [])
    family, (*way, last), figure = SPOILT[name]
    line = lines[family]
    place: Any = line
    for key in way:
        place = place[key]
    stored, place[last] = place[last], 1.01 * place[last]
    code, [first, *_] = said_by(name, list(lines.values()))
    assert code == 1
    assert first.startswith(f"{line['alert_id']} {figure}: stored ")
    follows = float(first.rpartition("recomputed ")[2])
    if figure != "ln E":
        assert follows == pytest.approx(abs(stored), rel=1e-5)
    else:
        assert follows == pytest.approx(math.log(stored), rel=1e-5)


OTHERS: list[tuple[str, tuple[Any, ...]]] = [
    *[(family, ("evidence", 0, field)) for family in ("instrument_bias", "route_loss", "node loss")
      for field in ("observed", "u", "z")],
    *[(family, path) for family in ("instrument_bias", "route_loss")
      for path in (("size_u",), ("evidence", 0, "u_shared"))],
    ("route_loss", ("size",)),
    ("route_loss", ("evidence", 0, "expected")),
    ("node waste", ("posterior", "waste")),
    ("node waste", ("detectable", "undeclared_feed")),
]  # fmt: skip


@pytest.mark.parametrize(("family", "path"), OTHERS, ids=str)
def test_a_changed_number_of_a_chart_or_a_process_is_found(
    family: str, path: tuple[Any, ...]
) -> None:
    line = line_of(told_alerts()[family])
    agrees(line)
    *way, last = path
    place: Any = line
    for key in way:
        place = place[key]
    place[last] = place[last] * 1.01 or 0.01
    with pytest.raises(AssertionError):
        agrees(line)


def test_an_alert_that_somebody_resolved_has_any_value() -> None:
    """It stays what it was, whatever the sums say; only what holds has to be beyond the limit."""
    line = line_of(alert_of("loss")) | {"state": "resolved"}
    assert line["value"] > line["threshold"]
    agrees(line)
