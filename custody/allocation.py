"""How attributes are divided among the outputs of a process: to the millionth, nothing left.

An output counts with the metals it is known to hold: by its lot's certificates, else as handed
over. What is handed over never depends on attributes, so what a lot answers stays as it was, and
the exchange ends.

Source:
    docs/adr/0015-allocate-attributes-to-outputs-only.md;
    docs/adr/0034-allocate-attributes-by-what-outputs-are-known-to-hold.md
"""

from collections.abc import Callable, Mapping, Sequence

from custody.carried import attributes_of, metals_of
from custody.events import Micros
from custody.held import Held
from custody.kinds import ECONOMIC, KEY_METAL, Kind
from custody.knowledge import Amount
from custody.reference import References

Key = Callable[[int, Mapping[str, int]], float]
"""What an amount counts as, from its dry mass in grams and its metals in milligrams."""


def weights_of(
    kind: Kind, inputs: Mapping[str, int], price: Callable[[str], float]
) -> dict[str, float]:
    """Return what a milligram of each metal counts as; empty where dry mass divides.

    A key that is nothing in the inputs, because nobody measured that metal or it has no price,
    divides nothing: then dry mass does.

    Args:
        kind: The kind of process.
        inputs: Metals of the inputs, milligrams.
        price: Price of a metal, per gram.
    """
    analyte = kind.key_analyte
    if kind.allocation == KEY_METAL and analyte is not None and inputs.get(analyte, 0) > 0:
        return {analyte: 1.0}
    if kind.allocation != ECONOMIC:
        return {}
    # In one order: sums of floats depend on it.
    prices = {name: value for name in sorted(inputs) if (value := price(name)) > 0.0}
    return prices if any(inputs[name] > 0 for name in prices) else {}


def key_of(kind: Kind, inputs: Mapping[str, int], price: Callable[[str], float]) -> Key:
    """Return what measures an amount for allocation; see ``weights_of``."""
    weights = weights_of(kind, inputs, price)
    if not weights:
        return lambda dry, _: float(dry)
    return lambda _, metals: _weighed(metals, weights)


def _weighed(metals: Mapping[str, int], weights: Mapping[str, float]) -> float:
    return sum(metals.get(name, 0) * weight for name, weight in weights.items())


def as_measured(amount: Amount, back: Held | None) -> Amount:
    """Return an output with the metals that its lot has measured, its dry mass as handed over.

    Args:
        amount: As handed over.
        back: What its lot gave back, (handed over) - (measured); None where nothing was measured.
    """
    if back is None:
        return amount
    less = {name: -value for name, (value, _, _) in back.metals.items()}
    found = {name: amount.amounts.get(name, 0) + value for name, value in less.items()}
    return amount._replace(amounts=amount.amounts | found)


def allocated(
    pool: Mapping[str, int], outputs: Sequence[Amount], key: Key, open_key: float | None
) -> list[dict[str, int]]:
    """Return the attributes of each output of a batch.

    Args:
        pool: What inputs brought and the process added, millionths.
        outputs: Grams and milligrams of each; the last takes what rounding leaves at close.
        key: What measures an output.
        open_key: Key of the inputs while the process is open; None at close.

    Returns:
        By output; empty where the key of all of them is zero.
    """
    keys = [max(key(output.dry, metals_of(output.amounts)), 0.0) for output in outputs]
    whole = sum(keys) if open_key is None else max(open_key, sum(keys))
    if sum(keys) <= 0.0:
        return [{} for _ in outputs]
    found = [{name: round(value * mine / whole) for name, value in pool.items()} for mine in keys]
    if open_key is None:
        for name, value in pool.items():
            found[-1][name] += value - sum(amounts[name] for amounts in found)
    return found


def of_node(
    kind: Kind, books: Amount, output: Amount, back: Held | None, when: tuple[References, Micros]
) -> dict[str, int] | None:
    """Return the attributes of an output of a continuous node that its lot has measured.

    Args:
        kind: The kind of node.
        books: All that was in the node's books before the output.
        output: The output as handed over.
        back: What its lot gave back; None where nothing was measured.
        when: Prices, and the time of which they are taken.

    Returns:
        Millionths: key of the output / key of the books of all that is there, at most all. None
        where dry mass divides: also where no certificate gives a metal that counts, because a
        separation hands over no metal of its own.
    """
    if back is None:
        return None
    metals, (references, at) = metals_of(books.amounts), when
    weights = weights_of(kind, metals, lambda name: references.price(name, at))
    if not weights.keys() & back.metals.keys():
        return None
    whole = _weighed(metals, weights)
    if whole <= 0.0:
        return None
    mine = min(max(_weighed(as_measured(output, back).amounts, weights), 0.0), whole)
    pool = attributes_of(books.amounts)
    return {name: round(value * mine / whole) for name, value in sorted(pool.items())}
