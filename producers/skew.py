"""How far a sender's clock is off, as far as his request tells.

A request's ``Date`` header (RFC 9110, 6.6.1) is the sender's time to the second; against the time
at which the request is judged it shows the skew, within a second and the time it took to come.
That is enough for what it is for: a clock on summer time, a year off, or never set.
"""

from email.utils import parsedate_to_datetime

from custody.events import Micros

_MS_US = 1_000
_SKEW_MS_MAX = 100 * 366 * 86_400_000
"""Beyond a century it is no clock that is off but a header that is wrong."""


def skew_ms(date: str | None, now: Micros) -> int | None:
    """Return the skew of a sender's clock, milliseconds, positive when it runs ahead.

    Args:
        date: The header; None where there is none.
        now: Time of day of the gateway.

    Returns:
        None where the header is missing, cannot be read, or names no zone.
    """
    if date is None:
        return None
    try:
        sent = parsedate_to_datetime(date)
        if sent.tzinfo is None:
            return None
        found = round(sent.timestamp() * 1_000) - now // _MS_US
    except (ValueError, OverflowError):
        return None
    return found if abs(found) <= _SKEW_MS_MAX else None
