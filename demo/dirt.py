"""The day's plain dirt: what goes wrong at every plant and is no fraud.

One of each: a ticket sent twice, a certificate that comes hours late, a mistyped tare with its
correction, tonnes typed where kilograms belong (refused, then sent right), and a hired scale nobody
announced.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from uuid import UUID

from demo.journey import Entry
from demo.requests import Request

HIRED = "WB-HIRE-9"
MISTYPED_KG = 100
"""The tare of the corrected ticket was typed this much too light."""


@dataclass(frozen=True, slots=True)
class Dirt:
    """What was done to the journal.

    Attributes:
        lots: Lots touched, by kind of dirt.
        refused: Requests the gateway must refuse.
        duplicates: Requests it must recognise as duplicates on a first run.
        warned: Requests it accepts with a warning about an unknown device.
    """

    lots: dict[str, str]
    refused: int = 1
    duplicates: int = 1
    warned: int = 1


def soil(seed: int, entries: list[Entry], untouchable: set[str]) -> Dirt:
    """Change a journal in place, on lots other than the untouchable ones.

    Args:
        seed: The day's seed.
        entries: The journal, in order of time; stays so.
        untouchable: Lots with frauds or in processes.
    """
    rng = Random(f"{seed}/dirt")
    tickets = [
        n
        for n, e in enumerate(entries)
        if e.request.get("purpose") == "dispatch"
        and e.request["lot_id"] not in untouchable
        and e.request["tare_kind"] == "weighed"
    ]
    papers = [
        n
        for n, e in enumerate(entries)
        if e.request.get("method") == "ICP-OES" and e.request["lot_id"] not in untouchable
    ]
    twice, mistyped, tonnes, hired = (entries[n] for n in _apart(tickets, entries, rng))
    late = entries[rng.choice(papers)]
    _send_again(entries, twice)
    _correct(seed, entries, mistyped)
    _tonnes(entries, tonnes)
    _hire(seed, entries, hired)
    _delay(entries, late)
    entries.sort(key=lambda e: e.at)
    kinds = {"duplicate": twice, "correction": mistyped, "kg_for_t": tonnes}
    kinds |= {"unknown_device": hired, "late": late}
    return Dirt({kind: str(entry.request["lot_id"]) for kind, entry in kinds.items()})


def _apart(tickets: list[int], entries: list[Entry], rng: Random) -> list[int]:
    """Return four tickets of four lots."""
    chosen: dict[str, int] = {}
    for n in rng.sample(tickets, len(tickets)):
        chosen.setdefault(str(entries[n].request["lot_id"]), n)
        if len(chosen) == 4:
            break
    return list(chosen.values())


def _send_again(entries: list[Entry], entry: Entry) -> None:
    entries.append(Entry(entry.at + timedelta(minutes=3), entry.request))


def _correct(seed: int, entries: list[Entry], entry: Entry) -> None:
    """Give the ticket an id and a wrong tare; the right one follows ten minutes later."""
    right = entry.request
    wrong: Request = {**right, "event_id": _event_id(seed, "mistyped")}
    wrong["tare_kg"] = int(str(right["tare_kg"])) - MISTYPED_KG
    wrong["net_kg"] = int(str(right["net_kg"])) + MISTYPED_KG
    entries[entries.index(entry)] = replace(entry, request=wrong)
    correction = {**right, "event_id": _event_id(seed, "corrected"), "corrects": wrong["event_id"]}
    entries.append(Entry(entry.at + timedelta(minutes=10), correction))


def _tonnes(entries: list[Entry], entry: Entry) -> None:
    """Send the net in tonnes first; the right ticket follows two minutes later."""
    wrong = {**entry.request, "net_kg": int(str(entry.request["net_kg"])) / 1000}
    entries[entries.index(entry)] = replace(entry, request=wrong)
    entries.append(Entry(entry.at + timedelta(minutes=2), entry.request))


def _hire(seed: int, entries: list[Entry], entry: Entry) -> None:
    """Put another scale's name on the ticket: one no reference record knows."""
    hired = {**entry.request, "device_id": HIRED, "ticket_no": f"{HIRED}-{seed}-00001"}
    entries[entries.index(entry)] = replace(entry, request=hired)


def _delay(entries: list[Entry], entry: Entry) -> None:
    """Let a certificate arrive after everything else; it still says when it was signed."""
    last = max(e.at for e in entries)
    entries[entries.index(entry)] = replace(entry, at=last + timedelta(minutes=5))


def _event_id(seed: int, name: str) -> str:
    return str(UUID(int=Random(f"{seed}/dirt/{name}").getrandbits(128), version=4))
