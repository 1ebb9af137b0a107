"""``python -m tests.support.screenshots``: the console's pages as pictures, for the docs.

A day of the demo as the core books it, on the real engine and a real broker; what people did with
an alert is put in as the worker would have said it. Look at each picture before it is committed.
"""

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import FloatRect

from console.live.places import TOPICS
from console.wording import catalogue
from custody.events import LotFact, Micros
from custody.records import Alert
from demo.day import make_day
from schemas.routes import BY_TYPE, Record
from tests.support import chromium, consoles, stack
from tests.support.chromium import PHONE, WIDE, Visit, Visitors
from tests.support.consoles import Console
from tests.support.demo_books import books_of

FOLDER = Path(__file__).parents[2] / "docs" / "images"
SEED = 1
LOT = "L-1-0092"
_ASKED = """SELECT site_id, mineral, tier, amount_kg, share_fraction
FROM v_coverage
WHERE mineral IN ('dry', 'Cu')
ORDER BY site_id, mineral, tier"""
HEIGHT_MAX = 1_960
"""What is below is lists that a reader of the docs need not see."""
_FIT = """[...document.querySelectorAll(".plot .main-svg")].every((one) =>
    one.getBoundingClientRect().right <= one.closest(".panel").getBoundingClientRect().right)"""
"""Whether charts are as wide as what they stand in: one that was drawn earlier may be wider."""
_TIMES = frozenset({"occurred_at", "recorded_at", "raised_at", "onset_at", "effective_at"})
_HOUR_US = 3_600_000_000
_MINUTE_US = 60_000_000


def main(names: Sequence[str]) -> int:
    """Take the pictures that are named, or all; return the exit code."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, _console(Path(directory)) as found:
        console, alert_id = found
        pages = {
            "now": ("/now", WIDE, False),
            "now-dark": ("/now", WIDE, True),
            "now-phone": ("/now", PHONE, False),
            "alert": (f"/alerts/{alert_id}", WIDE, False),
            "handover": ("/handover", WIDE, False),
            "lot": (f"/lots/{LOT}", WIDE, False),
            "explore": (f"/explore?run=1&sql={quote(_ASKED)}", WIDE, False),
        }
        people_of = {"explore": "the-analyst"}
        with chromium.running() as browser, closing(Visitors(browser, console.url)) as people:
            for name, (path, width, dark) in pages.items():
                if names and name not in names:
                    continue
                with people.visit(people_of.get(name, "the-operator"), width=width) as visit:
                    _take(visit, path, FOLDER / f"{name}.png", dark=dark)
        if not names or "now-stale" in names:
            _take_stale(console)
    return 0


def _take(visit: Visit, path: str, target: Path, *, dark: bool = False) -> None:
    visit.page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
    visit.open(path)
    visit.page.wait_for_selector(".light.live")
    visit.page.wait_for_load_state("load")
    # A chart is drawn in the frame after the one in which its place is there.
    visit.page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 500)))")
    visit.page.wait_for_function(_FIT)
    empty = catalogue("en")["complete.none"]
    assert not visit.page.get_by_text(empty).count(), "the plant says up to when it is complete"
    high = min(HEIGHT_MAX, visit.page.evaluate("document.documentElement.scrollHeight"))
    wide = visit.page.evaluate("window.innerWidth")
    shown: FloatRect = {"x": 0, "y": 0, "width": wide, "height": high}
    visit.page.screenshot(path=target, full_page=True, clip=shown)
    sys.stdout.write(f"{target}\n")


def _take_stale(console: Console) -> None:
    with (
        chromium.running() as browser,
        closing(Visitors(browser, console.url)) as people,
        people.visit("the-operator", "/now") as visit,
    ):
        console.sink.stopped.set()
        visit.page.wait_for_selector("body.is-stale")
        visit.page.screenshot(path=FOLDER / "now-stale.png")


@contextmanager
def _console(directory: Path) -> Iterator[tuple[Console, str]]:
    books = books_of(make_day(SEED))
    with stack.running_kafka(directory / "kafka") as bootstrap:
        stack.create_topics(bootstrap, list(TOPICS), partitions=4)
        with consoles.running(directory / "console", bootstrap) as console:
            records = [*books.facts.values(), *_said(books.world.outputs)]
            moved = list(_to_today(records))
            now = Micros(time.time_ns() // 1000)
            _say_complete(console, sorted({fact.site_id for fact in books.facts.values()}), now)
            console.stored.at_ms = (now - _HOUR_US // 2) // 1000
            console.put(*moved)
            alert = next(
                one for one in reversed(moved) if isinstance(one, Alert) and one.lot_id == LOT
            )
            for minutes, said in enumerate(_settling(alert), 3):
                console.stored.at_ms += minutes * 60_000
                console.put(said)
            yield console, alert.alert_id


def _say_complete(console: Console, sites: Sequence[str], now: Micros) -> None:
    """Say up to when each site is complete, as heads once a minute leave it: all within one."""
    console.sites.update(
        {site: Micros(now - no * _MINUTE_US // len(sites)) for no, site in enumerate(sites)}
    )
    slowest = min(console.sites.values())
    console.complete_to[0] = slowest
    said = datetime.fromtimestamp(now / 1e6, UTC)
    rows = [
        (site, datetime.fromtimestamp(to / 1e6, UTC), said)
        for site, to in {"": slowest, **console.sites}.items()
    ]
    columns = ("site_id", "complete_to", "said_at")
    console.stored.warehouse.insert_rows("watermark", columns, rows)


def _said(outputs: Sequence[object]) -> list[Record]:
    return [one for one in outputs if type(one) in BY_TYPE]  # type: ignore[misc]


def _to_today(records: Sequence[Record]) -> Iterator[Record]:
    """Yield records as if the day had ended an hour ago."""
    facts = [one for one in records if isinstance(one, LotFact)]
    shift = time.time_ns() // 1000 - _HOUR_US - max(fact.occurred_at for fact in facts)
    late = {one.recorded_at - one.occurred_at for one in facts}
    sent = max(late)
    for one in records:
        known = {field.name: getattr(one, field.name) for field in fields(one)}
        changes = {
            name: value + shift - (sent if name in {"recorded_at", "raised_at"} else 0)
            for name, value in known.items()
            if name in _TIMES and isinstance(value, int)
        }
        yield replace(one, **changes)  # type: ignore[arg-type]  # times that it has


def _settling(alert: Alert) -> list[Record]:
    """What two people have done with an alert since."""
    seen = replace(alert, version=alert.version + 1, n=alert.n + 100_000, state="acknowledged")
    first = replace(seen, actor="j.ilunga", reason="calling the gate at CONC-HOY")
    given = replace(first, version=seen.version + 1, n=seen.n + 1, assignee="m.banda")
    return [first, replace(given, actor="j.ilunga", reason="take a second sample")]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
