"""Who asks, by the tokens in files."""

from collections.abc import Mapping
from dataclasses import dataclass

from console.config import ConsoleConfig
from console.who import Role, Tokens, credentials
from web.problem import Problem
from web.token import load_or_make


@dataclass(frozen=True, slots=True)
class Access:
    """Says whose a request is.

    Attributes:
        tokens: The token of each role.
    """

    tokens: Tokens

    def role_of(self, headers: Mapping[str, str], query: Mapping[str, str] | None = None) -> Role:
        """Return the role of a request.

        Args:
            headers: Names in lower case.
            query: Parameters of the address, where these may carry user and password.

        Raises:
            Problem: 401: no token, or nobody's.
        """
        given = credentials(headers, query or {})
        role = None if given is None else self.tokens.role_of(*given)
        if role is None:
            detail = (
                "a token is needed: Authorization: Bearer <token>, or the user operator or analyst"
                " with it as the password"
            )
            raise Problem(401, "no-token", detail, {"WWW-Authenticate": "Bearer"})
        return role


def load_access(config: ConsoleConfig) -> Access:
    """Return who may ask; files that are missing are made with new tokens, mode 0600.

    Raises:
        TokenUnreadable: A file is empty, or others than its owner may read it.
        OSError: A directory cannot be written.
    """
    found = {Role.OPERATOR: load_or_make(config.token_file)}
    if config.analyst_token_file is not None:
        found[Role.ANALYST] = load_or_make(config.analyst_token_file)
    return Access(Tokens(found))
