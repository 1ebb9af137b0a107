"""How well what is in the books of a continuous node is known, while events happen to it.

What the books hold gets worse with every scale, in and out; what the layers are made of does not,
and is kept with them (``custody.layer_known``). So the state has of the dry mass what its layers'
dry share does not say: scales, and what left the layers and not the books.

Source:
    docs/ledger.md, "Continuous nodes"; docs/uncertainty.md, "The dry share of a process"
"""

from collections.abc import Sequence

from custody import metal_books
from custody.carried import NOTHING_CARRIED
from custody.estimate import NOTHING, Estimate, absolute, over, relative
from custody.held import Held
from custody.layer_known import (
    in_books,
    joined,
    metals_in,
    of_node,
    plus,
    summed,
    surveyed,
    together,
)
from custody.process import Estimates, held_estimates
from custody.process_known import Leaving, beyond, output_known, share_in, source_of
from custody.process_rows import Layer, Material, StateRow


def pooled(layers: Sequence[Layer], process_id: str) -> tuple[Estimate, dict[str, Estimate]]:
    """Return dry share and metals of layers as one, in relative form, named by the process alone.

    Args:
        layers: What lies there, or was drawn.
        process_id: The process.
    """
    if not layers:
        return NOTHING, {}
    dry, metals = sum(layer.dry for layer in layers), metals_in(layers)
    known = of_node(joined([layer.known for layer in layers]))
    return together([Layer(0, dry, metals, NOTHING_CARRIED, known)], process_id)


def booked(state: StateRow, process_id: str) -> Estimate:
    """Return how well the dry mass in the books is known; its value is that of the layers."""
    layers = state.layers
    dry, parts = sum(layer.dry for layer in layers), _labs(layers)
    var, others = plus(state.dry_u, Estimate(0.0, 0.0, parts))
    own = {source_of(process_id): in_books(layers)}
    return Estimate(float(dry), var, summed([others, own]))


def arrive(state: StateRow, known: Estimates, before: float) -> None:
    """Let the scale that weighed an input into the books.

    What is gone from a layer and is in the books goes with the layers that it is mixed with only
    as far as their error is still its own; the rest is random.

    Args:
        state: After its layers were mixed; changed in place.
        known: How well the input is known.
        before: What their dry shares did to the books before that, grams (``in_books``).
    """
    state.wet_u = plus(state.wet_u, known.wet)
    var, parts = plus(state.dry_u, beyond(known.dry, share_in(known)))
    state.dry_u = var + max(before**2 - in_books(state.layers) ** 2, 0.0), parts


def leave(state: StateRow, out: Leaving, measured: Held | None, taken: Sequence[Layer]) -> None:
    """Let something leave the books that was taken from layers.

    Args:
        state: Its layers are those that stay; changed in place.
        out: What left.
        measured: What it was measured to be less than that.
        taken: From which layers, oldest first.
    """
    derived = out.derived and measured is None
    for layer in taken:
        _go(
            state,
            layer.known,
            layer.known.gone if derived else layer.known.gone + layer.known.share,
        )
    dry = sum(layer.dry for layer in taken)
    drawn = Estimate(float(dry), 0.0, _labs(taken))
    known = output_known(out, {}, {}, relative(drawn))
    if measured is not None:
        known = held_estimates(measured)
    state.wet_u = plus(state.wet_u, known.wet, -1.0)
    state.dry_u = plus(state.dry_u, beyond(known.dry, drawn), -1.0)


def _go(state: StateRow, known: Material, gone: float) -> None:
    """Let an error be gone from layers and not from the books; a part of it may lie there still."""
    first = state.layers[0] if state.layers else None
    if first is not None and first.known.cause == known.cause:
        stays = first.known._replace(gone=first.known.gone + gone)
        state.layers[0] = first._replace(known=stays)
    else:
        state.dry_u = state.dry_u[0] + gone**2, state.dry_u[1]


def survey(state: StateRow, found: Leaving, stated: str | None) -> None:
    """Let a survey say how much is in the books.

    Args:
        state: Its layers are as surveyed; changed in place.
        found: The survey.
        stated: Cause of their dry shares, where it states what the material is; else None.
    """
    dry = absolute(found.own._replace(value=found.dry))
    if stated is not None:
        share = over(found.own, relative(found.wet))
        state.layers = [surveyed(layer, share, stated) for layer in state.layers]
        dry = beyond(dry, absolute(share._replace(value=found.dry)))
    elif not found.derived:
        # How dry the layers are says nothing of a dry mass that was measured.
        dry = beyond(dry, Estimate(0.0, 0.0, _labs(state.layers)))
        state.layers = [
            layer._replace(known=layer.known._replace(gone=-layer.known.share))
            for layer in state.layers
        ]
    by_dry_mass = stated is None and not found.derived
    metal_books.survey(state, dry, by_dry_mass=by_dry_mass)
    state.wet_u = found.wet.var, dict(found.wet.parts)
    state.dry_u = dry.var, dict(dry.parts)


def _labs(layers: Sequence[Layer]) -> dict[str, float]:
    """Return what is systematic of the dry shares of layers, grams."""
    return summed(layer.known.parts for layer in layers)
