"""Layers of material in a continuous node: joining them, and taking a part of them.

Source:
    docs/ledger.md, "Continuous nodes".
"""

from collections.abc import Mapping, Sequence

from custody import carried as travelling
from custody import layer_known
from custody.kinds import FIFO, Kind
from custody.process_rows import Layer

LAYERS_MAX = 64
"""Layers of a pile whose oldest material leaves first."""
LAYERS_BYTES = 48_000
"""Bytes of all layers together, so that their row stays below 64 kB."""


def settle(layers: list[Layer], kind: Kind, beside: int = 0) -> None:
    """Keep as many layers as the mixing and the bound on the row allow.

    Args:
        layers: Oldest first; changed in place.
        kind: How they mix.
        beside: Bytes of what else is said of the node's uncertainty.
    """
    most = LAYERS_BYTES - beside
    if kind.mixing != FIFO:
        # What a node has once is named by the node alone.
        if layers:
            whole = blend(layers, kind)
            layers[:] = [whole._replace(known=layer_known.of_node(whole.known))]
        return
    while len(layers) > 1 and (len(layers) > LAYERS_MAX or _bytes_of(layers) > most):
        pairs = range(len(layers) - 1)
        at = min(pairs, key=lambda n: layers[n].dry + layers[n + 1].dry)
        layers[at : at + 2] = [blend(layers[at : at + 2], kind)]


def _bytes_of(layers: Sequence[Layer]) -> int:
    return sum(
        travelling.bytes_of(layer.carried)
        + travelling.size_of(layer.metals)
        + layer_known.bytes_of(layer.known)
        for layer in layers
    )


def blend(layers: Sequence[Layer], kind: Kind) -> Layer:
    """Return layers as one, their shares weighted as the kind weighs."""
    if len(layers) == 1:
        return layers[0]
    key = kind.key_analyte if kind.separating else None
    heavy = key is not None and any(layer.metals.get(key, 0) > 0 for layer in layers)
    carried = travelling.blended(
        [
            (
                float(max(layer.metals.get(key or "", 0) if heavy else layer.dry, 0)),
                layer.metals,
                layer.carried,
            )
            for layer in layers
        ]
    )
    metals = layer_known.metals_in(layers)
    wet, dry = sum(layer.wet for layer in layers), sum(layer.dry for layer in layers)
    return Layer(wet, dry, metals, carried, layer_known.joined([one.known for one in layers]))


def resized(layer: Layer, dry: int, whole: int) -> Layer:
    """Return dry/whole of a layer, each figure rounded; its attributes stay."""
    return Layer(
        round(layer.wet * dry / whole),
        round(layer.dry * dry / whole),
        {name: round(value * dry / whole) for name, value in layer.metals.items()},
        layer.carried,
        layer_known.scaled(layer.known, dry / whole),
    )


def attach(layers: list[Layer], attributes: Mapping[str, int]) -> None:
    """Let loose attributes lie with the oldest layer.

    What is owed, because an output took by its metals more than lay with what it drew, is taken of
    the oldest layers that hold it, so that none holds less than nothing while another has some.

    Args:
        layers: Oldest first, at least one; changed in place.
        attributes: Millionths of their units; negative where owed.
    """
    for name, value in attributes.items():
        rest = value
        for number, layer in enumerate(layers):
            there = layer.carried.attributes.get(name, 0)
            if there * rest < 0:
                both = there + rest
                enough = both * there >= 0
                layers[number] = _with(layer, name, both if enough else 0)
                rest = 0 if enough else both
        if rest:
            there = layers[0].carried.attributes.get(name, 0)
            layers[0] = _with(layers[0], name, there + rest)


def _with(layer: Layer, name: str, value: int) -> Layer:
    attributes = dict(sorted((layer.carried.attributes | {name: value}).items()))
    return layer._replace(carried=layer.carried._replace(attributes=attributes))


def first_out(layers: Sequence[Layer], wet: int | None, dry: int | None) -> tuple[int, int]:
    """Return wet and dry grams of what leaves first of so much mass; all there is where it is less.

    Args:
        layers: Oldest first.
        wet: Grams that leave, where no dry mass is stated.
        dry: Grams of dry mass that leave; it counts where both are stated.
    """
    mass = wet or 0 if dry is None else dry
    wet_out = dry_out = 0
    for layer in layers:
        there = layer.wet if dry is None else layer.dry
        if there > mass:
            wet_out += round(layer.wet * mass / there)
            dry_out += round(layer.dry * mass / there)
            break
        wet_out, dry_out, mass = wet_out + layer.wet, dry_out + layer.dry, mass - max(there, 0)
    return wet_out, dry_out


def cut(layer: Layer, dry: int) -> tuple[Layer, Layer]:
    """Return what a dry mass takes of a layer, and what stays."""
    attributes = layer.carried.attributes
    mine = {name: round(value * dry / layer.dry) for name, value in attributes.items()}
    rest = {name: value - mine[name] for name, value in attributes.items()}
    part = resized(layer, dry, layer.dry)
    metals = {name: value - part.metals[name] for name, value in layer.metals.items()}
    return (
        part._replace(dry=dry, carried=layer.carried._replace(attributes=mine)),
        Layer(
            layer.wet - part.wet,
            layer.dry - dry,
            metals,
            layer.carried._replace(attributes=rest),
            layer_known.left(layer.known, 1.0 - dry / layer.dry),
        ),
    )
