"""What is wrong or doubtful in what rules mean, by themselves and against a tenant."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from entra_sod.cli.operations.rules.lint import lint
from entra_sod.domain.entra import AccessPackage, Group
from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.parse import read_rules
from entra_sod.domain.rules.resolve import Tenant
from tests.builders import guid

TODAY = date(2026, 6, 1)
A, B, C, UNKNOWN = guid("a"), guid("b"), guid("c"), guid("f")
TENANT = Tenant(
    [
        AccessPackage(id=A, display_name="Pay", catalog_name="Finance"),
        AccessPackage(id=B, display_name="Approve", catalog_name="Finance"),
        AccessPackage(id=C, display_name="Order", catalog_name="Purchasing"),
    ]
)


def entry(body: str, rule_id: str = "r1", mode: str = "enforce") -> str:
    return f"  - {{id: {rule_id}, title: T, severity: low, owner: o, mode: {mode}, {body}}}\n"


def between(*sides: str) -> str:
    return f"between: [{', '.join(f'{{{side}}}' for side in sides)}]"


def packages(*ids: str) -> str:
    return f"packages: [{', '.join(f'{{id: {each}}}' for each in ids)}]"


def said(*rules: str, tenant: Tenant | None = None, more: str = "") -> list[str]:
    """What is said of rules that have no mistake in their words; without the file's name."""
    text = "version: 1\nrules:\n" + "".join(rules) + more
    book = read_rules([SourceFile("f", text)])
    assert book.problems == []
    return [str(problem).removeprefix("f:") for problem in lint(book, TODAY, tenant)]


AB = between(packages(A), packages(B))


NOT_SECURITY_ENABLED = "is not security-enabled: Entra takes no other group for a reference"
GROUPS = between(packages(A), "groups: [{id: " + B + "}, {id: " + C + "}]")


def test_a_group_that_does_not_exist_is_a_mistake() -> None:
    """Looked up and not found, or not security-enabled: no reference could be written."""
    groups = {B: None, C: Group(id=C, is_security_enabled=False)}
    found = said(entry(GROUPS), tenant=Tenant(TENANT.packages.values(), groups))
    assert [each.split(": ", 1)[1] for each in found] == [
        "rules.0.between.1.groups.0.id is no group of the directory",
        f"rules.0.between.1.groups.1.id {NOT_SECURITY_ENABLED}",
    ]


def test_groups_that_may_not_be_read_are_said_once() -> None:
    """Without a directory permission groups cannot be read, and one warning covers all."""
    (found,) = said(entry(GROUPS), tenant=TENANT)
    assert "warning: rules.0.between.1.groups.0.id was not looked up" in found


def test_sound_rules_have_nothing_to_say() -> None:
    """Rules that fit the tenant are neither wrong nor doubtful."""
    patterns = between("packages: [{name: 'P*'}]", "packages: [{catalog: Purch*}]")
    assert said(entry(AB), entry(patterns, "r2"), tenant=TENANT) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            between(packages(A), packages(UNKNOWN)),
            "rules.0.between.1.packages.0.id is no access package that this identity may read",
        ),
        (
            between(packages(A), f"packages: [{{id: {B}}}, {{name: Nothing}}]"),
            "rules.0.between.1.packages.1 fits no access package",
        ),
        (
            between(packages(A), f"packages: [{{id: {B}}}, {{catalog: Fin*, name: Order}}]"),
            "rules.0.between.1.packages.1 fits no access package",
        ),
        (
            between(packages(A), f"packages: [{{id: {B}}}, {{catalog: Finanze}}]"),
            "rules.0.between.1.packages.1 fits no access package; did you mean Finance?",
        ),
        (
            f"atMost: {{count: 1, of: [{{id: {A}}}, {{id: {B}}}, {{name: Nothing}}]}}",
            "rules.0.atMost.of.2 fits no access package",
        ),
        (
            between("packages: [{name: P?y}]", "packages: [{name: Pay}]"),
            "rules.0.between keeps nothing apart: no pair is left",
        ),
        (
            "atMost: {count: 1, of: [{name: Pay}]}",
            "rules.0.atMost keeps nothing apart: packages in the set: 1",
        ),
        (
            "atMost: {count: 2, of: [{catalog: Finance}]}",
            "rules.0.atMost keeps nothing apart: packages in the set: 2",
        ),
    ],
)
def test_a_tenant_shows_what_is_wrong(body: str, expected: str) -> None:
    """What does not exist, and what leaves no pair, is a mistake once there is a tenant."""
    mistakes = [each for each in said(entry(body), tenant=TENANT) if "warning" not in each]
    assert [each.split(" ", 1)[1] for each in mistakes] == [expected]


