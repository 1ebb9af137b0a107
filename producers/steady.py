"""A time of day that never goes backwards, whatever the machine's clock does.

``recorded_at`` orders what a gateway took, also for who reads it years later; and a plant's PC has
its clock set back now and then. So the outbox gives the later of the clock and the last time it
gave, and keeps that time on disk. After a clock that ran ahead has been set right, records bear
the last time given until the clock has caught up.
"""

from custody.events import Micros


class Steady:
    """Times in order. For one thread.

    Args:
        last: The last time given before; 0 for none.
    """

    def __init__(self, last: Micros) -> None:
        self.last = last
        """The last time given."""

    def at(self, now: Micros) -> Micros:
        """Return the time of day, or the last time given where that is later."""
        self.last = max(self.last, now)
        return self.last

    def after(self, now: Micros) -> Micros:
        """Return the time of day, or the next microsecond where that is not later than the last.

        So what was sent later in one list was recorded later, and the later correction counts.
        """
        self.last = Micros(max(self.last + 1, now))
        return self.last
