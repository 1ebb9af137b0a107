"""HTTP clients of the two processes that answer people: the gateway and the warehouse.

Everything the command line shows comes through these, so that one process owns the outbox and one
the warehouse. Tokens are read from files of mode 0600; addresses come from the settings or from
``addresses.json`` of a local stack.
"""

import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import httpx

from custody.errors import Refused, Unavailable
from runtime.own_format import OwnFormat
from runtime.silence import NoAnswer, silence
from runtime.too_many_rows import TOO_MANY_ROWS, TooManyRows

JsonObject = dict[str, object]

_Parts = Iterator[bytes]

_TIMEOUT_S = 30.0
_COMPLETE_TO = "X-Custody-Complete-To"
_COMPLETE_SITES = "X-Custody-Complete-Sites"
_QUERY_TIMEOUT_S = 120.0
_EXPORT_S = 3_600.0
_ERROR_CODE = "X-ClickHouse-Exception-Code"
_FORMAT, _STREAM = "X-ClickHouse-Format", "ArrowStream"
_EXPORT_BYTES_MAX = 1 << 40
_RETRY_BUDGET_S = 60.0
_RETRY_PAUSE_S = 1.0


class NotStarted(Unavailable):
    """No stack runs here: it has left no addresses, or it was stopped."""

    def __init__(self, path: Path, why: str = "is not there") -> None:
        super().__init__(
            f"no running stack: {path} {why}",
            expected="a stack started by this directory's settings, or CUSTODY_DATA_DIR set to its",
            next_step="custody up",
        )


class Busy(NoAnswer):
    """A process of ours is there and asks to come back later."""

    def __init__(self, name: str, url: str, response: httpx.Response) -> None:
        super().__init__(name, url, detail_of(response))
        pause = response.headers.get("Retry-After", "")
        self.retry_after_s = float(pause) if pause.isdigit() else _RETRY_PAUSE_S


class Denied(Refused):
    """A process of ours does not know the token."""

    def __init__(self, name: str, token_file: Path) -> None:
        super().__init__(
            f"the {name} refused the token of {token_file}",
            expected=f"the token the {name} made at its first start",
            next_step="check that CUSTODY_DATA_DIR is the one the stack was started with",
        )


class BadRequest(Refused):
    """A process of ours could not do what was asked; ``detail`` is its own text."""

    def __init__(self, name: str, status: int, detail: str) -> None:
        super().__init__(f"the {name} answered {status}: {detail}")
        self.status = status
        self.detail = detail