def test_a_pattern_that_fits_everything_is_counted() -> None:
    """A pattern for all packages is a warning, with how many they are."""
    body = between(packages(A), "packages: [{name: '*'}]")
    assert "warning: rules.0.between.1.packages.0 fits every access package: 3" in " ".join(
        said(entry(body), tenant=TENANT)
    )
    (offline,) = said(entry(body))
    assert offline.endswith("warning: rules.0.between.1.packages.0 fits every access package")


def test_a_package_on_two_sides_is_named() -> None:
    """A package on both sides is a warning by its name, or offline by its id."""
    body = between(packages(A, B), packages(B, C))
    (known,) = said(entry(body), tenant=TENANT)
    assert "warning: rules.0.between.1 has Approve in common with a side before it" in known
    assert f"has {B} in common" in said(entry(body))[0]


def test_many_shared_packages_are_counted() -> None:
    """Three names and a number stand for all."""
    body = between(packages(A, B, C, UNKNOWN), packages(A, B, C, UNKNOWN))
    assert any(" and 1 more in common" in each for each in said(entry(body), tenant=TENANT))


def test_classes_that_leave_no_pair_are_found_without_a_tenant() -> None:
    """Where a book names ids only, all of it is checked offline."""
    body = between("classes: [x]", packages(A))
    found = said(entry(body), more=f"classes: {{x: {{{packages(A)}}}}}\n")
    assert any("rules.0.between keeps nothing apart" in each for each in found)


@pytest.mark.parametrize(("first", "second"), [("enforce", "record"), ("warn", "enforce")])
def test_opposite_rules_are_told_which_wins(first: str, second: str) -> None:
    """One pair, one rule that enforces and one that does not: said once, at the second."""
    (found,) = said(entry(AB, "r1", first), entry(AB, "r2", second))
    assert found.startswith("4:")
    assert found.endswith(
        f"warning: rules.1.mode is {second} for a pair that r1 has as {first}: enforce wins"
    )


def test_rules_that_would_take_long_are_named_and_not_looked_into(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Validating ends in time: the first rule that was left out says so, the others are checked."""
    monkeypatch.setattr("entra_sod.cli.operations.rules.lint.MAX_RESOLVE_STEPS", 20)
    over = between(packages(A), packages(A, B))
    found = said(entry(over), entry(over, "r2"), entry(over, "r3"))
    assert [each.split(":")[0] for each in found] == ["3", "4"]
    assert "warning: rules.1 and the rules after it were not looked into" in found[1]


def test_too_many_opposite_rules_are_not_all_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where comparing would take long, the last rule says that it may differ."""
    monkeypatch.setattr("entra_sod.cli.operations.rules.contradictions.MAX_STEPS", 0)
    (found,) = said(entry(AB, "r1"), entry(AB, "r2", "record"))
    assert "warning: rules.1.mode may differ from that of other rules for a pair" in found


def test_warnings_without_end_are_not_all_named() -> None:
    """Of thousands of warnings a thousand are named, and that there are more is one, too."""
    rules = [entry(AB + ", effective: {until: 2020-01-01}", f"r{each}") for each in range(1500)]
    found = said(*rules)
    assert len(found) == 1001
    assert (
        found[0] == "1:1: warning: more than 1000 warnings in this file; the others are not named"
    )


def test_opposite_rules_are_counted_over_patterns() -> None:
    """Against a tenant, the pairs of patterns are compared and counted."""
    wide = between(packages(A), "packages: [{name: Approve}, {name: Order}]")
    found = said(entry(wide), entry(wide, "r2", "warn"), tenant=TENANT)
    assert ["for 2 pairs that r1" in each for each in found] == [True]


@pytest.mark.parametrize(
    ("mode", "effective"),
    [
        ("enforce", ""),
        ("record", ", effective: {until: 2026-05-31}"),
        ("record", ", effective: {from: 2027-01-01}"),
    ],
)
def test_rules_that_never_meet_do_not_contradict(mode: str, effective: str) -> None:
    """Equal modes, rules that are over and rules of other times ask nothing opposite."""
    first = entry(AB + ", effective: {until: 2026-12-31}")
    found = said(first, entry(AB + effective, "r2", mode))
    assert not any("wins" in each for each in found)


def test_a_rule_that_is_over_is_named() -> None:
    """The day after its last day, a rule asks for nothing, and that is said."""
    assert said(entry(AB + ", effective: {until: 2026-06-01}")) == []
    (found,) = said(entry(AB + ", effective: {until: 2026-05-31}"))
    assert "warning: rules.0.effective.until has passed" in found


@pytest.mark.parametrize("mode", ["enforce", "warn"])
def test_more_than_one_of_many_is_not_enforced(mode: str) -> None:
    """A count above 1 is a warning in each mode: sweeps look for it, Entra cannot refuse it."""
    body = f"atMost: {{count: 2, of: [{{id: {A}}}, {{id: {B}}}, {{id: {C}}}]}}"
    (found,) = said(entry(body, mode=mode))
    assert "warning: rules.0.atMost.count is more than 1: sweeps find it" in found
    assert "Entra cannot enforce it" in found


@pytest.mark.parametrize(
    ("mode", "references", "is_warned"),
    [("enforce", "both", False), ("enforce", "packages", True), ("record", "both", True)],
)
def test_groups_alone_need_references_to_groups(
    mode: str, references: str, *, is_warned: bool
) -> None:
    """A side of groups only works where its groups are written; elsewhere it does nothing."""
    body = between(packages(A), f"groups: [{{id: {guid('1')}}}]") + f", references: {references}"
    assert any("has no pair: groups" in each for each in said(entry(body, mode=mode))) == is_warned


def test_classes_that_no_rule_uses_are_named() -> None:
    """A class that only another unused class names is unused as well."""
    body = between("classes: [x]", packages(B))
    more = (
        f"classes:\n  x: {{classes: [y]}}\n  y: {{{packages(A)}}}\n"
        f"  z: {{classes: [w]}}\n  w: {{{packages(A)}}}\n"
    )
    assert said(entry(body), more=more) == [
        "7:3: warning: classes.z is used by no rule",
        "8:3: warning: classes.w is used by no rule",
    ]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (-90, -1, "until has passed: the exception has expired"),
        (-90, 0, "until is near: 0 days left, within 1"),
        (-90, 1, "until is near: 1 day left, within 1"),
        (-90, 2, "until is near: 2 days left, within 7"),
        (-90, 7, "until is near: 7 days left, within 7"),
        (-90, 8, "until is near: 8 days left, within 30"),
        (-90, 30, "until is near: 30 days left, within 30"),
        (-90, 31, None),
        (0, 5, "until is near: 5 days left, within 7"),
        (1, 5, None),
    ],
)
def test_exceptions_warn_before_they_end(start: int, end: int, expected: str | None) -> None:
    """30, 7 and 1 days before its last day an exception says so; one to come says nothing."""
    first, last = (TODAY + timedelta(days=days) for days in (start, end))
    more = (
        f"exceptions:\n  - {{id: E, rule: r1, subject: {A}, from: {first}, until: {last}, "
        "reason: x, requestedBy: ann, approvedBy: bob}\n"
    )
    found = [each.split(" ", 1)[1] for each in said(entry(AB), more=more)]
    assert found == ([f"warning: exceptions.0.{expected}"] if expected else [])


