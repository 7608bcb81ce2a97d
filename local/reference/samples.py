"""A sample of each JSON that the app takes or gives, made of its schema; the same in every run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PAY, APPROVE = "2506aef1-3929-4d24-a61e-7c8b83d95e6f", "d5d99728-8c0b-4ede-83d2-cf9b0e8dabfb"
_PERSON = "8a9bcf03-e947-5aaa-bb34-66335e3eacaa"
_CHECK = "0b3c1c52-5f0e-4a3b-9a77-0f4a53a1c1de"
_MOMENT = "2026-11-29T02:00:00Z"
MAX_DEPTH = 6
# What a field of this name looks like, wherever it stands.
_BY_NAME: Mapping[str, object] = {
    "id": _CHECK,
    "accessPackageId": PAY,
    "accessPackageIds": [PAY],
    "incompatibleAccessPackageId": APPROVE,
    "subject": _PERSON,
    "subjectId": _PERSON,
    "objectId": _PERSON,
    "on": PAY,
    "to": APPROVE,
    "displayName": "Adele Vance",
    "name": "Pay invoices",
    "rule": "pay-and-approve",
    "ruleId": "pay-and-approve",
    "rules": ["pay-and-approve"],
    "title": "Nobody both pays and approves invoices",
    "owner": "finance-controls@contoso.com",
    "severity": "critical",
    "reference": "CHG-1042",
    "callbackUrl": "https://hooks.contoso.com/sod",
    "self": "https://APP/api/checks/0b3c1c52-5f0e-4a3b-9a77-0f4a53a1c1de",
    "reason": "wrong rule, ticket 4711",
    "by": "CHG-1042",
    "enforcement": "plan",
    "catalog": "Finance",
    "mode": "enforce",
    "status": "completed",
    "state": "open",
    "kind": "pair",
    "rulesHash": "9f2c…",
    "asOf": _MOMENT,
    "until": "2026-12-31",
    "from": "2026-11-01",
    "why": "rule pay-and-approve",
    "reasons": ["rule pay-and-approve: Nobody both pays and approves invoices"],
}


def sample(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> object:
    """Make a value that fits a schema: required fields, and those whose name says how they look."""
    return _value("", schema, schemas, 0)


def _value(name: str, schema: Mapping[str, Any], schemas: Mapping[str, Any], depth: int) -> object:
    if other := _elsewhere(schema, schemas):
        return _value(name, other, schemas, depth)
    for given in ("example", "const"):
        if given in schema:
            return schema[given]
    if schema.get("type") == "object" and "properties" in schema:
        return _object(schema, schemas, depth)
    if schema.get("type") == "array":
        return _list(name, schema, schemas, depth)
    return _simple(name, schema)


def _elsewhere(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Follow a reference, or take the first choice that is not null."""
    if "$ref" in schema:
        found: Mapping[str, Any] = schemas[schema["$ref"].rpartition("/")[2]]
        return found
    choices = schema.get("anyOf") or schema.get("oneOf") or ()
    return next((each for each in choices if each.get("type") != "null"), None)


def _object(schema: Mapping[str, Any], schemas: Mapping[str, Any], depth: int) -> object:
    required = schema.get("required", ())
    fields = {
        name: each
        for name, each in schema["properties"].items()
        if name in required or (depth == 0 and isinstance(_BY_NAME.get(name), str))
    }
    made = {name: _value(name, each, schemas, depth + 1) for name, each in fields.items()}
    return made | {"id": _BY_NAME["rule"]} if {"id", "mode"} <= fields.keys() else made


def _list(name: str, schema: Mapping[str, Any], schemas: Mapping[str, Any], depth: int) -> object:
    if isinstance(_BY_NAME.get(name), list) and "$ref" not in schema["items"]:
        return _BY_NAME[name]
    if depth >= MAX_DEPTH:
        return []
    return [_value("", schema["items"], schemas, depth + 1)]


def _simple(name: str, schema: Mapping[str, Any]) -> object:
    if "enum" in schema:
        known = _BY_NAME.get(name)
        return known if known in schema["enum"] else schema["enum"][0]
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "string":
        return _text(name, schema)
    return {"integer": schema.get("minimum", 0), "number": 0, "boolean": False}.get(str(kind), {})


def _text(name: str, schema: Mapping[str, Any]) -> object:
    known = _BY_NAME.get(name)
    if schema.get("pattern", "").startswith("^sha256:"):
        return f"sha256:{'0' * 64}"
    if isinstance(known, str) and schema.get("format") not in ("date-time", "date"):
        return known
    by_format = {"date-time": _MOMENT, "date": _MOMENT[:10], "uuid": PAY, "uri": _BY_NAME["self"]}
    return by_format.get(schema.get("format", ""), "…")
