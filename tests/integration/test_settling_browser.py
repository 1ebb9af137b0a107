"""What people settle at the pages, and what the facts settle for them, in a real browser.

A real engine, broker and gateway's disk; what a worker answers is put in by the tests.
"""

import json
import re
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from playwright.sync_api import Locator, Route, expect

from console.live.places import TOPICS
from custody.alerts import UNSUPPORTED, alert_id
from custody.events import ActionTaken, LotAssayed, LotMoved, Micros
from custody.ids import derived_id
from custody.records import Alert
from tests.support import browser, chromium, consoles, golden
from tests.support import gateway as gateways
from tests.support import stack as stacks
from tests.support.alerts import EVIDENCE, alert, symbols
from tests.support.chromium import PHONE, WIDE, Visit, Visitors
from tests.support.consoles import Console
from tests.support.visitors import TOKEN

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(browser.found() is None, reason="no browser on this machine"),
]


@pytest.fixture(scope="module")
def console(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    known = AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=30).topics
    missing = [name for name in TOPICS if name not in known]
    if missing:
        stacks.create_topics(kafka, missing, partitions=4)
    directory = tmp_path_factory.mktemp("settling")
    secret = directory / "token"
    secret.write_text(TOKEN)
    with ExitStack() as stack:
        gateway = stack.enter_context(
            gateways.running(gateways.config(directory / "gateway"), publish=False)
        )
        url = stack.enter_context(gateways.serving(gateway, TOKEN))
        (directory / "console").mkdir()
        yield stack.enter_context(
            consoles.running(directory / "console", kafka, gateway=(url, Path(secret)))
        )


@pytest.fixture(scope="module")
def visitors(console: Console) -> Iterator[Visitors]:
    with chromium.running() as chrome, closing(Visitors(chrome, console.url)) as made:
        yield made


def shift() -> str:
    """Address of a handover that ends after now: a page's own ends with the last whole minute."""
    now = datetime.now(UTC)
    since, until = (f"{now + timedelta(hours=by):%Y-%m-%dT%H:%M:00Z}" for by in (-1, 1))
    return f"/handover?since={since}&until={until}"


DRIFT = alert(
    "DRIFT", version=1, n=1, rule="instrument_bias", family="instrument_bias", statistic="cusum",
    subject="instrument/WB-HOY-1", lot_id=None, movement_id=None, severity="high",
    alert_id=alert_id("instrument_bias", "instrument/WB-HOY-1", None, "mass"),
)  # fmt: skip


def certificate(name: str, **changes: object) -> LotAssayed:
    """A certificate of the lot of an alert."""
    (made, *_) = golden.records("assay")
    assert isinstance(made, LotAssayed)
    usual = replace(
        made,
        event_id=derived_id("settling", [name]),
        lot_id=f"L-{name}",
        certificate_no=f"C-{name}",
    )
    return replace(usual, **changes)  # type: ignore[arg-type]  # a test names what is there


def taken_back(name: str, n: int, cause: str, reason: str = UNSUPPORTED) -> tuple[Alert, Alert]:
    """An alert and the version that takes it back."""
    raised = alert(name, version=1, n=n)
    gone = consoles.replaced(
        raised, version=2, n=n + 1, state="retracted", cause=cause, reason=reason, evidence=(),
        posterior=(),
    )  # fmt: skip
    return raised, gone


LATE = certificate("LATE")
FIRST = certificate("MENDED", event_id=derived_id("settling", ["first"]), certificate_no="C-1")
MENDED = certificate("MENDED", corrects=FIRST.event_id)
WORD = f"nothing is left of it without instruments' drifts: WB-HOY-1 (alert {DRIFT.alert_id})"
TAKEN = {
    "LATE": taken_back("LATE", 10, LATE.event_id),
    "MENDED": taken_back("MENDED", 20, MENDED.event_id),
    "DRIFTED": taken_back("DRIFTED", 30, DRIFT.alert_id, WORD),
    "LOST": taken_back("LOST", 40, derived_id("settling", ["never stored"])),
}
SAID = {
    "LATE": ("What took the reason away: Certificate", "C-LATE", "/lots/L-LATE"),
    "MENDED": ("corrects an earlier fact", "C-MENDED", "/lots/L-MENDED"),
    "DRIFTED": (
        "Explained by what was found of an instrument",
        "Instrument is off: WB-HOY-1",
        f"/alerts/{DRIFT.alert_id}",
    ),
    "LOST": ("is not stored", "", None),
}


