"""What checks of rules found, as pipelines read it: SARIF 2.1.0 and JUnit XML. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

import msgspec

from entra_sod.core.names import visible
from entra_sod.core.version import VERSION
from entra_sod.domain.rules.document import RulesProblem

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_PLACE = re.compile(r"(?s)(.+?):([1-9]\d*):([1-9]\d*): (warning: )?(.*)")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A kind of problem, as SARIF's rules are.

    Attributes:
        id: stable, for people who filter by it.
        text: what is wrong with such a place.
    """

    id: str
    text: str


MISTAKE = ProblemKind("mistake", "The file cannot be used as it stands.")
WARNING = ProblemKind("warning", "The file can be used, and is worth a look.")
UNMET = ProblemKind("unmet-expectation", "The rules decide otherwise than a test expects.")
_KINDS = (MISTAKE, WARNING, UNMET)


@dataclass(frozen=True, slots=True)
class FoundProblem:
    """A problem at its place, and its kind."""

    problem: RulesProblem
    kind: ProblemKind

    @classmethod
    def of(cls, problem: RulesProblem) -> FoundProblem:
        return cls(problem, WARNING if problem.is_warning else MISTAKE)

    @classmethod
    def read(cls, text: str) -> FoundProblem:
        """Return a problem that was told as `file:line:column: message`, or as a sentence alone."""
        found = _PLACE.fullmatch(text)
        if found is None:
            return cls(RulesProblem("", 1, 1, text), MISTAKE)
        file, line, column, warning, message = found.groups()
        return cls.of(RulesProblem(file, int(line), int(column), message, bool(warning)))

    def within(self, folder: PurePath) -> FoundProblem:
        """Return the same, with its file as seen from outside of a folder."""
        if not self.problem.file:
            return self
        file = (folder / self.problem.file).as_posix()
        return FoundProblem(msgspec.structs.replace(self.problem, file=file), self.kind)


def sarif(found: Iterable[FoundProblem], not_known: Sequence[str] = ()) -> str:
    """Write problems as a log of SARIF 2.1.0.

    Args:
        found: in the order in which they are to be listed.
        not_known: what could not be looked at. Then the log says that the run was not whole.
    """
    run = {
        "tool": {
            "driver": {
                "name": "entra-sod",
                "version": VERSION,
                "rules": [
                    {"id": each.id, "shortDescription": {"text": each.text}} for each in _KINDS
                ],
            }
        },
        "invocations": [
            {
                "executionSuccessful": not not_known,
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": visible(each)}} for each in not_known
                ],
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_result(each) for each in found],
    }
    log = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2) + "\n"


def _result(found: FoundProblem) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": found.kind.id,
        "ruleIndex": _KINDS.index(found.kind),
        "level": "warning" if found.kind is WARNING else "error",
        "message": {"text": visible(found.problem.message) or found.kind.text},
    }
    if found.problem.file:
        region = {"startLine": found.problem.line, "startColumn": found.problem.column}
        place = {"artifactLocation": {"uri": _uri(found.problem.file)}, "region": region}
        result["locations"] = [{"physicalLocation": place}]
    return result


def _uri(file: str) -> str:
    """Return a path as a URI: relative to the folder of the run, unless it is absolute."""
    encoded = quote(file, safe="/", errors="surrogatepass")
    return f"file://{encoded}" if PurePath(file).is_absolute() else encoded


@dataclass(frozen=True, slots=True)
class JUnitCase:
    """A test; `failures` and `error` say what became of it.

    Attributes:
        error: why it could not be run.
    """

    name: str
    failures: Sequence[RulesProblem] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class JUnitSuite:
    """The tests of a file."""

    name: str
    cases: Sequence[JUnitCase]

    @property
    def failures(self) -> int:
        return sum(bool(each.failures) for each in self.cases)

    @property
    def errors(self) -> int:
        return sum(bool(each.error) for each in self.cases)


def junit(suites: Sequence[JUnitSuite]) -> str:
    """Write tests as JUnit XML."""
    lines = [line for each in suites for line in _suite(each)]
    counts = _attributes(
        name="entra-sod test",
        tests=sum(len(each.cases) for each in suites),
        failures=sum(each.failures for each in suites),
        errors=sum(each.errors for each in suites),
    )
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return "\n".join([head, f"<testsuites{counts}>", *lines, "</testsuites>"]) + "\n"


def _suite(suite: JUnitSuite) -> Iterator[str]:
    counts = _attributes(
        name=suite.name,
        tests=len(suite.cases),
        failures=suite.failures,
        errors=suite.errors,
        skipped=0,
    )
    yield f"  <testsuite{counts}>"
    for each in suite.cases:
        yield f"    <testcase{_attributes(name=each.name, classname=suite.name)}>"
        if each.failures:
            first = _attributes(message=each.failures[0].message, type=UNMET.id)
            text = "\n".join(map(str, each.failures))
            yield f"      <failure{first}>{escape(_xml(text))}</failure>"
        if each.error:
            yield f"      <error{_attributes(message=each.error, type=MISTAKE.id)}/>"
        yield "    </testcase>"
    yield "  </testsuite>"


def _attributes(**values: object) -> str:
    return "".join(f" {name}={quoteattr(_xml(str(value)))}" for name, value in values.items())


def _xml(text: str) -> str:
    """Return a text of characters that XML may have."""
    seen = visible(text, layout="\n")
    return _NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", seen)
