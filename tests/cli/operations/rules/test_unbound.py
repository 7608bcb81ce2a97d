"""Classes that are not bound yet: warnings that name them, and no mistake that stops the others."""

from __future__ import annotations

from datetime import date

import pytest

from entra_sod.cli.operations.rules.lint import lint
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.document import RulesProblem, SourceFile
from entra_sod.domain.rules.parse import read_rules
from entra_sod.domain.rules.resolve import Tenant

UNBOUND = "{packages: [{name: (not bound)}]}"
BOUND = "{packages: [{name: Pay}]}"


def problems(buy: str, pay: str, *names: str, form: str = "[a, b]") -> list[RulesProblem]:
    text = (
        f"version: 1\nclasses:\n  a: {buy}\n  b: {pay}\nrules:\n  - id: r\n    title: t\n"
        "    severity: low\n    owner: o\n    mode: record\n    between:\n"
        f"      - classes: {form}\n      - packages: [{{name: Approve}}]\n"
    )
    parsed = read_rules([SourceFile("r.yaml", text)])
    assert parsed.problems == []
    packages = [AccessPackage(id=name, display_name=name) for name in names]
    return lint(parsed, date(2026, 6, 1), Tenant(packages) if names else None)


@pytest.mark.parametrize("names", [(), ("Pay", "Approve")])
def test_an_unbound_class_is_a_warning_with_and_without_a_tenant(names: tuple[str, ...]) -> None:
    """It is no mistake: rules over other classes go on working."""
    found = problems(UNBOUND, BOUND, *names, form="[a]")
    assert all(each.is_warning for each in found)
    assert "classes.a is not bound to packages, groups or grants yet: it selects nothing for r" in [
        each.message for each in found
    ]


def test_a_rule_over_bound_classes_is_looked_at_as_ever() -> None:
    """A name that no package has is reported where the rule contains it."""
    found = problems(BOUND, BOUND, "Approve", form="[a]")
    assert "classes.a.packages.0 fits no access package" in [each.message for each in found]
    assert not all(each.is_warning for each in found)


def test_a_side_with_a_bound_class_beside_is_looked_at() -> None:
    """The class is named; the rule selects something."""
    found = problems(UNBOUND, BOUND, "Pay", "Approve")
    assert [each.message for each in found if "a" in each.message.split(" ")[0]] == [
        "classes.a is not bound to packages, groups or grants yet: it selects nothing for r"
    ]


def test_a_placeholder_beside_packages_is_a_mistake() -> None:
    """A class that was bound needs it no more; what is left over is named."""
    both = "{packages: [{name: (not bound)}, {name: Pay}]}"
    found = problems(both, BOUND, "Pay", "Approve", form="[a]")
    assert "classes.a.packages.0 fits no access package" in [each.message for each in found]


@pytest.mark.parametrize(
    "bound", ["{grants: [{app: Pay}]}", "{packages: [{name: (not bound)}], grants: [{app: Pay}]}"]
)
def test_a_class_with_grants_is_bound(bound: str) -> None:
    """What packages grant is a binding, also where the placeholder was left."""
    found = problems(bound, BOUND, form="[a]")
    assert not any("is not bound" in each.message for each in found)


def test_rules_without_an_owner_are_one_warning_for_a_file() -> None:
    """At the first of them, which counts the others; an owner who is named gets no warning."""
    owners = ["Ann", "not named yet", "Not Named  Yet", "not named yet", "not named yet", "x"]
    rules = "".join(
        f"  - {{id: r{at}, title: t, severity: low, owner: {owner}, mode: record, between: "
        f"[{{packages: [{{name: A{at}}}]}}, {{packages: [{{name: B{at}}}]}}]}}\n"
        for at, owner in enumerate(owners)
    )
    parsed = read_rules([SourceFile("r.yaml", f"version: 1\nrules:\n{rules}")])
    found = [each for each in lint(parsed, date(2026, 6, 1), None) if "owner" in each.message]
    detail = 'is the placeholder "not named yet": name who answers for r1, r2, r3 and 1 more'
    assert [(each.line, each.is_warning, each.message) for each in found] == [
        (4, True, f"rules.1.owner {detail}")
    ]