def test_a_retraction_links_to_what_took_the_reason_away_wherever_it_is_shown(
    visitors: Visitors, console: Console
) -> None:
    console.stored.at_ms = time.time_ns() // 1_000_000
    console.put(DRIFT, LATE, FIRST, MENDED, *(one for pair in TAKEN.values() for one in pair))
    with visitors.visit("the-viewer", "/now") as visit:
        visit.page.locator("details.gone summary").click()
        rows = visit.page.locator("details.gone tbody tr")
        expect(rows).to_have_count(len(TAKEN))
        for name in TAKEN:
            _says(rows.filter(has_text=f"L-{name}"), name)
        assert visit.shut_out() == []
        visit.open(shift())
        changed = visit.page.get_by_role("region", name="Changed").locator("tbody tr")
        expect(changed).to_have_count(len(TAKEN))
        for name in TAKEN:
            _says(changed.filter(has_text=f"L-{name}"), name)
        for name, (raised, _) in TAKEN.items():
            visit.open(f"/alerts/{raised.alert_id}")
            _says(visit.page.locator("p.retracted"), name)
            _says(visit.page.get_by_role("region", name="What happened"), name)
        expect(visit.page.locator("main")).not_to_contain_text(UNSUPPORTED)
        assert visit.told == []
    with visitors.visit("the-viewer", width=PHONE) as visit:
        visit.open("/now")
        visit.page.evaluate("localStorage.setItem('custody.language', 'fr')")
        visit.open(f"/alerts/{TAKEN['DRIFTED'][0].alert_id}")
        told = visit.page.locator("p.retracted")
        expect(told).to_contain_text("Expliquée par ce qui a été constaté")
        expect(told.locator("a")).to_have_text("Instrument décalé : WB-HOY-1")
        assert visit.overflow_px() == 0
        visit.page.evaluate("localStorage.clear()")


def _says(place: Locator, name: str) -> None:
    words, link, address = SAID[name]
    expect(place).to_contain_text(words)
    if address:
        expect(place.get_by_role("link", name=link)).to_have_attribute("href", address)


MANY = 44
FLOOD = [
    alert(f"FLOOD-{no}", version=1, n=1_000 + no, family="water", severity="high")
    for no in range(MANY)
]
GONE, TAKEN_BY_BOB = FLOOD[0], FLOOD[1]


def test_a_group_is_acknowledged_by_the_keyboard_and_each_that_was_not_is_named(
    visitors: Visitors, console: Console
) -> None:
    console.put(*FLOOD)
    with visitors.visit("the-operator", "/now") as visit:
        group = visit.page.locator("details.group", has_text="Water was added")
        group.locator("summary").focus()
        visit.page.keyboard.press("Enter")
        expect(group.locator("tbody tr")).to_have_count(MANY)
        assert visit.shut_out() == []
        visit.page.keyboard.press("Tab")
        expect(group.get_by_role("button", name=f"Acknowledge {MANY}")).to_be_focused()
        for above, below in (("summary", ".actions"), (".actions .row", ".tabled")):
            assert _between(group, above, below) >= RING_PX, "rings of what has the focus overlap"
        # While the page is looked at one is resolved and one acknowledged by somebody else.
        console.put(
            consoles.replaced(GONE, version=2, n=2_000, state="retracted", cause="x", value=1.0),
            consoles.replaced(
                TAKEN_BY_BOB, version=2, n=2_001, state="acknowledged", actor="bob",
                reason="on my way", action_id="b",
            ),
        )  # fmt: skip
        visit.page.keyboard.press("Enter")
        expect(group.locator("textarea")).to_be_focused()
        visit.page.keyboard.type("belt scale, being mended")
        visit.page.keyboard.press("Tab")
        with visit.page.expect_request("**/api/alerts/actions") as sent:
            visit.page.keyboard.press("Enter")
        _answer(console, sent.value.headers["idempotency-key"], FLOOD[2:], "acknowledged", 3_000)
        told = visit.page.locator(".panel > .outcome")
        expect(told).to_contain_text(f"Taken: {MANY - 2}.")
        expect(told).to_contain_text("Not taken: 2.")
        _names_each(told)
        expect(group.locator(".state.acknowledged")).to_have_count(MANY - 1)
        expect(group.get_by_role("button", name="Acknowledge")).to_have_count(0)
        assert visit.shut_out() == []
        _shelve(visit, console)
        assert visit.told == []
    with visitors.visit("the-viewer", "/now") as visit:
        visit.page.locator("details.group summary").click()
        expect(visit.page.locator("details.group tbody tr")).to_have_count(MANY - 1)
        expect(visit.page.locator("details.group button")).to_have_count(0)


