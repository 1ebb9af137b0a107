"""``custody user``: who may use the console of this data directory, and what each has done."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

import click

from console.people.file import PeopleFile
from console.people.register import Register
from console.people.roles import Role
from console.people.user import Deed, User
from runtime.cli import output
from runtime.processes import now
from runtime.settings import load
from runtime.wiring import data_dir

_ROLE = click.Choice([role.value for role in Role])
_COLUMNS = (
    output.text("name", "name"),
    output.text("role", "role"),
    output.text("state", "state"),
    output.text("created (UTC)", "created_at"),
    output.text("password set (UTC)", "password_set_at"),
)
_DEED_COLUMNS = (
    output.text("no", "no", right=True),
    output.text("at (UTC)", "at"),
    output.text("actor", "actor"),
    output.text("from", "address"),
    output.text("what", "what"),
    output.text("about", "about"),
    output.text("outcome", "outcome"),
)
_ADDRESS = "command line"


@click.group()
def user() -> None:
    """Make, list and change the users of the console of this data directory.

    Works on the warehouse's machine, running or not, and counts at the user's next request. A
    password is read from standard input, or asked for at a terminal; it is never an argument.
    docs/access.md says what each role may do.
    """


@user.command()
@click.argument("name")
@click.option("--role", type=_ROLE, required=True, help="What the user may do.")
@click.option("--keep", is_flag=True, help="The password need not be changed at the first login.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: the user.")
def add(name: str, role: str, *, keep: bool, as_json: bool) -> None:
    """Make the user NAME. The name is the actor of all that the user does.

    \b
    Examples:
      custody user add j.ilunga --role operator
      pass show custody/lab | custody user add lab --role analyst --keep
    """
    password = _password()
    with _register() as register:
        made = register.add(name, Role(role), password, now(), must_change=not keep)
        _note(register, "user add", name, role)
    _show(made, f"{name} is {role}", as_json=as_json)


@user.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per user and line.")
def list_users(*, as_json: bool) -> None:
    """List the users, those who are shut out, too.

    \b
    Examples:
      custody user list
      custody user list --json | jq -r 'select(.state == "disabled") | .name'
    """
    with _register() as register:
        rows = [_row(one) for one in register.users()]
    if as_json:
        for row in rows:
            output.line_json(row)
        return
    output.table(_COLUMNS, rows)


@user.command()
@click.argument("name")
@click.argument("new_role", metavar="ROLE", type=_ROLE)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: the user as it is now.")
def role(name: str, new_role: str, *, as_json: bool) -> None:
    """Give the user NAME another ROLE: viewer, operator, analyst or admin.

    \b
    Example:
      custody user role j.ilunga admin
    """
    with _register() as register:
        changed = register.set_role(name, Role(new_role))
        _note(register, "user role", name, new_role)
    _show(changed, f"{name} is {new_role} now", as_json=as_json)


@user.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: the user as it is now.")
def disable(name: str, *, as_json: bool) -> None:
    """Shut the user NAME out and end all sessions. The name stays taken.

    \b
    Example:
      custody user disable j.ilunga
    """
    with _register() as register:
        gone = register.disable(name, now())
        _note(register, "user disable", name, "ok")
    _show(gone, f"{name} is shut out", as_json=as_json)


@user.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: the user as it is now.")
def enable(name: str, *, as_json: bool) -> None:
    """Let the user NAME in again, with the password as it was.

    \b
    Example:
      custody user enable j.ilunga
    """
    with _register() as register:
        back = register.enable(name)
        _note(register, "user enable", name, "ok")
    _show(back, f"{name} may come in", as_json=as_json)


@user.command()
@click.argument("name")
@click.option("--keep", is_flag=True, help="The password need not be changed at the next login.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: the user as it is now.")
def passwd(name: str, *, keep: bool, as_json: bool) -> None:
    """Set the password of the user NAME and end all sessions.

    \b
    Examples:
      custody user passwd j.ilunga
      pass show custody/admin | custody user passwd admin --keep
    """
    password = _password()
    with _register() as register:
        register.set_password(name, password, now(), must_change=not keep)
        _note(register, "user passwd", name, "ok")
        changed = register.user(name)
    _show(changed, f"the password of {name} is set, all sessions are over", as_json=as_json)


@user.command()
@click.option("--actor", default="", help="Only of this one.")
@click.option("--limit", "rows_max", type=click.IntRange(1, 100_000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def log(actor: str, rows_max: int, *, as_json: bool) -> None:
    """Show what was done at the console, by whom and from where; the last first.

    Logins, those that failed, too, every action on an alert or a lot, and what was refused.

    \b
    Examples:
      custody user log --limit 20
      custody user log --actor j.ilunga --json
    """
    with _register() as register:
        rows = [_deed(no, deed) for no, deed in register.deeds(rows_max, actor=actor)]
    if as_json:
        for row in rows:
            output.line_json(row)
        return
    output.table(_DEED_COLUMNS, rows)


@contextmanager
def _register() -> Iterator[Register]:
    with closing(PeopleFile(data_dir(load(os.environ)).console)) as file:
        yield Register(file)


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")


def _note(register: Register, what: str, about: str, outcome: str) -> None:
    """Write down who did it: at the machine itself there are no names but the system's."""
    register.note(
        Deed(
            at=now(),
            actor=f"os:{os.environ.get('USER', 'unknown')}",
            address=_ADDRESS,
            what=what,
            about=about,
            outcome=outcome,
        )
    )


def _show(one: User, line: str, *, as_json: bool) -> None:
    if as_json:
        output.line_json(_row(one))
    else:
        output.result(line)


def _row(one: User) -> dict[str, object]:
    state = "disabled" if one.disabled_at is not None else "active"
    if state == "active" and one.must_change:
        state = "password to be changed"
    return {
        "name": one.name,
        "role": one.role.value,
        "state": state,
        "created_at": output.utc(one.created_at),
        "password_set_at": output.utc(one.changed_at),
    }


def _deed(no: int, deed: Deed) -> dict[str, object]:
    return {
        "no": no,
        "at": output.utc(deed.at),
        "actor": deed.actor,
        "address": deed.address,
        "what": deed.what,
        "about": deed.about,
        "outcome": deed.outcome,
    }
