"""Lot, site, process and Explore in a real browser, over a seeded plant in the real engine."""

import re
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from playwright.sync_api import Route, expect

from console.live.places import TOPICS
from custody.events import ActionTaken, Micros
from custody.records import Alert, Balance
from schemas import topics
from schemas.partition import partition_of
from tests.support import browser, chromium, consoles, golden, stack
from tests.support.chromium import PHONE, WIDE, Visit, Visitors
from tests.support.consoles import Console
from tests.support.seeded import on_one, plant
from tests.support.sinks import framed
from tests.support.stored import PARTITION
from tests.support.world import World

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(browser.found() is None, reason="no browser on this machine"),
]

MINUS = "\u2212"

Scheme = Literal["light", "dark"]

LOT, PROCESS, SITE = "P-1-OUT-1", "P-2", "PLANT"
PAGES = (
    (f"/lots/{LOT}", "light"),
    (f"/sites/{SITE}", "dark"),
    (f"/processes/{PROCESS}", "light"),
    ("/explore", "dark"),
)


SHIFTS = (
    "window.shifted = 0; window.shifts = [];"
    " new PerformanceObserver((list) => { for (const one of list.getEntries()) {"
    " if (one.hadRecentInput) continue; window.shifted += one.value;"
    " window.shifts.push([one.value, ...one.sources.map((s) => [s.node && s.node.className,"
    " s.previousRect.y, s.currentRect.y])]); } })"
    ".observe({type: 'layout-shift', buffered: true})"
)
"""Sums how much of a page was moved by itself, as browsers count it: from 0.1 on people notice."""

REACHES_OUT = "SELECT 1,\n  file('/etc/passwd')"


@dataclass(slots=True)
class Plant:
    console: Console
    world: World

    @property
    def url(self) -> str:
        return self.console.url

    def held(self) -> Balance:
        """What the lot holds, as the worker said it last."""
        said = [b for b in self.world.balances.values() if b.lot_id == LOT and b.mass_wet_g]
        [one] = said
        return one


@pytest.fixture(scope="module")
def there(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    known = AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=30).topics
    missing = [name for name in TOPICS if name not in known]
    if missing:
        stack.create_topics(kafka, missing, partitions=4)
    with consoles.running(tmp_path_factory.mktemp("plant"), kafka) as console:
        facts, world = plant()
        console.put(*on_one([*facts, *world.outputs], PARTITION))
        console.complete_to[0] = Micros(1_793_862_720_000_000)
        # Of a busy machine nothing is asked but that it answers in the end.
        expect.set_options(timeout=60_000)
        yield Plant(console, world)


@pytest.fixture(scope="module")
def people(there: Plant) -> Iterator[Visitors]:
    with chromium.running() as browser, closing(Visitors(browser, there.url)) as found:
        yield found


def whole(visit: Visit, path: str) -> None:
    """Open a page and wait until each of its parts has its answer."""
    visit.open(path)
    visit.page.wait_for_function("!document.querySelector('[aria-busy=true]')")


@pytest.mark.parametrize(("path", "scheme"), PAGES)
def test_nobody_is_shut_out_and_a_phone_shows_all_of_it(
    people: Visitors, path: str, scheme: Scheme
) -> None:
    with people.visit("the-analyst", width=PHONE) as visit:
        whole(visit, path)
        visit.page.emulate_media(color_scheme=scheme)
        assert visit.shut_out() == []
        assert visit.overflow_px() == 0
        assert visit.told == []
        expect(visit.page.locator(".trouble")).to_have_count(0)


def test_a_lots_page_has_the_numbers_of_the_books(people: Visitors, there: Plant) -> None:
    held = there.held()
    with people.visit("the-viewer") as visit:
        whole(visit, f"/lots/{LOT}")
        row = visit.page.locator("tr", has_text="Dry mass").first
        tonnes, u = re.findall(r"([\d.]+)\u00a0±\u00a0([\d.]+)\u00a0t", row.inner_text())[0]
        assert float(tonnes) == round(held.mass_dry_g / 1e6, 3)
        assert u == "0.052"
        copper = next(m for m in held.metals if m.analyte == "Cu")
        figures = visit.page.locator(".figures").first.inner_text()
        assert f"{copper.value_mg / 1e6:.0f}\u00a0±\u00a019\u00a0kg" in figures
        expect(visit.page.locator(".gate")).to_have_text("May go")
        expect(visit.page.locator("[data-action=hold]")).to_have_count(0)
        drawn = visit.numbers("Dry mass by place", _trace_of(visit, "All places"))
        assert drawn["y"][-1] == pytest.approx(held.mass_dry_g / 1e6)
        trip = visit.page.locator("tr", has_text="CGO 2")
        expect(trip).to_contain_text("7\u00a0±\u00a049\u00a0kg")