RING_PX = 5
"""Width and distance of the ring around what has the focus (``console/pages/style.css``)."""


def _between(group: Locator, above: str, below: str) -> float:
    """Pixels between two parts of a group."""
    upper, lower = (group.locator(name).first.bounding_box() for name in (above, below))
    assert upper is not None
    assert lower is not None
    return lower["y"] - upper["y"] - upper["height"]


def _names_each(told: Locator) -> None:
    lines = told.locator("li")
    expect(lines).to_have_count(2)
    gone = lines.filter(has_text=str(GONE.lot_id))
    expect(gone).to_contain_text("The facts have made it")
    expect(gone.locator(".state")).to_have_text("retracted")
    by_bob = lines.filter(has_text=str(TAKEN_BY_BOB.lot_id))
    expect(by_bob).to_contain_text("bob has made it")
    expect(by_bob).to_contain_text("on my way")
    expect(by_bob.get_by_role("link")).to_have_attribute("href", f"/alerts/{TAKEN_BY_BOB.alert_id}")


def _shelve(visit: Visit, console: Console) -> None:
    group = visit.page.locator("details.group", has_text="Water was added")
    told = visit.page.locator(".panel > .outcome")
    _refused_in_one_line(visit, group, told)
    # Shelved, each at the version at which it stands now, and never without a reason.
    group.get_by_role("button", name=f"Shelve {MANY - 1}").first.click()
    send = group.locator("form button.main")
    send.click()
    expect(group.locator("textarea:invalid")).to_have_count(1)
    group.locator("textarea").fill("mended\n\ton Monday\u200b ")
    with visit.page.expect_request("**/api/alerts/actions") as sent:
        send.click()
    asked = json.loads(str(sent.value.post_data))
    assert asked["reason"] == "mended on Monday", "as the records take it"
    assert {one["version"] for one in asked["alerts"]} == {2}
    _answer(console, sent.value.headers["idempotency-key"], FLOOD[1:], "shelved", 4_000)
    expect(told).to_contain_text(f"Taken: {MANY - 1}.")
    expect(told.locator("li")).to_have_count(0)
    # They stand in the list, and are for later.
    verdict = visit.page.locator(".verdict")
    expect(verdict.locator("li", has_text="shelved")).to_have_text(f"{MANY - 1} shelved")
    expect(verdict.locator(".huge")).not_to_contain_text(str(MANY - 1))


def _refused_in_one_line(visit: Visit, group: Locator, told: Locator) -> None:
    """What is wrong with the reason of all is said once, and the reason can be mended."""
    address = "**/api/alerts/actions"

    def refuse(route: Route) -> None:
        asked = json.loads(str(route.request.post_data))
        fault = {"result": "refused", "detail": "reason: bad_value; allowed: other"}
        each = [{"alert_id": one["alert_id"], **fault} for one in asked["alerts"]]
        route.fulfill(json={"results": each})

    visit.page.route(address, refuse)
    group.get_by_role("button", name=f"Shelve {MANY - 1}").first.click()
    group.locator("textarea").fill("as it is")
    group.locator("form button.main").click()
    expect(told).to_contain_text(f"Not taken: {MANY - 1}.")
    assert told.inner_text().count("reason: bad_value") == 1
    expect(told.locator("li")).to_have_count(0)
    expect(group.locator("textarea")).to_have_value("as it is")
    visit.page.unroute(address)


def _answer(console: Console, key: str, alerts: list[Alert], state: str, n: int) -> None:
    """Put in what a worker makes of an action on many."""
    console.put(
        *(
            consoles.replaced(
                one, version=2 if state == "acknowledged" else 3, n=n + at, state=state,
                actor="the-operator", reason="many",
                action_id=derived_id("console", ["the-operator", key, one.alert_id]),
            )
            for at, one in enumerate(alerts)
        )
    )  # fmt: skip


