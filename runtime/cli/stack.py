"""``custody up | down | status``: the local stack."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from runtime.cli import output
from runtime.paths import DataDir
from runtime.settings import Settings, load
from runtime.trust import gateway_trust

if TYPE_CHECKING:
    # The supervisor's packages are those of an extra, which --help does without.
    from runtime.stack.jars import Advance
    from runtime.stack.status import Status

_COLUMNS = (
    output.text("process", "name"),
    output.text("state", "state"),
    output.text("pid", "pid"),
    output.number("restarts", "restarts"),
    output.text("health", "health"),
    output.text("address", "address"),
)


@click.command()
@click.option("--foreground", is_flag=True, help="Stay, and stop everything on Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, as status --json.")
def up(*, foreground: bool, as_json: bool) -> None:
    """Start what does not run of the local stack, and wait until all of it is healthy.

    Broker, registry, gateway, workers and warehouse, on loopback, their state below the data
    directory. The first start downloads the broker and the registry.

    \b
    Examples:
      custody up
      custody up --json | jq -r .addresses.gateway
      CUSTODY_DATA_DIR=/var/lib/custody custody up --foreground
    """
    from runtime.stack import up as stack

    settings = load(os.environ)
    steps = _Steps()
    stop = _stop_signal() if foreground else None
    try:
        _show(stack.up(settings, steps), as_json=as_json)
        if stop is not None:
            output.talk("running; Ctrl-C stops it")
            with suppress(KeyboardInterrupt):
                stop.wait()
    finally:
        if foreground:
            _down(settings, steps)


@click.command()
def down() -> None:
    """Stop the local stack. Its state stays.

    \b
    Example:
      custody down
    """
    _down(load(os.environ), _Steps())


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object: addresses and processes.")
def status(*, as_json: bool) -> int:
    """Show addresses and health of every process. Exit 1 where one is not healthy.

    The stack is the one of the data directory: .custody in the current directory, or
    CUSTODY_DATA_DIR.

    \b
    Examples:
      custody status
      custody status --json | jq -r '.processes[] | select(.healthy | not) | .name'
    """
    from runtime.stack.status import status as status_of

    settings = load(os.environ)
    data = DataDir(settings.data_dir.resolve())
    found = status_of(data, gateway_trust(settings.gateway))
    _show(found, as_json=as_json)
    if not found.processes and not as_json:
        output.talk(f"no stack runs in {data.root} (CUSTODY_DATA_DIR)\n  next: custody up")
    return 0 if found.healthy else 1


class _Steps:
    """Progress on standard error; a line per step where that is no terminal."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True)

    @contextmanager
    def download(self, title: str, size_bytes: int) -> "Iterator[Advance]":
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TransferSpeedColumn,
        )

        if not self._console.is_terminal:
            output.talk(f"downloading {title}, {size_bytes / 1e6:.0f} MB")
        bar = Progress(
            TextColumn("downloading {task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        with bar:
            task = bar.add_task(title, total=size_bytes)
            yield lambda done: bar.advance(task, done)

    @contextmanager
    def waiting(self, title: str) -> Iterator[None]:
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        spinner = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        with spinner:
            spinner.add_task(title, total=None)
            yield

    def remark(self, text: str) -> None:
        output.talk(text)


def _show(found: "Status", *, as_json: bool) -> None:
    if as_json:
        output.line_json(asdict(found) | {"healthy": found.healthy})
        return
    if not found.processes:
        output.result("down")
        return
    output.table(_COLUMNS, [asdict(process) for process in found.processes])
    for process in found.processes:
        if process.reason is not None:
            output.result(f"{process.name} is left stopped: {process.reason}")
        if process.warning:
            output.result(f"{process.name} warns: {process.warning}")
    for name, address in found.addresses.items():
        output.result(f"{name:<10}{address}")
    if found.first_password_file is not None:
        output.result(f"first user of the console: admin, password in {found.first_password_file}")


def _down(settings: Settings, steps: _Steps) -> None:
    from runtime.stack import up as stack

    done = stack.down(settings, steps)
    if not done.stopped:
        output.result("nothing was running")
        return
    output.result(
        f"stopped {len(done.stopped)} processes in {done.took_s:.1f} s: {', '.join(done.stopped)}"
    )


def _stop_signal() -> threading.Event:
    """Return an event that SIGTERM sets; Ctrl-C raises KeyboardInterrupt as ever."""
    event = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: event.set())
    return event
