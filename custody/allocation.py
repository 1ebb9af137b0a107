"""How attributes are divided among the outputs of a process: to the millionth, nothing left.

Source:
    docs/adr/0015-allocate-attributes-to-outputs-only.md
"""

from collections.abc import Callable, Mapping, Sequence

from custody.carried import metals_of
from custody.kinds import ECONOMIC, KEY_METAL, Kind
from custody.knowledge import Amount


def key_of(
    kind: Kind, inputs: Mapping[str, int], price: Callable[[str], float]
) -> Callable[[int, Mapping[str, int]], float]:
    """Return what measures an amount for allocation, from its dry mass and its metals.

    A key that is nothing in the inputs, because nobody measured that metal or it has no price,
    divides nothing: then dry mass does.

    Args:
        kind: The kind of process.
        inputs: Metals of the inputs, milligrams.
        price: Price of a metal, per gram.
    """
    analyte = kind.key_analyte
    if kind.allocation == KEY_METAL and analyte is not None and inputs.get(analyte, 0) > 0:
        return lambda _, metals: float(metals.get(analyte, 0))
    if kind.allocation == ECONOMIC:
        prices = {name: price(name) for name in sorted(inputs)}
        if any(prices[name] > 0.0 and value > 0 for name, value in inputs.items()):
            return lambda _, metals: sum(v * prices.get(name, 0.0) for name, v in metals.items())
    return lambda dry, _: float(dry)


def allocated(
    pool: Mapping[str, int],
    outputs: Sequence[Amount],
    key: Callable[[int, Mapping[str, int]], float],
    open_key: float | None,
) -> list[dict[str, int]]:
    """Return the attributes of each output.

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
