"""``python -m demo.history``: what was known of the mines' ore before the demo's first day.

Declarations of the lots and certificates of the mines' laboratories, four days of them, all of ore
that is what it is said to be; one request a line, as ``custody calibrate --facts`` reads them.
"""

import sys
from collections.abc import Iterator

from demo.day import make_day, ndjson
from demo.requests import Request

DAYS = range(-4, 0)
"""Seeds of the days before the first."""


def history() -> Iterator[Request]:
    """Yield the requests of the days, in order of time."""
    for seed in DAYS:
        for request in make_day(seed, kinds=()).sent:
            if request["type"] == "lot" or _of_mine(request):
                yield request


def _of_mine(request: Request) -> bool:
    return request.get("method") == "ICP-OES" and request["party"] == "seller"


if __name__ == "__main__":
    sys.stdout.buffer.writelines(ndjson(list(history())))
