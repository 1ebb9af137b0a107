"""The ``custody`` command: its verbs, and the one place where errors become exit codes.

0 done and well; 1 done and something found; 2 wrong use; 3 outside unavailable; 4 history
corrupt. An error is up to three lines on standard error: what, what was expected, what to do.
"""

import importlib
import os
import sys
from collections.abc import Mapping
from types import MappingProxyType

import click
from typing_extensions import override

from custody.errors import Corrupt, CustodyError, Refused, Unavailable

DONE, FOUND, WRONG_USE, OUTSIDE, CORRUPT = range(5)

INTERRUPTED = 130
"""What a shell says of a command ended by Ctrl-C."""

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "up": "runtime.cli.stack:up",
        "down": "runtime.cli.stack:down",
        "status": "runtime.cli.stack:status",
        "prepare": "runtime.cli.prepare:prepare",
        "config": "runtime.cli.config:config",
        "gateway": "runtime.cli.processes:gateway",
        "worker": "runtime.cli.processes:worker",
        "warehouse": "runtime.cli.processes:warehouse",
        "token": "runtime.cli.tokens:token",
        "user": "runtime.cli.users:user",
        "publish": "runtime.cli.events:publish",
        "mapping": "runtime.cli.mapping:mapping",
        "outbox": "runtime.cli.outbox:outbox",
        "refused": "runtime.cli.refused:refused",
        "bundle": "runtime.cli.bundle:bundle",
        "reference": "runtime.cli.reference:reference",
        "schema": "runtime.cli.schema:schema",
        "balance": "runtime.cli.balance:balance",
        "stock": "runtime.cli.balance:stock",
        "totals": "runtime.cli.totals:period_totals",
        "alerts": "runtime.cli.warehouse:alerts",
        "lineage": "runtime.cli.lineage:lineage",
        "traceability": "runtime.cli.traceability:traceability",
        "trace": "runtime.cli.trace:trace",
        "export": "runtime.cli.export:export",
        "sql": "runtime.cli.warehouse:sql",
        "verify": "runtime.cli.verify:verify",
        "audit": "runtime.cli.audit:audit",
        "prove": "runtime.cli.audit:prove",
        "verify-proof": "runtime.cli.audit:verify_proof",
        "gateway-key": "runtime.cli.gateway_key:gateway_key",
        "backtest": "runtime.cli.backtest:backtest",
        "calibrate": "runtime.cli.calibrate:calibrate",
        "reconcile": "runtime.cli.reconcile:reconcile_network",
        "dead-letters": "runtime.cli.dead_letters:dead_letters",
    }
)
"""Every verb and where it is. Imported when it is used: ``custody status`` must not wait for
NumPy."""


EXTRAS: Mapping[str, str] = MappingProxyType(
    {
        "up": "local,worker,sink",
        "down": "local",
        "status": "local",
        "worker": "worker",
        "warehouse": "sink",
        "export": "sink",
        "audit": "sink",
        "backtest": "worker",
        "calibrate": "worker",
        "reconcile": "worker",
        "dead-letters": "sink",
    }
)
"""Extras of the package without which a verb explains itself, but does not work."""


class NotInstalled(Refused):
    """A verb needs a package that comes with an extra."""

    def __init__(self, verb: str, module: str) -> None:
        super().__init__(
            f"custody {verb} needs {module}, which is not installed:"
            f" pip install 'custody[{EXTRAS[verb]}]'"
        )


class _Verbs(click.Group):
    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    @override
    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            verb, module = ctx.invoked_subcommand, error.name
            # A dot: the package is there and lacks a module, which no extra would bring.
            if verb is None or verb not in EXTRAS or module is None or "." in module:
                raise
            raise NotInstalled(verb, module) from error


@click.group("custody", cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="custody")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(*, debug: bool) -> None:
    """Follow critical minerals from mine to cell while it happens.

    Exit codes: 0 done and well; 1 done and something found; 2 wrong use; 3 something outside is
    unavailable; 4 stored history contradicts itself.
    """
    # Read in main(), which has to know it whatever click makes of the rest.
    del debug


def main() -> None:
    """Run the command line and exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code.

    Args:
        arguments: Without the program's name.
    """
    debug = "--debug" in arguments[:1]
    try:
        result = cli.main(arguments, prog_name="custody", standalone_mode=False)
        sys.stdout.flush()
    except CustodyError as error:
        if debug:
            raise
        click.echo(f"error: {error}", err=True)
        return exit_code(error)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except SystemExit as error:
        # click ends a closed pipe with 1, which is ours for "something found".
        if isinstance(error.__context__, BrokenPipeError):
            return _pipe_closed()
        raise
    except BrokenPipeError:
        return _pipe_closed()
    return result if isinstance(result, int) else DONE


def _pipe_closed() -> int:
    """The reader, such as head, has had enough. Python would complain once more at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE


def exit_code(error: CustodyError) -> int:
    """Return the exit code of an error of ours."""
    match error:
        case Refused():
            return WRONG_USE
        case Unavailable():
            return OUTSIDE
        case Corrupt():
            return CORRUPT
        case _:
            return OUTSIDE


if __name__ == "__main__":
    main()
