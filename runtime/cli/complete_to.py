"""``complete up to``: what every answer for a time says of itself."""

import os
import time
from collections.abc import Mapping
from datetime import datetime, timedelta

from custody.errors import CustodyError
from runtime import wiring
from runtime.cli import output
from runtime.client import Warehouse
from runtime.complete import OUTPUTS, Complete, Progress, complete, in_doubt
from runtime.settings import load
from streams.config import APP_ID, SOURCES

_WAIT_S = 5.0
_PAUSE_S = 0.25

_BEHIND = timedelta(minutes=3)
"""Gateways say a head once a minute, so sites are a minute or two apart as a rule."""

_NAMED = 5


def ask(warehouse: Warehouse, site_id: str | None) -> Complete:
    """Return up to when everything is known; waits up to 5 s for the sink to catch up.

    Says on standard error which sites are behind.

    Args:
        warehouse: Where it is asked.
        site_id: Also of this site's own gateways.
    """
    deadline_s = time.monotonic() + _WAIT_S

    def wait() -> bool:
        time.sleep(_PAUSE_S)
        return time.monotonic() < deadline_s

    done = complete(warehouse.rows, _progress(), site_id, wait)
    _say_behind(warehouse)
    return done


def _progress() -> Progress | None:
    """Return what the broker says; None where it is not to be reached from here."""
    from runtime.ends import committed, ends

    try:
        settings = load(os.environ)
        kafka = wiring.kafka_options(settings, wiring.bootstrap(settings))
        applied = committed(kafka, APP_ID, SOURCES)
        said = {
            topic: {partition: last for partition, (_, last) in partitions.items()}
            for topic, partitions in ends(kafka, OUTPUTS).items()
        }
    except CustodyError:
        return None
    return Progress(applied, said)


def say(warehouse: Warehouse) -> None:
    """Write on standard error up to when the last answer is complete, of all sites together.

    Beside it stands of which gateways an alert says that their records are not what they signed.

    The result on standard output stays what was asked for, whatever reads it.
    """
    output.talk(f"complete up to {warehouse.complete_to or 'a time not known'}")
    _say_behind(warehouse)
    if doubt := in_doubt(warehouse.rows):
        output.talk(doubt)


def _say_behind(warehouse: Warehouse) -> None:
    if said := behind(warehouse.complete_sites):
        output.talk(said)


def behind(sites: Mapping[str, str]) -> str:
    """Return which sites are complete less far than the furthest one, and by how much.

    Args:
        sites: Up to when each is complete, RFC 3339.

    Returns:
        Empty where none is behind by more than gateways' heads are apart.
    """
    ends = {site: datetime.fromisoformat(to) for site, to in sites.items()}
    furthest = max(ends.values(), default=None)
    late = {
        site: furthest - end
        for site, end in ends.items()
        if furthest is not None and furthest - end > _BEHIND
    }
    if not late:
        return ""
    worst = sorted(late.items(), key=lambda pair: (-pair[1], pair[0]))
    named = [
        f"{site} by {timedelta(seconds=round(by.total_seconds()))}" for site, by in worst[:_NAMED]
    ]
    more = [f"{len(worst) - _NAMED} more"] if len(worst) > _NAMED else []
    return f"behind the other sites: {', '.join([*named, *more])} (v_watermark)"


def text(done: Complete) -> str:
    """Return what is complete, as a person reads it."""
    to = "complete up to " + (output.utc(done.to) if done.to is not None else "a time not known")
    return f"{to}; {done.why}" if done.why else to
