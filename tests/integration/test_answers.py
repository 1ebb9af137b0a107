"""What pages are told, on the real engine: the books' own numbers, to whom may see them."""

import csv
import io
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote

import httpx
import pytest

from console.answers import Asked, Told, Unknown
from console.cause_rows import ELSEWHERE
from console.columns import COLUMNS
from console.desk import Rooms, add_desk
from console.people.file import PeopleFile
from console.people.roles import Role
from console.search_rows import SEARCH, SPELLINGS
from console.sql_http import Asking
from console.watched import Watched
from custody.charts import BASIS
from custody.detect import drift
from custody.detect.drift import Chart, Point
from custody.events import ActionTaken, LotWeighed, Micros
from custody.records import Alert, Evidence, Residual, ResidualFigure
from runtime import asof, period
from runtime.asof import Times
from runtime.moment import NotATime, Period, now, sql_time
from runtime.unaccounted import unaccounted
from schemas.present import rfc3339
from tests.support import page_engine
from tests.support.alerts import alert
from tests.support.chain_references import record
from tests.support.facts import T0, Maker, corrected, event_id
from tests.support.seeded import Seeded, seeded
from tests.support.store import PARTITION
from tests.support.visitors import TOKEN, Clock, Desk

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@dataclass(slots=True)
class Open:
    """A console over a seeded warehouse."""

    plant: Seeded
    desk: Desk

    def told(self, kind: str, name: str, **asked: str) -> Told:
        return self.plant.answers.parts[kind][name](Asked(**asked))

    def get(self, who: str, path: str, **query: str) -> httpx.Response:
        return self.desk.browser(who).get(path, params=query)


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    directory = tmp_path_factory.mktemp("answers")
    with seeded(directory) as plant, closing(PeopleFile(directory / "people")) as file:
        desk = Desk(file, Clock())
        numbers = iter(range(1_000_000))
        asking = Asking(
            plant.store.reader, 100_000, 1 << 26, lambda: f"test-{next(numbers)}", lambda _: None
        )
        watched = Watched(plant.store.rows, plant.answers.complete_to, desk.clock)
        rooms = Rooms(answers=plant.answers, asking=asking, watched=watched)
        add_desk(desk.app, desk.visits, rooms)
        for name, role in (("vera", Role.VIEWER), ("ana", Role.ANALYST)):
            desk.user(name, role)
        yield Open(plant, desk)


def test_the_history_of_a_lot_is_its_balance_at_each_instant(console: Open) -> None:
    ask = console.plant.store.rows
    for lot in ("L-0", "L-1", console.plant.lot):
        told: dict[str, dict[_Key, tuple[object, object]]] = defaultdict(dict)
        for row in console.told("lots", "history", subject=lot).rows:
            key = str(row["place"]), str(row["quantity"]), row["quality"]
            told[str(row["at"])][key] = row["value"], row["u"]
        assert len(told) > 3
        known = now()
        for at, rows in told.items():
            moment = Micros(round(1e6 * _seconds(at)))
            held = asof.of_lot(ask, lot, Times(moment, known))
            expected: dict[_Key, tuple[object, object]] = {
                (h.place, h.quantity.name, h.quantity.quality or None): (h.value, period.sigma(h.u))
                for h in held
            }
            by_place = {key: said for key, said in rows.items() if key[0] != "total"}
            assert by_place.keys() == expected.keys()
            for key, (value, u) in by_place.items():
                assert value == expected[key][0]
                assert u == _near(expected[key][1])
            for quantity, whole in period.summed(held).items():
                value, u = rows["total", quantity.name, quantity.quality or None]
                assert (value, u) == (whole.value, _near(period.sigma(whole.u)))


_Key = tuple[str, str, object]


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _near(u: object) -> object:
    return None if u is None else pytest.approx(float(str(u)), rel=1e-12)


def test_a_lot_is_told_as_the_worker_said_it_last(console: Open) -> None:
    told = console.told("lots", "", subject=console.plant.lot)
    said = [b for b in console.plant.world.balances.values() if b.lot_id == console.plant.lot]
    by_key = {(row["place"], row["quantity"]): row for row in told.rows}
    for one in (b for b in said if b.mass_wet_g):
        row = by_key[one.place, "dry"]
        u = math.hypot(one.mass_dry_u_random_g, *(p.u for p in one.mass_dry_u_systematic_g))
        assert (row["value"], row["unit"], row["u"]) == (one.mass_dry_g, "g", pytest.approx(u))
        for metal in one.metals:
            assert by_key[one.place, metal.analyte]["value"] == metal.value_mg
    assert told.more["gate"] == told.more["gate"] | {"status": "CLEAR", "holds": []}  # type: ignore[operator]  # a map
    declared = told.more["declared"]
    assert isinstance(declared, dict)
    assert declared["commodity"] == "copper"
    # As of now by the sums of transfers it is the same.
    by_sums = console.told("lots", "", subject=console.plant.lot, at="2026-12-01")
    assert by_sums.more["gate"] is None, "whether it may go is of now"
    for row in by_sums.rows:
        assert row["value"] == by_key[row["place"], row["quantity"]]["value"]