def test_a_book_with_mistakes_is_looked_at_entry_by_entry() -> None:
    """Beside a mistake, only what an entry says by itself is judged, and nothing crashes."""
    text = (
        "version: 1\nrules:\n"
        + entry(AB + ", effective: {until: 2026-05-31}")
        + entry(between("classes: [nope]", packages(UNKNOWN)), "r2")
        + "classes:\n  x: {packages: [{name: '**'}], classes: [x]}\n"
    )
    book = read_rules([SourceFile("f", text)])
    assert len(book.problems) == 2
    for tenant in (None, TENANT):
        found = [str(each) for each in lint(book, TODAY, tenant)]
        assert any("effective.until has passed" in each for each in found)
        assert any("classes.x.packages.0 fits every access package" in each for each in found)
        assert not any("used by no rule" in each for each in found)


def test_a_rule_that_would_write_on_protected_access_is_named() -> None:
    """By package and by group; a rule that writes nothing may name them."""
    protected = f"protected: {{packages: [{{id: {A}}}], groups: [{{id: {UNKNOWN}}}]}}\n"
    by_group = between(packages(B), f"groups: [{{id: {UNKNOWN}}}]")
    rules = entry(AB), entry(by_group, "r2"), entry(AB, "r3", "warn")
    asks, none = "warning: rules.{}.mode asks for references on or to", "none is written"
    assert [each for each in said(*rules, more=protected) if "protected" in each] == [
        f"3:55: {asks.format(0)} {A}, which is protected: {none}",
        f"4:55: {asks.format(1)} {UNKNOWN}, which is protected: {none}",
    ]


@pytest.mark.parametrize("pattern", ['name: "*"', "id: x", "catalog: C, id: " + A])
def test_protected_access_is_read_as_strictly_as_rules(pattern: str) -> None:
    """A mistake in it is a mistake of the file: nothing is in force before it is mended."""
    text = f"version: 1\nprotected: {{packages: [{{{pattern}}}]}}\n"
    (problem,) = read_rules([SourceFile("f", text)]).problems
    assert "protected.packages.0" in str(problem)
