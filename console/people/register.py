"""The users: made, changed and shut out; and the first of them."""

import os
import sqlite3
from pathlib import Path
from typing import Any

from console.people import passwords
from console.people.file import PeopleFile
from console.people.passwords import Cost
from console.people.roles import Right, Role, may
from console.people.user import Deed, LastAdmin, NameTaken, UnknownUser, User, checked_name
from custody.events import Micros

FIRST = "admin"
"""Name of the user that is made where there is none."""

FIRST_FILE = "first-password"
"""Holds that user's password until it is changed."""

_USER = "name, role, must_change, created_at, changed_at, disabled_at"


class Register:
    """The users of a console and what was done.

    Args:
        file: Where they are kept; closed by the caller.
        cost: Of a guess at a password.
    """

    def __init__(self, file: PeopleFile, cost: Cost | None = None) -> None:
        self._file = file
        self._cost = cost or Cost()
        self.first_file = file.path.with_name(FIRST_FILE)
        self._nobody = ""

    def add(
        self, name: str, role: Role, password: str, at: Micros, *, must_change: bool = False
    ) -> User:
        """Make a user.

        Raises:
            UnfitName, UnfitPassword, NameTaken: It cannot be made so.
        """
        passwords.check(checked_name(name), password)
        kept = passwords.digest_of(password, self._cost)
        try:
            self._file.rows(
                f"INSERT INTO user ({_USER}, password) VALUES (?, ?, ?, ?, ?, NULL, ?)",  # noqa: S608  ours
                (name, role.value, must_change, at, at, kept),
            )
        except sqlite3.IntegrityError:
            raise NameTaken(name) from None
        return self.user(name)

    def add_first(self, at: Micros) -> Path | None:
        """Make the first admin where there is no user; return the file of the password.

        Raises:
            OSError: The file cannot be written.
        """
        if self._file.rows("SELECT 1 FROM user LIMIT 1"):
            return None
        password = passwords.one_time()
        self.first_file.unlink(missing_ok=True)
        # The file first: a user whose password nobody has would shut the door for good.
        descriptor = os.open(self.first_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(password + "\n")
        self.add(FIRST, Role.ADMIN, password, at, must_change=True)
        return self.first_file

    def user(self, name: str) -> User:
        """Return a user.

        Raises:
            UnknownUser: There is none.
        """
        found = self._file.rows(f"SELECT {_USER} FROM user WHERE name = ?", (name,))  # noqa: S608  ours
        if not found:
            raise UnknownUser(name)
        return user_of(found[0])

    def users(self) -> list[User]:
        """Return every user by name, those who are shut out, too."""
        return [
            user_of(row)
            for row in self._file.rows(f"SELECT {_USER} FROM user ORDER BY name")  # noqa: S608  ours
        ]

    def who_may(self, right: Right) -> list[str]:
        """Return the names of those who are not shut out and whose role has a right, in order.

        A user who has yet to choose a password is among them: he is to find what waits for him.
        """
        return [
            one.name for one in self.users() if one.disabled_at is None and may(one.role, right)
        ]

    def is_right(self, name: str, password: str) -> User | None:
        """Return the user whose password it is; None where it is not, or there is none.

        Takes as long for a name that nobody has, so that it does not tell who is here.
        """
        found = self._file.rows(
            f"SELECT {_USER}, password FROM user WHERE name = ? AND disabled_at IS NULL",  # noqa: S608  ours
            (name,),
        )
        if not found:
            self._nobody = self._nobody or passwords.digest_of(passwords.one_time(), self._cost)
            passwords.is_right(self._nobody, password)
            return None
        return user_of(found[0][:-1]) if passwords.is_right(found[0][-1], password) else None

    def set_password(
        self, name: str, password: str, at: Micros, *, must_change: bool = False
    ) -> None:
        """Set a password and end all sessions of its user.

        Raises:
            UnknownUser, UnfitPassword: It cannot be set.
        """
        self.user(name)
        passwords.check(name, password)
        kept = passwords.digest_of(password, self._cost)
        with self._file.whole():
            self._file.rows(
                "UPDATE user SET password = ?, must_change = ?, changed_at = ? WHERE name = ?",
                (kept, must_change, at, name),
            )
            self._end_sessions(name)
        if name == FIRST:
            self.first_file.unlink(missing_ok=True)

    def set_role(self, name: str, role: Role) -> User:
        """Give a user another role; it counts at the next request.

        Raises:
            UnknownUser, LastAdmin: It cannot be given.
        """
        with self._file.whole():
            if role is not Role.ADMIN:
                self._leave_an_admin(name)
            self.user(name)
            self._file.rows("UPDATE user SET role = ? WHERE name = ?", (role.value, name))
        return self.user(name)

    def disable(self, name: str, at: Micros) -> User:
        """Shut a user out and end all sessions; the name stays taken.

        Raises:
            UnknownUser, LastAdmin: It cannot be done.
        """
        with self._file.whole():
            self._leave_an_admin(name)
            if self.user(name).disabled_at is None:
                self._file.rows("UPDATE user SET disabled_at = ? WHERE name = ?", (at, name))
            self._end_sessions(name)
        return self.user(name)

    def enable(self, name: str) -> User:
        """Let a user in again.

        Raises:
            UnknownUser: There is none.
        """
        self.user(name)
        self._file.rows("UPDATE user SET disabled_at = NULL WHERE name = ?", (name,))
        return self.user(name)

    def note(self, *deeds: Deed) -> None:
        """Write down what was done, all or nothing; durable when it returns, never changed."""
        with self._file.whole():
            for deed in deeds:
                self._file.rows(
                    "INSERT INTO deed (at, actor, address, what, about, outcome)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    (deed.at, deed.actor, deed.address, deed.what, deed.about, deed.outcome),
                )

    def deeds(
        self, limit: int, *, actor: str = "", before_no: int | None = None
    ) -> list[tuple[int, Deed]]:
        """Return what was done and its number, the last first.

        Args:
            limit: Most to return.
            actor: Only of this one; empty for all.
            before_no: Only what stands before this number.
        """
        rows = self._file.rows(
            "SELECT no, at, actor, address, what, about, outcome FROM deed"
            " WHERE (? = '' OR actor = ?) AND (? IS NULL OR no < ?) ORDER BY no DESC LIMIT ?",
            (actor, actor, before_no, before_no, limit),
        )
        return [
            (no, Deed(at=Micros(at), actor=who, address=where, what=what, about=about, outcome=out))
            for no, at, who, where, what, about, out in rows
        ]

    def _leave_an_admin(self, name: str) -> None:
        others = self._file.rows(
            "SELECT 1 FROM user WHERE role = ? AND disabled_at IS NULL AND name <> ? LIMIT 1",
            (Role.ADMIN.value, name),
        )
        if not others and self.user(name).role is Role.ADMIN:
            raise LastAdmin(name)

    def _end_sessions(self, name: str) -> None:
        self._file.rows("DELETE FROM session WHERE user = ?", (name,))


def user_of(row: tuple[Any, ...]) -> User:
    """Return a user of a row: name, role, must_change, created, changed, disabled."""
    name, role, must_change, created_at, changed_at, disabled_at = row
    return User(
        name=name,
        role=Role(role),
        must_change=bool(must_change),
        created_at=Micros(created_at),
        changed_at=Micros(changed_at),
        disabled_at=None if disabled_at is None else Micros(disabled_at),
    )