def test_what_changed_adds_up_to_what_is_there(console: Open) -> None:
    for lot in ("L-0", console.plant.lot):
        rows = console.told("lots", "changes", subject=lot).rows
        held = [b for b in console.plant.world.balances.values() if b.lot_id == lot]
        changed = sum(int(str(row["change_dry_g"])) for row in rows)
        assert changed == sum(b.mass_dry_g for b in held)
        assert rows == sorted(rows, key=lambda row: str(row["known_at"]), reverse=True)
        assert all(row["event_type"] for row in rows), "every change has its fact"
    kinds = {row["kind"] for row in console.told("lots", "changes", subject="L-0").rows}
    assert {"dispatch", "receipt"} <= kinds


def test_the_facts_of_a_lot_stand_as_was_known_then(console: Open) -> None:
    ticket = Maker("L-EDIT").weighing("MINE", 10, "stock", 45_000, 15_000)
    better = corrected(ticket, "better", gross_g=45_020_000, net_g=30_020_000, gateway_seq=9_001)
    console.plant.put(ticket, better)
    now_known = console.told("lots", "facts", subject="L-EDIT").rows
    assert {row["event_id"]: row["stands"] for row in now_known} == {
        ticket.event_id: False,
        better.event_id: True,
    }
    before = rfc3339(Micros(better.recorded_at - 1))
    [then] = console.told("lots", "facts", subject="L-EDIT", known=before).rows
    assert (then["event_id"], then["stands"], then["mass_g"]) == (ticket.event_id, True, 30_000_000)
    assert float(str(then["mass_u_g"])) > 0
    views = console.plant.store.ask("SELECT event_id FROM v_events WHERE lot_id = 'L-0'")
    facts = console.told("lots", "facts", subject="L-0").rows
    stand = sorted(str(row["event_id"]) for row in facts if row["stands"])
    assert stand == sorted(str(row["event_id"]) for row in views)


def test_a_trip_says_what_both_scales_weighed_and_how_sure_the_difference_is(console: Open) -> None:
    [trip] = console.told("lots", "movements", subject="P-1-OUT-1").rows
    sent, got = (
        console.plant.store.ask(
            "SELECT net_g FROM weighing WHERE lot_id = 'P-1-OUT-1'"  # noqa: S608
            f" AND purpose = '{purpose}'"
        )[0]["net_g"]
        for purpose in ("dispatch", "receipt")
    )
    assert (trip["sent_g"], trip["received_g"]) == (sent, got)
    assert trip["difference_g"] == int(str(got)) - int(str(sent))
    # Two scales of the class that is assumed, without a source in common.
    both = math.hypot(float(str(trip["sent_u_g"])), float(str(trip["received_u_g"])))
    assert trip["difference_u_g"] == pytest.approx(both)
    assert (trip["from_site"], trip["to_site"]) == ("PLANT", "MILL")
    assert trip["evidence"] == "confirmed"


def test_lineage_goes_both_ways_and_says_what_was_handed_over(console: Open) -> None:
    told = console.told("lots", "lineage", subject="L-1")
    lots = {(row["direction"], row["lot_id"]) for row in told.rows}
    assert ("forward", "P-1-OUT-1") in lots
    assert ("back", "L-1") in lots
    edges = told.tables["edges"]
    [edge] = console.plant.store.ask(
        "SELECT mass_dry_g FROM v_edges WHERE parent = 'lot/L-1' AND child = 'process/P-1'"
    )
    [shown] = [e for e in edges if (e["parent"], e["child"]) == ("lot/L-1", "process/P-1")]
    assert shown["mass_dry_g"] == int(str(edge["mass_dry_g"]))
    as_csv = console.get("vera", "/api/lots/L-1/lineage", format="csv", table="edges").text
    assert as_csv.startswith("parent,child,")


def test_a_process_balances_line_by_line(console: Open) -> None:
    plant = console.plant
    processes = {t.process_id for t in plant.world.transfers if t.process_id}
    lost = 0
    for process in sorted(map(str, processes)):
        rows = console.told("processes", "period", subject=process).rows
        by_quantity: dict[tuple[object, ...], dict[object, int]] = defaultdict(dict)
        for row in rows:
            key = row["quantity"], row["quality"]
            by_quantity[key][row["line"]] = int(str(row["value"]))
        sums = plant.world.sums().get(f"process/{process}", {})
        for (quantity, quality), lines in by_quantity.items():
            closing = lines.pop("closing")
            assert sum(lines.values()) == closing
            assert quality is not None or closing == sums.get(str(quantity), 0)
            lost += quantity == "dry" and lines["unaccounted"] != 0
        fed = [r for r in rows if (r["line"], r["quantity"]) == ("fed", "dry")]
        handed = console.told("processes", "", subject=process).rows
        given = [r for r in handed if (r["direction"], r["quantity"]) == ("in", "dry")]
        assert sum(int(str(r["value"])) for r in fed) == sum(int(str(r["value"])) for r in given)
        assert all(float(str(r["u"])) > 0 for r in fed)
    assert lost, "nothing was unaccounted for: no test"
    assert console.told("processes", "sides", subject=plant.process).rows


