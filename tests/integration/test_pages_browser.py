"""The console's pages in a real browser, on the real engine and a real broker.

What a worker answers is its own tests' business: alerts are said to Kafka and put into the tables
here, and ``tests/e2e/test_pages.py`` goes through all of it with two people.
"""

import itertools
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from playwright.sync_api import expect

from console.live.places import TOPICS
from custody.alerts import SHELVING_OVER
from custody.events import LotAssayed, Micros
from custody.ids import derived_id
from custody.records import Alert, Posterior
from schemas import topics
from schemas.partition import partition_of
from tests.support import browser, chromium, consoles, golden, stack
from tests.support.alerts import alert
from tests.support.chromium import PHONE, Visitors
from tests.support.consoles import Console
from tests.support.sinks import framed
from tests.support.visitors import PASSWORD

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(browser.found() is None, reason="no browser on this machine"),
]

PARTITIONS = 4
FLOOD = 1_000
PAGES = ("/now", "/alerts/{seen}", "/handover", "/gateways", "/search?q=L-")
SEEN = alert("SEEN", version=1, n=1, severity="critical")
LATER = alert("SEEN", version=2, n=2, severity="critical", value=1e8)
NOTED = alert("SEEN", version=3, n=3, severity="critical", value=1e8, state="acknowledged")
SMALL = alert("SMALL", version=1, n=4, severity="medium")
DEAR = alert("DEAR", version=1, n=5, severity="medium")
NUMBERS = itertools.count(time.time_ns())


