"""What the forms of rules can get wrong that shows only once their sides are resolved."""

from __future__ import annotations

import pytest

from tests.cli.operations.rules.test_lint import TENANT, A, B, C, between, entry, packages, said

ONE, OTHER, THIRD = (f"{{{packages(each)}}}" for each in (A, B, C))
ALL = f"allOf: [{ONE}, {OTHER}, {THIRD}]"
FINANCE = "{packages: [{catalog: Finance}]}"


def requiring(when: str, needs: str) -> str:
    return f"requires: {{when: {when}, needs: {needs}}}"


def test_an_enforcing_rule_that_is_found_only_is_warned_of() -> None:
    """It says why nothing is written; a rule that only records needs no warning."""
    [found] = said(entry(ALL))
    assert "warning: rules.0.mode is enforce, and nothing is written. Entra's references" in found
    assert said(entry(ALL, mode="warn")) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            requiring("{packages: [{name: Pay}]}", FINANCE),
            "rules.0.requires requires nothing: a subject that is on `when` is on `needs`",
        ),
        (
            f"allOf: [{FINANCE}, {ONE}, {{classes: [none]}}]",
            "rules.0.allOf.2 selects no access package: no subject can be on this side",
        ),
        (
            f"atMostSides: {{count: 2, of: [{ONE}, {OTHER}, {{classes: [none]}}]}}",
            "rules.0.atMostSides keeps nothing apart: sides that select a package: 2",
        ),
        (
            f"allOf: [{FINANCE}, {{{packages(B, A)}}}, {THIRD}]",
            "warning: rules.0.allOf.1 selects the same packages as a side before it",
        ),
        (
            f"allOf: [{ONE}, {OTHER}, {{classes: [mixed]}}]",
            "warning: rules.0.allOf.2.classes lead to groups, which do not count here",
        ),
    ],
)
def test_each_is_said_at_its_place(body: str, expected: str) -> None:
    """With the tenant, whose packages patterns fit."""
    more = (
        f"classes: {{none: {{groups: [{{id: {B}}}]}}, "
        f"mixed: {{{packages(C)}, groups: [{{id: {B}}}]}}}}\n"
    )
    found = said(entry(body, mode="warn"), tenant=TENANT, more=more)
    assert any(expected in each for each in found), found


def test_requirements_in_a_circle_over_the_same_packages_are_a_mistake() -> None:
    """A pattern and ids that select the same are the same side."""
    one = entry(requiring(FINANCE, THIRD), mode="warn")
    other = entry(requiring(THIRD, f"{{{packages(A, B)}}}"), "r2", mode="warn")
    found = said(one, other, tenant=TENANT)
    assert [each.split(": ", 1)[1] for each in found] == [
        "rules.1.requires leads in a circle: r1 → r2 → r1"
    ]


@pytest.mark.parametrize(
    "forbidding",
    [between(packages(A), packages(B, C)), f"atMost: {{count: 1, of: [{{id: {A}}}, {{id: {B}}}]}}"],
)
def test_a_requirement_that_another_rule_forbids_is_warned_of(forbidding: str) -> None:
    """No subject could keep both rules and hold the package."""
    found = said(entry(requiring(ONE, OTHER), mode="warn"), entry(forbidding, "r2"))
    [warning] = [each for each in found if "cannot be kept" in each]
    assert "warning: rules.0.requires cannot be kept: rule r2 keeps `when` apart" in warning


def test_a_requirement_that_can_be_kept_is_sound() -> None:
    """Another package of the needed side is kept apart, and one is not."""
    either = f"{{{packages(B, C)}}}"
    rules = (
        entry(requiring(ONE, either), mode="warn"),
        entry(between(packages(A), packages(B)), "r2"),
    )
    assert said(*rules) == []
