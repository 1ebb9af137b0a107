"""A traced gateway, and what is wrong with its disk after power cuts at some moments."""

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from custody.digest import GENESIS, first_break
from custody.errors import CustodyError
from producers import store
from producers.judge import accept
from producers.outbox import Outbox
from producers.outcome import Accepted
from tests.support import gateway as support
from tests.support import power_disk, power_programs, power_trace
from tests.support.gateway import ticket
from tests.support.power_trace import Call

TRACEABLE = pytest.mark.skipif(
    not power_trace.AVAILABLE, reason="ptrace on Linux, x86-64 or ARM64, only"
)

SEED = 20_261_128
CUTS = 12
"""Moments of each trace: half of them just as something is answered."""

EVENT_ID = re.compile(rb'"event_id": "([0-9a-f-]{36})"')


@dataclass(frozen=True, slots=True)
class Said:
    """Something was answered.

    Attributes:
        at: How many calls had ended when the answer began to go out.
        event_ids: What it promised to be on disk.
    """

    at: int
    event_ids: frozenset[str]


def event_id(raw: object) -> str:
    outcome = accept(raw, support.NOW, support.terms(backfill=True))
    assert isinstance(outcome, Accepted)
    return outcome.event_id


def answers_http(calls: Sequence[Call]) -> list[Said]:
    """Every 202 with the ids in its body, which may follow in calls of their own."""
    begun: dict[str, tuple[int, bytes]] = {}
    said: list[tuple[int, bytes]] = []
    for call in calls:
        if call.name != "write" or not call.path.startswith("socket:"):
            continue
        if call.data.startswith(b"HTTP/1.1 202"):
            said += [begun.pop(call.path)] if call.path in begun else []
            begun[call.path] = call.begun, call.data
        elif call.path in begun:
            at, data = begun[call.path]
            begun[call.path] = at, data + call.data
    said += begun.values()
    return [Said(at, frozenset(i.decode() for i in EVENT_ID.findall(data))) for at, data in said]


def answers_mqtt(calls: Sequence[Call]) -> list[Said]:
    """Every PUBACK; they go out in the order of the messages, which hold a ticket each."""
    sent = [c.begun for c in calls if c.name == "write" and c.path.startswith("socket:")
            and c.data[:1] == b"\x40"]  # fmt: skip
    return [Said(at, frozenset({event_id(ticket(no))})) for no, at in enumerate(sent)]


def answers_drop(calls: Sequence[Call], files: Mapping[str, frozenset[str]]) -> list[Said]:
    """Every file that is moved to ``done``."""
    return [
        Said(call.begun, files[Path(call.path).name])
        for call in calls
        if call.name == "rename" and "/taking/" in call.path and "/done/" in call.other
    ]


def _none(_before: Path, _after: Path) -> str:
    return ""


def cuts(calls: Sequence[Call], said: Sequence[Said], rng: Random) -> list[int]:
    """Moments to look at, in order: just before answers, and any; and the end."""
    at_answers = [one.at for one in rng.sample(list(said), min(len(said), CUTS // 2))]
    return sorted({*at_answers, *rng.sample(range(len(calls)), CUTS // 2), len(calls)})


def lost(directory: Path, promised: frozenset[str], key_id: str) -> str:
    """Start a gateway on what survived; return what is wrong with it, or nothing."""
    given = support.config(power_programs.home(directory)).outbox
    try:
        outbox = Outbox(given, support.wall_clock)
    except CustodyError as error:
        return f"it does not start: {error}"
    try:
        return _missed(outbox, promised, key_id)
    except sqlite3.Error as error:
        return f"it cannot be read: {error}"
    finally:
        outbox.close()


def _missed(outbox: Outbox, promised: frozenset[str], key_id: str) -> str:
    missing = [one for one in promised if not (found := outbox.way(one)) or not found[1]]
    if missing:
        return f"{len(missing)} of {len(promised)} answered events are gone"
    if promised and outbox.gateway[1] != 1:
        return f"epoch {outbox.gateway[1]} begins"
    if promised and outbox.signer.key_id != key_id:
        return "the key that signed is gone"
    reader = store.connect(outbox.path, read_only=True)
    entries = [e for e in store.read_entries(reader, 0, 100_000) if e.seq is not None]
    reader.close()
    links = [(e.prev or b"", e.fingerprint, e.body, e.digest or b"") for e in entries]
    whole = [e.seq for e in entries] == list(range(1, len(entries) + 1))
    if first_break(GENESIS, links) is not None or not whole:
        return "the chain is broken"
    ids = [entry.event_id for entry in entries]
    return "" if len(ids) == len(set(ids)) else "an event stands twice"


@dataclass(frozen=True, slots=True)
class Trial:
    """A traced gateway, and what was on its disk before.

    Attributes:
        directory: Everything of it.
        calls: What it did.
        present: What had been there.
    """

    directory: Path
    calls: list[Call]
    present: power_disk.Present

    def key_id(self) -> str:
        found = Outbox(
            support.config(power_programs.home(self.directory)).outbox, support.wall_clock
        )
        found.close()
        return found.signer.key_id

    def syncs(self) -> list[Call]:
        """Of the outbox's log."""
        return [one for one in self.calls if one.name == "sync" and one.path.endswith("-wal")]

    def written_back(self) -> bool:
        """Whether the log was written back to the database while it worked."""
        writes = [one for one in self.calls if one.name == "write"]
        back = [no for no, one in enumerate(writes) if one.path.endswith("/outbox.sqlite3")]
        into_log = [no for no, one in enumerate(writes) if one.path.endswith("-wal")]
        return any(back[0] < no < back[-1] for no in into_log)

    def faults(
        self, said: Sequence[Said], scratch: Path, further: Callable[[Path, Path], str] = _none
    ) -> list[str]:
        """What is wrong after cuts at some moments, each with nothing and with some of the rest."""
        rng = Random(SEED)
        disk = power_disk.Disk(self.directory, self.present)
        done, found, key_id = 0, [], self.key_id()
        for no, at in enumerate(cuts(self.calls, said, rng)):
            disk.take(self.calls[done:at])
            done = at
            promised = frozenset().union(*(one.event_ids for one in said if one.at <= at))
            for kind, chance in (("least", None), ("some", Random(rng.random()))):
                into = scratch / f"{no}-{kind}"
                power_disk.write(disk.survivors(chance), self.directory, into)
                fault = lost(into, promised, key_id) or further(self.directory, into)
                found += [f"cut {at} of {len(self.calls)}, {kind}: {fault}"] if fault else []
        return found


def trial(program: str, directory: Path, *arguments: str) -> Trial:
    present = power_disk.found_in(directory)
    into = directory.parent / "calls"
    calls = power_trace.traced(into, f"tests.support.power_programs:{program}", *arguments)
    return Trial(directory, calls, present)


def place(tmp_path: Path) -> Path:
    made = (tmp_path / "disk").resolve()
    made.mkdir()
    return made