def test_one_load_of_a_held_lot_is_released_by_itself_and_with_a_reason(
    visitors: Visitors, console: Console
) -> None:
    lot = "L-HELD"
    (moved, *_) = golden.records("shipment")
    assert isinstance(moved, LotMoved)
    trip = replace(moved, event_id=derived_id("settling", ["W-7"]), lot_id=lot, movement_id="W-7")
    console.put(certificate("HELD"), trip, _held_by("otto", lot, "W-7", "the police ask"))
    with visitors.visit("the-operator", f"/lots/{lot}") as visit:
        gate = visit.page.locator(".gates")
        expect(gate.locator("[data-action=release]")).to_have_count(1)
        for load, reason in (("W-7", "seal broken"), ("", "umpire sample")):
            gate.locator("[data-action=hold]").click()
            expect(gate.locator("#act-movement_id")).to_be_focused()
            gate.locator("#act-movement_id").fill(load)
            gate.locator("#act-reason").fill(reason)
            _send(visit, console, {"reason": reason} | ({"movement_id": load} if load else {}))
            expect(gate).to_contain_text(reason)
        expect(gate.locator(".gate")).to_have_text("Held")
        assert visit.shut_out() == []
        expect(gate.locator("[data-action=release]")).to_have_count(3)
        mine = gate.get_by_role("button", name="Release load W-7 (the-operator")
        hold_id = str(mine.get_attribute("data-hold"))
        mine.click()
        gate.locator("form button.main").click()
        expect(gate.locator("textarea:invalid")).to_have_count(1)
        gate.locator("#act-reason").fill("sealed anew, number noted")
        _send(visit, console, {"reason": "sealed anew, number noted", "hold_id": hold_id}, "W-7")
        expect(gate).not_to_contain_text("seal broken")
        expect(gate).to_contain_text("the police ask")
        expect(gate.get_by_role("button", name="Release load W-7", exact=True)).to_have_count(1)
        expect(gate.get_by_role("button", name="Release the lot")).to_be_visible()
        expect(gate.locator(".gate")).to_have_text("Held")
        visit.open(shift())
        deeds = visit.page.get_by_role("region", name="Holds, releases and comments")
        expect(deeds).to_contain_text("sealed anew, number noted")
        assert visit.told == []


