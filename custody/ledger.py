"""From what should stand and what stands to transfers: the difference, never an edit.

A posting that no longer should stand is compensated by its own amounts negated; one that should
and does not is posted. Equal postings are left alone, whatever new fact they could be said to
rest on.
"""

from collections.abc import Mapping, Sequence

from custody.carried import MARK, Said, said_attributes
from custody.events import Micros
from custody.held import BEGINNING, Posted
from custody.records import Amount, Transfer

_SAME = slice(0, 6)
"""Fields of ``Posted`` that make it the same posting: accounts, amounts, effective time."""


class Clock:
    """When this step's records became known: all of them when the newest was.

    What is posted rests on any of them, also on those recorded after its own fact: were it known
    with that fact, an answer for a time between would rest on what nobody had said yet. It rests
    on what the owner took in earlier steps too, whenever that was recorded: so an owner's time
    never runs backwards, and what is known by a time is what it had said by some step.

    Args:
        records: recorded_at and event_id of the step's records; at least one.
        before: The time this owner's last step ended with.

    Attributes:
        newest: When the newest of this step and all before it was recorded.
        cause: Event_id of the newest of this step.
    """

    __slots__ = ("cause", "newest")

    def __init__(self, records: Sequence[tuple[Micros, str]], before: Micros = BEGINNING) -> None:
        newest, self.cause = max(records)
        self.newest = max(newest, before)


def difference(
    posted: Mapping[str, Posted],
    wanted: Mapping[str, Posted],
    owner: tuple[str | None, str | None],
    shares: Said,
    clock: Clock,
) -> tuple[list[Transfer], set[str]]:
    """Return the transfers that lead from what stands to what should, and accounts they touch.

    Args:
        posted: What stands.
        wanted: What should.
        owner: Lot id and process id the transfers are about.
        shares: What they carry; their attributes stand among the amounts.
        clock: When it became known.

    Returns:
        Compensations, then new transfers in the order of ``wanted``.
    """
    undone: list[Transfer] = []
    done: list[Transfer] = []
    accounts: set[str] = set()
    for key, old in posted.items():
        new = wanted.get(key)
        if new is None or new[_SAME] != old[_SAME]:
            undone.append(_transfer(key, old, owner, shares, clock.newest, clock.cause))
            accounts.update((old.debit, old.credit))
    for key, new in wanted.items():
        old_or_none = posted.get(key)
        if old_or_none is None or new[_SAME] != old_or_none[_SAME]:
            done.append(_transfer(key, new, owner, shares, clock.newest))
            accounts.update((new.debit, new.credit))
    return undone + done, accounts


def _transfer(
    key: str,
    posting: Posted,
    owner: tuple[str | None, str | None],
    shares: Said,
    known: Micros,
    undone_by: str | None = None,
) -> Transfer:
    """Return a posting as a transfer, or where ``undone_by`` names a record, its negation.

    A compensation keeps the kind, so that amounts by kind add up; its cause is what undid it.
    """
    kind, event_id = key.split("|")[:2]
    sign = 1 if undone_by is None else -1
    return Transfer(
        sender="",
        n=0,
        kind=kind,
        cause_event_id=event_id if undone_by is None else undone_by,
        debit=posting.debit,
        credit=posting.credit,
        mass_wet_g=sign * posting.wet,
        mass_dry_g=sign * posting.dry,
        metals=tuple(
            [
                Amount(analyte=a, value_mg=sign * v)
                for a, v in posting.amounts.items()
                if not a.startswith(MARK)
            ]
        ),
        effective_at=posting.at,
        known_at=known,
        replaces_event_id=None if undone_by is None else event_id,
        replaces_kind=None if undone_by is None else kind,
        lot_id=owner[0],
        process_id=owner[1] or posting.process,
        movement_id=posting.movement,
        origins=shares.origins,
        metal_origins=shares.metal_origins,
        shares=shares.shares,
        attributes=said_attributes(posting.amounts, sign),
    )
