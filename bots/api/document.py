"""The OpenAPI document, made from the table of endpoints and the models they name."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from bots.api.endpoints import Endpoint
from bots.api.wire import Problem

PREFIX = "/api/v1"
REFUSALS = {
    "400": "The body is not JSON, or not in UTF-8.",
    "401": "No token, or one that is not valid.",
    "403": "The person may not do this.",
    "404": "There is no such thing.",
    "409": "It is not so (any more): decided, expired, changed meanwhile, or not allowed by a flow.",
    "413": "The body is too large.",
    "422": "A value is wrong; `errors` says which.",
}

Schema = dict[str, Any]


def document(endpoints: Sequence[Endpoint]) -> Schema:
    """The whole document."""
    inputs = [(id(each), "validation", TypeAdapter(each.body)) for each in endpoints if each.body is not None]
    outputs = [(id(each), "serialization", TypeAdapter(each.answer)) for each in endpoints if each.answer is not None]
    outputs.append((0, "serialization", TypeAdapter(Problem)))
    schemas, definitions = GenerateJsonSchema(ref_template="#/components/schemas/{model}").generate_definitions(
        [(key, _mode(mode), adapter.core_schema) for key, mode, adapter in (*inputs, *outputs)]
    )
    known: dict[tuple[int, str], Schema] = {(key, str(mode)): schema for (key, mode), schema in schemas.items()}
    paths: dict[str, Schema] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, known)
        paths.setdefault(PREFIX + endpoint.path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "X-Ops",
            "version": "1",
            "description": "Approval flows, tickets, subscriptions and promises.",
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _mode(mode: str) -> JsonSchemaMode:
    return "validation" if mode == "validation" else "serialization"


def _operation(endpoint: Endpoint, known: Mapping[tuple[int, str], Schema]) -> Schema:
    operation: Schema = {
        "operationId": f"{endpoint.method.lower()}{re.sub(r'[^a-z]+', '_', endpoint.path)}".rstrip("_"),
        "summary": endpoint.summary,
        "parameters": [*_path(endpoint), *_query(endpoint.query)],
        "responses": {str(endpoint.status.value): _answer(endpoint, known), **_refusals(known)},
    }
    if endpoint.body is not None:
        content = {endpoint.media: {"schema": known[id(endpoint), "validation"]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _answer(endpoint: Endpoint, known: Mapping[tuple[int, str], Schema]) -> Schema:
    if endpoint.answer is None:
        return {"description": "Done."}
    content = {endpoint.media: {"schema": known[id(endpoint), "serialization"]}}
    return {"description": "Done.", "content": content}


def _refusals(known: Mapping[tuple[int, str], Schema]) -> Schema:
    content = {"application/problem+json": {"schema": known[0, "serialization"]}}
    return {status: {"description": text, "content": content} for status, text in REFUSALS.items()}


def _path(endpoint: Endpoint) -> list[Schema]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": pattern}}
        for name, pattern in endpoint.patterns.items()
    ]


def _query(model: type[BaseModel]) -> list[Schema]:
    schema = model.model_json_schema()
    needed = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": _given(value)}
        for name, value in schema.get("properties", {}).items()
    ]


def _given(schema: Schema) -> Schema:
    """A value in an address is there or not; it is never null."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    return options[0] if options else schema
