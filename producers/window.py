"""How much may be on its way to Kafka at once: as much as the line carries in a few seconds.

Kafka's client takes whatever it is given. On a line of 64 kbit/s that is minutes of traffic, and
the last record of it is overdue before it is sent; a new one of another partition waits behind
all. So what is handed over is measured by when it is answered, as TCP measures a line: it grows by
what was answered in time, and shrinks where the answer took too long. What waits, waits in the
outbox, where it is in turn.
"""

START_BYTES = 64 * 1024
LEAST_BYTES = 16 * 1024
MOST_BYTES = 16 * 1024 * 1024

TARGET_S = 4.0
"""An answer that took longer says that too much is on its way. Some round trips of a satellite."""

GROW_S = TARGET_S / 2
"""An answer within this says that more could be."""


class Window:
    """The bytes that may be on their way. For one thread; the time is an argument."""

    def __init__(self) -> None:
        self.limit_bytes = START_BYTES
        """Most bytes on their way."""
        self._shrunk_s = float("-inf")

    def answered(self, size: int, used: int, delay_s: float, now_s: float) -> None:
        """Learn from answers that came together.

        Args:
            size: Bytes that were answered.
            used: Bytes that had been on their way with them. Where they were few, the answer says
                nothing of what more would have taken.
            delay_s: How long the slowest took.
            now_s: The time, on the clock of ``delay_s``.
        """
        if delay_s > TARGET_S:
            # Once for what was on its way together: its other answers say the same again.
            if now_s - self._shrunk_s >= delay_s:
                self._shrunk_s = now_s
                kept = max(0.5, TARGET_S / delay_s)
                self.limit_bytes = max(LEAST_BYTES, int(self.limit_bytes * kept))
        elif delay_s <= GROW_S and used * 2 >= self.limit_bytes:
            self.limit_bytes = min(MOST_BYTES, self.limit_bytes + size)