def _held_by(actor: str, lot: str, load: str, reason: str) -> ActionTaken:
    (made, *_) = golden.records("action")
    assert isinstance(made, ActionTaken)
    return replace(
        made, event_id=derived_id("settling", [actor, lot]), action="hold", subject=f"lot/{lot}",
        alert_id=None, version=None, actor=actor, movement_id=load, reason=reason,
        recorded_at=Micros(time.time_ns() // 1000),
    )  # fmt: skip


def _send(visit: Visit, console: Console, body: Mapping[str, str], load: str | None = None) -> None:
    """Send the form at the gate, and put in what it becomes on its way."""
    with visit.page.expect_request(lambda asked: asked.method == "POST") as asked:
        visit.page.locator(".gates form button.main").click()
    assert json.loads(str(asked.value.post_data)) == body
    (made, *_) = golden.records("action")
    assert isinstance(made, ActionTaken)
    key = asked.value.headers["idempotency-key"]
    lot, action = asked.value.url.split("/")[-2:]
    console.put(
        replace(
            made, event_id=derived_id("console", ["the-operator", key]), action=action,
            subject=f"lot/{lot}", alert_id=None, version=None, actor="the-operator",
            movement_id=load or body.get("movement_id"), reason=body["reason"],
            hold_id=body.get("hold_id"),
            recorded_at=Micros(time.time_ns() // 1000),
        )
    )  # fmt: skip


REFUSALS = {404: "unknown-hold", 409: "conflict", 422: "bad-field", 503: "gateway-away"}


@pytest.mark.parametrize("place", ["alert", "lot"])
def test_what_comes_of_each_action_takes_the_place_of_what_came_of_the_last(
    visitors: Visitors, console: Console, place: str
) -> None:
    """The first is taken, and each later one is refused in another way."""
    raised = alert(f"TWICE-{place}", version=1, n=60)
    lot = str(raised.lot_id)
    console.put(raised, certificate(f"TWICE-{place}"))
    path = f"/alerts/{raised.alert_id}" if place == "alert" else f"/lots/{lot}"
    with visitors.visit("the-operator", path) as visit:
        gate = visit.page.locator(".gates")
        gate.locator("[data-action=hold]").click()
        gate.locator("#act-reason").fill("seal\n broken\t")
        _send(visit, console, {"reason": "seal broken"})
        _refused(visit, gate, "release", f"**/api/lots/{lot}/release")
        if place == "lot":
            return
        acts = visit.page.get_by_role("region", name="What to do")
        acts.locator("[data-action=comment]").click()
        acts.locator("#act-reason").fill("on my way")
        acts.locator("form button.main").click()
        _refused(visit, acts, "comment", "**/actions")


def _refused(visit: Visit, place: Locator, action: str, address: str) -> None:
    """See that an action was taken; then act again, and be refused in every way."""
    told = place.locator(".outcome")
    expect(told).to_have_text("Taken.")
    place.locator(f"[data-action={action}]").click()
    for status, name in REFUSALS.items():
        body = {"type": f"/problems/{name}", "status": status, "detail": f"for {name}"}
        answer = {"status": status, "body": json.dumps(body), "content_type": "application/json"}
        visit.page.route(address, partial(_answered, answer))
        place.locator("#act-reason").fill("again")
        place.locator("form button.main").click()
        expect(told).to_contain_text(str(status))
        expect(told).not_to_contain_text("Taken.")
        expect(place.locator("#act-reason")).to_have_value("again")
        visit.page.unroute(address)


def _answered(answer: dict[str, object], route: Route) -> None:
    route.fulfill(**answer)  # type: ignore[arg-type]  # by the names of its arguments


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_an_id_of_three_hundred_letters_is_shown_whole_and_pushes_no_page(
    visitors: Visitors, console: Console, width: int
) -> None:
    long = alert(f"{width}-{'L' * 300}", version=1, n=80_000, severity="critical", family="waste")
    console.put(long)
    with visitors.visit("the-viewer", "/now", width=width) as visit:
        for path in ("/now", f"/alerts/{long.alert_id}"):
            visit.open(path)
            link = visit.page.get_by_role("link", name=str(long.lot_id)).first
            expect(link).to_be_visible()
            assert visit.overflow_px() == 0, path
            beyond = "(link) => link.getBoundingClientRect().right - innerWidth"
            assert link.evaluate(beyond) <= 0, path


ACROSS_PX = 718
"""What is between the margins of an A4, 190 mm."""

CLIPPED = """() => [...document.querySelectorAll(".sheet .cut")]
    .filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)"""
BROKEN = """() => [
  ...document.querySelectorAll(".sheet :is(td.number .cut, .state, .badge)")].flatMap((cell) => {
  const walk = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), found = [];
  while (walk.nextNode()) {
    for (const word of walk.currentNode.data.matchAll(/[^ ]+/g)) {
      const range = document.createRange();
      range.setStart(walk.currentNode, word.index);
      range.setEnd(walk.currentNode, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((one) => one.top)).size > 1) found.push(word[0]);
    }
  }
  return found;
})"""


@pytest.mark.parametrize("language", ["en", "fr"])
def test_paper_shows_numbers_states_and_ids_whole_and_who_acknowledged(
    visitors: Visitors, console: Console, language: str
) -> None:
    console.stored.at_ms = time.time_ns() // 1_000_000
    noted = alert(
        f"H-1795965024-{language}", version=1, n=70_000, severity="critical", family="waste",
        size=-0.0231, size_u=0.0023,
    )  # fmt: skip
    by_ann = consoles.replaced(
        noted, version=2, n=70_001, state="acknowledged", actor="ann", action_id="p",
        reason="on my way",
    )  # fmt: skip
    # What the facts add says nothing of who acknowledged it.
    grown = consoles.replaced(by_ann, version=3, n=70_002, actor=None, action_id=None, reason="it")
    console.put(noted, by_ann, grown)
    with visitors.visit("the-viewer", "/now", width=ACROSS_PX) as visit:
        visit.page.evaluate(f"localStorage.setItem('custody.language', '{language}')")
        visit.open(shift())
        visit.page.emulate_media(media="print")
        line = visit.page.locator("[data-list=standing] tr", has_text=str(noted.lot_id))
        expect(line).to_contain_text("by ann" if language == "en" else "par ann")
        assert visit.page.evaluate(CLIPPED) == []
        assert visit.page.evaluate(BROKEN) == []
        visit.page.evaluate("localStorage.clear()")


LONG = "the belt scale has been read by two people and does not agree with the truck's ticket; " * 4


def test_a_handover_of_a_thousand_alerts_is_one_sheet_of_paper(
    visitors: Visitors, console: Console
) -> None:
    console.stored.at_ms = time.time_ns() // 1_000_000
    causes = symbols("AlertFamily")
    flood = [
        alert(
            f"SHEET-{no}-{'of-a-long-name-' * 2}", version=1, n=10_000 + no,
            family=causes[no % len(causes)], severity=["critical", "high"][no % 2], reason=LONG,
            evidence=(replace(EVIDENCE[0], instruments=(f"WB-OF-A-LONG-NAME-{no % 97}",)),),
        )
        for no in range(1_000)
    ]  # fmt: skip
    settled = [
        consoles.replaced(
            one, version=2, n=20_000 + no, state="resolved", actor=f"person-{no % 30}",
            reason=LONG, action_id=f"s{no}", resolution="measurement_error", evidence=EVIDENCE,
        )
        for no, one in enumerate(flood[:300])
    ]  # fmt: skip
    (held, *_) = golden.records("action")
    assert isinstance(held, ActionTaken)
    holds = [
        replace(
            held, event_id=derived_id("settling", [f"sheet-{no}"]), action="hold", alert_id=None,
            version=None, subject=f"lot/{flood[no].lot_id}", actor="the-operator", reason=LONG,
            movement_id=f"W-{no}", recorded_at=Micros(time.time_ns() // 1000),
        )
        for no in range(50)
    ]  # fmt: skip
    console.put(*flood, *settled, *holds)
    with visitors.visit("the-viewer", shift()) as visit:
        for name in ("Stays open", "Stays held", "Changed", "Opened"):
            list_ = visit.page.get_by_role("region", name=name).first
            expect(list_).to_contain_text("more: the whole list")
        assert visit.shut_out() == []
        assert pages_of(visit) == 1
        visit.page.emulate_media(color_scheme="dark")
        assert pages_of(visit, format="Letter") == 1
        figures = visit.page.get_by_role("region", name="Stays open").first.locator("td.number")
        assert "" not in figures.all_inner_texts(), "what is not known is a dash"
        # What is left out stands behind the link.
        opened = visit.page.get_by_role("region", name="Opened").first
        opened.get_by_role("link", name="the whole list").click()
        rows = visit.page.get_by_role("region", name="Opened").first.locator("tbody tr")
        expect(rows.nth(len(flood) - 1)).to_be_attached()
        assert visit.told == []


def test_a_whole_list_goes_on_from_sheet_to_sheet_under_its_head(
    visitors: Visitors, console: Console
) -> None:
    """It began on a sheet of its own, and the rest of the one before it stayed empty."""
    console.stored.at_ms = time.time_ns() // 1_000_000
    console.put(
        *(alert(f"ROW-{no}", version=1, n=90_000 + no, severity="critical") for no in range(150))
    )
    with visitors.visit("the-viewer", f"{shift()}&list=standing") as visit:
        expect(visit.page.locator("[data-list=standing] tbody tr").nth(149)).to_be_attached()
        columns = visit.page.locator("[data-list=standing] thead th").count()
        first, *middle, _ = drawn_on(visit)
    assert len(middle) > 1
    assert len(first) > 0.6 * len(middle[0]), "the list begins where there is room"
    # What sheets begin with alike is the head: a row names its lot.
    alike = next(i for i, words in enumerate(zip(*middle, strict=False)) if len(set(words)) > 1)
    assert alike >= columns, "each sheet says what its columns are"


def drawn_on(visit: Visit) -> list[list[bytes]]:
    """What is written on each sheet of paper, word by word, as the printer draws it."""
    printed = visit.page.pdf(format="A4", print_background=False)
    objects = {
        int(no): body
        for no, body in re.findall(rb"\n(\d+) 0 obj\n(.*?)\nendobj", printed, re.DOTALL)
    }
    pages = [body for body in objects.values() if re.search(rb"/Type\s*/Page\b", body)]
    found = list[list[bytes]]()
    for page in pages:
        contents = re.search(rb"/Contents (\d+) 0 R", page)
        assert contents is not None
        packed = objects[int(contents[1])].partition(b"stream\n")[2].rpartition(b"\nendstream")[0]
        found.append(re.findall(rb"<([0-9A-Fa-f]+)> Tj", zlib.decompress(packed)))
    return found


def pages_of(visit: Visit, **how: str) -> int:
    """How many pages a page prints on; A4 where nothing is said."""
    printed = visit.page.pdf(**{"format": "A4", "print_background": False, **how})  # type: ignore[arg-type]
    return len(re.findall(rb"/Type\s*/Page\b", printed))
