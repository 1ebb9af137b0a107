"""What a process tells its disk and its peers: a trace of system calls, by Python alone.

``ptrace`` through ctypes, so that it runs wherever the suite runs on Linux: no strace, no compiler.
The traced program is a function that is called in a forked child once all is imported, so that
only its own calls are stopped at, and of those only the ones that write, sync, name or send.

    python -m tests.support.power_trace TRACE MODULE:FUNCTION [ARGUMENT...]

writes the calls to the file TRACE (pickled, in order), when the function has returned.
"""

import ctypes
import importlib
import os
import pickle
import platform
import signal
import struct
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

AVAILABLE = sys.platform == "linux" and platform.machine() in {"x86_64", "aarch64"}

_NUMBERS: dict[str, tuple[int, int]] = {
    "write": (1, 64),
    "pwrite64": (18, 68),
    "writev": (20, 66),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "fsync": (74, 82),
    "fdatasync": (75, 83),
    "ftruncate": (77, 46),
    "open": (2, -1),
    "openat": (257, 56),
    "mkdir": (83, -1),
    "mkdirat": (258, 34),
    "unlink": (87, -1),
    "unlinkat": (263, 35),
    "rename": (82, -1),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "mmap": (9, 222),
    "pwritev": (296, 70),
    "pwritev2": (328, 287),
    "fallocate": (285, 47),
    "copy_file_range": (326, 285),
    "sendfile": (40, 71),
}
"""Of what is looked at, on x86-64 and on ARM64."""

_WRITES = {"write", "pwrite64", "writev", "sendto", "sendmsg"}
_OPEN = {"fsync": "sync", "fdatasync": "sync", "ftruncate": "truncate"}
_NAMES: dict[str, tuple[str, tuple[int | None, ...]]] = {
    "open": ("open", (None, 0)),
    "openat": ("open", (0, 1)),
    "mkdir": ("mkdir", (None, 0)),
    "mkdirat": ("mkdir", (0, 1)),
    "unlink": ("unlink", (None, 0)),
    "unlinkat": ("unlink", (0, 1)),
    "rename": ("rename", (None, 0, None, 1)),
    "renameat": ("rename", (0, 1, 2, 3)),
    "renameat2": ("rename", (0, 1, 2, 3)),
}
"""What they do, and which arguments are directory and path, once or twice."""

_TARGET = {"mmap": 4, "copy_file_range": 2}
"""Argument that is the file changed, of calls that change one in ways that are not followed."""

_SYSCALL, _SETOPTIONS, _GET_SYSCALL_INFO, _TRACEME = 24, 0x4200, 0x420E, 0
_OPTIONS = 0x1 | 0x2 | 0x4 | 0x8 | 0x100000  # marked stops, forks and clones, killed with us
_WALL = 0x40000000
_ENTRY, _EXIT = 1, 2
_AT_FDCWD = -100
_INT = 0xFFFFFFFF
_PAGE = 4096
_MAP_SHARED, _PROT_WRITE = 1, 2


@dataclass(frozen=True, slots=True)
class Call:
    """One call that came to its end.

    Attributes:
        name: Its name; variants of one thing have one name.
        path: The file, as the kernel names it; of a socket ``socket:[...]``.
        inode: Of the file, where the call is about one that is open.
        begun: How many calls of the trace had ended when it began.
        data: What was written.
        offset: Where.
        size: New size, of a truncation; not 0 where a file was emptied as it was opened.
        other: The new name, of a rename.
    """

    name: str
    path: str
    inode: int
    begun: int
    data: bytes = b""
    offset: int = 0
    size: int = 0
    other: str = ""


