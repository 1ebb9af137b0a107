"""The error tree, by what the caller should do.

CustodyError
  Refused            input is wrong: answer the sender, or dead-letter; never retry
  Unavailable        outside is down: retry with a limit, then stop without committing
  Corrupt            stored history contradicts itself: stop the process, page a person

Leaves live beside the code that raises them. A leaf takes facts as fields and builds its own
text: what and where; what was expected; what to do next.
"""


class CustodyError(Exception):
    """Any error of ours. ``str()`` of it is up to three lines: what, expected, next step."""

    def __init__(self, what: str, *, expected: str = "", next_step: str = "") -> None:
        self.what = what
        self.expected = expected
        self.next_step = next_step
        lines = [what]
        if expected:
            lines.append(f"  expected: {expected}")
        if next_step:
            lines.append(f"  next: {next_step}")
        super().__init__("\n".join(lines))


class Refused(CustodyError):
    """Input is wrong. Exit code 2 on the command line."""


class Unavailable(CustodyError):
    """Something outside is down. Exit code 3 on the command line."""


class Corrupt(CustodyError):
    """Stored history contradicts itself. Exit code 4 on the command line."""
