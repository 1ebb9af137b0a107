"""What ``/openapi.json`` says beyond the paths: bodies, answers, the token."""

from typing import Any

from pydantic.json_schema import models_json_schema

from producers.outcome import Code
from producers.requests import MODELS

_REF = "#/components/schemas/{model}"
_ONE = {"oneOf": [{"$ref": _REF.format(model=model.__name__)} for model in MODELS.values()]}
_RESULT: dict[str, Any] = {
    "type": "object",
    "required": ["result"],
    "properties": {
        "result": {"enum": ["accepted", "duplicate", "refused"]},
        "event_id": {"type": "string", "format": "uuid"},
        "gateway_seq": {"type": "integer"},
        "parts": {"type": "array", "items": {"type": "object"}},
        "warnings": {"type": "array", "items": {"type": "object"}},
        "code": {"enum": [code.value for code in Code]},
        "field": {"type": "string"},
        "found": {},
        "allowed": {},
    },
}

OPTIONS = {
    "strict_reference": "Refuse unknown sites, devices and laboratories.",
    "atomic": "All of the list or nothing.",
    "backfill": "Facts of any age.",
}
"""Query parameters of a post, each true or false."""

POST_EVENTS: dict[str, Any] = {
    "security": [{"token": []}],
    "parameters": [
        {"name": name, "in": "query", "description": text, "schema": {"type": "boolean"}}
        for name, text in OPTIONS.items()
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"oneOf": [_ONE, {"type": "array", "items": _ONE, "maxItems": 1000}]}
            }
        },
    },
    "responses": {
        "202": {
            "description": "One result per request, in order; the accepted ones are on disk.",
            "content": {
                "application/json": {
                    "schema": {"oneOf": [_RESULT, {"type": "array", "items": _RESULT}]}
                }
            },
        },
        "400": {"description": "The body is no JSON."},
        "401": {"description": "No token."},
        "403": {"description": "The token is not for this site or type."},
        "413": {"description": "Body or list too large."},
        "429": {"description": "Too many requests; see Retry-After."},
        "503": {"description": "The outbox takes nothing now; see Retry-After."},
    },
}
"""What FastAPI cannot see, because the body is read by hand."""


def with_models(description: dict[str, Any]) -> dict[str, Any]:
    """Return the API's description with the models of the requests and the token's scheme."""
    pairs = [(model, "validation") for model in MODELS.values()]
    _, made = models_json_schema(pairs, ref_template=_REF)  # type: ignore[arg-type]
    components = description.setdefault("components", {})
    components.setdefault("schemas", {}).update(made["$defs"])
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return description
