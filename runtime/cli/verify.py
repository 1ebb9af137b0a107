"""``custody verify``: proof that what is stored is what was accepted, and that the books add up."""

import os
import time
from collections.abc import Callable, Sequence

import click

from runtime import verify as checks
from runtime import wiring
from runtime.cli import complete_to, connect, output
from runtime.cli.main import FOUND, OUTSIDE
from runtime.client import Gateway, Warehouse
from runtime.settings import load
from schemas.routes import ROUTES
from streams.config import APP_ID, SOURCES

_PAUSE_S = 0.5
_SHOWN_MAX = 10
_SETTLE_TIMES_MAX = 6

_STORED_TOPICS = tuple(dict.fromkeys(route.topic for route in ROUTES if route.table is not None))


@click.command()
@click.option(
    "--settle-s",
    type=click.FloatRange(0.0, 3600.0),
    default=10.0,
    show_default=True,
    help="Seconds to wait for records on their way, from the last that moved.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per check.")
def verify(settle_s: float, *, as_json: bool) -> int:
    """Prove that the outbox, Kafka and the tables agree, and that the books add up.

    Reads only. balances: the latest balance of each account is the sum of its transfers, in
    masses, metals and attributes; handed: what one owner sends another received; compensations:
    each negates a transfer before it, exactly and once; edges: lineage rests on all transfers
    between lots and processes; numbers: every output stands once, none is missing; negative: no
    account holds less than nothing; events: every event once (one that two gateways took and that
    says the same is counted once, and said in a line); sequence: no number of a gateway is
    missing or stands twice; outbox: everything accepted has reached Kafka; applied: the workers
    have applied every record; kafka: every record is a row, a dropped duplicate, a dead letter or a
    record without a table; dead_letters: each record that could not be read has one dead letter.

    While records are on their way nothing is proved either way: it waits for them, for --settle-s
    after the last one that moved and six times that at most, and then says "not yet complete".

    Exit 1 where one is not clean; 3 where it is not complete.

    \b
    Examples:
      custody verify
      custody verify --json | jq 'select(.clean | not)'
    """
    with connect.gateway() as gateway, connect.warehouse() as warehouse:
        found = settled(lambda: examine(gateway, warehouse), settle_s)
        complete_to.say(warehouse)
    complete = checks.is_complete(found)
    shown(found, as_json=as_json, complete=complete)
    if all(check.clean for check in found):
        return 0
    return FOUND if complete else OUTSIDE


def shown(found: Sequence[checks.Check], *, as_json: bool, complete: bool) -> None:
    """Write what each check found; of one that is not complete, that it may be on its way."""
    for check in found:
        if as_json:
            output.line_json(
                {
                    "check": check.name,
                    "clean": check.clean,
                    "complete": complete,
                    "examined": check.examined,
                    "violations": [
                        {"subject": v.subject, "detail": v.detail} for v in check.violations
                    ],
                    "note": check.note,
                }
            )
        else:
            _show(check, complete=complete)


def settled(
    look: Callable[[], list[checks.Check]],
    settle_s: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[checks.Check]:
    """Look until all is clean, or nothing has moved for a while.

    Args:
        look: Runs all checks.
        settle_s: So long from the last change of what is on its way; six times that at most.
        clock: Seconds of a clock that only goes forward.
        sleep: Waits so many seconds.
    """
    began_s = moved_s = clock()
    found = look()
    while not all(check.clean for check in found):
        now_s = clock()
        if now_s - moved_s >= settle_s or now_s - began_s >= _SETTLE_TIMES_MAX * settle_s:
            break
        sleep(_PAUSE_S)
        before, found = _on_the_way(found), look()
        if _on_the_way(found) != before:
            moved_s = clock()
    return found


def _on_the_way(found: Sequence[checks.Check]) -> list[checks.Violation]:
    return [one for check in found for one in check.violations if one.pending]


def examine(gateway: Gateway, warehouse: Warehouse) -> list[checks.Check]:
    """Run every check once and return what each found."""
    return [
        _outbox(gateway),
        _applied(),
        checks.numbered(warehouse.rows),
        *checks.verify(warehouse.rows, _ends),
    ]


def _outbox(gateway: Gateway) -> checks.Check:
    """See that Kafka has acknowledged everything the gateway has accepted."""
    health = gateway.health()
    waiting = int(str(health.get("waiting", 0)))
    violations = (
        (
            checks.Violation(
                str(health.get("gateway_id")), f"{waiting} accepted records wait", pending=True
            ),
        )
        if waiting
        else ()
    )
    return checks.Check("outbox", 1, violations)


def _applied() -> checks.Check:
    """See that the workers have applied every record of their topics, and said what follows."""
    from runtime.ends import committed, ends

    settings = load(os.environ)
    kafka = wiring.kafka_options(settings, wiring.bootstrap(settings))
    bounds = ends(kafka, SOURCES)
    done = committed(kafka, APP_ID, SOURCES)
    violations = tuple(
        checks.Violation(
            f"{topic}/{partition}", f"{last - at} records are not applied yet", pending=True
        )
        for topic, partitions in bounds.items()
        for partition, (first, last) in partitions.items()
        if first < last and (at := max(first, done.get(topic, {}).get(partition, 0))) < last
    )
    return checks.Check(
        "applied", sum(last for p in bounds.values() for _, last in p.values()), violations
    )


def _ends() -> checks.Ends:
    """Return first and end offset of every partition the sink reads, as the broker has them."""
    from runtime.ends import ends

    settings = load(os.environ)
    return ends(wiring.kafka_options(settings, wiring.bootstrap(settings)), _STORED_TOPICS)


def _show(check: checks.Check, *, complete: bool) -> None:
    wrong = f"{len(check.violations)} violations" if complete else "not yet complete"
    verdict = "clean" if check.clean else wrong
    output.result(f"{check.name:<14}{verdict:<18}{check.examined:>10,} examined")
    if check.note:
        output.result(f"    {check.note}")
    for violation in check.violations[:_SHOWN_MAX]:
        output.result(f"    {violation.subject}: {violation.detail}")
    hidden = len(check.violations) - _SHOWN_MAX
    if hidden > 0:
        output.result(f"    and {hidden} more; --json shows up to {checks.VIOLATIONS_MAX}")
