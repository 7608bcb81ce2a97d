"""SARIF of `validate` and `test`, JUnit XML of `test`: whole, valid, and never an empty success."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from typer.testing import CliRunner

from entra_sod.cli.__main__ import app
from entra_sod.cli.operations.check_reports import (
    UNMET,
    FoundProblem,
    JUnitCase,
    JUnitSuite,
    junit,
    sarif,
)
from entra_sod.domain.rules.document import RulesProblem
from local.processes import CHECKOUT

MISTAKES = "tests/cli/ten_mistakes.yaml"
PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): (?:warning: )?(?P<message>.+)")

# What SARIF 2.1.0 asks of the parts that we write, in our own words. The standard's own schema is
# not here, so this is the contract: unknown fields fail, as they do there.
LEVEL = {"enum": ["none", "note", "warning", "error"]}


def closed(required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": properties,
    }


def listed(items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


TEXT = closed(["text"], text={"type": "string", "minLength": 1})
POSITIVE = {"type": "integer", "minimum": 1}
PHYSICAL = closed(
    ["artifactLocation", "region"],
    artifactLocation=closed(["uri"], uri={"type": "string", "pattern": "^[!-~]+$"}),
    region=closed(["startLine", "startColumn"], startLine=POSITIVE, startColumn=POSITIVE),
)
RESULT = closed(
    ["ruleId", "ruleIndex", "level", "message"],
    ruleId={"type": "string", "pattern": "^[a-z-]+$"},
    ruleIndex={"type": "integer", "minimum": 0},
    level=LEVEL,
    message=TEXT,
    locations=listed(closed(["physicalLocation"], physicalLocation=PHYSICAL), maxItems=1),
)
DRIVER = closed(
    ["name", "version", "rules"],
    name={"type": "string"},
    version={"type": "string"},
    rules=listed(closed(["id", "shortDescription"], id={"type": "string"}, shortDescription=TEXT)),
)
INVOCATION = closed(
    ["executionSuccessful", "toolExecutionNotifications"],
    executionSuccessful={"type": "boolean"},
    toolExecutionNotifications=listed(closed(["level", "message"], level=LEVEL, message=TEXT)),
)
RUN = closed(
    ["tool", "invocations", "columnKind", "results"],
    tool=closed(["driver"], driver=DRIVER),
    invocations=listed(INVOCATION, minItems=1, maxItems=1),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results=listed(RESULT),
)
LOG = Draft7Validator(
    closed(
        ["$schema", "version", "runs"],
        **{"$schema": {"type": "string"}},
        version={"const": "2.1.0"},
        runs=listed(RUN, minItems=1, maxItems=1),
    )
)
ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=20)


def run(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout, result.stderr


def checked(text: str) -> dict[str, Any]:
    """The run of a log that has the form of SARIF."""
    log = json.loads(text)
    LOG.validate(log)
    only: dict[str, Any] = log["runs"][0]
    rules = only["tool"]["driver"]["rules"]
    assert all(rules[each["ruleIndex"]]["id"] == each["ruleId"] for each in only["results"])
    return only


def places(log: dict[str, Any]) -> list[tuple[str, int, int, str]]:
    """File, line, column and message of each result."""
    return [
        (
            where["artifactLocation"]["uri"],
            where["region"]["startLine"],
            where["region"]["startColumn"],
            each["message"]["text"],
        )
        for each in log["results"]
        for where in [each["locations"][0]["physicalLocation"]]
    ]


def read_xml(text: str) -> ET.Element:
    return ET.fromstring(text.encode())  # noqa: S314 - we wrote it


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Rules and their tests below the current folder, to be spoiled."""
    rules = tmp_path / "rules"
    (rules / "tests").mkdir(parents=True)
    for name in ("finance.yaml", "tests/finance.yaml"):
        (rules / name).write_text((CHECKOUT / "rules" / name).read_text(encoding="utf-8"))
    monkeypatch.chdir(tmp_path)
    return rules