def test_what_is_missing_in_a_process_is_as_sure_as_the_sites_balance_says(console: Open) -> None:
    ask = console.plant.store.rows
    span = Period(Micros(T0 - 86_400_000_000), Micros(T0 + 30 * 86_400_000_000))
    found = [
        one
        for site in ("MINE", "PLANT", "MILL", "SMELT")
        for one in unaccounted(ask, site, span, sql_time(now()))
        if (one.found_in, one.quantity.name) == ("process", "dry")
    ]
    told = [
        row
        for process in {t.process_id for t in console.plant.world.transfers if t.process_id}
        for row in console.told("processes", "period", subject=str(process)).rows
        if (row["line"], row["quantity"]) == ("unaccounted", "dry") and row["value"]
    ]
    assert sum(one.lost for one in found) == -sum(int(str(row["value"])) for row in told)


def test_a_sites_stock_is_the_sum_of_its_lots(console: Open) -> None:
    now_there = {row["quantity"]: row for row in console.told("sites", "", subject="PLANT").rows}
    then = console.told("sites", "", subject="PLANT", at="2026-12-01").rows
    lots = console.told("sites", "lots", subject="PLANT").rows
    of_dry = [int(str(row["value"])) for row in lots if row["quantity"] == "dry"]
    assert of_dry == sorted(of_dry, reverse=True)
    at_time = console.told("sites", "lots", subject="PLANT", at="2026-12-01").rows
    assert [row["lot_id"] for row in at_time if row["quantity"] == "dry"] == [
        row["lot_id"] for row in lots if row["quantity"] == "dry"
    ]
    for row in then:
        if row["class"] == "attribute" or not row["value"]:
            continue
        same = now_there[row["quantity"]]
        assert (same["value"], same["u"]) == (row["value"], pytest.approx(row["u"]))
        one_by_one = sum(int(str(r["value"])) for r in lots if r["quantity"] == row["quantity"])
        assert one_by_one == row["value"]
    lines = console.told("sites", "period", subject="PLANT", period="2025-11").rows
    dry = {row["line"]: int(str(row["value"])) for row in lines if row["quantity"] == "dry"}
    assert dry["closing"] == now_there["dry"]["value"]


def test_what_is_said_of_lately_says_when_the_last_was(console: Open) -> None:
    """The plant's facts are of a year ago: of the month and the day that are, nothing is said."""
    effective = [
        t.effective_at
        for t in console.plant.world.transfers
        if any(one.startswith("lot/") and one.endswith("/PLANT") for one in (t.debit, t.credit))
    ]
    assert console.told("sites", "period", subject="PLANT").more == {
        "over": rfc3339(max(effective))[:7]
    }
    first = rfc3339(min(effective))
    assert console.told("sites", "period", subject="PLANT", at=first).more == {"over": first[:7]}
    with pytest.raises(Unknown):
        console.told("sites", "period", subject="PLANT", at="1999-05-05")
    flow = console.get("vera", "/api/flow").json()
    assert flow["flow"] == []
    last = max(t.effective_at for t in console.plant.world.transfers)
    assert datetime.fromisoformat(flow["last_at"]) == datetime.fromisoformat(rfc3339(last))


def residual(lot: int, value: float) -> Residual:
    figure = ResidualFigure(quantity="mass", value=value, u=0.002, u_shared=0.0001, explained=0.0)
    return Residual(
        sender="worker/0", n=900_000 + lot, cause_event_id=f"c{lot}", thing="instrument/WB-NEW",
        lot_id=f"R-{lot}", occurred_at=Micros(T0 + lot * 60_000_000), known_at=Micros(T0 + lot),
        ways=(), figures=(figure,),
    )  # fmt: skip


def test_a_second_visit_stands_in_the_chart_at_its_own_time(console: Open) -> None:
    ticket = Maker("L-TWICE").weighing("PLANT", 10, "stock", 45_000, 15_000)
    console.plant.put(replace(ticket, device_id="WB-NEW"))
    words = [residual(lot, 0.001 * lot) for lot in range(3)]
    [figure] = words[0].figures
    left = replace(figure, value=0.009, occurred_at=Micros(T0 + 90_000_000), event_id="left")
    console.plant.put(replace(words[0], figures=(figure, left)), *words[1:])
    rows = console.told("sites", "charts", subject="PLANT").rows
    found = [(row["lot_id"], row["residual"]) for row in rows if row["device_id"] == "WB-NEW"]
    assert found == [("R-0", 0.0), ("R-1", 0.001), ("R-0", 0.009), ("R-2", 0.002)]


