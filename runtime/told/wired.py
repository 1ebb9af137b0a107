"""All that pages can ask, put together."""

from collections.abc import Callable, Mapping

from console.answers import LOT, PROCESS, SITE, SUMMARY, Answers, Asked, Part, Told
from console.rows import Row
from runtime.asof import Ask
from runtime.told import instruments, lots, processes, sites, times
from runtime.told.known import where_known

Gate = Callable[[str], Mapping[str, object]]
"""Says of a lot what a gate is told: status, holds, open alerts."""


def answers(ask: Ask, gate: Gate, complete_to: Callable[[], list[Row]]) -> Answers:
    """Return what can be asked of lots, sites, processes and charts.

    Args:
        ask: Runs SQL, from any thread.
        gate: Stands beside what a lot holds now.
        complete_to: Up to when each site is complete.
    """

    def lot(asked: Asked) -> Told:
        told = lots.summary(ask, asked)
        # What a gate is told is of now, and nothing that an answer of another time should say.
        status = gate(asked.subject) if times.is_now(asked) else None
        return Told(told.rows, {**told.more, "gate": status}, told.tables)

    def known(kind: str, parts: Mapping[str, Part]) -> Mapping[str, Part]:
        return {name: where_known(ask, kind, part) for name, part in parts.items()}

    return Answers(
        parts={
            "lots": known(LOT, lots.parts(ask) | {SUMMARY: lot}),
            "sites": known(SITE, sites.parts(ask)),
            "processes": known(PROCESS, processes.parts(ask)),
            "charts": {SUMMARY: lambda asked: instruments.chart(ask, asked)},
        },
        complete_to=complete_to,
    )
