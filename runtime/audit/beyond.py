"""Records beyond what their gateway has signed although they were there when it signed.

A gateway numbers, dates and signs in one order: what it records after a head bears a time after
that head's. So a record that is older than a head, and of a number the head does not count, was
written by somebody else. Both times are of the gateway's own clock, so neither its skew nor a line
that keeps heads and records back for days makes an honest record one of these, and which of them
is read first makes no difference.

Whoever forges a record chooses its time. So it counts as no later than it was seen here, by the
gateway's clock: as far ahead of this one as its heads have shown. Where that is more than a grace
nobody can say how late they came, and a record's own time is believed.

Of a gateway that has signed nothing yet there is no head to hold a record against. It signs one a
minute from its start on, and the line that brings its records brings its heads: so where records
have come and no head has followed, nobody has signed them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from custody.audit import AUDITED_MAX, Fault, Log, beyond
from custody.events import Micros
from custody.heads import Head
from runtime.asof import Ask
from runtime.audit.chains import PLACE, TABLES, behind

GRACE_US = 60_000_000
"""How much older than a head a record has to be, where nothing else is said: clocks of two epochs
of one gateway are not in one order."""

HEAD_US = 60_000_000
"""How often a gateway signs a head."""

KEPT_MAX = 64
"""Passes of a chain that are kept apart until heads speak of their records; more are put together,
the newest, so that nobody can put off an old one by sending more."""


@dataclass(slots=True)
class _Came:
    """What has come of one chain in one pass.

    Attributes:
        seq: Its greatest number.
        at: When that was recorded, as it says.
        seen: When it was read here.
        after: Offsets behind which the records stand, by place.
        until: Offsets up to which they stand.
        judged: Time of the head they were last held against.
        found: Those that are beyond it, by number.
    """

    seq: int
    at: Micros
    seen: Micros
    after: Mapping[str, int]
    until: Mapping[str, int]
    judged: Micros | None = None
    found: list[tuple[int, Fault]] = field(default_factory=list)


class Beyond:
    """Holds what has come against the newest head of its gateway, until a head speaks of it.

    Args:
        ask: Runs SQL.
        grace_us: How much older than the head a record has to be; 0 where all is read once, by
            somebody who was not there when it came.
    """

    def __init__(self, ask: Ask, grace_us: int) -> None:
        self._ask = ask
        self._once = not grace_us
        self._grace_us = grace_us or GRACE_US
        self._newest: dict[str, Head] = {}
        self._lead_us: dict[str, int] = {}
        self._came: dict[Log, list[_Came]] = {}
        self._known: dict[Log, set[int]] = defaultdict(set)

    def remember(self, log: Log, seq: int) -> None:
        """Take that a record was beyond when it was last looked at: its time is no matter then."""
        self._known[log].add(seq)

    def signed(self, head: Head, now: Micros) -> None:
        """Take a head whose signature has been checked.

        Args:
            head: One of a gateway that reference data knows.
            now: Time of day.
        """
        gateway = head.gateway_id
        newest = self._newest.setdefault(gateway, head)
        if (head.gateway_epoch, head.at) >= (newest.gateway_epoch, newest.at):
            self._newest[gateway] = head
        self._lead_us[gateway] = max(self._lead_us.get(gateway, 0), head.at - now)

    def came(self, after: Mapping[str, int], until: Mapping[str, int], now: Micros) -> None:
        """Note what has come since the last pass; blocks.

        Args:
            after: By place the offset behind which records are new; where it is empty all are.
            until: By place the last offset that is confirmed.
            now: Time of day.
        """
        chain = "gateway_id, gateway_epoch"
        each = " UNION ALL ".join(
            f"SELECT {chain}, max(gateway_seq) AS seq,"  # noqa: S608  names of ours
            " toUnixTimestamp64Micro(argMax(recorded_at, gateway_seq)) AS at"
            f" FROM {table} WHERE {_among(after, until)} GROUP BY {chain}"
            for table in TABLES
        )
        rows = self._ask(
            f"SELECT {chain}, max(seq) AS last, argMax(at, seq) AS recorded FROM ({each})"  # noqa: S608
            f" GROUP BY {chain} ORDER BY {chain}",
            {},
        )
        for row in rows:
            log = str(row["gateway_id"]), int(str(row["gateway_epoch"]))
            seq, at = int(str(row["last"])), Micros(int(str(row["recorded"])))
            some = self._came.setdefault(log, [])
            some.append(_Came(seq, at, now, after, until))
            if len(some) > KEPT_MAX:
                newer, older = some.pop(), some.pop()
                high = max(older, newer, key=lambda one: one.seq)
                some.append(_Came(high.seq, high.at, newer.seen, older.after, newer.until))

    def waiting_us(self, gateway: str, now: Micros) -> int:
        """Return how long a gateway's records have waited for a head of it, microseconds.

        Args:
            gateway: One that has sent none.
            now: Time of day.
        """
        some = [one for log, came in self._came.items() if log[0] == gateway for one in came]
        if self._once:
            # Nobody was there when they came: they have waited no longer than the newest says.
            return now - max((one.at for one in some), default=now)
        return now - min((one.seen for one in some), default=now)

    def over(self) -> Iterator[tuple[Log, int]]:
        """Yield the last number that has come of each epoch that is over: it signs no more."""
        for log, some in self._came.items():
            newest = self._newest.get(log[0])
            if newest is not None and log[1] < newest.gateway_epoch and some:
                yield log, max(one.seq for one in some)

    def found(self, counted: Callable[[Log], int]) -> list[Fault]:
        """Return the records that stand beyond what was signed after them; blocks.

        Args:
            counted: Tells how many records of a chain its heads count.
        """
        faults: list[Fault] = []
        for log, some in list(self._came.items()):
            size = counted(log)
            some[:] = [one for one in some if one.seq > size]
            head = self._newest.get(log[0])
            if head is None or log[1] < head.gateway_epoch:
                continue
            for one in some:
                self._judge(log, one, size, head)
                faults += [fault for seq, fault in one.found if seq > size]
        return faults

    def _judge(self, log: Log, one: _Came, size: int, head: Head) -> None:
        """Hold what has come in a pass against a head, once for each head."""
        due, lead_us = head.at - self._grace_us, self._lead_us[log[0]]
        seen = one.seen + lead_us if lead_us <= self._grace_us else head.at
        known = self._known[log]
        if one.judged == head.at or (min(one.at, seen) >= due and not known):
            return
        one.judged = head.at
        values = {
            "gateway": log[0],
            "epoch": str(log[1]),
            "size": str(size),
            "seen": str(seen),
            "due": str(due),
        }
        # No record has the number 0; without it there may be none to list.
        numbers = ", ".join(str(seq) for seq in sorted({0, *known}))
        where = (
            "gateway_id = {gateway:String} AND gateway_epoch = {epoch:Int32}"
            " AND gateway_seq > {size:Int64} AND (least(toUnixTimestamp64Micro(recorded_at),"
            f" {{seen:Int64}}) < {{due:Int64}} OR gateway_seq IN ({numbers}))"
            f" AND {_among(one.after, one.until)}"
        )
        each = " UNION ALL ".join(
            "SELECT gateway_seq AS seq, event_id,"  # noqa: S608  names of ours
            f" {PLACE} AS place"
            f" FROM {table} WHERE {where}"
            for table in TABLES
        )
        rows = self._ask(f"SELECT * FROM ({each}) ORDER BY seq, place LIMIT {AUDITED_MAX}", values)  # noqa: S608
        one.found = [
            (seq, beyond(log, seq, f"event {row['event_id']}, {row['place']}", head))
            for row in rows
            for seq in [int(str(row["seq"]))]
        ]


def _among(after: Mapping[str, int], until: Mapping[str, int]) -> str:
    """Return the condition that a record stands behind some offsets, and not behind others."""
    return f"({behind(after)})" + (f" AND NOT ({behind(until)})" if until else "")