def said(*alerts: Alert, bootstrap: str) -> None:
    """Say alerts on Kafka, as a worker does."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5})
    for one in alerts:
        key = (one.lot_id or "").encode()
        place = partition_of(key, PARTITIONS)
        made = framed_by(one, place)
        producer.produce(topics.ALERT, made, key, place)
    assert producer.flush(30) == 0


def framed_by(one: Alert, place: int) -> bytes:
    return framed(consoles.replaced(one, sender=f"worker/{place}", n=next(NUMBERS)))


@pytest.fixture(scope="module")
def console(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    known = AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=30).topics
    missing = [name for name in TOPICS if name not in known]
    if missing:
        stack.create_topics(kafka, missing, partitions=PARTITIONS)
    with consoles.running(tmp_path_factory.mktemp("pages"), kafka) as made:
        made.put(SEEN, LATER, NOTED, consoles.replaced(SMALL, stake_amount=99.9), DEAR)
        made.complete_to[0] = Micros(1_793_862_720_000_000)
        yield made


@pytest.fixture(scope="module")
def visitors(console: Console) -> Iterator[Visitors]:
    with chromium.running() as browser, closing(Visitors(browser, console.url)) as made:
        yield made


def address(path: str) -> str:
    return path.format(seen=SEEN.alert_id)


@pytest.mark.parametrize("path", PAGES)
def test_nobody_is_shut_out_of_a_page_and_a_phone_shows_all_of_it(
    visitors: Visitors, path: str
) -> None:
    with visitors.visit("the-operator", address(path), width=PHONE) as visit:
        visit.page.wait_for_selector("main h1, main .verdict p")
        assert visit.shut_out() == []
        visit.page.emulate_media(color_scheme="dark")
        assert visit.shut_out() == [], "in the dark"
        assert visit.overflow_px() == 0
        assert visit.bar_rows() == 2, "what is above every page leaves room for it"
        assert visit.told == []


@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_on_a_phone_every_page_can_be_seen_in_the_bar(
    visitors: Visitors, width: int, language: str
) -> None:
    with visitors.visit("the-admin", "/gateways", width=width) as visit:
        visit.page.evaluate(f"localStorage.setItem('custody.language', '{language}')")
        visit.open("/gateways")
        links = visit.page.locator("#nav a")
        expect(links).to_have_count(4)
        for link in links.all():
            # At both its ends the link itself is what a finger comes upon.
            seen = link.evaluate(
                "(link) => { const place = link.getBoundingClientRect();"
                " const at = (x) => document.elementFromPoint(x, (place.top + place.bottom) / 2);"
                " return [place.left + 2, place.right - 2].every((x) => at(x) === link); }"
            )
            assert seen, link.inner_text()
        assert visit.overflow_px() == 0
        visit.page.evaluate("localStorage.clear()")


def test_every_page_says_which_site_is_behind_and_how_far(
    visitors: Visitors, console: Console
) -> None:
    to = console.complete_to[0]
    assert to is not None
    late_s = 2 * 3_600
    console.sites |= {"PORT": Micros(to + late_s * 1_000_000), "MINE": to, "DEPOT": Micros(to + 1)}
    with visitors.visit("the-operator", "/gateways") as visit:
        light = visit.page.locator("#light")
        expect(light).to_contain_text("complete to 5 Nov, 07:12:00")
        expect(light).to_contain_text("MINE 2\u00a0h behind, +1")
        visit.open("/handover")
        expect(visit.page.locator("main")).to_contain_text("07:12:00; MINE 2\u00a0h behind, +1")
        assert visit.overflow_px() == 0
        console.sites.clear()
        visit.open("/gateways")
        expect(light).to_contain_text("complete to 5 Nov, 07:12:00")
        expect(light).not_to_contain_text("behind")


def test_who_is_not_logged_in_comes_to_the_page_he_asked_for(
    visitors: Visitors, console: Console
) -> None:
    with visitors.visit() as visit:
        visit.log_in("the-viewer", then=address("/alerts/{seen}?x=1"))
        assert visit.page.url == f"{console.url}{address('/alerts/{seen}?x=1')}"
        expect(visit.page.locator("h1")).to_contain_text("L-SEEN")
        expect(visit.page.get_by_text("Your role looks on")).to_be_visible()


def test_a_link_in_a_chat_opens_with_the_session_and_no_address_is_a_fault(
    visitors: Visitors, console: Console
) -> None:
    """Who followed one had to log in again, while his session lived."""
    with visitors.visit("the-viewer", "/now") as visit:
        link = f'<!doctype html><a href="{console.url}{address("/alerts/{seen}")}">look</a>'
        chat = "http://chat.example/"
        visit.page.route(chat, lambda route: route.fulfill(body=link, content_type="text/html"))
        visit.page.goto(chat)
        visit.page.get_by_role("link", name="look").click()
        expect(visit.page.locator("h1")).to_contain_text("L-SEEN")
        for path, said in (("/lots/%", "nothing is known"), ("/alerts/", "No such page")):
            visit.open(path)
            expect(visit.page.locator("main")).to_contain_text(said)
        assert visit.told == []


def test_alerts_stand_by_severity_then_by_what_is_at_stake(visitors: Visitors) -> None:
    with visitors.visit("the-operator", "/now") as visit:
        rows = visit.page.locator(".alerts tbody tr")
        expect(rows).to_have_count(3)
        order = [text.split("L-")[1].split()[0] for text in rows.all_inner_texts()]
        assert [name.split("W-")[0] for name in order] == ["SEEN", "DEAR", "SMALL"]
        expect(rows.first).to_contain_text("12.3\u00a0±\u00a01.1\u00a0%")
        expect(rows.nth(1)).to_contain_text("4440\u00a0USD")


def test_evidence_charts_draw_the_numbers_of_the_alert(visitors: Visitors) -> None:
    with visitors.visit("the-operator", address("/alerts/{seen}")) as visit:
        observed = visit.numbers("Each measurement, by how far it is off", trace=1)
        assert observed["x"] == [1.0, -10.0]
        expected = visit.numbers("Each measurement, by how far it is off")
        assert (expected["x"], expected["spread"]) == ([0, 0], [1.96])
        added = visit.numbers("What each measurement adds")["x"]
        assert added == pytest.approx([-1.0, 50 / 2.302585], rel=1e-4)
        families = visit.numbers("Probability of each thing that may have happened")
        assert families["x"] == pytest.approx([10, 90])
        assert families["y"] == ["Water was added", "Mass is missing"]
        grown = visit.numbers("E-value over the facts that moved it")
        assert grown["y"] == pytest.approx([0, 6, 8])
        limit = visit.numbers("E-value over the facts that moved it", trace=1)
        assert limit["y"] == pytest.approx([3, 3])
        may_be = visit.page.get_by_role("region", name="What else to know")
        expect(may_be).to_contain_text("Foreign material 20.0\u00a0% (DEPOT-LUB, MINE-TFM)")
        visit.page.locator("summary", has_text="Numbers").first.click()
        beside = visit.page.locator("figure.chart table").first
        expect(beside).to_contain_text("0.886\u00a0±\u00a00.011")
        expect(beside).to_contain_text("2.57\u00a0±\u00a00.10\u00a0%")
        visit.page.locator("[data-action=assign]").click()
        people = visit.page.locator("#act-assignee option")
        expect(people).to_have_text(["nobody", "admin", "the-admin", "the-operator"])
        expect(visit.page.locator("#act-assignee")).to_have_value("the-operator")


def test_an_alert_appears_without_a_reload_and_goes_when_it_is_settled(
    visitors: Visitors, kafka: str
) -> None:
    fresh = alert("FRESH", version=1, severity="critical")
    with visitors.visit("the-operator", "/now") as visit:
        expect(visit.page.locator("#light")).to_contain_text("live")
        visit.page.evaluate("window.sameDocument = true")
        said(fresh, bootstrap=kafka)
        row = visit.page.locator(".alerts tr", has_text="L-FRESH")
        expect(row).to_be_visible()
        done = consoles.replaced(fresh, version=2, state="resolved", resolution="explained")
        said(done, bootstrap=kafka)
        expect(row).to_have_count(0)
        assert visit.page.evaluate("window.sameDocument")
        assert visit.told == []


def test_an_alert_whose_reason_is_gone_says_what_took_it_away_and_is_nobodys_to_settle(
    visitors: Visitors, console: Console, kafka: str
) -> None:
    taken = alert("TAKEN", version=1, severity="critical")
    (late, *_) = golden.records("assay")
    assert isinstance(late, LotAssayed)
    cause = derived_id("late-certificate", ["TAKEN"])
    late = replace(late, event_id=cause, lot_id="L-TAKEN", certificate_no="C-4711")
    shelved = consoles.replaced(
        taken, version=2, n=46, state="shelved", actor="ann", reason="sample is on its way"
    )
    opened = consoles.replaced(taken, version=3, n=47, reason=SHELVING_OVER)
    console.put(taken, shelved, opened, late)
    gone = consoles.replaced(
        opened, version=4, n=48, state="retracted", cause=cause, reason="no longer supported",
        evidence=(), posterior=(), onset_at=None, onset_u_s=None, onset_event_id=None,
        threshold_basis="", value=1.0,
    )  # fmt: skip
    with visitors.visit("the-operator", f"/alerts/{taken.alert_id}") as visit:
        expect(visit.page.locator("[data-action=resolve]")).to_be_visible()
        stood = visit.page.locator(".head dl").text_content()
        assert stood is not None
        assert "4440" in stood, "what is at stake, though the clock spoke last"
        visit.page.evaluate("window.sameDocument = true")
        console.put(gone)
        said(gone, bootstrap=kafka)
        expect(visit.page.locator(".head .state")).to_have_text("retracted")
        told = visit.page.locator("p.retracted")
        expect(told).to_contain_text("the facts no longer support it")
        expect(told.locator("a")).to_contain_text("Certificate")
        expect(told.locator("a")).to_contain_text("C-4711")
        head = visit.page.locator(".head")
        expect(head).to_contain_text(
            "Why: Mass is missing: 12.3\u00a0±\u00a01.1\u00a0% between MINE-KOV and DEPOT-LUB,"
            " trip WAY-5531; probability 90"
        )
        expect(head).to_contain_text("E = 10^6.00, limit 10^3.00. Most by mass, arrived / sent")
        expect(head).to_contain_text("It can still be stopped.")
        expect(head).not_to_contain_text("loss 12.3%")
        expect(head).to_contain_text("as they were at version 3")
        expect(head.locator("dl")).to_have_text(stood)
        assert visit.numbers("Each measurement, by how far it is off", trace=1)["x"] == [1.0, -10.0]
        families = visit.numbers("Probability of each thing that may have happened")
        assert families["x"] == pytest.approx([10, 90])
        expect(visit.page.locator("[data-action=resolve]")).to_have_count(0)
        expect(visit.page.locator("[data-action=comment]")).to_be_visible()
        assert visit.page.evaluate("window.sameDocument")
        assert visit.told == []


def test_who_is_before_the_warehouse_sees_the_alert_once_it_is_there(
    visitors: Visitors, console: Console
) -> None:
    early = alert("EARLY", version=1, state="resolved")
    with visitors.visit("the-viewer", f"/alerts/{early.alert_id}") as visit:
        expect(visit.page.get_by_role("alert").last).to_contain_text("No alert has this id")
        console.put(early)
        expect(visit.page.locator("h1")).to_contain_text("L-EARLY")
        expect(visit.page.locator(".trouble")).to_have_count(0)


def test_an_alert_of_a_rule_has_one_name_and_nothing_else_that_it_may_be(
    visitors: Visitors, console: Console
) -> None:
    certain = alert(
        "CERTAIN", version=1, state="resolved", rule="hold_breached", family="custody_gap",
        statistic="rule", posterior=(Posterior(family="custody_gap", probability=1.0, ln_e=0.0),),
    )  # fmt: skip
    console.put(certain)
    with visitors.visit("the-viewer", f"/alerts/{certain.alert_id}") as visit:
        expect(visit.page.locator("h1")).to_contain_text("A held lot left")
        expect(visit.page.get_by_role("heading", name="Expected and observed")).to_be_visible()
        expect(visit.page.get_by_role("heading", name="What it may be")).to_have_count(0)
        versions = visit.page.get_by_role("region", name="Versions")
        expect(versions).to_contain_text("A held lot left")
        expect(visit.page.locator("main")).not_to_contain_text("Gap in custody")
        assert visit.told == []


def test_who_must_choose_a_password_does_nothing_else_until_he_has(
    visitors: Visitors, console: Console
) -> None:
    fresh = "four red trucks at dusk"
    with visitors.visit() as visit:
        visit.log_in(consoles.NEWCOMER, then="/now")
        expect(visit.page.locator("main")).to_contain_text("Choose your own before you go on")
        expect(visit.page.locator(".alerts")).to_have_count(0)
        for old, new, why in (
            ("not his password", fresh, "The name or the password is wrong"),
            (PASSWORD, f"{consoles.NEWCOMER} twice", "the name of its user in it"),
            (PASSWORD, PASSWORD, "is the one that is to be changed"),
        ):
            visit.page.fill("#old", old)
            visit.page.fill("#new", new)
            visit.page.check("#shown")
            expect(visit.page.locator("#new")).to_have_attribute("type", "text")
            visit.page.uncheck("#shown")
            expect(visit.page.locator("#new")).to_have_attribute("type", "password")
            visit.page.click("form.panel button.main")
            expect(visit.page.get_by_role("alert")).to_contain_text(why)
            expect(visit.page.get_by_role("alert")).to_contain_text("mend it and send it again")
        visit.page.fill("#old", PASSWORD)
        visit.page.fill("#new", fresh)
        visit.page.click("form.panel button.main")
        visit.page.wait_for_url("**/now")
        visit.ready()
        expect(visit.page.locator("#light")).to_contain_text("live")
    with httpx.Client(base_url=console.url, trust_env=False, timeout=30) as client:
        known = {"user": consoles.NEWCOMER}
        assert client.post("/login", json=known | {"password": PASSWORD}).status_code == 401
        assert client.post("/login", json=known | {"password": fresh}).status_code == 200


def test_a_session_that_ends_takes_every_tab_to_the_login_and_says_why(
    visitors: Visitors, console: Console
) -> None:
    with visitors.visit("the-analyst", "/gateways") as one, visitors.visit("the-analyst") as other:
        other.open("/now?x=1")
        expect(other.page.locator("#light")).to_contain_text("live")
        one.page.click("#menu summary")
        one.page.get_by_role("button", name="Log out").click()
        other.page.wait_for_url("**/login?why=over&next=%2Fnow%3Fx%3D1")
        expect(other.page.get_by_role("alert")).to_contain_text("Your session is over")
        other.page.fill("#user", "the-analyst")
        other.page.fill("#password", PASSWORD)
        other.page.click("button")
        other.page.wait_for_url("**/now?x=1")
        other.ready()
        expect(other.page.locator("#light")).to_contain_text("live")
        console.shut_out("the-analyst")
        other.page.wait_for_url("**/login?why=shut-out**")
        expect(other.page.get_by_role("alert")).to_contain_text("has been shut out")


def test_a_thousand_alerts_in_a_moment_fold_by_their_cause(visitors: Visitors, kafka: str) -> None:
    other = {"family": "water", "severity": "low"}
    flood = [
        alert(f"FLOOD-{no}", version=1, **({"severity": "high"} if no % 4 else other))
        for no in range(FLOOD)
    ]
    lone = [alert(f"LONE-{no}", version=1, family="waste", severity="critical") for no in range(4)]
    with visitors.visit("the-operator", "/now") as visit:
        expect(visit.page.locator(".alerts tbody tr")).to_have_count(3)
        # The onset of the golden alert, which the column Since has, is before it was raised.
        since = visit.page.locator(".alerts tbody tr").first.locator("td").nth(5).inner_text()
        said(*lone, *flood, bootstrap=kafka)
        groups = visit.page.locator("details.group")
        expect(groups).to_have_count(2)
        expect(groups.first.locator(".count")).to_have_text(["1", "750", "2"])
        expect(groups.nth(1).locator(".count")).to_have_text(["250"])
        expect(groups.first.locator("summary")).to_contain_text(f"since {since}")
        rows = visit.page.locator(".alerts > .tabled tbody tr")
        expect(rows).to_have_count(4)
        expect(rows.first).to_contain_text("L-LONE-")
        expect(rows.first).to_contain_text("4440\u00a0USD")
        expect(visit.page.locator(".alerts > .downloads a")).to_have_text(["CSV", "JSON"])
        visit.page.fill("#q", "still here")
        groups.nth(1).locator("summary").click()
        expect(groups.nth(1).locator("tbody tr")).to_have_count(100)
        assert "open=water" in visit.page.url
    settled = [consoles.replaced(one, version=2, state="retracted") for one in [*flood, *lone]]
    said(*settled, bootstrap=kafka)


def test_an_id_leads_to_its_page_from_anywhere(visitors: Visitors) -> None:
    with visitors.visit("the-operator", "/gateways") as visit:
        visit.page.keyboard.press("/")
        visit.page.keyboard.type(SEEN.alert_id)
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_url(f"**/alerts/{SEEN.alert_id}")
        visit.open("/search?q=NOTHING-HAS-THIS")
        expect(visit.page.locator("main")).to_contain_text("Nothing has this id")


def test_a_table_can_be_taken_along_and_french_is_french(visitors: Visitors) -> None:
    with visitors.visit("the-operator", "/now") as visit:
        expect(visit.page.locator(".alerts tbody tr")).to_have_count(3)
        with visit.page.expect_download() as loading:
            visit.page.locator(".alerts .downloads a", has_text="CSV").click()
        lines = Path(loading.value.path()).read_text("utf-8").splitlines()
        assert lines[0].startswith("alert_id,version,state")
        assert len(lines) == 4
        visit.page.click("#menu summary")
        visit.page.select_option("#language", "fr")
        expect(visit.page.locator(".verdict")).to_contain_text("3 alertes à régler")
        expect(visit.page.locator(".alerts tbody tr").first).to_contain_text(
            "12,3\u00a0±\u00a01,1\u00a0%"
        )
        rows = visit.page.locator(".alerts tbody tr")
        expect(rows.first).to_contain_text("entre MINE-KOV et DEPOT-LUB, trajet WAY-5531")
        expect(rows.first).to_contain_text("surtout par masse, reçue / envoyée, WB-1 / WB-2")
        expect(visit.page.locator(".alerts [lang=en]")).to_have_count(0)
        visit.page.click("#menu summary")
        visit.page.select_option("#theme", "dark")
        assert visit.page.evaluate("document.documentElement.dataset.theme") == "dark"
        visit.page.evaluate("localStorage.clear()")


def test_the_api_says_what_is_wrong_with_a_question(console: Console) -> None:
    with closing(console.client("the-viewer")) as client:
        for path, name in {
            "/api/alerts/none": "unknown-alert",
            "/api/flow?hours=0": "bad-query",
            "/api/handover?since=yesterday": "bad-query",
            "/api/handover?since=2026-11-02T00:00:00Z&until=2026-11-01T00:00:00Z": "bad-query",
            "/api/search?q=": "bad-query",
            "/api/alerts?format=xml": "bad-query",
            "/api/alerts?format=csv&table=none": "bad-query",
        }.items():
            assert client.get(path).json()["type"] == f"/problems/{name}", path
        found = client.get("/api/alerts").json()
        assert {"alerts", "complete_to", "left_out"} == found.keys()
    for path in ("/api/alerts", "/api/alerts/x", "/api/flow", "/api/handover", "/api/gateways"):
        assert httpx.get(f"{console.url}{path}", trust_env=False).status_code == 401
