"""``custody schema``: the published JSON Schemas, the Avro schemas, and whether they still fit."""

import json
import os
from importlib.resources import files

import click
import httpx

from custody.errors import Refused, Unavailable
from producers import json_schemas
from producers.requests import MODELS
from runtime import wiring
from runtime.cli import output
from runtime.cli.main import FOUND
from runtime.settings import load
from schemas import avro
from schemas.routes import BY_STEM, ROUTES, Route, subject

_REGISTRY_TIMEOUT_S = 10.0
_NOT_FOUND = 404


class UnknownSchema(Refused):
    """There is no schema of a name."""

    def __init__(self, name: str, kind: str) -> None:
        super().__init__(
            f"no {kind} schema {name}",
            expected="a name of the list, such as weighing",
            next_step="custody schema --list",
        )


class RegistryFailed(Unavailable):
    """The registry did not answer as it should."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"the registry at {url}: {why}", next_step="custody status; custody up")


@click.command()
@click.argument("name", required=False)
@click.option("--avro", "as_avro", is_flag=True, help="The Avro schema of a stem instead.")
@click.option("--list", "show_list", is_flag=True, help="The names of all schemas.")
@click.option("--check", is_flag=True, help="Compare with the code, and ask the registry.")
def schema(name: str | None, *, as_avro: bool, show_list: bool, check: bool) -> int:
    """Print the JSON Schema NAME: of a request, a reference kind, an alert or a balance.

    The gateway publishes the same at /schemas/NAME.json. --check exits 1 where a published
    schema is not that of the code, or where the registry would refuse an Avro schema.

    \b
    Examples:
      custody schema weighing
      custody schema --avro weighing
      custody schema --check
    """
    if show_list:
        _list()
    elif check:
        return _check()
    elif name is None:
        message = "NAME, --list or --check is needed"
        raise click.UsageError(message)
    else:
        output.result(_avro_text(name) if as_avro else _json_text(name))
    return 0


def published() -> list[str]:
    """Return the names of all published JSON Schemas, in order."""
    folder = files("schemas").joinpath("json")
    names = (entry.name for entry in folder.iterdir())
    return sorted(name.removesuffix(".json") for name in names if name.endswith(".json"))


def _list() -> None:
    rows = [{"name": name, "kind": "JSON Schema", "of": ""} for name in published()]
    rows += [{"name": r.stem, "kind": "Avro (--avro)", "of": subject(r)} for r in ROUTES]
    output.table(
        (output.text("name", "name"), output.text("kind", "kind"), output.text("subject", "of")),
        rows,
    )


def _json_text(name: str) -> str:
    """Return a published schema; a stem alone means its request, a kind its reference record."""
    for candidate in (name, f"request-{name}", f"reference-{name}"):
        found = json_schemas.published(f"{candidate}.json")
        if found is not None:
            return found.decode().rstrip("\n")
    raise UnknownSchema(name, "JSON")


def _avro_text(stem: str) -> str:
    if stem not in BY_STEM:
        raise UnknownSchema(stem, "Avro")
    return json.dumps(avro.schema(stem), indent=2, ensure_ascii=False)


def _check() -> int:
    """Compare what is published with the code, then ask the registry; return the exit code."""
    url = wiring.registry_url(load(os.environ))
    problems = 0
    for stem in MODELS:
        said = json_schemas.published(f"request-{stem}.json")
        now = json_schemas.text(json_schemas.request_schema(stem)).encode()
        problems += _say(f"request-{stem}", [] if said == now else ["is not that of the code"])
    with httpx.Client(timeout=_REGISTRY_TIMEOUT_S, trust_env=False) as client:
        for route in ROUTES:
            problems += _say(subject(route), _incompatible(client, url, route))
    output.result(f"{problems} problems")
    return FOUND if problems else 0


def _say(name: str, problems: list[str]) -> int:
    for problem in problems:
        output.result(f"{name}: {problem}")
    return len(problems)


def _incompatible(client: httpx.Client, url: str, route: Route) -> list[str]:
    """Ask the registry whether it would take the present schema of a route."""
    body = {"schemaType": "AVRO", "schema": avro.text(route.stem)}
    path = f"{url}/compatibility/subjects/{subject(route)}/versions?verbose=true"
    try:
        answer = client.post(path, json=body)
    except httpx.TransportError as error:
        raise RegistryFailed(url, str(error)) from error
    if answer.status_code == _NOT_FOUND:
        return ["is not registered yet; custody prepare registers it"]
    if answer.status_code != 200:
        raise RegistryFailed(url, f"{answer.status_code} {answer.text[:200]}")
    said = answer.json()
    return [] if said.get("is_compatible") else [str(said.get("messages") or "incompatible")]
