from __future__ import annotations

import pytest

from entra_sod.core.errors import RulesError
from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.parse import parse_rules
from tests.builders import guid

GOOD = f"""\
version: 1
rules:
  - id: r1
    title: One
    severity: high
    owner: o@example.com
    mode: enforce
    between:
      - packages: [{{id: {guid("a")}}}]
      - packages: [{{id: {guid("b")}}}]
        groups: [{{id: {guid("c")}}}]
"""


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(RulesError) as caught:
        parse_rules([SourceFile("f.yaml", text)])
    return caught.value.problems


def test_a_good_file_gives_its_rules() -> None:
    """A file without mistakes gives its rules, with the defaults of the language."""
    (rule,) = parse_rules([SourceFile("f.yaml", GOOD)]).rules.values()
    assert rule.between is not None
    assert (rule.id, rule.mode, rule.references) == ("r1", "enforce", "both")
    assert str(rule.between[1].groups[0].id) == guid("c")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "mode: enforce",
            "mode: enforced",
            "f.yaml:7:11: rules.0.mode must be record, warn or enforce; did you mean enforce?",
        ),
        ("mode: enforce", "mod: enforce", "f.yaml:7:5: rules.0.mod is not known here; did you"),
        ("severity: high\n    ", "", "rules.0.severity is missing"),
        (guid("a"), "no-guid", "f.yaml:9:25: rules.0.between.0.packages.0.id must be a GUID"),
        ("version: 1", "version: 2", "f.yaml:1:10: version must be 1"),
        ("title: One", "title: ''", "rules.0.title must be"),
        ("title: One", "title: 7", "rules.0.title must be"),
        ("id: r1", "id: r1\n    id: r2", "f.yaml:4:5: rules.0.id is given twice"),
        ("  - id: r1", "  - &x\n    id: r1", "f.yaml:3:5: &x is a mark of YAML"),
        ("owner: o@example.com", "owner: *x", "f.yaml:6:12: *x is a mark of YAML"),
        ("version: 1", "version: [1", "f.yaml:2:6: not YAML"),
    ],
)
def test_each_mistake_is_named_with_its_place(old: str, new: str, expected: str | None) -> None:
    """A mistake is reported as file:line:column with what was wrong."""
    text = GOOD.replace(old, new, 1)
    if expected is None:
        assert len(parse_rules([SourceFile("f.yaml", text)]).rules) == 1
        return
    found = problems(text)
    assert any(expected in problem for problem in found), found


def test_all_mistakes_are_reported_at_once() -> None:
    """Three mistakes in two files are three problems of one error."""
    broken = GOOD.replace("mode: enforce", "mode: no").replace("owner:", "ownr:")
    files = [SourceFile("a.yaml", broken), SourceFile("b.yaml", "rules: 7")]
    with pytest.raises(RulesError) as caught:
        parse_rules(files)
    assert len([p for p in caught.value.problems if p.startswith("a.yaml")]) == 3
    assert {p.split(" ")[1] for p in caught.value.problems if p.startswith("b.yaml")} == {
        "version",
        "rules",
    }


@pytest.mark.parametrize(
    ("between", "expected"),
    [
        (f"[{{packages: [{{id: {guid('a')}}}]}}]", "needs two sides"),
        (f"[{{packages: [{{id: {guid('a')}}}]}}, {{}}]", "selects nothing"),
        (
            f"[{{packages: [{{id: {guid('a')}}}]}}, {{packages: [{{id: {guid('a')}}}]}}]",
            "keeps nothing apart",
        ),
        (f"[{{groups: [{{id: {guid('a')}}}]}}, {{groups: [{{id: {guid('b')}}}]}}]", "nothing"),
    ],
)
def test_rules_that_keep_nothing_apart_are_refused(between: str, expected: str) -> None:
    """A rule that the grammar allows and that has no meaning is a mistake, too."""
    start = GOOD.index("    between:")
    found = problems(GOOD[:start] + f"    between: {between}\n")
    assert any(expected in problem for problem in found), found


def test_a_rule_id_may_be_used_once_in_all_files() -> None:
    """The second rule with an id is refused where it stands."""
    files = [SourceFile("a.yaml", GOOD), SourceFile("b.yaml", GOOD)]
    with pytest.raises(RulesError, match=r"b\.yaml:3:9: rules\.0\.id r1 exists already"):
        parse_rules(files)


def test_an_empty_file_is_refused() -> None:
    """An empty file says what is missing instead of standing for no rules."""
    assert problems("") == ("f.yaml:1:1: the file is empty: give version: 1 and rules",)


def test_an_endless_file_is_refused() -> None:
    """A file over a million characters is not even parsed."""
    assert "split it" in problems("#" * (1024 * 1024 + 1))[0]


OVERRIDE = f"""\
overrides:
  - rule: r1
    package: {guid("d")}
    maxDays: 14
"""
SECOND = OVERRIDE.removeprefix("overrides:\n")


def test_an_override_is_read_with_its_rule_its_package_and_its_days() -> None:
    """It stands beside exceptions, and is named by its rule and its package."""
    (override,) = parse_rules([SourceFile("f.yaml", GOOD + OVERRIDE)]).overrides.values()
    assert (override.rule, str(override.package), override.max_days) == ("r1", guid("d"), 14)
    assert override.id == f"override:r1:{guid('d')}"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("rule: r1", "rule: r2", "f.yaml:13:11: overrides.0.rule r2 is no rule"),
        ("maxDays: 14", "maxDays: 0", "f.yaml:15:14: overrides.0.maxDays must be"),
        ("maxDays: 14", "maxDays: 367", "f.yaml:15:14: overrides.0.maxDays must be"),
        ("maxDays: 14", "maxDays: '14'", "f.yaml:15:14: overrides.0.maxDays must be"),
        ("    maxDays: 14\n", "", "overrides.0.maxDays is missing"),
        (guid("d"), "Pay and approve", "f.yaml:14:14: overrides.0.package must be a GUID"),
        ("package:", "id: x\n    package:", "overrides.0.id is not known here"),
        (
            OVERRIDE,
            OVERRIDE + SECOND,
            "f.yaml:17:14: overrides.1.package has an override for this rule already",
        ),
        (
            OVERRIDE,
            OVERRIDE + SECOND.replace(guid("d"), guid("d").upper()),
            "f.yaml:17:14: overrides.1.package has an override for this rule already",
        ),
    ],
)
def test_each_mistake_of_an_override_is_named_with_its_place(
    old: str, new: str, expected: str
) -> None:
    """An unknown rule, a number of days that is none, a second override for the same."""
    found = problems((GOOD + OVERRIDE).replace(old, new, 1))
    assert any(expected in problem for problem in found), found


def test_an_override_with_a_mistake_is_looked_at_all_the_same() -> None:
    """Its unknown rule is named beside its wrong days."""
    text = (GOOD + OVERRIDE).replace("rule: r1", "rule: r2").replace("14", "none")
    assert len(problems(text)) == 2
