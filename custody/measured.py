"""What a lot tells the process it came from, once a certificate says what the output really was.

The process handed over what it expected of its inputs; the difference to what was measured goes
back to it, so that what is left in the process is what nobody found, and can be tested. A dry mass
that the output states is measured: the certificate's moisture tells its wet mass, and the water
that is more or less goes back.

Source:
    docs/ledger.md, "Measured outputs".
"""

import math

from custody import carried, handing
from custody.estimate import Estimate, absolute, relative, sigma, times
from custody.held import BEGINNING, BOTH, Held
from custody.knowledge import Amount, Cause
from custody.metrology import dryness
from custody.postings import Context, Made
from custody.process import SIGMAS, tonnes
from custody.rows import Finding


def given_back(made: Made, held: Held, context: Context, *, alone: bool) -> Held | None:
    """Post (handed over) - (measured) back to the process, and return what it is told.

    Args:
        made: Gets the posting, kind ``measured``; none where nothing differs. Also what is found.
        held: What a process handed over.
        context: What is known; figures that no certificate gives are left alone.
        alone: Nothing else is in the lot, of its own or of another process. Else a certificate is
            of all that together: only the water of an output that states its dry mass goes back.

    Returns:
        The content for the process: amounts may be negative, uncertainties are those of what was
        measured. None where no certificate says anything of the lot.
    """
    knowledge = context.knowledge
    made.findings.extend(_contradicted(held, context) if alone else ())
    if not held.owner.startswith("process/") or not (knowledge.moist or knowledge.certified):
        return None
    wet = knowledge.came(held)
    if alone and knowledge.moist:
        # Of a dry mass that is stated this is that again: see ``came``.
        dry = times(relative(wet), knowledge.dryness)
    else:
        dry = relative(Estimate(float(held.dry), held.dry_u**2, held.dry_parts))
    back: dict[str, int] = {}
    estimates: dict[str, Estimate] = {}
    for analyte in sorted(knowledge.certified & knowledge.grades.keys()) if alone else ():
        measured = times(dry, knowledge.grades[analyte])
        expected = held.metals[analyte][0] if analyte in held.metals else 0
        back[analyte] = expected - round(measured.value * 1000.0)
        estimates[analyte] = absolute(measured._replace(value=measured.value * 1000.0))
    amount = Amount(held.wet - round(wet.value), held.dry - round(dry.value), back)
    if not (amount.wet or amount.dry or any(back.values())):
        return None
    cause = Cause(held.at, BEGINNING, held.cause)
    account = held.owner
    process = held.owner.removeprefix("process/")
    made.post("measured", cause, context.here(held.place), account, amount, process=process)
    return handing.held(
        cause,
        (held.owner, held.place),
        0,
        amount,
        (wet, absolute(dry), estimates),
        carried.NOTHING_CARRIED,
    )


def _contradicted(held: Held, context: Context) -> list[Finding]:
    """Find a dry mass that was stated beside a wet one, where a certificate says another.

    The two masses state a moisture that nobody gave a u of: it is taken to be the site's.
    """
    knowledge = context.knowledge
    if held.stated != BOTH or not knowledge.moist or held.wet <= 0:
        return []
    laboratory = context.references.laboratory(held.place, held.at)
    stated = dryness(1.0 - held.dry / held.wet, None, laboratory)
    u = math.hypot(sigma(absolute(stated)), sigma(absolute(knowledge.dryness)))
    apart = stated.value - knowledge.dryness.value
    if abs(apart) <= SIGMAS * u:
        return []
    counts = tonnes(held.wet * knowledge.dryness.value)
    detail = f"{held.owner} states {tonnes(held.dry)} of dry mass in {tonnes(held.wet)}; by the"
    detail = f"{detail} certificate it is {counts} ({-apart / u:+.1f} sigma), which counts"
    return [Finding("stated_dry_differs", held.cause, detail)]
