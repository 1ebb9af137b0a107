"""What an event takes on the outbox's disk: ``python -m bench.outbox --events 1000000``.

Fills an outbox while the broker is away with the facts of many lots (``bench/load.py``: declared,
weighed, dispatched, assayed, shot, received), and divides what it then holds. No figure of speed:
lists of 200 go in without HTTP.
"""

import json
import sys
import tempfile
import time
from decimal import Decimal
from itertools import islice
from pathlib import Path

import click

from bench.load import FACTS_PER_LOT, Plan, requests
from custody.events import Micros
from producers import view
from producers.config import OutboxConfig
from producers.group import Submission
from producers.judge import Terms, accept
from producers.outbox import Outbox

_LIST = 200
_AT = Micros(1_793_862_720_000_000)


def fill(outbox: Outbox, events: int) -> int:
    """Put so many events into an outbox; return how many were taken."""
    plan = Plan("SIZE", events // FACTS_PER_LOT + 1)
    source = islice(requests(plan), events)
    terms = Terms(gateway=outbox.gateway, partitions=4, known=outbox.known)
    taken = 0
    while chunk := list(islice(source, _LIST)):
        raws = [json.loads(json.dumps(raw), parse_float=Decimal) for raw in chunk]
        work = Submission(
            outcomes=[accept(raw, _AT, terms) for raw in raws],
            bodies=[lambda: b"{}"] * len(raws),
            now=_AT,
        )
        taken += sum(answer.accepted for answer in outbox.submit(work).result(60))
    return taken


@click.command()
@click.option("--events", type=click.IntRange(min=1), default=1_000_000, show_default=True)
def main(events: int) -> None:
    """Fill an outbox and print what an event takes in it."""
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        config = OutboxConfig(directory=directory, gateway_id="GW-BENCH")
        outbox = Outbox(config, lambda: _AT)
        taken = fill(outbox, events)
        started = time.perf_counter()
        with view.opened(directory) as seen:
            state = seen.state()
        asked_s = time.perf_counter() - started
        closed = outbox.closed
        outbox.close()
    waiting = sum(one.count for one in state.waiting)
    row = {
        "events": taken,
        "waiting": waiting,
        "used_bytes": state.used_bytes,
        "bytes_per_event": round(state.used_bytes / taken, 1),
        "limit_bytes": config.bytes_max,
        "fit": int(config.bytes_max / (state.used_bytes / taken)),
        "closed": str(closed),
        "status_s": round(asked_s, 2),
    }
    print(json.dumps(row))


if __name__ == "__main__":
    sys.exit(main())
