"""What is dear to compute and often asked again, kept up to a bound; used longest ago goes first.

Keys name detectors by number (``Detector.name``): what is kept of one does not keep it alive.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def _one(_: object) -> int:
    return 1


class Kept(Generic[K, V]):
    """Values by key.

    Args:
        most: Sum of sizes that may be kept.
        size: Of a value; without it values are counted.
    """

    def __init__(self, most: int, size: Callable[[V], int] = _one) -> None:
        self._most = most
        self._size = size
        self._found: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._whole = 0

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Return the value under a key, made where it is not there."""
        found = self._found.get(key)
        if found is not None:
            self._found.move_to_end(key)
            return found[0]
        value = make()
        size = self._size(value)
        self._found[key] = value, size
        self._whole += size
        while self._whole > self._most:
            _, (_, gone) = self._found.popitem(last=False)
            self._whole -= gone
        return value
