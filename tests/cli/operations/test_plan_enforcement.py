"""What a plan says of each rule: enforced, enforced in part, found only, and why."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from entra_sod.cli.operations.plan_document import PlanDocument, make_document
from entra_sod.cli.operations.tenant_state import TenantState
from entra_sod.cli.plan_comment import plan_markdown
from entra_sod.cli.show import plan_table
from entra_sod.domain.enforcement.reach import EnforcementReach
from entra_sod.domain.rules.language import Mode, References, Rule
from entra_sod.domain.rules.ruleset import RuleSet
from tests.builders import all_of, at_most, guid, package, requires, rule, rule_set, side

PACKAGES = {guid(name): package(name, name) for name in "abcd"}
ENFORCED, IN_PART, FOUND_ONLY = EnforcementReach
EVERY = side("ab", every=True)


def planned(rules: RuleSet, packages: Sequence[str] = "abcd") -> PlanDocument:
    known = {guid(name): PACKAGES[guid(name)] for name in packages}
    state = TenantState(packages=known, present=frozenset())
    return make_document(rules, state, prunable=[], made_at="2026-06-01T00:00:00Z")


@pytest.mark.parametrize(
    ("one", "reach", "why"),
    [
        (rule("r", side("a"), side("b")), ENFORCED, ""),
        (all_of("r", side("a"), side("b")), ENFORCED, ""),
        (at_most("r", 1, "abc", mode=Mode.ENFORCE), ENFORCED, ""),
        (rule("r", side("a"), side("b"), mode=Mode.WARN), FOUND_ONLY, "its mode is warn"),
        (all_of("r", side("a"), side("b"), side("c")), FOUND_ONLY, "none or all of a pair"),
        (at_most("r", 2, "abc", mode=Mode.ENFORCE), FOUND_ONLY, "none or all of a pair"),
        (rule("r", EVERY, side("c")), FOUND_ONLY, "not with every one of many"),
        (requires("r", side("a"), side("b")), FOUND_ONLY, "none says that a package is needed"),
        (rule("r", side("a"), side("", ["9"])), IN_PART, "out of the groups of a side"),
        (rule("r", side("a"), side("be")), IN_PART, "could not be read"),
    ],
)
def test_each_rule_has_its_reach(one: Rule, reach: EnforcementReach, why: str) -> None:
    """And a reason, unless all of it is enforced."""
    [found] = planned(rule_set(one)).enforcement
    assert (found.rule, found.reach) == ("r", reach)
    assert why in found.why
    assert bool(found.why) is (reach is not ENFORCED)


def test_references_that_are_held_enforce_in_part() -> None:
    """What is protected is not written, and the rule says so."""
    rules = rule_set(rule("r", side("a"), side("b")))
    protected = RuleSet(rules.rules, protected=rules.rules[0].sides[0])
    [found] = planned(protected).enforcement
    assert (found.reach, found.why) == (IN_PART, "references that it asks for are held")


def test_packages_without_a_group_enforce_in_part() -> None:
    """Where references are to groups only, nothing can be held against their holders."""
    one = rule("r", side("a"), side("bc"), references=References.GROUPS)
    state = TenantState(packages={**PACKAGES, guid("c"): package("c")}, present=frozenset())
    plan = make_document(rule_set(one), state, prunable=[], made_at="2026-06-01T00:00:00Z")
    assert plan.enforcement[0].reach is IN_PART
    assert guid("c") in plan.enforcement[0].why


def test_a_plan_shows_it_once() -> None:
    """On a terminal and in a comment; what is found only is not said twice."""
    plan = planned(rule_set(at_most("few", 2, "abc"), rule("pair", side("a"), side("b"))))
    assert plan.not_enforceable
    text = plan_markdown(plan)
    assert "rule few: found only: Entra's references" in text.replace("\\", "")
    assert "rule pair: enforced" in text
    assert "not enforceable: rule few" not in text
    assert plan_table(plan)


def test_a_comment_names_so_many_rules() -> None:
    """It has to fit a pull request: the rules that are not enforced come first."""
    rules = [rule(f"r{at:03}", side("a"), side("b")) for at in range(60)]
    plan = planned(rule_set(*rules, requires("z", side("a"), side("b"))))
    text = plan_markdown(plan)
    assert "rule z: found only" in text
    assert "- and 31 rules more" in text
