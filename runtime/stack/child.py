"""Stand between the supervisor and a program: take its lock, tie it to the supervisor, become it.

``python -I child.py LOCK SUPERVISOR_PID PROGRAM ARGUMENT...``

The lock is held by the open file, which the program inherits, so the kernel lets it go exactly
when the program is gone: no two processes of one name ever run on one data directory, whatever
happened to the supervisor before. On Linux the program also gets SIGTERM when the supervisor
dies. Run by path and without site packages: it costs some 20 ms and no memory.
"""

import ctypes
import fcntl
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Become the program. Blocks until the one before it is gone."""
    lock, supervisor_pid, *program = arguments
    _end_with_parent(int(supervisor_pid))
    held = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(held, fcntl.LOCK_EX)
    os.set_inheritable(held, True)  # noqa: FBT003  the standard library's signature
    os.execv(program[0], program)  # noqa: S606  the argument list is the supervisor's, no shell


def _end_with_parent(supervisor_pid: int) -> None:
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != supervisor_pid:  # it died before we asked
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
