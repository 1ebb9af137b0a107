"""One way to log: one JSON object per line on standard error.

The message is a constant phrase, the facts are fields: ``log.info("partition assigned",
extra={"topic": t, "partition": p})``. Normal operation is silent above DEBUG but for start, stop,
rebalance and migration. An error is logged once, where it is handled.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from typing_extensions import override

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
"""Attributes every record has; whatever else it carries is a field of ours."""

QUIET = ("aiokafka", "faust", "mode", "httpx", "httpcore", "uvicorn.access", "asyncio", "sqlglot")
"""Libraries that talk at INFO; they are heard from WARNING on."""


class JsonFormatter(logging.Formatter):
    """Writes a record as one JSON line: at, level, process, logger, message, then its fields."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its line feed; a value JSON does not know becomes its text."""
        line: dict[str, object] = {
            "at": _stamp(record.created),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update((k, v) for k, v in record.__dict__.items() if k not in _STANDARD)
        if record.exc_info is not None and record.exc_info[1] is not None:
            line["error"] = f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}"
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def configure(process: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send all logging of this process to one stream; a later call replaces the earlier one.

    Args:
        process: Name of the process, such as ``worker-1``; a field of every line.
        level: Lowest level that is written.
        stream: Where to; standard error by default.
    """
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(JsonFormatter(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _stamp(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
