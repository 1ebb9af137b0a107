"""Whether a part at the other end of the line answers, and since when."""

from collections.abc import Callable

from custody.events import Micros

_NAMES = {None: "unknown", True: "up", False: "away"}


class Standing:
    """What was last heard of a part. Told by one thread, read by any.

    Args:
        clock: Time of day.

    Attributes:
        up: Whether it answered when last heard of; None before the first word of it.
        since: Since when that is so; None before the first word of it.
    """

    def __init__(self, clock: Callable[[], Micros]) -> None:
        self._clock = clock
        self.up: bool | None = None
        self.since: Micros | None = None

    @property
    def name(self) -> str:
        """``up``, ``away`` or ``unknown``."""
        return _NAMES[self.up]

    def tell(self, *, up: bool | None) -> None:
        """Note whether it answered; None says nothing and changes nothing."""
        if up is None or up is self.up:
            return
        # In this order, so that a reader never sees the new state with no time at all.
        self.since = self._clock()
        self.up = up