@dataclass(slots=True)
class Tracer:
    """Stops one process and its threads at their calls, and notes them."""

    calls: list[Call] = field(default_factory=list)
    _libc: ctypes.CDLL = field(default_factory=lambda: ctypes.CDLL(None, use_errno=True))
    _begun: dict[int, tuple[str, tuple[int, ...], Call | None]] = field(default_factory=dict)
    _seen: set[int] = field(default_factory=set)

    def run(self, program: Callable[[], None]) -> int:
        """Run a program in a child; return its exit code."""
        column = 0 if platform.machine() == "x86_64" else 1
        names = {pair[column]: name for name, pair in _NUMBERS.items()}
        child = os.fork()
        if child == 0:
            self._ptrace(_TRACEME, 0)
            os.kill(os.getpid(), signal.SIGSTOP)
            try:
                program()
            except BaseException:  # noqa: BLE001  the child must not go on as its parent would
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        os.waitpid(child, 0)
        self._ptrace(_SETOPTIONS, child, data=_OPTIONS)
        self._ptrace(_SYSCALL, child)
        self._seen.add(child)
        while True:
            tid, status = os.waitpid(-1, _WALL)
            if os.WIFEXITED(status) or os.WIFSIGNALED(status):
                self._begun.pop(tid, None)
                if tid == child:
                    return os.waitstatus_to_exitcode(status)
                continue
            given = self._stopped(tid, status, names)
            with suppress(ProcessLookupError):
                self._ptrace(_SYSCALL, tid, data=given)

    def _stopped(self, tid: int, status: int, names: dict[int, str]) -> int:
        """Take note of a stop; return the signal to go on with."""
        sig = os.WSTOPSIG(status)
        if sig == signal.SIGTRAP | 0x80:
            with suppress(ProcessLookupError):
                self._at_call(tid, names)
            return 0
        if tid not in self._seen:
            self._seen.add(tid)  # its first stop is ours: it was born traced
            return 0
        return 0 if status >> 16 else sig

    def _at_call(self, tid: int, names: dict[int, str]) -> None:
        info = ctypes.create_string_buffer(88)
        self._ptrace(_GET_SYSCALL_INFO, tid, 88, ctypes.addressof(info))
        if info.raw[0] == _ENTRY:
            number, *arguments = struct.unpack_from("<7Q", info.raw, 24)
            name = names.get(number)
            if name is not None:
                self._begun[tid] = (name, tuple(arguments), self._begin(tid, name, arguments))
            return
        begun = self._begun.pop(tid, None)
        if info.raw[0] == _EXIT and begun is not None:
            (result,) = struct.unpack_from("<q", info.raw, 24)
            if result >= 0:
                self._end(tid, begun, result)

    def _begin(self, tid: int, name: str, arguments: Sequence[int]) -> Call | None:
        """What can only be seen, or has to be seen, before the call is done."""
        at = len(self.calls)
        if name in _NAMES:
            kind, places = _NAMES[name]
            where = [None if place is None else arguments[place] for place in places]
            other = self._path(tid, where[2], where[3]) if kind == "rename" else ""
            return Call(kind, self._path(tid, where[0], where[1]), 0, at, other=other)
        path, inode, position = _opened(tid, arguments[_TARGET.get(name, 0)])
        if name in _OPEN:
            return Call(_OPEN[name], path, inode, at, size=arguments[1])
        if name in _WRITES:
            if not path.startswith(("/", "socket:")):
                return None
            offset = arguments[3] if name == "pwrite64" else position
            return Call("write", path, inode, at, self._written(tid, name, arguments), offset)
        is_shared = arguments[2] & _PROT_WRITE and arguments[3] & _MAP_SHARED
        return None if name == "mmap" and not is_shared else Call("unseen", path, inode, at)

    def _end(self, tid: int, begun: tuple[str, tuple[int, ...], Call | None], result: int) -> None:
        name, arguments, call = begun
        if call is None:
            return
        if call.name == "write":
            call = replace(call, data=call.data[:result])
        elif call.name == "open":
            path, inode, _ = _opened(tid, result)
            flags = arguments[1] if name == "open" else arguments[2]
            kind = "create" if flags & os.O_CREAT else "open"
            call = replace(call, name=kind, path=path, inode=inode, size=flags & os.O_TRUNC)
        self.calls.append(call)

    def _written(self, tid: int, name: str, arguments: Sequence[int]) -> bytes:
        if name in {"write", "pwrite64", "sendto"}:
            return self._memory(tid, arguments[1], arguments[2])
        base, count = arguments[1], arguments[2]
        if name == "sendmsg":
            base, count = struct.unpack("<16x2Q", self._memory(tid, arguments[1], 32))
        pairs = struct.iter_unpack("<2Q", self._memory(tid, base, 16 * count))
        return b"".join(self._memory(tid, place, size) for place, size in pairs)

    def _path(self, tid: int, directory: int | None, address: int | None) -> str:
        assert address is not None
        raw = b""
        while b"\0" not in raw:
            at = address + len(raw)
            raw += self._memory(tid, at, _PAGE - at % _PAGE)  # never into the next page unasked
        path = os.fsdecode(raw.split(b"\0")[0])
        descriptor = _AT_FDCWD if directory is None else ctypes.c_int(directory & _INT).value
        where = "cwd" if descriptor == _AT_FDCWD else f"fd/{descriptor}"
        return os.path.normpath(Path(os.readlink(f"/proc/{tid}/{where}")) / path)  # noqa: PTH115

    def _memory(self, tid: int, address: int, size: int) -> bytes:
        with open(f"/proc/{tid}/mem", "rb", buffering=0) as memory:  # noqa: PTH123  not a file
            return os.pread(memory.fileno(), size, address)

    def _ptrace(self, request: int, tid: int, address: int = 0, data: int = 0) -> None:
        call = self._libc.ptrace
        call.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
        call.restype = ctypes.c_long
        if call(request, tid, address, data) < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))


def _opened(tid: int, descriptor: int) -> tuple[str, int, int]:
    """Path, inode and place in the file of a descriptor; empty where it is none."""
    link = f"/proc/{tid}/fd/{ctypes.c_int(descriptor & _INT).value}"
    try:
        path, inode = os.readlink(link), os.stat(link).st_ino  # noqa: PTH115, PTH116  no file
        info = Path(link.replace("/fd/", "/fdinfo/")).read_text()
    except OSError:
        return "", 0, 0
    return path, inode, int(info.split()[1])


def traced(calls: Path, program: str, *arguments: str) -> list[Call]:
    """Run ``module:function`` in a process of its own; return its calls, in order of their ends."""
    command = [sys.executable, "-m", "tests.support.power_trace", str(calls), program, *arguments]
    subprocess.run(command, check=True, timeout=300, cwd=Path(__file__).parent.parent.parent)
    found: list[Call] = pickle.loads(calls.read_bytes())  # noqa: S301  written by ourselves
    return found


def main() -> None:
    """Trace a program; see above."""
    into, program, *arguments = sys.argv[1:]
    module, _, name = program.partition(":")
    function = getattr(importlib.import_module(module), name)
    tracer = Tracer()
    code = tracer.run(lambda: function(*arguments))
    Path(into).write_bytes(pickle.dumps(tracer.calls))
    sys.exit(code)


if __name__ == "__main__":
    from tests.support.power_trace import main as as_imported

    as_imported()  # so that the calls in the file are of a class that can be found again
