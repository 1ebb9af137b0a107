"""``custody verify``: proof that what is stored is what was accepted, and that the books add up."""

import os
import time

import click

from runtime import verify as checks
from runtime import wiring
from runtime.cli import connect, output
from runtime.cli.main import FOUND
from runtime.client import Gateway, Warehouse
from runtime.settings import load
from schemas.routes import ROUTES
from streams.config import APP_ID, SOURCES

_PAUSE_S = 0.5
_SHOWN_MAX = 10

_STORED_TOPICS = tuple(dict.fromkeys(route.topic for route in ROUTES if route.table is not None))


@click.command()
@click.option(
    "--settle-s",
    type=click.FloatRange(0.0, 3600.0),
    default=10.0,
    show_default=True,
    help="Seconds to wait for records that are still on their way.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per check.")
def verify(settle_s: float, *, as_json: bool) -> int:
    """Prove that the outbox, Kafka and the tables agree, and that the books add up.

    Reads only. balances: the latest balance of each account is the sum of its transfers, in
    masses, metals and attributes; handed: what one owner sends another received; compensations:
    each negates a transfer before it, exactly and once; edges: lineage rests on all transfers
    between lots and processes; numbers: every output stands once, none is missing; negative: no
    account holds less than nothing; events: every event once; sequence: no number of a gateway is
    missing or stands twice; outbox: everything accepted has reached Kafka; applied: the workers
    have applied every record; kafka: every record is a row, a dropped duplicate, a dead letter or a
    record without a table; dead_letters: each record that could not be read has one dead letter.

    Exit 1 where one is not clean.

    \b
    Examples:
      custody verify
      custody verify --json | jq 'select(.clean | not)'
    """
    with connect.gateway() as gateway, connect.warehouse() as warehouse:
        deadline_s = time.monotonic() + settle_s
        found = examine(gateway, warehouse)
        while not all(c.clean for c in found) and time.monotonic() < deadline_s:
            time.sleep(_PAUSE_S)
            found = examine(gateway, warehouse)
    for check in found:
        if as_json:
            output.line_json(
                {
                    "check": check.name,
                    "clean": check.clean,
                    "examined": check.examined,
                    "violations": [
                        {"subject": v.subject, "detail": v.detail} for v in check.violations
                    ],
                }
            )
        else:
            _show(check)
    return 0 if all(check.clean for check in found) else FOUND


def examine(gateway: Gateway, warehouse: Warehouse) -> list[checks.Check]:
    """Run every check once and return what each found."""
    return [
        _outbox(gateway),
        _applied(),
        checks.numbered(warehouse.rows),
        *checks.verify(warehouse.rows, _ends()),
    ]


def _outbox(gateway: Gateway) -> checks.Check:
    """See that Kafka has acknowledged everything the gateway has accepted."""
    health = gateway.health()
    waiting = int(str(health.get("waiting", 0)))
    violations = (
        (checks.Violation(str(health.get("gateway_id")), f"{waiting} accepted records wait"),)
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
        checks.Violation(f"{topic}/{partition}", f"{last - at} records are not applied yet")
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


def _show(check: checks.Check) -> None:
    verdict = "clean" if check.clean else f"{len(check.violations)} violations"
    output.result(f"{check.name:<14}{verdict:<16}{check.examined:>10,} examined")
    for violation in check.violations[:_SHOWN_MAX]:
        output.result(f"    {violation.subject}: {violation.detail}")
    hidden = len(check.violations) - _SHOWN_MAX
    if hidden > 0:
        output.result(f"    and {hidden} more; --json shows up to {checks.VIOLATIONS_MAX}")
