"""What people get wrong when they write rules by hand, told so that they can mend it."""

from __future__ import annotations

from datetime import date

import pytest

from entra_sod.cli.operations.rules.lint import lint
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.document import RulesProblem, SourceFile, decode
from entra_sod.domain.rules.parse import read_rules
from entra_sod.domain.rules.resolve import Tenant
from tests.builders import guid

A, B = guid("a"), guid("b")
FILE = """version: 1
rules:
  - id: r
    title: T
    severity: high
    owner: o@example.com
    mode: enforce
    between:
      - packages: [{id: %s}]
      - packages:
          - name: NAME
exceptions:
  - id: e
    rule: r
    subject: %s
    from: 2026-01-01
    until: 2026-12-31
    reason: Closing
    requestedBy: ann@example.com
    approvedBy: bob@example.com
""" % (A, B)  # noqa: UP031 - braces are YAML's here


def said(data: str | bytes) -> str:
    file = decode("f", data if isinstance(data, bytes) else data.encode())
    if isinstance(file, RulesProblem):
        return str(file)
    return "\n".join(map(str, read_rules([file]).problems))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("*Pay", "f:11:19: *Pay is a mark of YAML, for which rules have no use: quote the pattern"),
        ("*", "put the whole text into quotes"),
        ("&Pay now", "quote the pattern"),
        ("!Pay", "quote the pattern"),
        ("'Pay", "f:11:19: a quote is not closed"),
        ("Pay: now", "f:11:22: a colon and a blank begin a value in YAML"),
        ("“Pay”", "f:11:19: “ is no quote in YAML"),
        ("7", "must be text, got a whole number: put it into quotes"),
        ("no", "must be text, got true or false: put it into quotes"),
        ("", "name is empty: leave it out or quote it"),
        ("#Pay", "name is empty: leave it out or quote it"),
        *(
            (mark, "put the whole text into quotes")
            for mark in ("%P", "@P", "`P", "? P", "?", "|P")
        ),
        *((text, "put the whole text into quotes") for text in ("[EU] Pay", '"Pay" now', "{a} b")),
    ],
)
def test_d4_a_pattern_without_quotes(name: str, words: str) -> None:
    """Marks of YAML at the start of a pattern."""
    assert words in said(FILE.replace("NAME", name))


@pytest.mark.parametrize("name", ["'*Pay'", '"“Pay”"', "R&D", "a#b", "?Pay", "1e3", "2026-01-01"])
def test_d4_what_yaml_takes_for_text_is_text(name: str) -> None:
    """Quoted, or without a meaning of its own."""
    assert said(FILE.replace("NAME", name)) == ""


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (FILE.encode("utf-16"), "f:1:1: this is UTF-16, save as UTF-8"),
        (FILE.encode("utf-16-be"), "f:1:1: this is UTF-16, save as UTF-8"),
        (FILE.encode("utf-32"), "f:1:1: this is UTF-32, save as UTF-8"),
        (FILE.replace("T\n", "Zürich\n").encode("cp1252"), "0xFC, which is ü in Windows-1252"),
        (b"version: 1\nrules:\n\t- id: r\n", "f:3:1: tabs cannot indent"),
        (b'version: "1"\n', "f:1:10: version must be 1, without quotes"),
        (b"version: 1\n<<<<<<< HEAD\nrules: []\n=======\n", "merge conflict"),
        (b"version: 1\0\n", "U+0000"),
        (b"version: 1\nversion: 1\n", "version is given twice"),
    ],
)
def test_d4_a_file_that_an_editor_saved_otherwise(data: bytes, words: str) -> None:
    """Encodings, tabs, quotes around a number, what a merge left."""
    assert words in said(data)


