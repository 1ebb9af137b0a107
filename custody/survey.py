"""A survey of what lies at a continuous node, compared with its books.

Source:
    docs/detection/process-nodes.md, "Surveys of stock"
"""

from custody.estimate import Estimate, add
from custody.kinds import Kind
from custody.process import SIGMAS, tonnes, whole_u


def unaccounted(kind: Kind, found: Estimate, booked: Estimate) -> str | None:
    """Return what to say where survey and books are apart by more than measurements explain.

    Where something is separated or reacts, what leaves as tailings, slag or gas is seldom weighed:
    there a rest says nothing.

    Args:
        kind: What the node does.
        found: Dry mass by the survey, grams.
        booked: Dry mass by the survey before and by what came and went since.
    """
    if kind.chemical or kind.separating:
        return None
    rest = found.value - booked.value
    apart = add(found, booked, -1.0)
    # Masses are whole grams: whoever states a u of nothing has rounded too.
    u = whole_u(apart._replace(var=apart.var + 1.0))
    if abs(rest) <= SIGMAS * u:
        return None
    return (
        f"A survey found {tonnes(found.value)} of dry mass where {tonnes(booked.value)} should "
        f"lie: {tonnes(abs(rest))} {'too little' if rest < 0 else 'too much'} (u {tonnes(u)}, "
        f"{rest / u:+.1f} sigma)."
    )
