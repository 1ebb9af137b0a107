"""The two ways a worker ends itself: to be started again, or for good with a named reason.

Both end the process at once, without clean-up: what is not committed is read again, and anything
a dying process still sends is what the guards exist to prevent.
"""

import logging
import os
import sys
import traceback
from typing import NoReturn

from custody.errors import Corrupt

EXIT_RESTART = 70
"""Something unexpected: the supervisor starts the worker again from its last commit."""

EXIT_STOPPED = 4
"""Starting again would end the same way (``custody.errors.Corrupt``): a person must look."""

log = logging.getLogger("streams")


def restart(reason: str, error: BaseException | None = None, /, **facts: object) -> NoReturn:
    """End the process with code 70.

    Args:
        reason: Constant phrase.
        error: What was caught, if anything; its traceback is logged.
        facts: Fields of the log line.
    """
    _end(EXIT_RESTART, f"worker ends to be started again: {reason}", error, facts)


def stop(reason: str, error: BaseException | None = None, /, **facts: object) -> NoReturn:
    """End the process with code 4, which the supervisor does not answer with a restart."""
    _end(EXIT_STOPPED, f"worker stopped: {reason}", error, facts)


def on_error(error: Exception, /, **facts: object) -> NoReturn:
    """End the process as an error asks for: for good where history is corrupt, else with 70."""
    if isinstance(error, Corrupt):
        stop(error.what, error, **facts)
    restart("unexpected exception", error, **facts)


def _end(code: int, text: str, error: BaseException | None, facts: dict[str, object]) -> NoReturn:
    try:
        log.critical(text, exc_info=error, extra=facts)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except (OSError, ValueError):
        traceback.print_exc()
    finally:
        os._exit(code)