def test_an_instrument_that_is_off_shows_in_its_chart(console: Open) -> None:
    values = [0.0] * 5 + [0.006] * 20
    ticket = Maker("L-NEW").weighing("PLANT", 10, "stock", 45_000, 15_000)
    console.plant.put(replace(ticket, device_id="WB-NEW"))
    console.plant.put(*(residual(lot, value) for lot, value in enumerate(values)))
    rows = [
        row
        for row in console.told("sites", "charts", subject="PLANT").rows
        if (row["device_id"], row["quantity"]) == ("WB-NEW", "mass")
    ]
    expected = drift.read(
        [Point(Micros(T0 + n * 60_000_000), v, 0.002, 0.0001) for n, v in enumerate(values)],
        Chart(),
    ).level
    assert expected is not None
    assert [row["residual"] for row in rows] == values
    assert (rows[-1]["off_by"], rows[-1]["off_by_u"]) == (expected.mean, expected.u)
    assert rows[4]["off_by"] is None
    # The sum is seen to reach its limit, at the lot that makes a level of it and at no other.
    first = next(at for at, row in enumerate(rows) if row["off_by"] is not None)
    assert [at for at, row in enumerate(rows) if float(str(row["sum_of_limit"])) >= 1] == [first]
    instruments = console.told("sites", "instruments", subject="PLANT").rows
    [one] = [row for row in instruments if row["device_id"] == "WB-NEW"]
    assert (one["lots"], one["off_by"]) == (25, expected.mean)
    of_thing = console.get("vera", f"/api/charts/{quote('instrument/WB-NEW', safe='')}").json()
    assert [row["sum_of_limit"] for row in of_thing["chart"]] == [r["sum_of_limit"] for r in rows]
    assert console.get("vera", "/api/charts/instrument%2FNONE").status_code == 404


def off(lots: Sequence[int]) -> tuple[list[LotWeighed], Alert]:
    """What weighed some lots, and the alert that says that it is off."""
    weighed = [
        replace(Maker(f"R-{lot}").weighing("PLANT", lot, "stock", 45_000, 15_000), device_id=OFF)
        for lot in lots
    ]
    rows = tuple(
        Evidence(
            quantity="ln_residual", analyte=None, expected=0.0, observed=0.006, u=0.002, z=3.0,
            unit="1", event_ids=(one.event_id,), instruments=(OFF,), shift=0.0, ln_ratio=0.0,
        )
        for one in weighed
    )  # fmt: skip
    said = alert(
        OFF, rule="instrument_bias", family="instrument_bias", statistic="cusum", process_id=None,
        subject=f"instrument/{OFF}", lot_id=None, movement_id=None, evidence=rows, causes=(),
        value=1.2, threshold=1.0, size=0.006, size_u=0.001, n=990_000, version=1,
        threshold_basis=BASIS, onset_at=weighed[0].occurred_at, state="open",
        onset_event_id=weighed[0].event_id, raised_by_event_id=weighed[-1].event_id, until=None,
        assignee=None, resolution=None, gated=(), calibrations=(), detectable=(), way=(),
    )  # fmt: skip
    return weighed, said


OFF = "WB-NEW"


def test_evidence_of_an_instrument_says_which_lot_when_and_where(console: Open) -> None:
    lots = range(5, 25)
    weighed, said = off(lots)
    console.plant.put(*weighed, said)
    console.plant.put(*(residual(lot, 0.006) for lot in lots))
    expected = [
        (one.lot_id, one.site_id, rfc3339(one.occurred_at), one.event_id) for one in weighed
    ]
    told = console.get("vera", f"/api/alerts/{said.alert_id}").json()
    [of_site] = [
        row
        for row in console.told("sites", "instruments", subject="PLANT").tables["alerts"]
        if row["alert_id"] == said.alert_id
    ]
    for rows in (told["evidence"], of_site["evidence"]):
        assert isinstance(rows, list)
        found = [(r["lot_id"], r["site_id"], r["occurred_at"], *r["event_ids"]) for r in rows]
        assert [(lot, site, _seconds(at), e) for lot, site, at, e in found] == [
            (lot, site, _seconds(at), e) for lot, site, at, e in expected
        ]
    assert [fact["event_id"] for fact in told["facts"]] == [one.event_id for one in weighed]


def test_alerts_of_a_node_have_their_evidence(console: Open) -> None:
    subjects = {
        output.subject
        for output in console.plant.world.outputs
        if isinstance(output, Alert) and output.subject.startswith("process/")
    }
    for subject in subjects:
        rows = console.told("processes", "tests", subject=subject.removeprefix("process/")).rows
        said = [a for a in console.plant.world.alerts.values() if a.subject == subject]
        assert sorted(str(r["alert_id"]) for r in rows) == sorted(a.alert_id for a in said)
        by_id = {a.alert_id: a for a in said}
        for row in rows:
            evidence = row["evidence"]
            assert isinstance(evidence, list)
            assert [e["observed"] for e in evidence] == [
                e.observed for e in by_id[str(row["alert_id"])].evidence
            ]
    assert subjects, "the plant has no alert of a process: no test"


