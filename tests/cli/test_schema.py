"""The JSON Schema, which is generated of the types of the language."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker
from typer.testing import CliRunner

from entra_sod.cli.__main__ import app
from entra_sod.cli.schema import rules_schema
from entra_sod.domain.rules.document import Document, SourceFile
from entra_sod.domain.rules.parse import read_rules

ROOT = Path(__file__).parent.parent.parent
FINANCE = (ROOT / "rules" / "finance.yaml").read_text(encoding="utf-8")
VALIDATOR = Draft202012Validator(rules_schema(), format_checker=FormatChecker())
EXCEPTION = {
    "id": "EX-1",
    "rule": "pay-and-approve",
    "subject": "cdbdf152-82ce-479c-b5b8-df90f561d5c7",
    "from": "2026-11-01",
    "until": "2026-12-31",
    "reason": "Year-end closing",
    "requestedBy": "ann@example.com",
    "approvedBy": "bob@example.com",
}


def finance() -> Any:
    """The demo's rules as editors see them, with an exception and dates as text."""
    document = copy.deepcopy(Document(SourceFile("finance.yaml", FINANCE)).value)
    assert isinstance(document, dict)
    return {**document, "exceptions": [dict(EXCEPTION)]}


def test_the_checked_in_schema_is_the_generated_one() -> None:
    """`entra-sod schema > rules/schema.json` changes nothing."""
    printed = CliRunner().invoke(app, ["schema"]).stdout
    assert (ROOT / "rules" / "schema.json").read_text(encoding="utf-8") == printed
    assert json.loads(printed) == rules_schema()


def test_the_schema_is_one() -> None:
    """It is valid by its own dialect, and describes each type and each field."""
    Draft202012Validator.check_schema(rules_schema())
    for name, kind in rules_schema()["$defs"].items():
        assert kind.get("additionalProperties", False) is False
        for field, given in kind.get("properties", {}).items():
            assert given["description"], (name, field)


def test_names_are_those_of_the_files() -> None:
    """Fields have the names that people write, not those of the code."""
    kinds = rules_schema()["$defs"]
    assert {"atMost", "effective"} <= kinds["Rule"]["properties"].keys()
    assert {"from", "until", "requestedBy"} <= kinds["ExceptionEntry"]["properties"].keys()
    assert kinds["Mode"]["enum"] == ["record", "warn", "enforce"]


def test_good_rules_fit_the_schema() -> None:
    """The demo's rules fit, and tell editors where the schema is."""
    assert list(VALIDATOR.iter_errors(finance())) == []
    assert FINANCE.startswith("# yaml-language-server: $schema=schema.json\n")


WRONG: dict[str, Callable[[Any], object]] = {
    "another version": lambda file: file.update(version=2),
    "no version": lambda file: file.pop("version"),
    "unknown field of the file": lambda file: file.update(rule=[]),
    "unknown field of a rule": lambda file: file["rules"][0].update(titel="x"),
    "no owner": lambda file: file["rules"][0].pop("owner"),
    "wrong mode": lambda file: file["rules"][0].update(mode="enforced"),
    "empty title": lambda file: file["rules"][0].update(title=""),
    "no GUID": lambda file: file["rules"][0]["between"][0].update(packages=[{"id": "no-guid"}]),
    "unknown field of a side": lambda file: file["rules"][0]["between"][0].update(package=[]),
    "count of none": lambda file: file["rules"][0].update(atMost={"count": 0}),
    "no such date": lambda file: file["exceptions"][0].update({"from": "2026-02-30"}),
    "long class name": lambda file: file.update(classes={"x" * 101: {}}),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG.keys())
def test_wrong_rules_are_refused_by_schema_and_reader_alike(
    change: Callable[[Any], object],
) -> None:
    """What an editor underlines, validate names as well."""
    document = finance()
    change(document)
    assert not VALIDATOR.is_valid(document)
    assert read_rules([SourceFile("f", yaml.safe_dump(document))]).problems


def test_the_example_of_the_docs_has_no_mistake() -> None:
    """What the reference shows first is valid."""
    text = (ROOT / "docs" / "explanation" / "rule-language.md").read_text(encoding="utf-8")
    example = text.partition("```yaml\n")[2].partition("```")[0]
    assert read_rules([SourceFile("docs", example)]).problems == []
    document: Any = Document(SourceFile("docs", example)).value
    assert VALIDATOR.is_valid(document)
