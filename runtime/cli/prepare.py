"""``custody prepare``: topics, schemas and rules of access on a broker and a registry."""

import os
from typing import TYPE_CHECKING

import click

from runtime import wiring
from runtime.cli import output
from runtime.settings import load
from runtime.stack import prepare as ready

if TYPE_CHECKING:
    from runtime.stack.accounts import Rule

_COLUMNS = (
    output.text("principal", "principal"),
    output.text("may", "operation"),
    output.text("what", "kind"),
    output.text("name", "name"),
    output.text("because of", "why"),
)


@click.command()
@click.option("--acls", is_flag=True, help="Have the broker keep who may do what, too.")
@click.option(
    "--principal",
    "principals",
    multiple=True,
    metavar="ROLE=PRINCIPAL",
    help="Account of a role where it is not User:custody-ROLE; may be repeated.",
)
@click.option("--dry-run", is_flag=True, help="With --acls: print the rules, ask nobody.")
@click.option("--json", "as_json", is_flag=True, help="With --dry-run: one JSON object per rule.")
def prepare(*, acls: bool, principals: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Create the topics and register the schemas on the broker and registry in effect.

    For a stack that is run elsewhere; `custody up` does it for the local one. Harmless to repeat.
    --acls also has the broker keep what each account may do, as docs/access.md says; the account
    that calls needs to be one of the broker's super users.

    \b
    Examples:
      custody prepare        with CUSTODY_KAFKA__BOOTSTRAP and CUSTODY_REGISTRY__URL set
      custody prepare --acls --dry-run
      custody prepare --acls --principal gateway=User:gw-kov
    """
    from runtime.stack import accounts

    settings = load(os.environ)
    if not acls and (principals or dry_run):
        message = "--principal and --dry-run are said with --acls"
        raise click.UsageError(message)
    wanted = list(accounts.rules(accounts.named(principals)))
    if dry_run:
        _show(wanted, as_json=as_json)
        return
    made = ready.prepare(settings)
    output.result(f"created {made} topics, the others were there; every schema is registered")
    if acls:
        kept = accounts.create(wiring.kafka_options(settings, wiring.bootstrap(settings)), wanted)
        output.result(f"the broker keeps {kept} rules of {len(accounts.ROLES)} accounts")


def _show(wanted: "list[Rule]", *, as_json: bool) -> None:
    rows = [
        {
            "role": rule.role,
            "principal": rule.principal,
            "operation": rule.grant.operation,
            "kind": rule.grant.kind,
            "name": rule.grant.name,
            "why": rule.grant.why,
        }
        for rule in wanted
    ]
    if not as_json:
        output.table(_COLUMNS, rows)
        return
    for row in rows:
        output.line_json(row)