def test_who_may_see_is_told_and_who_may_not_is_not(console: Open) -> None:
    path = f"/api/lots/{console.plant.lot}"
    assert console.desk.client().get(path).status_code == 401
    token = {"Authorization": f"Bearer {TOKEN}"}
    assert console.desk.client().get(path, headers=token).status_code == 200
    answer = console.get("vera", path)
    assert answer.status_code == 200
    body = answer.json()
    assert body["complete_to"] == [
        {"site_id": "", "complete_to": "2026-12-31T00:00:00.000000Z"},
        {"site_id": "PLANT", "complete_to": "2026-12-30T00:00:00.000000Z"},
    ]
    assert (body["id"], body["rows_count"]) == (console.plant.lot, len(body["balance"]))


def test_the_number_on_a_paper_leads_to_its_lot_in_whatever_letters(console: Open) -> None:
    def hits(q: str) -> set[tuple[object, object, object]]:
        found = console.get("vera", "/api/search", q=q).json()["hits"]
        return {(hit["kind"], hit["id"], hit["lot_id"]) for hit in found}

    papers = console.plant.store.rows(
        "SELECT event_type, document_no, lot_id, event_id FROM v_events"
        " WHERE event_type IN ('weighing', 'assay') ORDER BY occurred_at LIMIT 1 BY event_type"
    )
    assert {str(row["event_type"]) for row in papers} == {"weighing", "assay"}
    kinds = {"weighing": "ticket", "assay": "certificate"}
    for row in papers:
        paper = (kinds[str(row["event_type"])], row["document_no"], row["lot_id"])
        assert paper in hits(str(row["document_no"]))
        event = {("event", row["event_id"], row["lot_id"])}
        assert event == hits(str(row["event_id"])) == hits(str(row["event_id"]).upper())
    lot = console.plant.lot
    as_typed = hits(lot)
    assert ("lot", lot, lot) in as_typed
    assert hits(lot.lower()) == as_typed
    assert hits("nothing-has-this") == set()


def test_a_lot_that_nobody_declared_is_found_as_it_is_written(console: Open) -> None:
    """Its page was there, and a hold of it, but no search led to them."""
    weighed = Maker("ONLYW-1").weighing("MINE", 10, "stock", 45_000, 15_000)
    node = Maker("P-UNDECLARED")
    blended = node.side("PLANT", 20, "output", "P-UNDECLARED", kind="blend",
                        output_lot_id="OUT-1", mass_wet_g=5_000_000)  # fmt: skip
    console.plant.put(weighed, blended)

    def lots(q: str) -> list[object]:
        found = console.get("vera", "/api/search", q=q).json()["hits"]
        return [hit["lot_id"] for hit in found if hit["kind"] == "lot"]

    for q in ("ONLYW-1", "ONLYW", "O"):
        assert "ONLYW-1" in lots(q), q
    for q in ("OUT-1", "OUT-", "out-1"):
        assert lots(q) == ["OUT-1"], q
    declared = console.plant.lot
    [one] = [hit for hit in console.get("vera", "/api/search", q=declared).json()["hits"]
             if hit["kind"] == "lot" and hit["id"] == declared]  # fmt: skip
    assert one["site_id"], "what was declared of it says more"


def test_what_people_did_a_shot_and_a_sites_name_are_found_too(console: Open) -> None:
    def hits(q: str) -> list[dict[str, object]]:
        found: list[dict[str, object]] = console.get("vera", "/api/search", q=q).json()["hits"]
        return found

    hold = ActionTaken(
        event_id=event_id("search/hold"), gateway_id="GW-1", gateway_epoch=1, gateway_seq=9_001,
        action="hold", alert_id=None, version=None, subject=f"lot/{console.plant.lot}",
        actor="olga", reason="r", recorded_at=Micros(T0),
    )  # fmt: skip
    raised = event_id("search/alert")
    seen = replace(
        hold, event_id=event_id("search/seen"), action="acknowledge", alert_id=raised, version=1
    )
    named = record(("site", "PIT-9"), {"name": "Kov open pit"}, 9_002)
    pit = replace(named, partition=PARTITION)
    console.plant.put(hold, seen, pit)
    for q in (hold.event_id, hold.event_id.upper()):
        [held] = hits(q)
        assert (held["kind"], held["id"], held["lot_id"]) == (
            "hold", hold.event_id, console.plant.lot,
        )  # fmt: skip
    [acted] = hits(seen.event_id)
    assert (acted["kind"], acted["alert_id"]) == ("action", raised)
    for q in ("Kov open", "kov OPEN pit", pit.event_id):
        assert [(hit["kind"], hit["id"]) for hit in hits(q)] == [("site", "PIT-9")], q
    shot = console.plant.store.rows(
        "SELECT document_no, lot_id FROM v_events WHERE event_type = 'xrf' AND lot_id != ''"
        " ORDER BY occurred_at DESC LIMIT 1"
    )[0]
    found = [(hit["kind"], hit["id"], hit["lot_id"]) for hit in hits(str(shot["document_no"]))]
    assert ("shot", shot["document_no"], shot["lot_id"]) in found


