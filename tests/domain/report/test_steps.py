"""What to do next, by owner."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from entra_sod.domain.report.enforcement import EnforcementState, EnforcementView
from entra_sod.domain.report.steps import OPERATORS, RuleWork, next_steps
from entra_sod.domain.report.verdict import RuleStatus
from entra_sod.domain.results.coverage import Reason, Skipped

ENFORCED = EnforcementView(state=EnforcementState.BOTH_WAYS, text="", wanted=4, missing=0, held=0)


def work(rule: str = "r", people: int = 0, state: str = "both-ways", **numbers: int) -> RuleWork:
    enforcement = msgspec.structs.replace(ENFORCED, state=EnforcementState(state), **numbers)
    return RuleWork(
        rule=rule,
        owner="o@example.com",
        advice="Keep one",
        status=RuleStatus.HOLDS,
        people=people,
        packages=["p", "q"],
        enforcement=enforcement,
    )


def test_a_rule_that_holds_asks_for_nothing() -> None:
    """Nor does a gap that the app never reads."""
    gap = Skipped(what="members", why="not read", reason=Reason.OUT_OF_SCOPE)
    assert next_steps([work()], [gap]) == []


def test_findings_are_the_owners_work() -> None:
    """With the rule's advice and the packages to open; most people first."""
    few, many = next_steps([work("few", 1), work("many", 7)], [])[::-1]
    assert (many.rule, many.owner, many.advice, many.packages) == (
        *("many", "o@example.com", "Keep one"),
        ["p", "q"],
    )
    assert many.text.startswith("7 people violate the rule.")
    assert few.text.startswith("1 person violates the rule.")


@pytest.mark.parametrize(
    ("rule", "text", "command"),
    [
        (work(state="held", held=1), "1 reference waits", "entra-sod selection approve --rule r"),
        (work(state="missing", missing=3), "misses 3 of 4 references", "entra-sod plan"),
        (work(state="plan-only"), "ENFORCEMENT=plan only plans", "entra-sod plan"),
        (work(state="frozen"), "1 rule lacks references", "entra-sod unfreeze"),
    ],
)
def test_what_is_not_enforced_is_the_operators_work(
    rule: RuleWork, text: str, command: str
) -> None:
    """Each state has the command that mends it."""
    [step] = next_steps([rule], [])
    assert (step.owner, step.command) == (OPERATORS, command)
    assert text in step.text


def test_one_setting_is_one_step() -> None:
    """However many rules wait for ENFORCEMENT=apply."""
    [step] = next_steps([work(str(each), state="plan-only") for each in range(9)], [])
    assert "9 rules" in step.text


def test_gaps_of_one_cause_are_one_step() -> None:
    """With the command that closes them."""
    gaps = [Skipped(what=str(each), why="", reason=Reason.MISSING_ROLE) for each in range(3)]
    [step] = next_steps([], gaps)
    assert step.command == "entra-sod grant --catalogs NAME"
    assert step.text.endswith("It closes 3 gaps.")


@pytest.mark.parametrize("reason", sorted({*Reason} - {Reason.OUT_OF_SCOPE, Reason.NOT_LOOKED_AT}))
def test_every_reason_has_a_step(reason: Reason) -> None:
    """No gap is told without what to do about it."""
    [step] = next_steps([], [Skipped(what="x", why="y", reason=reason)])
    assert step.command
    assert step.owner == OPERATORS


def test_exceptions_that_end_are_told() -> None:
    """To the owner of their rule."""
    [step] = next_steps([replace(work(), ending=["EX-1"])], [])
    assert step.text == "EX-1 ends within 7 days. Renew it, or remove the access."
