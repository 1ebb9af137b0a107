"""JSON Schemas of requests, and where all published schemas lie."""

import json
from importlib.resources import files
from pathlib import Path

from producers.requests import MODELS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def request_schema(stem: str) -> dict[str, object]:
    """Return the JSON Schema of a stem's request, made from its model."""
    made = MODELS[stem].model_json_schema()
    return {"$schema": DIALECT, "$id": f"/schemas/request-{stem}.json", **made}


def text(schema: dict[str, object]) -> str:
    """Return a schema as it stands in its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def published(name: str) -> bytes | None:
    """Return a published schema by the name of its file, or None."""
    if not name.endswith(".json") or "/" in name or name.startswith("."):
        return None
    found = files("schemas").joinpath("json", name)
    return found.read_bytes() if found.is_file() else None


def write(directory: Path) -> None:
    """Write the schemas of all requests; a changed file is a change of the API."""
    directory.mkdir(parents=True, exist_ok=True)
    for stem in MODELS:
        (directory / f"request-{stem}.json").write_text(text(request_schema(stem)))