def test_an_instrument_says_where_it_measures_and_what_it_measured_last(console: Open) -> None:
    seen = console.plant.store.rows(
        "SELECT device_id, site_id, count() AS facts FROM v_events WHERE event_type = 'weighing'"
        " GROUP BY device_id, site_id ORDER BY facts DESC LIMIT 1"
    )[0]
    told = console.get("vera", f"/api/instruments/{quote(str(seen['device_id']), safe='')}").json()
    mine = [row for row in told["seen"] if row["kind"] == "weighing"]
    assert [(row["site_id"], row["facts"]) for row in mine] == [(seen["site_id"], seen["facts"])]
    lasts = [row["occurred_at"] for row in told["lots"]]
    assert lasts == sorted(lasts, reverse=True)
    assert all(row["lot_id"] and row["document_no"] for row in told["lots"])
    nothing = console.get("vera", "/api/instruments/NONE")
    assert (nothing.status_code, nothing.json()["type"]) == (404, "/problems/unknown")


def test_rows_come_as_csv_too(console: Open) -> None:
    path = f"/api/lots/{console.plant.lot}/facts"
    in_json = console.get("vera", path).json()["facts"]
    by_query = console.get("vera", path, format="csv")
    by_header = console.desk.browser("vera").get(path, headers={"Accept": "text/csv"})
    assert by_query.text == by_header.text
    assert by_query.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(by_query.text)))
    assert [row["event_id"] for row in rows] == [row["event_id"] for row in in_json]
    assert 'filename="facts.csv"' in by_query.headers["content-disposition"]


def test_a_file_has_its_heading_also_without_rows(console: Open) -> None:
    """Whatever a page shows: with rows the names are theirs, and they are the names without."""
    plant = console.plant
    subjects = {"lots": plant.lot, "processes": plant.process, "sites": "PLANT"}
    paths = [
        f"/api/{kind}/{quote(subject, safe='')}/{part}".rstrip("/")
        for kind, subject in subjects.items()
        for part in plant.answers.parts[kind]
    ]
    [some] = plant.store.rows(
        "SELECT (SELECT alert_id FROM alert LIMIT 1) AS alert,"
        " (SELECT thing FROM residual LIMIT 1) AS thing,"
        " (SELECT device_id FROM weighing LIMIT 1) AS device"
    )
    alert, thing, device = (quote(str(one), safe="") for one in some.values())
    paths += [f"/api/alerts/{alert}", f"/api/charts/{thing}", f"/api/instruments/{device}"]
    listed = ("alerts", "retractions", "flow", "holds", "gateways", "handover")
    paths += [f"/api/{name}" for name in (*listed, "search?q=nothing-has-this")]
    headed = set[str]()
    for path in paths:
        kind = path.split("/")[2].partition("?")[0]
        browser = console.desk.browser("vera")
        for name, rows in browser.get(path).json().items():
            if not isinstance(rows, list) or name in {"complete_to", "rings"}:
                continue
            query = {"format": "csv", "table": name}
            taken = browser.get(path, params=httpx.URL(path).params.merge(query))
            [heading, *lines] = list(csv.reader(io.StringIO(taken.text)))
            assert heading == list(dict.fromkeys(n for row in rows for n in row)) or not rows
            assert sorted(heading) == sorted(COLUMNS[f"{kind}/{name}"]), (path, name)
            assert len(lines) == len(rows)
            headed.add(f"{kind}/{name}")
    assert headed == COLUMNS.keys() - {"audit/deeds"}
    nothing, as_file = "SELECT * FROM v_alerts WHERE 1 = 2", {"format": "CSVWithNames"}
    explored = console.desk.browser("ana").post("/api/sql", params=as_file, content=nothing)
    assert explored.text.startswith('"alert_id",'), explored.text


def test_what_cannot_be_read_or_is_not_known_is_said_so(console: Open) -> None:
    lot = console.plant.lot
    assert console.get("vera", f"/api/lots/{lot}", at="tomorrow").status_code == 400
    assert console.get("vera", f"/api/lots/{lot}", format="xml").status_code == 400
    assert console.get("vera", f"/api/lots/{lot}/facts", limit="0").status_code == 400
    assert console.get("vera", "/api/sites/PLANT/period", period="x").status_code == 400
    answer = console.get("vera", "/api/lots/NEVER")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown")
    assert console.get("vera", f"/api/lots/{lot}/facts", limit="2").json()["rows_count"] > 2
    for kind, name in (("sites", ""), ("processes", ""), ("lots", "history"), ("lots", "lineage")):
        with pytest.raises(Unknown):
            console.told(kind, name, subject="NEVER")
    with pytest.raises(NotATime):
        console.told("lots", "history", subject=lot, known="yesterday")


@pytest.mark.parametrize(
    ("path", "heard"),
    [
        ("alerts", "format, table"),
        ("retractions", "format, hours, table"),
        ("flow", "format, hours, table"),
        ("holds", "format, table"),
        ("gateways", "format, table"),
        ("handover", "format, since, table, until"),
        ("search", "format, q, table"),
    ],
)
def test_a_list_refuses_what_it_would_not_hear(console: Open, path: str, heard: str) -> None:
    """``?state=resolved`` was answered with what is open."""
    answer = console.get("vera", f"/api/{path}", state="resolved")
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/bad-query")
    assert f"state: heard here are {heard};" in answer.json()["detail"]


