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
        "kept": {
            "const": False,
            "description": "There was no room to keep the refused request for 90 days.",
        },
    },
}

OPTIONS = {
    "strict_reference": "Refuse unknown sites, devices, laboratories and contracts.",
    "atomic": "All of the list or nothing.",
    "backfill": "Facts of any age.",
}
"""Query parameters of a post, each true or false."""

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}


def problem(text: str) -> dict[str, Any]:
    """Return the description of an answer that says what is wrong."""
    return {"description": text, "content": {"application/problem+json": {"schema": _PROBLEM}}}


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
            "description": "One result per request, in order, refused ones too; "
            "the accepted ones are on disk.",
            "content": {
                "application/json": {
                    "schema": {"oneOf": [_RESULT, {"type": "array", "items": _RESULT}]}
                }
            },
        },
        "400": problem("The body is no JSON, or the query is not understood."),
        "401": problem("No token, or one that is unknown, expired or revoked."),
        "403": problem("The token is not for this site or type; nothing was taken."),
        "408": problem("The body came too slowly."),
        "413": problem("Body or list too large."),
        "415": problem("A Content-Encoding other than gzip."),
        "429": problem("Too many requests; see Retry-After."),
        "503": problem("The outbox takes nothing now; see Retry-After."),
    },
}
"""What FastAPI cannot see, because the body is read by hand."""

_TIME = {"type": ["string", "null"], "format": "date-time"}
_WAY: dict[str, Any] = {
    "type": "object",
    "required": ["event_id", "state", "accepted_at", "records"],
    "properties": {
        "event_id": {"type": "string", "format": "uuid"},
        "state": {"enum": ["waiting", "published"]},
        "accepted_at": _TIME,
        "records": {"type": "array", "items": {"type": "object"}},
    },
}

GET_EVENT: dict[str, Any] = {
    "security": [{"token": []}],
    "responses": {
        "200": {
            "description": "Its records and where they are.",
            "content": {"application/json": {"schema": _WAY}},
        },
        "400": problem("The id is no UUID."),
        "401": problem("No token, or one that is unknown, expired or revoked."),
        "404": problem("This gateway never took it from a site of the token."),
    },
}
"""The answers to a question about one event."""

GET_SCHEMA: dict[str, Any] = {
    "responses": {
        "200": {
            "description": "The JSON Schema.",
            "content": {"application/schema+json": {"schema": {"type": "object"}}},
        },
        "404": problem("No schema of that name."),
    }
}
_HEALTH = {"application/json": {"schema": {"type": "object", "required": ["status"]}}}
GET_HEALTH: dict[str, Any] = {
    "responses": {
        "200": {"description": "It takes facts.", "content": _HEALTH},
        "503": {"description": "It fails, and says why.", "content": _HEALTH},
    }
}
GET_METRICS: dict[str, Any] = {
    "responses": {
        "200": {
            "description": "Figures in Prometheus' text format.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    }
}


def with_models(description: dict[str, Any]) -> dict[str, Any]:
    """Return the API's description with the models of the requests and the token's scheme."""
    pairs = [(model, "validation") for model in MODELS.values()]
    _, made = models_json_schema(pairs, ref_template=_REF)  # type: ignore[arg-type]
    components = description.setdefault("components", {})
    components.setdefault("schemas", {}).update(made["$defs"])
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path in description["paths"].values():
        for operation in path.values():
            # FastAPI's own for a parameter of the wrong type; ours are text and cannot be.
            operation["responses"].pop("422", None)
    return description