class NotAnObject(Refused):
    """An answer we do not understand."""

    def __init__(self, value: object) -> None:
        super().__init__(f"an answer is not a JSON object: {value!r:.80}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One process to talk to.

    Attributes:
        name: What a person calls it: ``gateway`` or ``warehouse``.
        url: Base address, without a slash at the end.
        token_file: File that holds its bearer token.
        trust: Whom to trust where the address is https; None for those the system trusts.
    """

    name: str
    url: str
    token_file: Path
    trust: ssl.SSLContext | None = None

    def token(self) -> str:
        """Return the token.

        Raises:
            Unavailable: The file is not there or may not be read.
        """
        try:
            return self.token_file.read_text("utf-8").strip()
        except OSError as error:
            raise NoAnswer(self.name, self.url, f"no token in {self.token_file}") from error


class Http:
    """Requests to one endpoint with its token, its errors as ours.

    Args:
        endpoint: Whom to talk to.
        transport: Stands in for the network in tests.
    """

    def __init__(self, endpoint: Endpoint, transport: httpx.BaseTransport | None = None) -> None:
        self._endpoint = endpoint
        self._client = httpx.Client(
            base_url=endpoint.url,
            headers={"Authorization": f"Bearer {endpoint.token()}"},
            timeout=_TIMEOUT_S,
            transport=transport,
            trust_env=False,
            verify=endpoint.trust or True,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def send(self, request: httpx.Request) -> httpx.Response:
        """Send one request.

        Returns:
            The response, of any status but those below.

        Raises:
            Unavailable: No connection, or no answer in time.
            Busy: 429 or 503: the same request may be taken later.
            Refused: 401.
        """
        name, url = self._endpoint.name, self._endpoint.url
        response = self.ask(request)
        if response.status_code == 401:
            raise Denied(name, self._endpoint.token_file)
        if response.status_code in {429, 503}:
            raise Busy(name, url, response)
        return response

    def ask(self, request: httpx.Request) -> httpx.Response:
        """Send one request and return the response of whatever status.

        Raises:
            Unavailable: No connection, or no answer in time.
        """
        try:
            return self._client.send(request)
        except httpx.TransportError as error:
            raise silence(self._endpoint.name, self._endpoint.url, error) from error

    @contextmanager
    def streamed(self, request: httpx.Request) -> Iterator[httpx.Response]:
        """Send one request and give its response before its body has come.

        Raises:
            Unavailable: No connection, or it broke.
        """
        try:
            response = self._client.send(request, stream=True)
            try:
                yield response
            finally:
                response.close()
        except httpx.TransportError as error:
            raise silence(self._endpoint.name, self._endpoint.url, error) from error

    def build(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        timeout_s: float = _TIMEOUT_S,
    ) -> httpx.Request:
        """Return a request to ``path`` below the endpoint."""
        headers = {"Content-Type": "application/json"} if content is not None else {}
        return self._client.build_request(
            method, path, params=params, content=content, headers=headers, timeout=timeout_s
        )

    def refuse(self, response: httpx.Response) -> BadRequest:
        """Return the error for an answer that is not a success."""
        return BadRequest(self._endpoint.name, response.status_code, detail_of(response))


class Gateway:
    """The gateway's API as the command line uses it.

    Args:
        endpoint: Where it is.
        transport: Stands in for the network in tests.
        sleep: Waits between tries, seconds.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = Http(endpoint, transport)
        self._sleep = sleep

    def publish(
        self, requests: Sequence[object], options: Mapping[str, str] | None = None
    ) -> list[JsonObject]:
        """Post a list of requests and return one result per request, in order.

        See ``publish_texts``, which it calls with the requests as JSON.
        """
        return self.publish_texts([json.dumps(r, ensure_ascii=False) for r in requests], options)

    def publish_texts(
        self, texts: Sequence[str], options: Mapping[str, str] | None = None
    ) -> list[JsonObject]:
        """Post a list of requests, each a JSON text, and return one result per request, in order.

        The texts travel as they are, so that a number keeps the digits its sender wrote. Waits
        and tries again while the gateway answers 429 or 503, for a minute in all: the outbox may
        be full. A second call with the same requests is harmless.

        Args:
            texts: Requests, at most 1,000.
            options: Query parameters such as ``{"strict_reference": "true"}``.

        Raises:
            Unavailable: No gateway, or still busy after a minute.
            Refused: The list as such was not taken.
        """
        content = f"[{','.join(texts)}]".encode()
        waited_s = 0.0
        while True:
            try:
                response = self._http.send(
                    self._http.build("POST", "/v1/events", params=options, content=content)
                )
            except Busy as busy:
                if waited_s >= _RETRY_BUDGET_S:
                    raise
                waited_s += busy.retry_after_s
                self._sleep(busy.retry_after_s)
                continue
            if response.status_code != 202:
                raise self._http.refuse(response)
            return results_of(response.json())

    def event(self, event_id: str) -> JsonObject | None:
        """Return an event's way so far as the gateway knows it; None where it never took it."""
        response = self._http.send(self._http.build("GET", f"/v1/events/{event_id}"))
        if response.status_code == 404:
            return None
        if response.status_code != 200:
            raise self._http.refuse(response)
        return as_object(response.json())

    def health(self) -> JsonObject:
        """Return what the gateway says of itself, well or not."""
        response = self._http.ask(self._http.build("GET", "/health"))
        return as_object(response.json())

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


class Warehouse:
    """SQL over HTTP, as the process that owns the warehouse answers it.

    Args:
        endpoint: Where it is.
        transport: Stands in for the network in tests.
    """

    def __init__(self, endpoint: Endpoint, transport: httpx.BaseTransport | None = None) -> None:
        self._http = Http(endpoint, transport)
        self.complete_to = ""
        """Everything recorded until then is in the last answer, RFC 3339; empty: not known."""
        self.complete_sites: Mapping[str, str] = {}
        """The same by site, of the least complete ones."""

    def sql(
        self, query: str, format_name: str = "JSONEachRow", params: Mapping[str, str] | None = None
    ) -> bytes:
        """Run one query and return the answer in a ClickHouse format.

        Args:
            query: One SELECT; ``{name:Type}`` marks a parameter.
            format_name: A format of ClickHouse.
            params: Values of the parameters, without the ``param_`` in front.

        Raises:
            Refused: The engine did not take the query; the text is the engine's.
            Unavailable: No answer.
        """
        values = {"format": format_name} | {f"param_{k}": v for k, v in (params or {}).items()}
        response = self._http.send(
            self._http.build(
                "POST", "/sql", params=values, content=query.encode(), timeout_s=_QUERY_TIMEOUT_S
            )
        )
        if response.status_code != 200:
            raise self._http.refuse(response)
        self.complete_to = response.headers.get(_COMPLETE_TO, "")
        pairs = response.headers.get(_COMPLETE_SITES, "").split(", ")
        sites = (pair.partition("=") for pair in pairs if pair)
        self.complete_sites = {unquote(site): to for site, _, to in sites}
        return response.content

    @contextmanager
    def arrow(self, query: str, params: Mapping[str, str], rows_max: int) -> Iterator[_Parts]:
        """Run one query and give its answer as the parts of an Arrow stream, as they come.

        Args:
            query: One SELECT; ``{name:Type}`` marks a parameter.
            params: Values of the parameters, escaped as in a TSV.
            rows_max: More rows are an error.

        Raises:
            TooManyRows: There are more, and it is known before the first part.
            OwnFormat: The query names another format.
            Refused: The engine did not take the query; the text is the engine's.
            Unavailable: No answer.
        """
        asked = {
            "default_format": _STREAM,
            "max_result_rows": str(rows_max),
            "max_result_bytes": str(_EXPORT_BYTES_MAX),
            "max_execution_time": str(_EXPORT_S),
        } | {f"param_{name}": value for name, value in params.items()}
        request = self._http.build(
            "POST", "/", params=asked, content=query.encode(), timeout_s=_EXPORT_S
        )
        with self._http.streamed(request) as response:
            if response.headers.get(_ERROR_CODE) == TOO_MANY_ROWS:
                raise TooManyRows(rows_max)
            if response.status_code != 200:
                response.read()
                raise self._http.refuse(response)
            own = response.headers.get(_FORMAT, _STREAM)
            if own != _STREAM:
                raise OwnFormat(own)
            yield response.iter_bytes()

    def rows(self, query: str, params: Mapping[str, str] | None = None) -> list[JsonObject]:
        """Run one query and return its rows, column names as keys."""
        return list(rows_of(self.sql(query, params=params)))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def rows_of(body: bytes) -> Iterator[JsonObject]:
    """Yield the rows of a JSONEachRow answer."""
    for line in body.splitlines():
        if line.strip():
            yield as_object(json.loads(line))


def results_of(body: object) -> list[JsonObject]:
    """Return the results of a 202: the gateway answers a list, or one object for one request."""
    if isinstance(body, dict) and isinstance(body.get("results"), list):
        body = body["results"]
    return [as_object(item) for item in (body if isinstance(body, list) else [body])]


def as_object(value: object) -> JsonObject:
    """Return ``value`` as a JSON object; anything else is an answer we do not understand."""
    if not isinstance(value, dict):
        raise NotAnObject(value)
    return value


def detail_of(response: httpx.Response) -> str:
    """Return what an answer says went wrong: RFC 9457 ``detail`` or ``title``, or its text."""
    try:
        body = response.json()
    except ValueError:
        return response.text.strip()[:2000] or response.reason_phrase
    if isinstance(body, dict):
        return str(body.get("detail") or body.get("title") or body)
    return str(body)