def test_every_part_refuses_what_it_would_not_hear_and_names_what_it_does(console: Open) -> None:
    """``?knwon=2026-01-01`` was answered as of all that is known now."""
    plant = console.plant
    subjects = {"lots": plant.lot, "processes": plant.process, "sites": "PLANT"}
    for kind, subject in subjects.items():
        for name in plant.answers.parts[kind]:
            path = f"/api/{kind}/{quote(subject, safe='')}/{name}".rstrip("/")
            heard = ["at", "format", "known", "limit", "period", "table"]
            if name != "period":
                heard.remove("period")
            for wrong in {"knwon", "period"} - set(heard):
                answer = console.get("vera", path, **{wrong: "2026-01"})
                assert (answer.status_code, answer.json()["type"]) == (400, "/problems/bad-query")
                said = f"{wrong}: heard here are {', '.join(heard)};"
                assert said in answer.json()["detail"], path


@pytest.mark.parametrize(
    ("path", "heard"),
    [
        ("charts/instrument%2FWB-NEW", "format, known, limit, table"),
        ("instruments/WB-NEW", "format, table"),
        ("alerts/none", "format, table"),
    ],
)
def test_so_does_what_is_of_one_instrument_or_alert(console: Open, path: str, heard: str) -> None:
    """``?at=`` of a chart was answered with all of it."""
    answer = console.get("vera", f"/api/{path}", at="2026-01-01")
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/bad-query")
    assert f"at: heard here are {heard};" in answer.json()["detail"]


@pytest.mark.parametrize("asked", [{"known": "1990-01-01"}, {"at": "1990-01-01"}])
def test_what_was_not_there_or_not_known_then_is_unknown_to_every_part(
    console: Open, asked: dict[str, str]
) -> None:
    """Some parts answered 200 without rows, and attributes the shares of what was no lot yet."""
    plant = console.plant
    subjects = {"lots": plant.lot, "processes": plant.process, "sites": "PLANT"}
    for kind, subject in subjects.items():
        for name in plant.answers.parts[kind]:
            path = f"/api/{kind}/{quote(subject, safe='')}/{name}".rstrip("/")
            answer = console.get("vera", path, **asked)
            assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown"), path


@pytest.mark.parametrize("kind", ["lots", "sites", "processes", "charts", "instruments"])
def test_nothing_is_known_of_what_is_not_named(console: Open, kind: str) -> None:
    """Facts about no lot, and those that no instrument made, have an empty id of one."""
    of_a_time = kind in {"lots", "sites", "processes"}
    for query in ({}, {"at": rfc3339(now())}) if of_a_time else ({},):
        answer = console.get("vera", f"/api/{kind}/", **query)
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown"), query


def test_what_is_known_and_has_no_rows_is_answered_by_every_part(console: Open) -> None:
    lot = "L-DECLARED"
    console.plant.put(Maker(lot).lot("MINE", 10, {"Cu": 0.02}))
    of_postings = {"history", "lineage", "traceability"}
    for name in console.plant.answers.parts["lots"]:
        answer = console.get("vera", f"/api/lots/{lot}/{name}".rstrip("/"))
        assert answer.status_code == (404 if name in of_postings else 200), name


def test_a_lot_may_have_a_slash_or_the_name_of_a_part(console: Open) -> None:
    odd = "A/2 100%/facts"
    console.plant.put(Maker(odd).weighing("MINE", 10, "stock", 45_000, 15_000))
    assert console.get("vera", f"/api/lots/{quote(odd, safe='')}").json()["id"] == odd
    rows = console.get("vera", f"/api/lots/{quote(odd, safe='')}/facts").json()["facts"]
    assert len(rows) == 1


def test_an_analyst_can_read_every_view(console: Open) -> None:
    at = "'2026-12-01 00:00:00'"
    called = {
        "v_lot_balance_at": f"(at = {at}, known_at = {at})",
        "v_stock_at": f"(at = {at}, known_at = {at})",
        "v_metal_balance": f"(period_start = {at}, period_end = {at}, known_at = {at})",
        "v_unaccounted": f"(period_start = {at}, period_end = {at}, known_at = {at})",
        "v_lineage": "(lot = 'L-1')",
    }
    views = console.plant.store.ask(
        "SELECT name FROM system.tables WHERE database = 'custody' AND startsWith(name, 'v_')"
    )
    assert len(views) > 20
    assert called.keys() <= {str(view["name"]) for view in views}
    browser = console.desk.browser("ana")
    for view in views:
        name = str(view["name"])
        asked = f"SELECT * FROM {name}{called.get(name, '')} LIMIT 1"  # noqa: S608
        answer = browser.post("/api/sql", content=asked)
        assert answer.status_code == 200, (name, answer.text)
    assert browser.post("/api/sql", content="SELECT * FROM weighing").status_code == 403
    vera = console.desk.browser("vera")
    assert vera.post("/api/sql", content="SELECT 1 FROM v_lots").status_code == 403


