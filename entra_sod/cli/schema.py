"""JSON Schema of the rules files, made of the language's types and their docstrings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import msgspec
import typer

from entra_sod.cli.operations.api.schemas import documented
from entra_sod.domain.rules import language
from entra_sod.domain.rules.language import RulesFile


def schema() -> None:
    """Print the JSON Schema of rules files, for editors that complete and check."""
    typer.echo(schema_text(), nl=False)


def schema_text() -> str:
    return json.dumps(rules_schema(), indent=2, ensure_ascii=False) + "\n"


def rules_schema() -> dict[str, Any]:
    """Make the schema, each type and each field with what its docstring says."""
    made = msgspec.json.schema(RulesFile)
    for name, definition in made["$defs"].items():
        kind = getattr(language, name)
        text, meanings = documented(kind)
        if text:
            definition["description"] = text
        if issubclass(kind, StrEnum):
            definition["enum"] = list(kind)  # in their own order, which means something
        for field in _fields(kind):
            definition["properties"][field.encode_name]["description"] = meanings[field.name]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:entra-sod:rules:1",
        "title": "Rules of entra-sod",
        "description": "Which access packages of Microsoft Entra a person must not hold together.",
        **made,
    }


def _fields(kind: type) -> Iterator[msgspec.structs.FieldInfo]:
    if issubclass(kind, msgspec.Struct):
        yield from msgspec.structs.fields(kind)
