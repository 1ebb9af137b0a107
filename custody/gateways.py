"""Gateways: whether one is silent, and what the auditor says of its records.

A gateway is a thing that all partitions share. Their ticks say whether it is heard; the auditor,
which reads what is stored against the digests and heads that the gateway has signed, says what it
finds and when that is gone.

Source:
    docs/detection/exact-rules.md, docs/audit.md
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from custody import findings
from custody.audit import AUDITED_MAX, RULES
from custody.events import Micros
from custody.fold import Reader, Step
from custody.held import BEGINNING
from custody.ids import BETWEEN
from custody.ledger import Clock
from custody.lot_step import Arrived
from custody.records import Sighting
from custody.reference import gateway_site
from custody.rows import AlertState, Finding, RefRow
from custody.ticking import HEARD, SILENT


@dataclass(slots=True)
class GatewayRow:
    """What is known of a gateway.

    Attributes:
        known: When the newest record it took was recorded.
        last: The last word of any partition: time, partition, and whether it was silent then.
        alerts: Alerts by key.
        audited: What the auditor says stands: detail by rule and what it is about.
    """

    known: Micros = BEGINNING
    last: tuple[Micros, int, bool] | None = None
    alerts: dict[str, AlertState] = field(default_factory=dict)
    audited: dict[str, str] = field(default_factory=dict)


def gateway_step(
    owner: str, row: GatewayRow, arrived: Arrived, reader: Reader, clock: Clock
) -> Step:
    """Return the next row of a gateway and what it says.

    It is silent as long as the last word of it says so, and what the auditor has found stands until
    the auditor says that it is gone.

    Args:
        owner: Its row key.
        row: Its row; never changed.
        arrived: What partitions and the auditor say of it, and what people do.
        reader: Other rows of the partition.
        clock: This step's records.
    """
    name = owner.partition("/")[2]
    heard = [s for s in arrived.seen if s.quantity in (SILENT, HEARD)]
    words = [(s.occurred_at, int(s.value or 0.0), s.quantity == SILENT) for s in heard]
    last = max([word for word in (row.last, *words) if word is not None], default=None)
    audited = _audited(row.audited, arrived.seen)
    found = [_finding(key, detail) for key, detail in audited.items()]
    if last is not None and last[2]:
        record = reader.get("ref/gateway/" + name)
        site = gateway_site(record, last[0]) if isinstance(record, RefRow) else None
        where = f" of {site}" if site else ""
        detail = f"gateway {name}{where} has sent no head for 3 minutes; what waits for it waits"
        found.append(Finding("site_silent", name, detail))
    after = GatewayRow(clock.newest, last, row.alerts, audited)
    step = Step(after)
    at = clock.newest if last is None else last[0]
    after.alerts = findings.say(step, (owner, at), row.alerts, found, arrived.actions, clock)
    return step


def _audited(before: dict[str, str], said: Iterable[Sighting]) -> dict[str, str]:
    after = dict(before)
    for one in said:
        if one.quantity not in RULES:
            continue
        about, _, detail = (one.text or "").partition(BETWEEN)
        key = f"{one.quantity}{BETWEEN}{about}"
        if one.value:
            after[key] = detail
        else:
            after.pop(key, None)
    return dict(sorted(after.items())[:AUDITED_MAX])


def _finding(key: str, detail: str) -> Finding:
    rule, _, about = key.partition(BETWEEN)
    return Finding(rule, about, detail)
