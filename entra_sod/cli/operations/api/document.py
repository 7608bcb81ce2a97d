"""The contract as OpenAPI 3.1, made of the table of operations and the types of the app. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from entra_sod.cli.operations.api.model import ApiResponse, Header, Operation, Parameter, Schema
from entra_sod.cli.operations.api.operations import EVERYWHERE, OF_A_BODY, OPERATIONS, PROBLEMS
from entra_sod.cli.operations.api.schemas import REFERENCE, components, either
from entra_sod.core.version import VERSION

TITLE = "entra-sod"
TEXT = (
    "Separation of duties for Microsoft Entra access packages: finds people who hold "
    "conflicting packages, and decides whether a person may get one more."
)
KEY_HEADER = "x-functions-key"
# One of them is enough: a token that Entra gave, with an app role, or a key of the app.
SECURITY = {
    "entraToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of Entra for the app, with an app role that the route takes.",
    },
    "callerKey": {
        "type": "apiKey",
        "in": "header",
        "name": KEY_HEADER,
        "description": "A key whose digest CALLER_KEYS names; keys of the host open nothing.",
    },
}


def openapi() -> dict[str, Any]:
    schemas = components()
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": VERSION, "description": TEXT},
        "servers": [{"url": "/api"}],
        "security": [{name: []} for name in SECURITY],
        "paths": paths(schemas),
        "components": {
            "schemas": schemas,
            "responses": {str(status): response(each) for status, each in PROBLEMS.items()},
            "securitySchemes": SECURITY,
        },
    }


def paths(schemas: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in OPERATIONS:
        item = found.setdefault(each.path, {})
        item[each.method] = _operation(each)
        if each.trigger:
            content = {
                "description": each.trigger.text,
                "schema": either(each.trigger.bodies, schemas),
            }
            item["x-ms-notification-content"] = content
    return found


def extensions(operation: Operation) -> dict[str, Any]:
    """What makers of flows see of an operation."""
    said: dict[str, Any] = {}
    if operation.visibility:
        said["x-ms-visibility"] = operation.visibility
    if operation.trigger:
        said |= {"x-ms-trigger": "single", "x-ms-trigger-hint": operation.trigger.hint}
    return said


def problems_of(operation: Operation) -> list[int]:
    """The statuses of an operation's problems, its own and those that what it takes brings."""
    found = {*operation.problems, *(() if operation.is_open else EVERYWHERE)}
    if operation.body:
        found.update(OF_A_BODY)
    if any(each.where == "query" for each in operation.parameters):
        found.add(HTTPStatus.UNPROCESSABLE_ENTITY)
    if any(each.also for each in operation.responses.values()):
        found.add(HTTPStatus.NOT_ACCEPTABLE)
    return sorted(found - operation.responses.keys())


def _operation(operation: Operation) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.route.summary,
        "description": operation.text,
        **extensions(operation),
        "responses": _responses(operation),
    }
    if operation.parameters:
        made["parameters"] = [_parameter(each) for each in operation.parameters]
    if operation.body:
        shown = _example(operation.body_example)
        content = {"application/json": {"schema": _schema_of(operation.body), **shown}}
        made["requestBody"] = {"required": not operation.may_lack_body, "content": content}
    if operation.is_open:
        made["security"] = []
    return made


def _responses(operation: Operation) -> dict[str, Any]:
    own = {str(status): response(answer) for status, answer in operation.responses.items()}
    shared = {
        str(each): {"$ref": f"#/components/responses/{each}"} for each in problems_of(operation)
    }
    return own | shared


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.where == "path",
        "description": parameter.text,
        "schema": parameter.schema,
        "x-ms-summary": parameter.title,
        **parameter.extensions,
    }


def response(answer: ApiResponse) -> dict[str, Any]:
    made: dict[str, Any] = {"description": answer.text}
    if answer.headers:
        made["headers"] = {each.name: _header(each) for each in answer.headers}
    content: dict[str, Any] = {each: {"schema": {"type": "string"}} for each in answer.also}
    if answer.body:
        schema = {"schema": _schema_of(answer.body), **_example(answer.example)}
        content = {answer.media_type: schema, **content}
    if content:
        made["content"] = content
    return made


def _example(example: Schema | None) -> dict[str, Any]:
    return {"example": example} if example else {}


def _header(header: Header) -> dict[str, Any]:
    return {"description": header.text, "required": header.required, "schema": header.schema}


def _schema_of(body: type) -> dict[str, Any]:
    return {"type": "object"} if body is dict else {"$ref": REFERENCE.format(name=body.__name__)}
