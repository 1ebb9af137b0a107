"""Reference data and ticks for a history: versions, corrections of the past, withdrawals.

Every version that many things are looked up in holds from the beginning, because the rules do not
say of which time a lot's contract, commodity or process is; those of instruments and laboratories
also begin in the middle: they are looked up at the time of the measurement; and so do prices.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

from custody.events import Micros, ReferenceSet
from custody.records import Tick
from tests.support.facts import MINUTE, T0, event_id, tick

COUNTRIES = ("CD", "ZM", "ZA", "CN")


def drawn_references(
    rng: Random, sites: Sequence[str], rules: Mapping[str, bool]
) -> list[ReferenceSet]:
    """Return records of every kind, in the order they were recorded.

    Args:
        rng: Chance.
        sites: Sites of the chain.
        rules: What may be drawn: single processes beside their kinds, several corrections of one.
    """
    records: list[ReferenceSet] = []
    for kind, name, bodies in _subjects(rng, sites, process_ids=rules["process_references"]):
        for body in bodies[: rng.randint(0, len(bodies))]:
            begins = 0
            if kind in ("device", "laboratory", "price") and rng.random() < 0.3:
                begins = T0 + rng.randint(0, 300) * MINUTE
            records.append(record((kind, name), body, len(records) + 1, begins))
    for _ in range(rng.randint(0, 3) if records else 0):
        taken = {r.corrects for r in records} if not rules["reference_conflicts"] else set()
        target = rng.choice([r for r in records if r.event_id not in taken])
        last = len(records) + 1
        other = rng.choice([r for r in records if (r.kind, r.id) == (target.kind, target.id)])
        records.append(
            replace(
                target,
                event_id=event_id(f"reference {last}"),
                gateway_seq=last,
                recorded_at=Micros(T0 + last),
                corrects=target.event_id,
                void=rng.random() < 0.5,
                body=other.body,
            )
        )
    return records


def record(
    subject: tuple[str, str], body: dict[str, Any], seq: int, begins: int = 0
) -> ReferenceSet:
    """A reference record; ``seq`` also orders the times they were recorded."""
    return ReferenceSet(
        event_id=event_id(f"reference {seq}"),
        gateway_id="GW-1",
        gateway_epoch=1,
        gateway_seq=seq,
        partition=0,
        kind=subject[0],
        id=subject[1],
        valid_from=Micros(begins),
        valid_to=None,
        recorded_at=Micros(T0 + seq),
        corrects=None,
        void=False,
        body=json.dumps(body, separators=(",", ":"), sort_keys=True),
    )


def copies(one: ReferenceSet, partitions: int) -> list[tuple[bytes, ReferenceSet]]:
    """One copy of a record for each partition, each naming its own, with its key."""
    key = f"{one.kind}/{one.id}".encode()
    return [(key, replace(one, partition=partition)) for partition in range(partitions)]


def ticks(now_min: float, partitions: int, *silent: str) -> list[tuple[bytes, Tick]]:
    """One tick for each partition; ``silent`` are gateways."""
    return [
        (b"tick", tick(now_min, *silent, partition=partition)) for partition in range(partitions)
    ]


Subject = tuple[str, str, list[dict[str, Any]]]


def _subjects(rng: Random, sites: Sequence[str], *, process_ids: bool) -> Iterator[Subject]:
    """What there is to describe, with the bodies its versions may have."""
    for site in sites:
        bodies = [_site(rng, site) for _ in range(2)]
        yield "site", site, [bodies[0], bodies[1] | {"role": "depot"}]
        scales = [{"class": "III", "interval_kg": e} for e in (10, 50)]
        yield "device", "WB-" + site, [body | {"repeatability_kg": 8} for body in scales]
        yield "laboratory", "LAB-" + site, [{"u_rel": 0.01, "moisture_u": u} for u in (0.003, 0.01)]
    for source, target in pairwise(sites):
        leg = {"from": source, "to": target}
        allowed = [{"legs": [leg | {"deadline_h": h}]} for h in (0.1, 5)]
        yield "route", f"{source}-{target}", allowed
    yield "commodity", "copper", [{"moisture_fraction": rng.uniform(0.02, 0.1)} for _ in range(2)]
    for analyte, per, amounts in (("Cu", "t", (9650, 12_000)), ("Co", "kg", (33, 20))):
        priced = {"analyte": analyte, "currency": "USD", "per": per}
        yield "price", analyte, [priced | {"amount": amount} for amount in amounts]
    terms = {"seller": "S", "buyer": "B"}
    rules = rng.sample(("umpire", "mean_with_nearer", "between_or_nearer"), 2)
    yield (
        "contract",
        "C-1",
        [
            terms | {"splitting_limit": {"Cu": limit}, "umpire_rule": rule}
            for limit, rule in zip((0.001, 0.004), rules, strict=True)
        ],
    )
    for kind in ("concentrate", "smelt", "leach"):
        yield "process", kind, [_process(rng), _process(rng)]
    if process_ids:
        yield "process", "P-1", [{"recovery": 0.7, "key_analyte": "Co"}]
        yield "process", "PILE", [{"mixing": "fifo"}]


def _site(rng: Random, name: str) -> dict[str, Any]:
    """A site; some say where they lie, at most 80 km apart."""
    body: dict[str, Any] = {"name": name, "country": rng.choice(COUNTRIES)}
    if rng.random() < 0.7:
        body |= {"lat": -10.0 - rng.random() / 2, "lon": 25.0 + rng.random() / 2}
    return body


def _process(rng: Random) -> dict[str, Any]:
    recovery = rng.choice((0.9, {"Cu": 0.9, "Co": 0.55}))
    body = {"key_analyte": rng.choice(("Cu", "Co")), "recovery": recovery}
    allocation = rng.choice((None, "economic", "mass", "key_metal"))
    return body if allocation is None else body | {"allocation": allocation}
