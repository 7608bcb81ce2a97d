"""docs/reference/api.md: every route with its roles, samples, answers and problems."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from entra_sod.cli.expected import TIMER_FUNCTION
from entra_sod.cli.operations.api.document import openapi
from entra_sod.cli.operations.api.operations import OPERATIONS
from entra_sod.domain.callers.routes import ELSEWHERE, ROUTES, Access, OpenAccess
from local.reference.markdown import anchor, code, page, table
from local.reference.problems import problem_types
from local.reference.samples import sample

_TEXT = """
The base address is `https://APP/api`. [openapi.json](../openapi.json), which the app also serves
at `/api/openapi.json`, is the same contract for programs. A caller sends a token of Entra with an
app role (`Authorization: Bearer`), or a key (`x-functions-key`);
[callers](../how-to/give-access-to-callers.md) says how to give them. One of the roles of a route
is enough, and `SoD.Admin` and keys have them all. `public` routes take every caller; `own proof`
routes verify their callers themselves, such as by a signature.

Times are RFC 3339 in UTC. Ids of packages and subjects are GUIDs with hyphens. A body has at most
64 KiB, a batch of decisions 512 KiB, a webhook 1 MiB.
"""
_PROBLEMS = """
Errors are `application/problem+json` (RFC 9457). `type` is `urn:entra-sod:problem:` and the word
below. `errors` names each wrong field by a JSON pointer. 429 and 503 have `Retry-After` in
seconds.
"""
_ACCESS = {
    OpenAccess.PUBLIC: "public",
    OpenAccess.OWN: "own proof",
    OpenAccess.KNOWN: "every known caller",
}


def api_page() -> str:
    document = openapi()
    return page(
        "API",
        _TEXT,
        "## Routes",
        table(("route", "function", "roles", "what it does"), _routes()),
        f"`{ELSEWHERE.function}` answers every other path with 404, and every other method with "
        f"405. `{TIMER_FUNCTION}` starts the nightly sweep by a timer. "
        "[Queues](tables-and-blobs.md#queues) have functions of their own.",
        *_operations(document),
        "## Problems",
        _PROBLEMS,
        table(("status", "type", "title"), ((str(a), code(b), c) for a, b, c in problem_types())),
        "## Shapes",
        *_shapes(document["components"]["schemas"]),
    )


def access_words(access: Access) -> str:
    """Name who a route takes."""
    if isinstance(access, frozenset):
        return ", ".join(code(each) for each in sorted(access))
    return _ACCESS[access]


def _routes() -> Iterator[tuple[str, str, str, str]]:
    for each in ROUTES.values():
        name = f"{each.method} /{each.path}"
        link = f"[`{name}`](#{anchor(name)})"
        yield link, code(each.function), access_words(each.access), each.summary


def _operations(document: Mapping[str, Any]) -> Iterator[str]:
    schemas = document["components"]["schemas"]
    for each in OPERATIONS:
        operation = document["paths"][each.path][each.method]
        route = each.route
        yield f"### {route.method} /{route.path}"
        yield f"{operation['description']} Roles: {access_words(route.access)}."
        if operation.get("parameters"):
            yield table(("parameter", "in", "meaning"), _parameters(operation))
        yield from _body(operation, schemas)
        yield table(("status", "meaning", "body"), _responses(operation))
        yield from _answer(operation, schemas)


def _parameters(operation: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for each in operation["parameters"]:
        yield code(each["name"]), each["in"], each["description"]


def _body(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    schema = _json_schema(operation.get("requestBody", {}))
    if schema is None:
        return
    if shape := _shape(schema):
        yield f"Body: {shape}, for example:"
    yield _json(sample(schema, schemas))


def _responses(operation: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Show the answers of this operation; those that routes share stand in one row."""
    shared = [str(status) for status, given in operation["responses"].items() if "$ref" in given]
    for status, given in operation["responses"].items():
        if str(status) not in shared:
            schema = _json_schema(given)
            yield str(status), given["description"], _shape(schema) if schema else ""
    if shared:
        yield ", ".join(shared), "[Problems](#problems)", _shape({"$ref": "/Problem"})


def _answer(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    """Show the first good answer that has a body of a known shape."""
    for status, given in operation["responses"].items():
        schema = _json_schema(given)
        if schema and _shape(schema):
            yield f"Answer {status}, shortened to the required fields:"
            yield _json(sample(schema, schemas))
            return


def _json_schema(given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    content = given.get("content", {}).get("application/json")
    schema: Mapping[str, Any] | None = content["schema"] if content else None
    return schema


def _shape(schema: Mapping[str, Any]) -> str:
    if "$ref" not in schema:
        return ""
    name = schema["$ref"].rpartition("/")[2]
    return f"[{name}](#{anchor(name)})"


def _json(value: object) -> str:
    return f"```json\n{json.dumps(value, indent=2, ensure_ascii=False)}\n```"


def _shapes(schemas: Mapping[str, Any]) -> Iterator[str]:
    for name, schema in sorted(schemas.items()):
        yield f"### {name}"
        if schema.get("description"):
            yield schema["description"]
        if "enum" in schema:
            yield f"One of {', '.join(code(each) for each in schema['enum'])}."
        if schema.get("properties"):
            yield table(("field", "value", "meaning"), _fields(schema))


def _fields(schema: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    required = schema.get("required", ())
    for name, each in schema["properties"].items():
        value = _kind(each) + ("" if name in required else ", optional")
        yield code(name), value, each.get("description", "")


def _kind(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return _shape(schema)
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return " or ".join(_kind(each) for each in choices)
    if "enum" in schema:
        return ", ".join(code(str(each)) for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    kind = schema.get("format") or schema.get("type") or "any"
    return kind if isinstance(kind, str) else " or ".join(kind)
