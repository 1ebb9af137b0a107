"""A lot that a process gives back under its own id: crushed, dried or repacked where it lay.

What comes back cannot be what was known when the lot went in: read so, the input would rest on the
output and the output on the input, a ring without an end, and the first weighing of a pile that is
crushed weeks later would come from nowhere. So an input rests on what had been handed over before
it, and a site that the lot was fed at is supplied by what came back only from then on. How wet it
was, a certificate of what came back does not say: it may have been dried.

Source:
    docs/ledger.md, "A lot that comes back"; docs/adr/0022-an-input-rests-on-what-came-before-it.md
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from custody import accounts
from custody.events import Micros
from custody.held import Held
from custody.lot_rows import Certificate, MaterialRow
from custody.rows import Fed


def processes_of(feeds: Iterable[Fed]) -> frozenset[str]:
    """Return the accounts of all processes that a lot went into."""
    return frozenset([accounts.process(fed.side.process) for fed in feeds])


def supplied_by(feeds: Iterable[Fed], given: Sequence[Held]) -> dict[str, Micros | None]:
    """Return the sites that processes supply a lot at.

    Args:
        feeds: The lot's inputs into processes.
        given: What processes handed over with it.

    Returns:
        By site since when: the first input there into a process that gave it back there; None,
        from the start, where a process did that the lot had not been fed to there.
    """
    if not given:
        return {}
    fed: dict[tuple[str, str], Micros] = {}
    for one in feeds:
        key = (accounts.process(one.side.process), one.site)
        fed[key] = min(fed.get(key, one.at), one.at)
    since: dict[str, Micros | None] = {}
    for held in given:
        at = fed.get((held.owner, held.place))
        known = since.get(held.place, at)
        since[held.place] = None if at is None or known is None else min(at, known)
    return since


def came_by(at: Micros, site: str, feeds: Sequence[Fed], given: Sequence[Held]) -> bool:
    """Tell whether a process may have handed over some of what lay at a site at a time.

    What came at that very time lay there; what a lot was fed into then was taken from it after.

    Args:
        at: When all that lay there was weighed.
        site: Where.
        feeds: The lot's inputs into processes.
        given: What processes handed over with it.
    """
    here = [held for held in given if held.place == site]
    back = {
        accounts.process(fed.side.process): fed.at < at
        for fed in sorted(feeds, key=lambda fed: -fed.at)
        if fed.site == site
    }
    return any(back.get(held.owner, held.at <= at) for held in here)


def before(fed: Fed, own: frozenset[str], given: Sequence[Held]) -> list[Held]:
    """Return what had been handed over when a lot went into a process.

    Args:
        fed: The input.
        own: Accounts of all processes the lot went into.
        given: What processes handed over with the lot, in order of their names.

    Returns:
        All but what the process itself gave back, and what others gave back that the lot went
        into, not before the input. What a strange process handed over counts whenever it says so:
        outputs are often written down after the next step has begun.
    """
    process = accounts.process(fed.side.process)
    return [
        held
        for held in given
        if held.owner not in own or (held.owner != process and held.at < fed.at)
    ]


def came_back(fed: Fed, own: frozenset[str], given: Sequence[Held]) -> Micros | None:
    """Return when a lot first came back after an input, from whichever process; None where never.

    Args:
        fed: The input.
        own: Accounts of all processes the lot went into.
        given: What processes handed over with the lot.
    """
    back = [held.at for held in given if held.owner in own and held.at >= fed.at]
    return min(back, default=None)


def as_fed(material: MaterialRow, back: Micros | None) -> MaterialRow:
    """Return what was said of a lot as it speaks for what went in before the lot came back.

    Where a certificate from before that says how wet it was, those of after do not: that is the
    moisture of what came back. Their grades are of the dry mass, or made so, and speak on.

    Args:
        material: What was said of the lot.
        back: When it came back; None where it did not.
    """
    said = material.certificates
    if back is None or not any(c.at < back and c.assayed.moisture is not None for c in said):
        return material
    return replace(material, certificates=[c if c.at < back else _dry(c) for c in said])


def _dry(certificate: Certificate) -> Certificate:
    """Return a certificate without its moisture, its grades on dry basis by that."""
    assayed = certificate.assayed
    share = 1.0 if assayed.moisture is None else 1.0 - assayed.moisture
    results = {
        analyte: value
        if value.dry or assayed.moisture is None
        else value._replace(
            fraction=value.fraction / share,
            u=None if value.u is None else value.u / share,
            dry=True,
        )
        for analyte, value in assayed.results.items()
    }
    return certificate._replace(assayed=assayed._replace(moisture=None, results=results))
