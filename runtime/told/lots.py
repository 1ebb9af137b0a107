"""What is told of a lot: what it holds, where it comes from and goes, what was said of it."""

from typing import cast

from console.answers import LOT, Asked, Part, Told, Unknown
from custody.events import LotDeclared
from custody.handing import GENERATIONS_MAX
from custody.records import Balance
from runtime.ancestry import carried
from runtime.asof import Ask, Holding, of_lot
from runtime.book_rows import Row, holding_row, sum_row
from runtime.examined import examine
from runtime.latest import held, holdings_of, latest
from runtime.period import summed
from runtime.stored import record_of
from runtime.told import lot_facts, lot_history, movements, times
from runtime.traced import Lineage, NoLineage, rows_of, trace
from schemas.present import rfc3339


def parts(ask: Ask) -> dict[str, Part]:
    """Return what can be asked of a lot beside its summary, by name."""
    return {
        "history": lambda asked: lot_history.told(ask, asked),
        "facts": lambda asked: lot_facts.told(ask, asked),
        "changes": lambda asked: lot_facts.changes(ask, asked),
        "movements": lambda asked: movements.told(ask, asked),
        "lineage": lambda asked: lineage(ask, asked),
        "attributes": lambda asked: attributes(ask, asked),
        "traceability": lambda asked: traceability(ask, asked),
    }


def summary(ask: Ask, asked: Asked) -> Told:
    """Tell what a lot holds, per place and quantity, and what it was declared to be.

    Now it is the latest balance, as ``custody balance LOT`` says; as of a time, the sums of
    transfers, as ``--at`` does.
    """
    found: list[Holding]
    moisture: list[Row] = []
    status = ""
    if times.is_now(asked):
        balances = latest(ask, asked.subject)
        shown = held(balances) or balances
        found = [one for some in shown for one in holdings_of(some)]
        moisture = [_moisture(one) for one in shown if one.moisture_fraction is not None]
        status = shown[-1].status if shown else ""
    else:
        found = of_lot(ask, asked.subject, times.times(asked))
        found = [one for one in found if one.value] or found
    more = {"standing": status, "declared": _declared(ask, asked)}
    return Told(_with_totals(found), more, {"moisture": moisture})


def _with_totals(found: list[Holding]) -> list[Row]:
    rows = [holding_row(one) for one in found]
    if len({one.place for one in found}) > 1:
        rows += [
            {"lot_id": found[0].lot_id, "place": "total"} | sum_row(quantity, one)
            for quantity, one in summed(found).items()
        ]
    return rows


def _moisture(one: Balance) -> Row:
    return {
        "place": one.place,
        "moisture_fraction": one.moisture_fraction,
        "moisture_u_fraction": one.moisture_u_fraction,
    }


_DECLARED = """
SELECT * EXCEPT (key, prev, digest, value) FROM lot
WHERE lot_id = {lot:String} AND occurred_at <= {at:DateTime64(6, 'UTC')}
    AND recorded_at <= {known:DateTime64(6, 'UTC')}
"""


def _declared(ask: Ask, asked: Asked) -> Row | None:
    """Return the declaration of a lot that stands; None where there is none."""
    moment = times.moment(asked)
    rows = ask(_DECLARED, moment._asdict() | {"lot": asked.subject})
    facts = [cast("LotDeclared", record_of("lot", row)) for row in rows]
    stand = set(lot_facts.standing_ids(rows))
    last = max(
        (fact for fact in facts if fact.event_id in stand),
        key=lambda fact: (fact.occurred_at, fact.recorded_at, fact.event_id),
        default=None,
    )
    if last is None:
        return None
    return {
        "commodity": last.commodity,
        "form": last.form,
        "custodian": last.custodian,
        "owner": last.owner,
        "custody_model": last.custody_model,
        "site_id": last.site_id,
        "route_id": last.route_id,
        "contract_id": last.contract_id,
        "tags": list(last.tags),
        "mass_dry_g": last.declared_mass_dry_g,
        "occurred_at": rfc3339(last.occurred_at),
        "event_id": last.event_id,
    }


def lineage(ask: Ask, asked: Asked) -> Told:
    """Tell what a lot was made of and what it became part of, as ``custody lineage`` says.

    Rows are of both directions; ``edges`` are what was handed over between them, grams and
    milligrams, and ``cut`` says how many lots lead on beyond.
    """
    moment = times.moment(asked)
    rows: list[Row] = []
    edges: dict[tuple[str, str], Row] = {}
    cut: dict[str, int] = {}
    rings: list[list[str]] = []
    for direction in ("back", "forward"):
        try:
            found = trace(ask, asked.subject, moment, GENERATIONS_MAX, back=direction == "back")
        except NoLineage as error:
            raise Unknown(asked.subject, LOT) from error
        rows += [{"direction": direction, **row} for row in rows_of(found)]
        edges |= _edges(found)
        cut[direction] = len(found.way.cut)
        rings += [list(ring) for ring in found.way.rings]
    return Told(rows, {"cut": cut, "rings": rings}, {"edges": list(edges.values())})


def _edges(found: Lineage) -> dict[tuple[str, str], Row]:
    within = found.way.steps
    return {
        (edge.parent, edge.child): {
            "parent": edge.parent,
            "child": edge.child,
            "mass_wet_g": edge.wet_g,
            "mass_dry_g": edge.dry_g,
            "metal_mg": dict(edge.metals_mg),
        }
        for child in within
        for edge in found.graph.into.get(child, ())
        if edge.parent in within
    }


def attributes(ask: Ask, asked: Asked) -> Told:
    """Tell what travels with a lot: amounts (GHG, water, ...), origins, shares of stages."""
    if times.is_now(asked):
        balances = latest(ask, asked.subject)
        found = [one for some in held(balances) for one in holdings_of(some)]
    else:
        found = of_lot(ask, asked.subject, times.times(asked))
    totals = summed(one for one in found if one.quantity.cls == "attribute")
    dry = sum(one.value for one in found if one.quantity.name == "dry")
    rows: list[Row] = [
        {
            "kind": "amount",
            "name": quantity.name,
            "label": quantity.quality,
            "amount": one.value / 1e6,
            "unit": quantity.unit.removeprefix("micro "),
            "per_t_dry": one.value / dry if dry else None,
            "share_fraction": None,
        }
        for quantity, one in totals.items()
    ]
    return Told(rows + _shares(ask, asked))


def _shares(ask: Ask, asked: Asked) -> list[Row]:
    said = carried(ask, [asked.subject], times.moment(asked)).get(asked.subject)
    if said is None:
        return []
    named = [("origin", {"dry": said.origins} | dict(said.metal_origins)), ("stage", said.stages)]
    return [
        {
            "kind": kind,
            "name": name,
            "label": label,
            "amount": None,
            "unit": None,
            "per_t_dry": None,
            "share_fraction": share,
        }
        for kind, by_name in named
        for name, shares in by_name.items()
        for label, share in sorted(shares.items(), key=lambda one: (-one[1], one[0]))
    ]


def traceability(ask: Ask, asked: Asked) -> Told:
    """Tell how far a lot can be traced, as ``custody traceability`` says: a row per element."""
    try:
        _, answers = examine(ask, asked.subject, times.moment(asked))
    except NoLineage as error:
        raise Unknown(asked.subject, LOT) from error
    return Told(answers)
