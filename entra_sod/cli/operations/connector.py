"""The same contract as a custom connector of Power Platform and Logic Apps takes it. Pure.

Connectors take Swagger 2.0 only, and one good answer for each operation, which their makers see.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from entra_sod.api.responses import NoFields, Problem
from entra_sod.cli.operations.api.document import KEY_HEADER, TEXT, TITLE, extensions
from entra_sod.cli.operations.api.model import Operation, Parameter
from entra_sod.cli.operations.api.operations import OPERATIONS
from entra_sod.cli.operations.api.schemas import components, either
from entra_sod.core.version import VERSION

# To be replaced by the app's own.
EXAMPLE_HOST = "your-app.azurewebsites.net"
_KEY = "api_key"
_DEFINITIONS = "#/definitions/"


def api_definition(host: str = EXAMPLE_HOST) -> dict[str, Any]:
    """Make the connector's Swagger 2.0 document for an app at a host."""
    schemas = components()
    paths = _paths(schemas)
    return {
        "swagger": "2.0",
        "info": {"title": TITLE, "version": VERSION, "description": TEXT},
        "host": host,
        "basePath": "/api",
        "schemes": ["https"],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "paths": paths,
        "definitions": {
            name: _as_swagger(schemas[name]) for name in sorted(_needed(paths, schemas))
        },
        "securityDefinitions": {_KEY: {"type": "apiKey", "in": "header", "name": KEY_HEADER}},
        "security": [{_KEY: []}],
    }


def api_properties() -> dict[str, Any]:
    """Make what the connector asks of a person who connects it: a key that the app accepts."""
    text = (
        "A key whose digest CALLER_KEYS of the app names; keys of the Functions host open nothing"
    )
    shown = {
        "displayName": "Key of the app",
        "description": text,
        "tooltip": f"{text}; it is sent as {KEY_HEADER}",
        "constraints": {"tabIndex": 2, "clearText": False, "required": "true"},
    }
    return {
        "properties": {
            "connectionParameters": {_KEY: {"type": "securestring", "uiDefinition": shown}},
            "iconBrandColor": "#0f6cbd",
            "capabilities": [],
            "policyTemplateInstances": [],
        }
    }


def _paths(schemas: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in OPERATIONS:
        if each.visibility is None:
            continue
        item = found.setdefault(each.path, {})
        item[each.method] = _operation(each)
        if each.trigger:
            schema = _as_swagger(either(each.trigger.bodies, schemas))
            item["x-ms-notification-content"] = {
                "description": each.trigger.text,
                "schema": schema,
            }
    return found


def _operation(operation: Operation) -> dict[str, Any]:
    return {
        "operationId": operation.id,
        "summary": operation.route.summary,
        "description": operation.text,
        **extensions(operation),
        "parameters": list(_parameters(operation)),
        "responses": _responses(operation),
    }


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    yield from (_parameter(each) for each in operation.parameters)
    if operation.body and operation.body is not NoFields:
        yield {
            "name": "body",
            "in": "body",
            "required": True,
            "schema": {"$ref": _DEFINITIONS + operation.body.__name__},
        }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    made = {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.where == "path",
        "description": parameter.text,
        "x-ms-summary": parameter.title,
        **parameter.schema,
        **parameter.extensions,
    }
    if parameter.where == "path":
        made["x-ms-url-encoding"] = "single"
    return made


def _responses(operation: Operation) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for status, answer in operation.responses.items():
        shown: dict[str, Any] = {"description": answer.text}
        made[str(int(status))] = shown
        if answer.body and len(made) == 1:
            shown["schema"] = {"$ref": _DEFINITIONS + answer.body.__name__}
        if answer.headers:
            shown["headers"] = {
                each.name: {"description": each.text, **each.schema} for each in answer.headers
            }
    schema = {"$ref": _DEFINITIONS + Problem.__name__}
    return made | {"default": {"description": "What was wrong, and where.", "schema": schema}}


def _needed(paths: object, schemas: Mapping[str, Any]) -> set[str]:
    """The names of all schemas that are referred to, also by one another."""
    found: set[str] = set()
    waiting = list(_names(paths))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _names(schemas[name])
    return found


def _names(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        reference = value.get("$ref")
        if isinstance(reference, str):
            yield reference.rpartition("/")[2]
        for each in value.values():
            yield from _names(each)
    elif isinstance(value, list):
        for each in value:
            yield from _names(each)


def _as_swagger(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON Schema in the words of Swagger 2.0, which knows neither `anyOf` nor null."""
    if "anyOf" in schema:
        return _as_swagger(_without_null(schema))
    if "$ref" in schema:
        return {"$ref": _DEFINITIONS + schema["$ref"].rpartition("/")[2]}
    made = {name: value for name, value in schema.items() if name not in ("title", "default")}
    if schema.get("default") is not None:
        made["default"] = schema["default"]
    if "enum" in schema:
        made["type"] = "string"
    if "properties" in schema:
        made["properties"] = {
            name: _as_swagger(each) for name, each in schema["properties"].items()
        }
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), Mapping):
            made[name] = _as_swagger(schema[name])
    if not schema.get("required", True):
        del made["required"]
    return made


def _without_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    arms: Sequence[Mapping[str, Any]] = [
        each for each in schema["anyOf"] if each != {"type": "null"}
    ]
    if len(arms) != 1:
        raise ValueError(f"Swagger cannot say one of {len(arms)} kinds: {schema}")
    beside = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**arms[0], **beside, "x-nullable": True}