@pytest.mark.parametrize("beside", ["", "controls: 7\n", "unknown: 1\n"])
def test_d1_an_id_without_hyphens_is_a_mistake_by_itself(beside: str) -> None:
    """Alone, and beside another mistake."""
    assert "must be a GUID with its hyphens" in said(FILE.replace(A, A.replace("-", "")) + beside)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("bob@", " ANN@", "approvedBy must differ from requestedBy"),
        ("bob@example.com", '"ann\\u200b@example.com"', "approvedBy must differ from requestedBy"),
        ("bob@example.com", f"'{B.upper()}'", "approvedBy must differ from the subject"),
        ("bob@example.com", f"'{{{B}}}'", "approvedBy must differ from the subject"),
        ("bob@example.com", "' \u00a0'", "approvedBy is blank"),
        ("ann@example.com", "'\u200b'", "requestedBy is blank"),
        ("Closing", "' '", "reason is blank"),
    ],
)
def test_d2_four_eyes_are_not_fooled_by_how_a_name_is_typed(old: str, new: str, words: str) -> None:
    """Blanks, case, forms, what has no width."""
    assert words in said(FILE.replace("NAME", "Pay").replace(old, new))


@pytest.mark.parametrize(
    ("start", "until", "fits"),
    [
        ("2026-01-01", "2027-01-01", True),
        ("2026-01-01", "2027-01-02", False),
        ("2028-01-01", "2029-01-01", True),
        ("2028-02-29", "2029-02-28", True),
        ("2028-02-29", "2029-03-01", False),
        ("9999-01-01", "9999-12-31", True),
    ],
)
def test_d3_an_exception_lasts_a_year_at_most(start: str, until: str, fits: bool) -> None:  # noqa: FBT001
    """By the calendar, leap years among it."""
    text = FILE.replace("NAME", "Pay").replace("2026-01-01", start).replace("2026-12-31", until)
    assert ("until is more than a year after its from" not in said(text)) is fits


def test_d3_a_control_near_the_end_of_time_ends_with_it() -> None:
    """No overflow of the calendar."""
    text = FILE.replace("NAME", "Pay").replace("2026-01-01", "9999-12-30")
    text = text.replace("until: 2026-12-31", "control: c")
    control = "controls: [{id: c, title: T, owner: o, days: 366, evidence: E}]\n"
    assert said(text + control) == ""


TENANT = Tenant(
    [AccessPackage(id=A, display_name="Pay"), AccessPackage(id=B, display_name="Prove")]
)


def linted(text: str, tenant: Tenant | None = TENANT) -> str:
    parsed = read_rules([SourceFile("f", text)])
    return "\n".join(map(str, [*parsed.problems, *lint(parsed, date(2026, 6, 1), tenant)]))


@pytest.mark.parametrize("pattern", ["'*'", "'P*'", "'?*'"])
@pytest.mark.parametrize(
    "sides",
    [
        "between: [{packages: [{name: NAME}]}, {classes: [every]}]",
        "atMost: {count: 1, of: [{name: NAME}]}",
    ],
)
def test_d6_all_packages_against_all_has_to_be_meant(pattern: str, sides: str) -> None:
    """A mistake, unless the rule says so, or does not enforce."""
    rule = f"{{id: r, title: T, severity: high, owner: o, mode: enforce, {sides}}}"
    text = f"version: 1\nrules: [{rule}]\n"
    text += "classes: {every: {classes: [inner]}, inner: {packages: [{name: NAME}]}}\n"
    text = text.replace("NAME", pattern)
    words = "keeps every package from every other one"
    assert words in linted(text)
    assert words not in linted(text.replace("id: r,", "id: r, allPackages: true,"))
    assert words not in linted(text.replace("enforce", "warn"))


def test_d6_a_star_is_refused_without_a_tenant() -> None:
    """So that no command plans it, and the app does not take it into force."""
    text = FILE.replace("NAME", "'*'").replace(f"[{{id: {A}}}]", "[{catalog: '*'}]")
    assert "keeps every package from every other one" in said(text)


def test_d5_a_count_over_one_is_found_by_sweeps() -> None:
    """The linter says where such a rule is looked for, and what it cannot do."""
    text = "version: 1\nrules: [{id: r, title: T, severity: high, owner: o, mode: enforce, "
    text += "atMost: {count: 4, of: [{name: 'P*'}]}}]\n"
    assert "sweeps find it, and Entra cannot enforce it" in linted(text, None)
