"""What an instrument or a way remembers of one lot."""

from struct import Struct
from typing import NamedTuple

import numpy as np

from custody.events import Micros

FIGURE = np.dtype("<i4")
"""A figure of a lot: whole millionths of the logarithm."""

FIGURE_MAX = 2_000_000_000
"""Greatest figure, either way: a factor no instrument is off by."""

FOUR = Struct("<4i")

OF = "|"
"""Between who explains of a residual and the quantity by which."""


class Heard(NamedTuple):
    """What a lot says: when it was measured, which lot, on which ways, after which fact.

    ``figures``: by quantity, in the order of ``quantities``, value, u, shared u and what others
    explain, as four ``FIGURE``: a chart reads all its lots with each word that comes, and these are
    read without being looked at one by one. ``rivals``: quantity, who explains of it, and how many
    millionths; of most lots nobody does.
    """

    at: Micros
    lot: str
    ways: tuple[str, ...]
    event_id: str
    quantities: tuple[str, ...]
    figures: bytes
    rivals: tuple[tuple[str, str, int], ...] = ()

    def of(self, quantity: str) -> tuple[int, ...]:
        """Return the four figures of one of the quantities."""
        return FOUR.unpack_from(self.figures, FOUR.size * self.quantities.index(quantity))
