"""docs/reference/rules.md: every field of the language, of the same source as the schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from entra_sod.cli.schema import rules_schema
from local.reference.markdown import page

_TEXT = """
Every field of a rules file. [The rule language](../explanation/rule-language.md) says what the
fields do together, and [write a rule](../how-to/write-a-rule.md) has the steps. `entra-sod
schema` prints the same as JSON Schema, which is also in `rules/schema.json`.
"""
_WORDS = {
    "RulesFile": "A file",
    "Rule": "A rule",
    "Side": "A side, or a class",
    "PackageSelector": "A package selector",
    "GroupSelector": "A group selector",
    "GrantSelector": "A grant selector",
    "AtMost": "`atMost`",
    "AtMostSides": "`atMostSides`",
    "Requirement": "`requires`",
    "Effective": "`effective`",
    "FrameworkClause": "A clause of a framework",
    "ImportSource": "`source`",
    "Protected": "`protected`",
    "Control": "A control",
    "ExceptionEntry": "An exception",
    "Override": "An override",
}
_FORMATS = {"uuid": "GUID", "date": "date"}


def rules_page() -> str:
    return page("Fields of rules files", _TEXT, tables())


def tables() -> str:
    """Make a table for each type of the language, in the order in which people meet them."""
    kinds = rules_schema()["$defs"]
    return "\n".join(line for name in _WORDS for line in _table(name, kinds))


def _table(name: str, kinds: Mapping[str, Any]) -> Iterator[str]:
    kind = kinds[name]
    yield from ("", f"## {_WORDS[name]}", "", kind["description"], "")
    yield from ("| field | value | meaning |", "| --- | --- | --- |")
    for field, given in kind["properties"].items():
        need = "" if field in kind["required"] else ", optional"
        yield f"| `{field}` | {_value(given, kinds)}{need} | {given['description']} |"


def _value(given: Mapping[str, Any], kinds: Mapping[str, Any]) -> str:
    if "anyOf" in given:
        return _value(given["anyOf"][0], kinds)
    if "$ref" in given:
        return _referred(given, kinds)
    if "enum" in given:
        return " or ".join(f"`{value}`" for value in given["enum"])
    if given["type"] == "array":
        return f"list of {_value(given['items'], kinds)}"
    if given["type"] == "object":
        return f"names, each with a {_value(given['additionalProperties'], kinds)}"
    return _simple(given)


def _referred(given: Mapping[str, Any], kinds: Mapping[str, Any]) -> str:
    name = given["$ref"].rpartition("/")[2]
    if "enum" not in kinds[name]:
        return _WORDS[name].removeprefix("A ").removeprefix("An ").partition(",")[0]
    words = ", ".join(f"`{value}`" for value in kinds[name]["enum"])
    default = f"; `{given['default']}` if not given" if "default" in given else ""
    return words + default


def _simple(given: Mapping[str, Any]) -> str:
    if "format" in given:
        return _FORMATS[given["format"]]
    if given["type"] == "boolean":
        return "`true` or `false`"
    if given["type"] == "integer":
        return f"{given['minimum']} to {given['maximum']}"
    return f"text of up to {given['maxLength']} characters"
