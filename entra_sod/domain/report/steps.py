"""What to do next, by the owner who can do it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from entra_sod.domain.report.enforcement import EnforcementState, EnforcementView
from entra_sod.domain.report.verdict import RuleStatus
from entra_sod.domain.results.coverage import Reason, Skipped

OPERATORS = "operators of this app"
MAX_PACKAGES_LINKED = 4
SOON_DAYS = 7


class StepKind(StrEnum):
    """What a step is about."""

    FINDINGS = "findings"
    EXCEPTION = "exception"
    ENFORCEMENT = "enforcement"
    COVERAGE = "coverage"


class NextStep(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One thing to do.

    Attributes:
        owner: who can do it: an owner of rules, or the operators of the app.
        rule: that it is about; null where it is about no single rule.
        text: what to do, and why.
        advice: of the rule.
        command: that does it, where one does.
        packages: ids of the packages to open.
    """

    owner: str
    kind: StepKind
    text: str
    rule: str | None = None
    advice: str | None = None
    command: str | None = None
    packages: list[str] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleWork:
    """What is known of one rule that may want work.

    Attributes:
        people: how many violate it, those whom an exception permits not counted.
        packages: of its gravest findings, in order.
        ending: ids of its exceptions that end within a week.
    """

    rule: str
    owner: str
    advice: str | None
    status: RuleStatus
    people: int
    packages: Sequence[str]
    enforcement: EnforcementView
    ending: Sequence[str] = ()


# What mends a gap, and the command that does it or shows more.
_MENDED: Mapping[Reason, tuple[str, str]] = {
    Reason.MISSING_ROLE: (
        "Give the app its role on the catalogs that it could not read.",
        "entra-sod grant --catalogs NAME",
    ),
    Reason.NO_LICENCE: (
        "Get the licence that Microsoft Graph asks for: Entra ID P2 or Entra ID Governance.",
        "entra-sod doctor",
    ),
    Reason.NO_TOKEN: ("Find out why the app gets no token for Graph.", "entra-sod doctor"),
    Reason.RULES_REFUSED: ("Correct the newest rules files.", "entra-sod validate"),
    Reason.SELECTS_NOTHING: (
        "Correct the rules that select nothing: a name may be misspelt.",
        "entra-sod validate",
    ),
    Reason.LEFT_THE_RULE: (
        "Approve that packages left their rules, or change the rules.",
        "entra-sod selection show",
    ),
    Reason.THROTTLED: ("Run the sweep again: Graph asked the app to slow down.", "entra-sod sweep"),
    Reason.UNAVAILABLE: ("Run the sweep again: Graph did not answer.", "entra-sod sweep"),
}
_OTHERWISE = ("Read the gaps, and find out what the app lacks.", "entra-sod doctor")


def next_steps(rules: Iterable[RuleWork], gaps: Iterable[Skipped]) -> list[NextStep]:
    """List what to do: rules in their order, the most people first, then what the app lacks."""
    ordered = sorted(rules, key=lambda each: -each.people)
    return [
        *(step for rule in ordered for step in _of_rule(rule)),
        *_enforcement_steps(ordered),
        *_coverage_steps(gaps),
    ]


def _of_rule(rule: RuleWork) -> Iterator[NextStep]:
    """Work of the rule's owner."""
    if rule.people:
        yield NextStep(
            owner=rule.owner,
            kind=StepKind.FINDINGS,
            rule=rule.rule,
            text=f"{_people(rule.people)} the rule. Remove an access, or ask for an exception.",
            advice=rule.advice,
            packages=list(rule.packages[:MAX_PACKAGES_LINKED]),
        )
    if rule.ending:
        ids, verb = ", ".join(rule.ending), "ends" if len(rule.ending) == 1 else "end"
        yield NextStep(
            owner=rule.owner,
            kind=StepKind.EXCEPTION,
            rule=rule.rule,
            text=f"{ids} {verb} within {SOON_DAYS} days. Renew it, or remove the access.",
            command="entra-sod exceptions",
        )


def _enforcement_steps(rules: Sequence[RuleWork]) -> Iterator[NextStep]:
    """Work of the operators; what one setting mends for all rules is one step."""
    by_state: dict[EnforcementState, list[RuleWork]] = {}
    for rule in rules:
        by_state.setdefault(rule.enforcement.state, []).append(rule)
    for rule in by_state.get(EnforcementState.HELD, ()):
        yield _step(
            f"Rule {rule.rule}: {_references(rule.enforcement.held)}. Look at what changed, and "
            "approve it.",
            f"entra-sod selection approve --rule {rule.rule}",
            rule.rule,
        )
    for rule in by_state.get(EnforcementState.MISSING, ()):
        yield _step(
            f"Rule {rule.rule} misses {rule.enforcement.missing:,} of "
            f"{rule.enforcement.wanted:,} references. Find out what stopped the sweep.",
            "entra-sod plan",
            rule.rule,
        )
    if planned := by_state.get(EnforcementState.PLAN_ONLY):
        yield _step(
            f"Entra does not enforce {_rules(len(planned))}, because ENFORCEMENT=plan only plans. "
            "Look at the plan, then set ENFORCEMENT=apply.",
            "entra-sod plan",
        )
    if frozen := by_state.get(EnforcementState.FROZEN):
        verb = "lacks" if len(frozen) == 1 else "lack"
        text = f"Writing is frozen, and {_rules(len(frozen))} {verb} references. End the freeze."
        yield _step(text, "entra-sod unfreeze")


def _coverage_steps(gaps: Iterable[Skipped]) -> Iterator[NextStep]:
    """One step for each thing to do, however many gaps it closes."""
    found: dict[tuple[str, str], int] = {}
    for gap in gaps:
        if gap.reason not in (Reason.OUT_OF_SCOPE, Reason.NOT_LOOKED_AT):
            mended = _MENDED.get(gap.reason, _OTHERWISE)
            found[mended] = found.get(mended, 0) + 1
    for (text, command), number in found.items():
        closed = "It closes 1 gap." if number == 1 else f"It closes {number:,} gaps."
        yield NextStep(
            owner=OPERATORS, kind=StepKind.COVERAGE, text=f"{text} {closed}", command=command
        )


def _step(text: str, command: str, rule: str | None = None) -> NextStep:
    return NextStep(
        owner=OPERATORS, kind=StepKind.ENFORCEMENT, rule=rule, text=text, command=command
    )


def _people(number: int) -> str:
    return "1 person violates" if number == 1 else f"{number:,} people violate"


def _references(number: int | None) -> str:
    return "1 reference waits" if number == 1 else f"{number or 0:,} references wait"


def _rules(number: int) -> str:
    return "1 rule" if number == 1 else f"{number:,} rules"
