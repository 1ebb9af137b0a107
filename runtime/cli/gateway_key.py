"""``custody gateway-key``: the key a gateway signs its heads with."""

import json
import os

import click

from custody.events import Micros
from custody.heads import key_text
from producers import signing
from producers.signing import Signer
from runtime.cli import output
from runtime.moment import now, time_of
from runtime.settings import Settings, load
from runtime.wiring import data_dir
from schemas.present import rfc3339


@click.group("gateway-key")
def gateway_key() -> None:
    """The key this gateway signs its heads with; run it on the gateway's machine.

    What a signature is worth is the public key in reference data, which the operator loads and not
    the gateway. Until then its records stand under the alert unknown_gateway.

    \b
    Examples:
      custody gateway-key show
      custody gateway-key show --reference | custody reference load -
      custody gateway-key rotate
    """


@gateway_key.command("show")
@click.option("--reference", is_flag=True, help="The reference record that makes the key known.")
@click.option("--site", help="Site the gateway stands at, for the record.")
@click.option("--from", "since", help="When the key is valid from; now by default.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(*, reference: bool, site: str | None, since: str | None, as_json: bool) -> None:
    """Show the public key and its id; make the key where there is none yet.

    \b
    Examples:
      custody gateway-key show
      custody gateway-key show --reference --site MINE-KOV --from 2026-01-01T00:00:00Z
    """
    settings = load(os.environ)
    directory = data_dir(settings).gateway
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    signer = signing.load_or_make(directory, settings.gateway.gateway_id)
    at = now() if since is None else time_of(since, "--from")
    _tell(settings, signer, at, site, as_record=reference, as_json=as_json)


@gateway_key.command("rotate")
@click.option("--site", help="Site the gateway stands at, for the record.")
def rotate(*, site: str | None) -> None:
    """Make a new key; the old one is kept beside it under its id. Heads use it from the next start.

    Stop the gateway, rotate, load the record that is printed, start. Heads signed before stay good:
    the old record holds until the new one begins. After a theft load the record first.

    \b
    Example:
      custody gateway-key rotate --site MINE-KOV > key.ndjson
    """
    settings = load(os.environ)
    directory = data_dir(settings).gateway
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    signer = signing.rotate(directory, settings.gateway.gateway_id)
    _tell(settings, signer, now(), site, as_record=True, as_json=False)
    output.talk("next: load this record, then start the gateway again")


def _tell(
    settings: Settings,
    signer: Signer,
    at: Micros,
    site: str | None,
    *,
    as_record: bool,
    as_json: bool,
) -> None:
    gateway_id, public = settings.gateway.gateway_id, key_text(signer.public)
    if as_record:
        body = {"key_id": signer.key_id, "public_key": public}
        record = {
            "type": "reference",
            "kind": "gateway",
            "id": gateway_id,
            "valid_from": rfc3339(at),
            "body": body | ({"site": site} if site else {}),
        }
        output.result(json.dumps(record))
    elif as_json:
        output.line_json({"gateway_id": gateway_id, "key_id": signer.key_id, "public_key": public})
    else:
        output.result(
            f"gateway     {gateway_id}\nkey id      {signer.key_id}\npublic key  {public}"
        )
