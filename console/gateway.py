"""The gateway that the console posts through: what people do becomes a record like any other."""

import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from web.problem import Problem

_TIMEOUT_S = 10.0


class Gateway:
    """Posts requests. Threads may share it.

    Args:
        url: Base address of a gateway that may publish control records; None where none is set.
        token_file: Holds its bearer token; read at every post, because it may be renewed.
        trust: Whom to trust where the address is https; None for those the system trusts.
    """

    def __init__(self, url: str | None, token_file: Path, trust: ssl.SSLContext | None) -> None:
        self._url = url
        self._token_file = token_file
        self._client = httpx.Client(timeout=_TIMEOUT_S, trust_env=False, verify=trust or True)

    def post(self, request: Mapping[str, object]) -> dict[str, object]:
        """Post a request and return the gateway's answer to it. Blocks, 10 s at most.

        The same request again is a duplicate, so whoever gets a 503 asks again.

        Raises:
            Problem: 503: no gateway is set, none answers, or it does not take the post as such;
                409 and 422: it takes the post and refuses what is in it.
        """
        item = self._posted(request)
        if not isinstance(item, dict):
            raise _away(self._url, "answers with no object")
        if item.get("result") == "refused":
            raise _refused(item)
        return item

    def post_all(self, requests: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
        """Post requests in one list and return what is said of each. Blocks, 10 s at most.

        One that is refused keeps no other from being taken; its ``result`` says so.

        Raises:
            Problem: 503, as ``post``; nothing is known to be taken.
        """
        items = self._posted(requests)
        if not isinstance(items, list) or len(items) != len(requests):
            raise _away(self._url, f"does not answer each of {len(requests)} requests")
        return items

    def _posted(self, body: object) -> object:
        if self._url is None:
            raise _away(self._url, "is not set: CUSTODY_CONSOLE__GATEWAY_URL")
        try:
            token = self._token_file.read_text("utf-8").strip()
            headers = {"Authorization": f"Bearer {token}"}
            answer = self._client.post(f"{self._url}/v1/events", json=body, headers=headers)
            said: object = answer.json()
        except OSError as error:
            raise _away(self._url, f"no token in {self._token_file}: {error.strerror}") from error
        except (httpx.HTTPError, ValueError) as error:
            why = str(error) or type(error).__name__
            raise _away(self._url, f"does not answer: {why}") from error
        if answer.status_code != 202:
            detail = said.get("detail") if isinstance(said, dict) else None
            raise _away(self._url, f"answers {answer.status_code}: {detail}")
        return said

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _away(url: str | None, why: str) -> Problem:
    detail = f"the gateway for what people do ({url}): {why}"
    return Problem(503, "gateway-away", detail, {"Retry-After": "5"})


def _refused(item: Mapping[str, object]) -> Problem:
    if item.get("code") == "duplicate_conflict":
        detail = "this Idempotency-Key was used for something else; take a new one"
        return Problem(409, "key-used", detail)
    detail = f"{item.get('field')}: {item.get('code')}; allowed: {item.get('allowed')}"
    return Problem(422, "refused", detail)
