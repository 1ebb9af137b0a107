"""``custody prepare``: topics and schemas on a broker and a registry."""

import os

import click

from runtime.cli import output
from runtime.settings import load
from runtime.stack import prepare as ready


@click.command()
def prepare() -> None:
    """Create the topics and register the schemas on the broker and registry in effect.

    For a stack that is run elsewhere; `custody up` does it for the local one. Harmless to repeat.

    \b
    Example:
      custody prepare        with CUSTODY_KAFKA__BOOTSTRAP and CUSTODY_REGISTRY__URL set
    """
    made = ready.prepare(load(os.environ))
    output.result(f"created {made} topics, the others were there; every schema is registered")
