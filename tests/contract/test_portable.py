"""A gateway runs where there is no POSIX: on a weighbridge's PC with Windows.

No test here runs on Windows. What is shown is that nothing a gateway imports names a call which
Windows lacks, and that it opens its outbox, accepts and closes with those modules and calls away.
"""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import tree

MODULES = frozenset(
    {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty", "curses"}
)
"""Modules of the standard library that Windows does not have."""

CALLS = frozenset(
    {
        *("chown", "chroot", "ctermid", "fchdir", "fchmod", "fchown", "fork", "forkpty", "fwalk"),
        *(
            "getegid",
            "geteuid",
            "getgid",
            "getgroups",
            "getloadavg",
            "getpgid",
            "getpgrp",
            "getsid",
        ),
        *(
            "getuid",
            "initgroups",
            "killpg",
            "lchown",
            "mkfifo",
            "mknod",
            "nice",
            "openpty",
            "pipe2",
        ),
        *(
            "posix_fadvise",
            "posix_fallocate",
            "posix_spawn",
            "pread",
            "preadv",
            "pwrite",
            "pwritev",
        ),
        *("readv", "sched_getaffinity", "sendfile", "setegid", "seteuid", "setgid", "setpgid"),
        *("setsid", "setuid", "statvfs", "sync", "sysconf", "ttyname", "uname", "wait3", "wait4"),
        *("waitid", "writev", "fdatasync", "fstatvfs", "lockf"),
        *("O_CLOEXEC", "O_DIRECTORY", "O_DSYNC", "O_NOFOLLOW", "O_NONBLOCK", "O_SYNC", "O_TMPFILE"),
    }
)
"""Names of ``os`` that Windows does not have (before Python 3.13, for some)."""

SIGNALS = frozenset(
    {
        *("SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP"),
        *(
            "SIGTSTP",
            "SIGUSR1",
            "SIGUSR2",
            "alarm",
            "pause",
            "pthread_kill",
            "setitimer",
            "sigwait",
        ),
    }
)
"""Names of ``signal`` that Windows does not have."""

SOCKETS = frozenset({"AF_UNIX", "SO_REUSEPORT"})
"""Names of ``socket`` that Windows does not have."""

REFUSED = {"os": CALLS, "signal": SIGNALS, "socket": SOCKETS}

PACKAGES = ("producers", "web", "telemetry")


def found_in(source: str) -> list[str]:
    """Names in a module's code that Windows does not have, and that it cannot do without."""
    found: list[str] = []
    tree_of = ast.parse(source)
    tried = {inner for node in ast.walk(tree_of) for inner in _tried(node)}
    for node in ast.walk(tree_of):
        match node:
            case ast.Import() | ast.ImportFrom() if node in tried:
                pass
            case ast.Import(names=names):
                found += [name.name for name in names if name.name.split(".")[0] in MODULES]
            case ast.ImportFrom(module=module, names=names):
                top = (module or "").split(".")[0]
                lacking = REFUSED.get(top, frozenset())
                found += [f"{top}.{name.name}" for name in names if name.name in lacking]
                found += [top] if top in MODULES else []
            case ast.Attribute(attr="add_signal_handler" | "create_unix_server" as name):
                found.append(name)
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                found += [f"{owner}.{name}"] if name in REFUSED.get(owner, frozenset()) else []
            case _:
                pass
    return found


def _tried(node: ast.AST) -> list[ast.AST]:
    """Statements of a try that goes on where a module is not there."""
    if not isinstance(node, ast.Try):
        return []
    caught = {n.id for h in node.handlers for n in ast.walk(h) if isinstance(n, ast.Name)}
    return list(node.body) if caught & {"ImportError", "ModuleNotFoundError"} else []


IMPORTED = """
import json, sys
import runtime.cli.main, runtime.cli.processes, runtime.processes, runtime.wiring
import producers.run, schemas.registry, telemetry.logs
ours = {name: module.__file__ for name, module in sys.modules.items()
        if name.split(".")[0] in OURS and module.__file__}
print(json.dumps(ours))
"""


def run(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=tree.ROOT,
        env={**os.environ, "PYTHONPATH": str(tree.ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_a_gateway_imports_names_what_windows_lacks() -> None:
    found = json.loads(run(IMPORTED.replace("OURS", repr(tree.PACKAGES))))
    files = {Path(file) for file in found.values()}
    assert tree.ROOT / "runtime/wiring.py" in files
    for package in PACKAGES:
        files |= set((tree.ROOT / package).rglob("*.py"))
    lacking = {str(file): found_in(file.read_text("utf-8")) for file in sorted(files)}
    assert {file: names for file, names in lacking.items() if names} == {}


@pytest.mark.parametrize(
    "line",
    [
        "import fcntl",
        "from fcntl import flock",
        "import os\nos.pread(0, 1, 0)",
        "from os import geteuid",
        "import signal\nsignal.SIGHUP",
        "import socket\nsocket.AF_UNIX",
        "loop.add_signal_handler(1, print)",
        "def later() -> None:\n    import resource",
        "try:\n    import resource\nexcept OSError:\n    pass",
    ],
)
def test_the_search_finds_what_it_looks_for(line: str) -> None:
    assert found_in(line)


def test_a_module_that_a_try_does_without_is_no_need() -> None:
    assert found_in("try:\n    import resource\nexcept ImportError:\n    resource = None") == []


WITHOUT_POSIX = """
import os, sys
MODULES, CALLS, SIGNALS, SOCKETS = REFUSED

class Lacking:
    def find_spec(self, name, path=None, target=None):
        if name in MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

for name in MODULES - {"posix"}:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Lacking())
import signal, socket
import subprocess, asyncio, tempfile, shutil, http.server, sqlite3  # whose own POSIX side is theirs
for module, names in ((os, CALLS), (signal, SIGNALS), (socket, SOCKETS)):
    for name in names:
        if hasattr(module, name):
            delattr(module, name)

import runtime.cli.main, runtime.cli.processes, runtime.cli.connect, runtime.cli.events
import runtime.processes, runtime.wiring, producers.run, schemas.registry, telemetry.logs
from pathlib import Path
from tests.support.gateway import config, ticket, wall_clock
from producers.http import make_app
from producers.lock import OutboxInUse
from producers.service import Gateway, Options
from schemas.registry import StaticCatalog
from web.listen import listen
from web.token import load_or_make

directory = Path(sys.argv[1])
for start in range(2):
    gateway = Gateway(config(directory), StaticCatalog(), "static", wall_clock)
    load_or_make(directory / "token")
    listen("127.0.0.1", 0, "none").close()
    gateway.start()
    try:
        Gateway(config(directory), StaticCatalog(), "static", wall_clock)
    except OutboxInUse:
        print("locked")
    for answer in gateway.take([ticket(start)], Options(), "test").result(30):
        print(answer.item["result"], answer.item["gateway_seq"])
    gateway.close()
"""


def test_a_gateway_opens_accepts_and_opens_again_with_posix_away(tmp_path: Path) -> None:
    # shutil.disk_usage is there on both, and here calls the one of this system.
    calls = CALLS - {"statvfs"}
    names = tuple(set(group) for group in (MODULES, calls, SIGNALS, SOCKETS))
    said = run(WITHOUT_POSIX.replace("REFUSED", repr(names)), str(tmp_path))
    assert said.split("\n")[:4] == ["locked", "accepted 1", "locked", "accepted 2"]