def spoil(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_validate_says_the_same_in_both_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line of text is a result with the same place, message and level; so is the exit code."""
    monkeypatch.chdir(CHECKOUT)
    code, text, _ = run("validate", MISTAKES, "--offline")
    same, log, err = run("validate", MISTAKES, "--offline", "--format", "sarif")
    told = [match for line in text.splitlines() if (match := PLACE.fullmatch(line))]
    expected = [(m["file"], int(m["line"]), int(m["column"]), m["message"]) for m in told]
    results = checked(log)
    assert (code, same) == (1, 1)
    assert places(results) == expected
    warnings = [each for each in results["results"] if each["level"] == "warning"]
    assert len(warnings) == text.count(": warning: ") == 1
    assert err == "12 mistakes, 1 warning in 1 file\n"


def test_sound_rules_are_an_empty_log(folder: Path) -> None:
    """Which says that the run was whole."""
    code, log, _ = run("validate", folder, "--offline", "--format", "sarif")
    only = checked(log)
    assert (code, only["results"]) == (0, [])
    assert only["invocations"][0] == {"executionSuccessful": True, "toolExecutionNotifications": []}


def test_a_tenant_that_cannot_be_read_is_no_empty_success(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log says that the run was not whole and why, and the exit code is 3."""
    monkeypatch.setenv("GRAPH_ROOT", "http://127.0.0.1:9")
    monkeypatch.setenv("GRAPH_CREDENTIAL", "local")
    monkeypatch.setattr("entra_sod.cli.validate._try_tenant", lambda *_: (None, "No way.", False))
    code, log, err = run("validate", folder, "--format", "sarif")
    (invocation,) = checked(log)["invocations"]
    assert code == 3
    assert invocation["executionSuccessful"] is False
    assert [each["message"]["text"] for each in invocation["toolExecutionNotifications"]] == [
        "No way."
    ]
    assert "No way." in err


def test_a_file_is_named_from_where_the_run_is(folder: Path) -> None:
    """With signs of URIs encoded; an absolute path is a file address."""
    odd = folder / "a b#ü:1.yaml"
    odd.write_text("version: 2\n")
    _, log, _ = run("validate", "rules", "--offline", "--format", "sarif")
    assert places(checked(log))[0][:3] == ("rules/a%20b%23%C3%BC%3A1.yaml", 1, 10)
    _, log, _ = run("validate", odd, "--offline", "--format", "sarif")
    assert places(checked(log))[0][0].startswith("file:///")


def test_failed_expectations_are_results(folder: Path) -> None:
    """At the line of the test that failed."""
    spoil(folder / "finance.yaml", "mode: enforce", "mode: record")
    code, log, err = run("test", "rules/tests", "--format", "sarif")
    only = checked(log)
    assert (code, err) == (1, "")
    assert [each["ruleId"] for each in only["results"]] == [UNMET.id]
    assert places(only)[0][:3] == ("rules/tests/finance.yaml", 25, 9)
    assert places(only)[0][3].startswith("expected deny by pay-and-approve for Ben pays")


@pytest.mark.parametrize("how", ["sarif", "junit"])
def test_rules_with_a_mistake_are_no_empty_success(folder: Path, how: str) -> None:
    """The mistake is in the report, with the file as seen from where the run is."""
    spoil(folder / "finance.yaml", "mode: enforce", "mode: forbid")
    code, text, _ = run("test", "rules/tests", "--format", how)
    assert code == 1
    if how == "sarif":
        assert places(checked(text))[0][0] == "rules/finance.yaml"
    else:
        assert read_xml(text).attrib["errors"] == "1"


def test_each_person_is_a_test_of_junit(folder: Path) -> None:
    """Counts of failures and errors fit the tests below them."""
    spoil(folder / "finance.yaml", "mode: enforce", "mode: record")
    (folder / "tests" / "bad.yaml").write_text("version: 1\npackages: []\npeople: []\n")
    code, text, _ = run("test", "rules/tests", "--format", "junit")
    suites = read_xml(text)
    assert code == 1
    assert suites.tag == "testsuites"
    assert [each.attrib["name"] for each in suites] == [
        "rules/tests/bad.yaml",
        "rules/tests/finance.yaml",
    ]
    people = [each.attrib["name"] for each in suites[1]]
    assert people[:2] == ["Ada holds nothing yet", "Ben pays"]
    assert [each.attrib["name"] for each in suites[1] if each.find("failure") is not None] == [
        "Ben pays"
    ]
    assert_sound(suites)
    assert suites.attrib["failures"] == suites.attrib["errors"] == "1"


def assert_sound(suites: ET.Element) -> None:
    """As the schemas of JUnit XML ask: counts are true, and each part has what it needs."""
    for suite in suites:
        cases = list(suite)
        assert {each.tag for each in cases} <= {"testcase"}
        assert int(suite.attrib["tests"]) == len(cases)
        assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
        assert int(suite.attrib["errors"]) == len(suite.findall("testcase/error"))
        for case in cases:
            assert {"name", "classname"} <= case.attrib.keys()
            assert {each.tag for each in case} <= {"failure", "error"}
            assert all({"message", "type"} <= each.attrib.keys() for each in case)
    for name in ("tests", "failures", "errors"):
        assert int(suites.attrib[name]) == sum(int(each.attrib[name]) for each in suites)


def test_a_folder_without_tests_is_an_error(folder: Path) -> None:
    """No file is no success."""
    (folder / "tests" / "finance.yaml").unlink()
    code, text, err = run("test", "rules/tests", "--format", "junit")
    assert (code, read_xml(text).attrib["errors"]) == (1, "1")
    assert "rules/tests:1:1: has no YAML file with tests" in err


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_any_name_gives_valid_reports(file: str, name: str, message: str) -> None:
    """Control characters, halves of characters, marks of XML: what is read back says the same."""
    problem = RulesProblem(file, 3, 4, message)
    found = [FoundProblem(problem, UNMET), FoundProblem.of(problem)]
    only = checked(sarif(found, [message or "-"]))
    assert len(only["results"]) == 2
    suite = JUnitSuite(file, [JUnitCase(name, [problem]), JUnitCase(name, error=message or "-")])
    suites = read_xml(junit([suite]))
    assert_sound(suites)
    if name.isprintable() and not re.search("[\ufffe\uffff]", name):
        assert suites[0][0].attrib["name"] == name
