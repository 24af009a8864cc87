"""The API's description, made from the same types that read and write (OpenAPI 3.1)."""

from __future__ import annotations

from typing import Any

import msgspec

from hanse import __version__
from hanse.api.reads import Read, collect

_PROBLEM = {"$ref": "#/components/responses/Refusal"}
_JSON = "application/json"
_TOKEN: list[dict[str, list[str]]] = [{"token": []}]
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "maxLength": 120, "pattern": "^[ -~]*$"},
    "description": "The same key again gives the first answer.",
}


def document(schema: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI 3.1 of everything below /api/v1. `schema`: of `writes.kinds_schema`."""
    paths: dict[str, Any] = {}
    for kind, about in schema["kinds"].items():
        paths[f"/facts/{kind}"] = {"post": _operation(about["about"], _body("application/json", about["schema"]), 201)}
    paths["/facts"] = {
        "post": _operation("Several facts, all or nothing.", _body("application/x-ndjson", {"type": "string"}), 201)
    }
    paths["/signed"] = {
        "post": _operation("A fact that was signed elsewhere.", _body("text/plain", {"type": "string"}), 201)
    }
    for path in ("/entries/{position}", "/entries/{position}/proof"):
        place = {"name": "position", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0}}
        paths[path] = {"get": _operation("An entry of the record, or its proof.", {}, 200, [place])}
    paths |= _webhooks()
    components = dict(schema["components"]["schemas"])
    for read in collect():
        paths[f"/{read.path}"] = {"get": _operation(read.about, {}, 200, _parameters(read, components))}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hanse",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/api/v1"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {
                "Refusal": {"description": "Refused", "content": {"application/problem+json": {"schema": _refusal()}}}
            },
        },
    }


def _webhooks() -> dict[str, Any]:
    """Where the firm's programs are told what was signed."""
    wanted = {
        "type": "object",
        "required": ["url"],
        "additionalProperties": False,
        "properties": {
            "url": {"type": "string", "format": "uri", "maxLength": 500},
            "kinds": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 20},
        },
    }
    name = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "/webhooks": {
            "get": _operation("The addresses that are told of facts.", {}, 200),
            "post": _operation(
                "Tell another address; its secret is in this answer alone.", _body(_JSON, wanted), 201, keyed=False
            ),
        },
        "/webhooks/{id}": {"delete": _operation("Tell an address no more.", {}, 200, [name])},
        "/webhooks/{id}/test": {"post": _operation("Send a test event now.", {}, 200, [name])},
        "/webhooks/{id}/resume": {"post": _operation("Try again now.", {}, 200, [name])},
    }


def _refusal() -> dict[str, Any]:
    text = {"type": ["string", "null"]}
    members = {name: text for name in ("code", "message", "got", "expected", "next")}
    return {
        "type": "object",
        "required": ["code", "message", "status"],
        "properties": {**members, "status": {"type": "integer"}},
    }


def _body(media: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {media: {"schema": schema}}}}


def _operation(
    about: str, body: dict[str, Any], good: int, parameters: list[Any] | None = None, *, keyed: bool = True
) -> dict[str, Any]:
    """keyed: a call with a body may carry a key, under which it is done once."""
    codes = ("400", "401", "403", "404", "405", "409", "413", "422", "429", "500", "503")
    return {
        "summary": about,
        "security": _TOKEN,
        "parameters": [*(parameters or []), *([_KEY] if body and keyed else [])],
        **body,
        "responses": {
            str(good): {"description": "Done", "content": {"application/json": {}}},
            **dict.fromkeys(codes, _PROBLEM),
        },
    }


def _parameters(read: Read, components: dict[str, Any]) -> list[dict[str, Any]]:
    (_,), defined = msgspec.json.schema_components([read.parameters], ref_template="#/components/schemas/{name}")
    own = defined.pop(read.parameters.__name__)
    components.update(defined)
    required = set(own.get("required", ()))
    return [
        {
            "name": name,
            "in": "path" if name in read.in_path else "query",
            "required": name in read.in_path or name in required,
            "schema": {k: v for k, v in schema.items() if k != "default"},
        }
        for name, schema in own.get("properties", {}).items()
    ]