def _deed(action: str, subject: str, reason: str | None, **more: object) -> ActionTaken:
    (made, *_) = golden.records("action")
    assert isinstance(made, ActionTaken)
    now = time.time_ns()
    usual = replace(
        made,
        event_id=f"plant-{now}",
        recorded_at=Micros(now // 1000),
        action=action,
        subject=subject,
        alert_id=None,
        movement_id=None,
        actor="j.ilunga",
        reason=reason,
    )
    return replace(usual, **more)  # type: ignore[arg-type]  # a test names what is there


def _done(kafka: str, action: str, lot: str, reason: str | None) -> None:
    """Say on Kafka what a person does with a lot, as a gateway does."""
    told = _deed(action, f"lot/{lot}", reason)
    producer = Producer({"bootstrap.servers": kafka})
    producer.produce(topics.CONTROL, framed(told), lot.encode(), partition_of(lot.encode(), 4))
    assert producer.flush(30) == 0


def test_a_lots_page_hears_that_it_is_held_and_who_may_act_holds_it_there(
    people: Visitors, kafka: str
) -> None:
    lot = "P-2-OUT-1"
    with people.visit("the-operator") as visit, people.visit("the-viewer", "/now") as now:
        expect(now.page.locator("#light")).to_contain_text("live")
        whole(visit, f"/lots/{lot}")
        expect(visit.page.locator("#light")).to_contain_text("live")
        visit.page.evaluate("window.sameDocument = true")
        visit.page.locator("[data-action=hold]").click()
        visit.page.locator("#act-reason").fill("seal broken")
        with visit.page.expect_request(f"**/api/lots/{lot}/hold") as asked:
            visit.page.locator("form.act button.main").click()
        assert asked.value.post_data_json == {"reason": "seal broken"}
        expect(visit.page.locator(".gate")).to_have_text("May go")
        _done(kafka, "hold", lot, "seal broken")
        expect(visit.page.locator(".gate")).to_have_text("Held")
        expect(visit.page.locator(".gates")).to_contain_text("Held by j.ilunga since")
        expect(visit.page.locator(".gates")).to_contain_text("seal broken")
        held = now.page.get_by_role("region", name="Held now")
        expect(held).to_contain_text(lot)
        expect(held).to_contain_text("j.ilunga")
        _done(kafka, "release", lot, None)
        expect(held.get_by_text(lot)).to_have_count(0)
        expect(visit.page.locator(".gate")).to_have_text("May go")
        assert visit.page.evaluate("window.sameDocument"), "without a reload"
        assert visit.told == []


def test_a_handover_names_alerts_and_what_stays_held(people: Visitors, there: Plant) -> None:
    found = next(one for one in there.world.outputs if isinstance(one, Alert))
    before = Micros(time.time_ns() // 1000 - 120_000_000)
    long_ago = Micros(before - 30 * 86_400_000_000)
    there.console.put(
        _deed("comment", found.subject, "called them", alert_id=found.alert_id, recorded_at=before),
        _deed("hold", "lot/L-0", "seal broken", movement_id="W-HELD", recorded_at=long_ago),
    )
    with people.visit("the-viewer", "/handover") as visit:
        deeds = visit.page.get_by_role("region", name="Holds, releases and comments").first
        expect(deeds).to_contain_text("called them")
        expect(deeds).to_contain_text(found.subject.partition("/")[2])
        expect(deeds.locator("a.what")).to_have_attribute("href", f"/alerts/{found.alert_id}")
        expect(deeds.locator("a.what")).not_to_contain_text(found.alert_id)
        held = visit.page.get_by_role("region", name="Stays held").first
        expect(held).to_contain_text("W-HELD")
        expect(held).to_contain_text("seal broken")
        assert visit.told == []


def _trace_of(visit: Visit, name: str) -> int:
    found: int = visit.page.evaluate(
        "name => document.querySelector('.plot.js-plotly-plot').data"
        ".findIndex((trace) => trace.name === name)",
        name,
    )
    return found


def test_lineage_is_drawn_and_leads_on_to_other_lots(people: Visitors) -> None:
    with people.visit("the-viewer") as visit:
        whole(visit, f"/lots/{LOT}")
        stream: dict[str, list[float]] = visit.page.evaluate(
            "(() => { const plot = [...document.querySelectorAll('.plot.js-plotly-plot')]"
            ".find((one) => one.data[0].type === 'sankey').data[0];"
            " return {labels: plot.node.label, values: plot.link.value}; })()"
        )
        assert {"L-1", "P-1", LOT, "P-2"} <= set(map(str, stream["labels"]))
        assert all(value > 0 for value in stream["values"])
        visit.page.get_by_role("link", name="L-1", exact=True).first.click()
        visit.ready()
        expect(visit.page.locator("h1")).to_have_text("Lot L-1")


def test_a_page_is_as_of_the_time_in_its_address(people: Visitors, there: Plant) -> None:
    with people.visit("the-viewer") as visit:
        whole(visit, f"/lots/{LOT}")
        visit.page.get_by_text("As of another time").click()
        visit.page.fill("#asof-at", "2025-11-01T16:30:00")
        visit.page.get_by_role("button", name="Show").click()
        visit.page.wait_for_url("**at=2025-11-01T16%3A30%3A00Z")
        visit.page.wait_for_function("!document.querySelector('[aria-busy=true]')")
        expect(visit.page.locator(".asof summary")).to_contain_text("As of 1 Nov 2025, 16:30:00")
        then = visit.page.locator(".figures").first.inner_text()
        dry = re.findall(r"Dry mass\s+([\d.]+)", then)[0]
        posted = sum(
            t.mass_dry_g
            * ((t.credit.startswith(f"lot/{LOT}/")) - t.debit.startswith(f"lot/{LOT}/"))
            for t in there.world.transfers
            if t.effective_at <= 1_762_014_600_000_000
        )
        assert float(dry) == pytest.approx(posted / 1e6, abs=0.005)
        expect(visit.page.locator(".gate")).to_have_count(0)
        expect(visit.page.locator(".lead")).to_contain_text("are of now")
        files = visit.page.get_by_role("link", name=re.compile("CSV")).first
        assert "at=2025-11-01T16%3A30%3A00Z" in str(files.get_attribute("href"))


def test_a_sum_whose_u_is_known_in_part_has_none_and_says_of_how_many(people: Visitors) -> None:
    place = {"class": "mass", "quantity": "dry", "unit": "g", "value": 10_000_000, "u": 50_000}
    places = [place | {"place": "MINE"}, place | {"place": "transit", "u": None}]
    for u, missing, said in (
        (70_711, 0, "20.000\u00a0±\u00a00.071\u00a0t"),
        (50_000, 1, "20.00\u00a0tu not known of 1 of 2"),
    ):
        total = place | {"place": "total", "value": 20_000_000, "u": u, "without_u": missing}
        told = {"balance": [*places, total], "moisture": []}
        with people.visit("the-viewer", "/search") as visit:
            shown: str = visit.page.evaluate(
                "async (told) => { const {holds} = await import('/pages/lot.js');"
                " return holds(told, '/api/lots/x')[0].textContent; }",
                told,
            )
            assert shown == f"Dry mass{said}"


def test_a_process_says_what_is_missing_and_how_sure(people: Visitors, there: Plant) -> None:
    with people.visit("the-operator") as visit:
        whole(visit, f"/processes/{PROCESS}")
        row = visit.page.locator("tr", has_text="Unaccounted for").first
        expect(row).to_contain_text(re.compile(rf"z = {MINUS}\d+"))
        lost = sum(
            t.mass_dry_g * ((t.debit == f"process/{PROCESS}") - (t.credit == f"process/{PROCESS}"))
            for t in there.world.transfers
            if f"unaccounted/{PROCESS}" in {t.debit, t.credit}
        )
        assert f"{MINUS}{lost / 1e6:.3f}" in row.inner_text()
        expect(visit.page.get_by_text("Mass is missing", exact=True)).to_be_visible()


def test_an_analyst_asks_sql_and_takes_the_answer_along(
    people: Visitors, there: Plant, tmp_path: Path
) -> None:
    with people.visit("the-analyst") as visit:
        whole(visit, "/explore")
        asked = "SELECT lot_id, mass_dry_kg FROM v_lot_balance WHERE mass_dry_g > 0 ORDER BY 1"
        visit.page.fill("#sql", asked)
        visit.page.get_by_role("button", name="Run").click()
        dry = visit.page.locator("th", has_text="mass_dry_kg")
        expect(dry.locator(".unit")).to_have_text("kg")
        row = visit.page.locator("tr", has_text=LOT)
        expect(row).to_contain_text(f"{there.held().mass_dry_g / 1e3}")
        with visit.page.expect_download() as taken:
            visit.page.get_by_role("button", name="As Parquet").click()
        taken.value.save_as(tmp_path / "answer.parquet")
        table = pq.read_table(tmp_path / "answer.parquet")
        assert LOT in table.column("lot_id").to_pylist()
        address = visit.page.url
        visit.page.goto(address)
        expect(visit.page.locator("tr", has_text=LOT)).to_be_visible()
        view = visit.page.locator("details.view", has=visit.page.get_by_text("v_stock", exact=True))
        view.locator("summary").click()
        expect(view.get_by_text("Site, or transit.")).to_be_visible()


@pytest.mark.parametrize("width", [WIDE, PHONE])
@pytest.mark.parametrize("path", [f"/lots/{LOT}", f"/sites/{SITE}"])
def test_nothing_jumps_while_a_page_loads(people: Visitors, path: str, width: int) -> None:
    with people.visit("the-analyst", width=width) as visit:
        visit.page.add_init_script(SHIFTS)
        whole(visit, path)
        expect(visit.page.locator("#light")).to_contain_text("live")
        expect(visit.page.locator(".js-plotly-plot").first).to_be_visible()
        shifted = visit.page.evaluate("[window.shifted, window.shifts]")
        assert shifted[0] < 0.1, shifted[1]


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_what_is_held_does_not_push_down_what_is_to_be_settled(
    people: Visitors, width: int
) -> None:
    held = {"lot_id": LOT, "movement_id": None, "hold_id": "h", "actor": "ann", "reason": "seal"}
    rows = [held | {"since": "2026-11-01T10:00:00Z"}] * 3

    def late(route: Route) -> None:
        """Answer after the rest, as a busy warehouse may."""
        time.sleep(0.4)
        route.fulfill(json={"holds": rows, "complete_to": []})

    with people.visit("the-analyst", width=width) as visit:
        visit.page.add_init_script(SHIFTS)
        visit.page.route("**/api/holds", late)
        visit.open("/now")
        expect(visit.page.get_by_role("group", name="Held now").locator("tbody tr")).to_have_count(
            3
        )
        expect(visit.page.locator("#light")).to_contain_text("live")
        shifted = visit.page.evaluate("[window.shifted, window.shifts]")
        assert shifted[0] < 0.1, shifted[1]


def test_a_lots_address_keeps_the_quantity_that_was_chosen(people: Visitors) -> None:
    with people.visit("the-analyst") as visit:
        whole(visit, f"/lots/{LOT}")
        pick = visit.page.get_by_label("Quantity", exact=True)
        expect(pick).to_have_value("dry")
        pick.select_option("Cu")
        assert visit.page.url.endswith("?quantity=Cu")
        visit.page.reload()
        visit.ready()
        expect(pick).to_have_value("Cu")
        expect(visit.page.locator("figure.chart", has_text="Cu").first).to_be_visible()
        # Another time keeps it, too.
        visit.page.locator("details.asof summary").click()
        visit.page.fill("#asof-at", "2030-01-01T00:00:00")
        pick.select_option("wet")
        visit.page.locator("details.asof button.main").click()
        visit.page.wait_for_url("**at=2030**")
        assert "quantity=wet" in visit.page.url


def test_a_format_in_the_statement_is_refused_in_words_and_figures_are_exact(
    people: Visitors,
) -> None:
    with people.visit("the-analyst") as visit:
        whole(visit, "/explore")
        saved: list[str] = []
        visit.page.on("download", lambda one: saved.append(one.suggested_filename))
        visit.page.fill("#sql", "SELECT 1 FORMAT CSV")
        for button in ("Run", "As Parquet"):
            visit.page.get_by_role("button", name=button).click()
            told = visit.page.get_by_role("alert").last
            expect(told).to_contain_text("names its own format, CSV. Take FORMAT out of it")
        visit.page.fill(
            "#sql", "SELECT 18446744073709551615 AS most, nan AS n, -inf AS i, NULL AS no"
        )
        visit.page.get_by_role("button", name="Run").click()
        cells = visit.page.get_by_role("group", name="Result").locator("tbody th, tbody td")
        expect(cells).to_have_text(["18446744073709551615", "nan", "-inf", "NULL"])
        assert saved == []
        visit.page.fill("#sql", "SELECT number FROM numbers(100000000)")
        visit.page.get_by_role("button", name="Run").click()
        told = visit.page.get_by_role("alert").last
        expect(told).to_contain_text("Ask for less")
        expect(told).not_to_contain_text("Load the page again")
        assert visit.told == []


def test_the_guard_says_what_and_where_and_a_long_one_is_stopped(people: Visitors) -> None:
    with people.visit("the-analyst") as visit:
        whole(visit, f"/explore?sql={quote(REACHES_OUT)}")
        visit.page.get_by_role("button", name="Run").click()
        expect(visit.page.get_by_role("alert").last).to_contain_text("line 2, column 3")
        chosen = "document.activeElement.value.slice(document.activeElement.selectionStart,"
        chosen += " document.activeElement.selectionEnd)"
        assert visit.page.evaluate(chosen) == "file"
        visit.page.fill("#sql", "SELECT sum(cityHash64(number)) FROM numbers(100000000000)")
        visit.page.get_by_role("button", name="Run").click()
        visit.page.get_by_role("button", name="Stop").click()
        expect(visit.page.get_by_text("Stopped.")).to_be_visible()
        visit.page.fill("#sql", "SELECT 6 * 7 AS found")
        visit.page.get_by_role("button", name="Run").click()
        expect(visit.page.get_by_role("rowheader", name="42")).to_be_visible()
    with people.visit("the-operator") as visit:
        whole(visit, "/explore")
        expect(visit.page.get_by_text("Asking SQL is for analysts")).to_be_visible()


def test_a_number_on_a_paper_leads_to_its_lot_and_a_scale_to_its_own_page(
    people: Visitors, there: Plant
) -> None:
    # Many lots have a ticket 1; here of one that one lot has.
    [weighed] = there.console.stored.ask(
        "SELECT document_no, any(lot_id) AS lot,"
        " anyIf(site_id, event_type = 'weighing') AS site_id,"
        " anyIf(device_id, event_type = 'weighing') AS device FROM v_events"
        " WHERE event_type IN ('weighing', 'assay') GROUP BY document_no"
        " HAVING uniqExact(lot_id) = 1 AND device != '' ORDER BY document_no LIMIT 1",
        {},
    )
    with people.visit("the-operator", f"/search?q={quote(str(weighed['document_no']))}") as visit:
        visit.page.wait_for_url(f"**/lots/{quote(str(weighed['lot']), safe='')}")
        visit.open(f"/search?q={quote(str(weighed['device']).lower())}")
        visit.page.wait_for_url(f"**/instruments/{weighed['device']}")
        visit.ready()
        places = visit.page.get_by_role("region", name="Where it measures")
        expect(places).to_contain_text(str(weighed["site_id"]))
        expect(visit.page.get_by_role("region", name="What it measured last")).to_contain_text("kg")
        assert visit.shut_out() == []
        assert visit.told == []


def test_of_what_is_not_known_it_is_said_once(people: Visitors) -> None:
    with people.visit("the-viewer") as visit:
        for path in ("/lots/NEVER", "/sites/NEVER", "/processes/NEVER"):
            whole(visit, path)
            expect(visit.page.locator(".trouble")).to_have_count(1)
            expect(visit.page.locator(".trouble")).to_contain_text("nothing is known of it")
