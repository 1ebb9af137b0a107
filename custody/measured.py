"""What a lot tells the process it came from, once a certificate says what the output really was.

The process handed over what it expected of its inputs; the difference to what was measured goes
back to it, so that what is left in the process is what nobody found, and can be tested. A dry mass
that the output states is measured: the certificate's moisture tells its wet mass, and the water
that is more or less goes back.

Source:
    docs/ledger.md, "Measured outputs".
"""

from custody import carried, handing
from custody.estimate import Estimate, absolute, relative, times
from custody.held import BEGINNING, Held
from custody.knowledge import Amount, Cause
from custody.postings import Context, Made


def given_back(made: Made, held: Held, context: Context, *, alone: bool) -> Held | None:
    """Post (handed over) - (measured) back to the process, and return what it is told.

    Args:
        made: Gets the posting, kind ``measured``; none where nothing differs.
        held: What a process handed over.
        context: What is known; figures that no certificate gives are left alone.
        alone: No other process handed the lot over. Else a certificate is of what they gave
            together: only the water of an output that states its dry mass goes back.

    Returns:
        The content for the process: amounts may be negative, uncertainties are those of what was
        measured. None where no certificate says anything of the lot.
    """
    knowledge = context.knowledge
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
