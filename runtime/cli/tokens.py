"""``custody token``: who may post to this machine's gateway, and for which sites and types."""

import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager

import click

from custody.errors import Refused
from custody.events import Micros
from producers.token_store import TokenStore
from producers.tokens import (
    FACT_TYPES,
    OPERATOR,
    Token,
    checked,
    digest_of,
    new_secret,
)
from runtime.cli import output
from runtime.processes import now
from runtime.settings import load
from runtime.wiring import data_dir
from web.token import renew

_UNITS_S = {"h": 3_600, "d": 86_400, "w": 7 * 86_400}
_COLUMNS = (
    output.text("name", "name"),
    output.text("state", "state"),
    output.text("sites", "sites"),
    output.text("types", "types"),
    output.text("expires", "expires_at"),
    output.text("last used", "last_used_at"),
)


class BadExpiry(Refused):
    """A time to live that is not understood."""

    def __init__(self, given: str) -> None:
        super().__init__(f"--expires {given}", expected="a number of h, d or w, as in 90d")


@click.group()
def token() -> None:
    """Make, list and revoke bearer tokens of the gateway of this data directory.

    Works on the gateway's machine, running or not; a running gateway follows within a second. The
    token of the first start, <data dir>/gateway/token, stays the operator's.
    """


@token.command()
@click.argument("name")
@click.option("--site", "sites", multiple=True, help="Only facts of this site; may be repeated.")
@click.option("--type", "types", multiple=True, help="Only requests of this type; may be repeated.")
@click.option("--expires", help="Time to live, such as 12h, 90d, 52w. Without: until revoked.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, the token in it.")
def create(
    name: str, sites: tuple[str, ...], types: tuple[str, ...], expires: str | None, *, as_json: bool
) -> None:
    """Make the token NAME and print it, this once: only its digest is kept.

    Without --site it is for every site, without --type for every type of fact; reference and
    action records have to be named. What is posted and refused is kept under NAME.

    \b
    Examples:
      custody token create lims-kov --site MINE-KOV --type assay --expires 90d
      custody token create weighbridge-1 --site MINE-KOV --type weighing > weighbridge-1.token
      custody token create console --type action
    """
    made_at = now()
    asked = checked(
        Token(
            name=name,
            sites=frozenset(sites),
            types=frozenset(types),
            created_at=made_at,
            expires_at=None if expires is None else _after(made_at, expires),
        )
    )
    secret = new_secret()
    with _store() as store:
        store.add(asked, digest_of(secret))
    if as_json:
        output.line_json({**_row(asked, made_at), "token": secret})
        return
    output.talk(f"token {name}: {_said(asked)}; it is shown this once")
    output.result(secret)


@token.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per token and line.")
def list_tokens(*, as_json: bool) -> None:
    """List the tokens, revoked and expired ones too; the tokens themselves are not known.

    \b
    Examples:
      custody token list
      custody token list --json | jq -r 'select(.last_used_at == null) | .name'
    """
    at = now()
    with _store() as store:
        rows = [_row(one, at) for one in store.by_digest().values()]
    if as_json:
        for row in rows:
            output.line_json(row)
        return
    joined = [
        {**row, "sites": ", ".join(_names(row["sites"])), "types": ", ".join(_names(row["types"]))}
        for row in rows
    ]
    output.table(_COLUMNS, joined)
    if not rows:
        output.talk("only the operator's token is there, in <data dir>/gateway/token")


@token.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: the token as it is now.")
def revoke(name: str, *, as_json: bool) -> None:
    """Revoke the token NAME for good; a running gateway knows within a second.

    NAME "operator" replaces the operator's token: the new one is in <data dir>/gateway/token.

    \b
    Examples:
      custody token revoke lims-kov
      custody token revoke operator
    """
    if name == OPERATOR:
        file = data_dir(load(os.environ)).gateway_token
        renew(file)
        if as_json:
            output.line_json({"name": OPERATOR, "state": "renewed", "file": str(file)})
        else:
            output.result(f"the operator's token is another now: {file}")
        return
    at = now()
    with _store() as store:
        gone = store.revoke(name, at)
    if as_json:
        output.line_json(_row(gone, at))
    else:
        output.result(f"revoked {name}: it was {_said(gone)}")


@contextmanager
def _store() -> Iterator[TokenStore]:
    with closing(TokenStore(data_dir(load(os.environ)).gateway)) as store:
        yield store


def _after(made_at: Micros, text: str) -> Micros:
    found = re.fullmatch(r"([1-9]\d{0,4})([hdw])", text, re.ASCII)
    if found is None:
        raise BadExpiry(text)
    return Micros(made_at + int(found[1]) * _UNITS_S[found[2]] * 1_000_000)


def _row(one: Token, at: Micros) -> dict[str, object]:
    return {
        "name": one.name,
        "state": one.state(at),
        "sites": sorted(one.sites) or ["all"],
        "types": sorted(one.types or FACT_TYPES),
        "created_at": output.utc(one.created_at),
        "expires_at": output.utc(one.expires_at) or None,
        "last_used_at": output.utc(one.last_used_at) or None,
        "revoked_at": output.utc(one.revoked_at) or None,
    }


def _names(value: object) -> list[str]:
    return [str(name) for name in value] if isinstance(value, list) else []


def _said(one: Token) -> str:
    sites = ", ".join(sorted(one.sites)) or "every site"
    types = ", ".join(sorted(one.types)) or "every type of fact"
    until = output.utc(one.expires_at)
    return f"for {sites}; {types}; {f'until {until}' if until else 'until revoked'}"
