"""``custody gateway | worker | warehouse``: one long-running process, in the foreground.

The supervisor, a container or a person starts these; they end cleanly on SIGTERM and Ctrl-C.
"""

import os

import click

from runtime import processes
from runtime.settings import load


@click.command()
def gateway() -> None:
    """Run the site gateway: requests in, durable events out.

    \b
    Example:
      CUSTODY_GATEWAY__PORT=8401 custody gateway
    """
    processes.gateway(load(os.environ))


@click.command()
@click.option("--no", type=click.IntRange(min=1), default=1, show_default=True, help="Its number.")
def worker(*, no: int) -> None:
    """Run one stream worker: facts in, transfers, balances and alerts out.

    \b
    Example:
      custody worker --no 2
    """
    processes.worker(load(os.environ), no)


@click.command()
def warehouse() -> None:
    """Run the sink: records in, rows out; it also answers SQL over HTTP.

    \b
    Example:
      custody warehouse
    """
    processes.warehouse(load(os.environ))
