"""JSON Schemas of the app's types, with what their docstrings say and with `x-ms-*`. Pure."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from entra_sod.api.responses import Problem
from entra_sod.cli.operations.api.model import Schema, title_of
from entra_sod.cli.operations.api.operations import OPERATIONS
from entra_sod.services.checks.request import CheckRequest
from entra_sod.services.decisions.request import DecisionRequest
from entra_sod.services.notifications.subscribe import SubscriptionRequest

_ATTRIBUTE = re.compile(r"^ {4}(\w+): ", re.MULTILINE)
REFERENCE = "#/components/schemas/{name}"

# Makers of flows choose a package by its name, and never see its id.
CHOOSE_PACKAGE: Schema = {
    "x-ms-dynamic-values": {
        "operationId": "ListPackages",
        "parameters": {},
        "value-collection": "packages",
        "value-path": "id",
        "value-title": "title",
    }
}
_ADVANCED: Schema = {"x-ms-visibility": "advanced"}
FIELD_EXTENSIONS: Mapping[tuple[type, str], Schema] = {
    (CheckRequest, "accessPackageId"): CHOOSE_PACKAGE,
    (CheckRequest, "incompatibleAccessPackageId"): CHOOSE_PACKAGE,
    (CheckRequest, "callbackUrl"): _ADVANCED,
    (CheckRequest, "enforcement"): _ADVANCED,
    (DecisionRequest, "accessPackageId"): CHOOSE_PACKAGE,
    (DecisionRequest, "accessPackageIds"): _ADVANCED,
    (DecisionRequest, "from"): _ADVANCED,
    (DecisionRequest, "until"): _ADVANCED,
    # The platform fills it in with the address that it listens at.
    (SubscriptionRequest, "callbackUrl"): {
        "x-ms-notification-url": True,
        "x-ms-visibility": "internal",
    },
}


def components() -> dict[str, Any]:
    """The schema of each type that a request or an answer is made of, by name."""
    _, made = msgspec.json.schema_components(_bodies(), ref_template=REFERENCE)
    kinds = {kind.__name__: kind for kind in _kinds(_bodies())}
    return {name: _described(made[name], kinds[name]) for name in sorted(made)}


def either(bodies: Sequence[type], made: Mapping[str, Any]) -> dict[str, Any]:
    """One schema for bodies of several types, for those who cannot say "one of"."""
    properties: dict[str, Any] = {}
    for body in bodies:
        properties |= made[body.__name__]["properties"]
    shared = set.intersection(*(set(made[body.__name__]["required"]) for body in bodies))
    return {"type": "object", "properties": properties, "required": sorted(shared)}


def _bodies() -> list[type]:
    answers = [each.body for operation in OPERATIONS for each in operation.responses.values()]
    bodies = [operation.body for operation in OPERATIONS]
    # A plain object has no type of its own.
    return [each for each in (Problem, *bodies, *answers) if each not in (None, dict)]


def _kinds(bodies: Sequence[type]) -> Iterator[type]:
    """Every type that the bodies are made of, themselves among them."""
    for info in msgspec.inspect.multi_type_info(bodies):
        yield from _kinds_in(info)


def _kinds_in(info: msgspec.inspect.Type) -> Iterator[type]:
    inner: Sequence[msgspec.inspect.Type] = ()
    match info:
        case msgspec.inspect.StructType():
            yield info.cls
            inner = [field.type for field in info.fields]
        case msgspec.inspect.EnumType():
            yield info.cls
        case msgspec.inspect.UnionType():
            inner = info.types
        case msgspec.inspect.ListType():
            inner = [info.item_type]
        case msgspec.inspect.DictType():
            inner = [info.value_type]
        case _:
            pass
    for each in inner:
        yield from _kinds_in(each)


def documented(kind: type) -> tuple[str, Mapping[str, str]]:
    """What a class says of itself, and of each of its attributes."""
    text, _, attributes = inspect.cleandoc(kind.__doc__ or "").partition("\nAttributes:\n")
    _, *parts = _ATTRIBUTE.split(attributes)
    meanings = zip(parts[::2], parts[1::2], strict=True)
    return " ".join(text.split()), {name: " ".join(said.split()) for name, said in meanings}


def _described(schema: dict[str, Any], kind: type) -> dict[str, Any]:
    text, meanings = documented(kind)
    schema = {name: value for name, value in schema.items() if name != "description"}
    if text:
        schema["description"] = text
    if not issubclass(kind, msgspec.Struct):
        return {"type": "string", **schema}
    for field in msgspec.structs.fields(kind):
        place = schema["properties"][field.encode_name]
        place["x-ms-summary"] = title_of(field.encode_name)
        if said := meanings.get(field.name):
            place["description"] = said[0].upper() + said[1:]
        place |= FIELD_EXTENSIONS.get((kind, field.encode_name), {})
    return schema
