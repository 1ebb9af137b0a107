"""How a history is told, on the command line: under which settings, and how much together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps

import click

PROCESSES_MAX = 4
"""As many as a backtest has partitions."""


@dataclass(frozen=True, slots=True)
class Telling:
    """How a history is told.

    Attributes:
        settings: What reference data is to have said, each NAME=VALUE.
        one_by_one: Each record by itself.
        processes: How many share the work; None for what is worth it.
    """

    settings: Sequence[str]
    one_by_one: bool
    processes: int | None


def options(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options that say how a history is told; it gets them as ``how``."""

    @wraps(command)
    def gathered(
        *, settings: Sequence[str], one_by_one: bool, processes: int | None, **others: object
    ) -> int:
        return command(how=Telling(settings, one_by_one, processes), **others)

    asked: Callable[..., int] = gathered
    for option in reversed(_OPTIONS):
        asked = option(asked)
    return asked


_OPTIONS = (
    click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="NAME=VALUE",
        help="As if reference data had said so: detection.threshold=50.",
    ),
    click.option(
        "--one-by-one",
        is_flag=True,
        help="Judge after each record by itself: twice the time, and finds also what stood "
        "within one series or one minute only.",
    ),
    click.option(
        "--processes",
        type=click.IntRange(1, PROCESSES_MAX),
        help="How many share the work; without it one per core where there is enough to do.",
    ),
)