def test_a_search_reads_what_may_have_the_id_and_not_all_facts(console: Open) -> None:
    asked = {
        "SEARCH": (SEARCH, {"ix_event_letters", "ix_document_letters", "ix_movement_letters"}),
        "SPELLINGS": (SPELLINGS, {"ix_event_letters", "ix_document_letters",
                                  "ix_movement_letters", "ix_thing_letters"}),
        "ELSEWHERE": (ELSEWHERE, {"ix_event_letters"}),
    }  # fmt: skip
    for name, (statement, wanted) in asked.items():
        plan = plan_of(console, statement)
        # A filter, or an order, before each read of the facts; sums of sites are kept in the parts.
        assert wanted <= set(re.findall(r"Name: (\w+)", plan)), name
        reads = re.split(r"ReadFromMergeTree ", plan)[1:]
        facts = [one for one in reads if one.startswith("(custody.event)")]
        # Facts stand by lot: those of lots that begin with it are together, in their order.
        whole = [one for one in facts if "Skip" not in one and "lot_id in ['x', 'y')" not in one]
        assert not whole, name
    assert "(measured)" in plan_of(console, SEARCH)
    seals = plan_of(console, SEARCH).partition("(custody.sighting)")[2]
    assert "thing in 7-element set" in seals


def plan_of(console: Open, statement: str) -> str:
    asked = {"q": "x", "ids": "['x']", "letters": "['x']"}
    told = console.plant.store.rows(f"EXPLAIN indexes = 1 {statement}", asked)
    return "\n".join(str(line["explain"]) for line in told)


TELLTALE = re.compile(
    r"(?<![\w-])(acknowledge|all|and|are|assign|between|by|came|clean|copper|declared|dry|first|"
    r"for|from|gain|has|have|held|high|in|is|it|its|like|limit|loss|low|mass|measured|mined|most|"
    r"no|not|nothing|of|off|open|other|others|out|over|proved|reads|sent|than|the|this|to|too|trip|"
    r"unknown|was|water|wet|went|what|where|which|with|without)(?![\w-])",
    re.IGNORECASE,
)
"""English words that are none in French, nor in ids of the plant."""

POINT = re.compile(r"(?<![\w:.-])\d+\.\d+(?![\w:.-])")
"""A decimal point where French has a comma."""


def test_every_page_in_french_is_french(console: Open) -> None:
    lot, process = console.plant.lot, console.plant.process
    declared = Maker("L-NAMED").lot("MINE", 1, {"Cu": 0.02}, commodity="copper_nickel")
    console.plant.put(declared, *off(range(30, 34))[0], off(range(30, 34))[1])
    console.desk.user("ada", Role.ADMIN)
    clients = {who: console.desk.browser(who) for who in ("ana", "ada")}

    def asked(who: str) -> page_engine.Asked:
        def answer(method: str, path: str, body: str | None) -> tuple[int, dict[str, str], str]:
            told = clients[who].request(method, path, content=body)
            return told.status_code, dict(told.headers), told.text

        return answer

    def shown(page: str, identity: str = "", query: str = "", who: str = "ana") -> list[str]:
        pages = page_engine.Pages("fr", asked(who))
        pages.run('moduleOf("session.js").loadSession()')
        return pages.show(page, identity, query)

    alerts = {
        (one.statistic, one.rule if one.statistic == "rule" else one.family): one.alert_id
        for one in [*console.plant.world.alerts.values(), off(range(30, 34))[1]]
    }
    assert len({statistic for statistic, _ in alerts}) == 4, sorted(alerts)
    span = "since=2025-10-15T00:00:00Z&until=2025-11-14T00:00:00Z"
    told = {
        **{f"alert {named}": shown("alert", one) for named, one in alerts.items()},
        "no alert": shown("alert", "NONE"),
        "now": shown("now"),
        "handover": shown("handover", query=span),
        "lot": shown("lot", lot),
        "named lot": shown("lot", "L-NAMED"),
        "no lot": shown("lot", "NEVER"),
        "site": shown("site", "PLANT"),
        "process": shown("process", process),
        "instrument": shown("instrument", OFF),
        "gateways": shown("gateways"),
        "search": shown("search", query="q=L-1"),
        "explore": shown("explore", query="run=1&sql=SELECT%201%20AS%20one"),
        "explore refused": shown("explore", query="run=1&sql=DROP%20TABLE%20lot"),
        "explore failed": shown("explore", query="run=1&sql=SELECT%20nothing_there"),
        "audit": shown("audit", who="ada"),
        "audit refused": shown("audit"),
        "unknown": shown("unknown"),
    }
    english = {
        f"{page}: {text}"
        for page, texts in told.items()
        for text in texts
        if TELLTALE.search(text) or POINT.search(text)
    }
    assert not english, "\n".join(sorted(english))
    assert all(told.values())
