"""Whether Entra refuses what each rule forbids, as a report says it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec

from entra_sod.domain.enforcement.result import Enforcement
from entra_sod.domain.enforcement.rule_reach import why_not_at_all
from entra_sod.domain.results.sweep import RuleReferences, SweepEnforcement
from entra_sod.domain.rules.language import Mode
from entra_sod.domain.rules.resolve import ResolvedRule


class EnforcementState(StrEnum):
    """How far Entra refuses what a rule forbids. Only `both-ways` refuses all of it."""

    BOTH_WAYS = "both-ways"
    IN_PART = "in-part"
    MISSING = "missing"
    HELD = "held"
    FROZEN = "frozen"
    PLAN_ONLY = "plan-only"
    OFF = "off"
    NOT_ASKED = "not-asked"
    CANNOT = "cannot"
    NOT_KNOWN = "not-known"


class EnforcementView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How far Entra refused what a rule forbids when the sweep ended.

    Attributes:
        text: the same in words.
        wanted: references that the rule asks for; null where that is not known.
        missing: those of them that Entra did not have; null likewise.
        held: those of them that wait for an approval or another reason; null likewise.
        why: why Entra cannot enforce the rule, or enforces only a part of it; empty otherwise.
    """

    state: EnforcementState
    text: str
    wanted: int | None = None
    missing: int | None = None
    held: int | None = None
    why: str = ""


class EnforcementSum(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How many rules are in each state, and the same in a sentence.

    Attributes:
        setting: ENFORCEMENT of the sweep; null where an older version made it.
        states: how many rules are in each state; those without any are not named.
    """

    text: str
    setting: str | None
    states: dict[EnforcementState, int]


_OFF, _PLAN = Enforcement.OFF.word, Enforcement.PLAN.word
UNKNOWN_ENFORCEMENT = EnforcementView(state=EnforcementState.NOT_KNOWN, text="not known")
_SUMMED: Mapping[EnforcementState, str] = {
    EnforcementState.BOTH_WAYS: "refused by Entra both ways",
    EnforcementState.IN_PART: "refused in part",
    EnforcementState.MISSING: "with references missing",
    EnforcementState.HELD: "with references held",
    EnforcementState.FROZEN: "frozen",
    EnforcementState.PLAN_ONLY: "planned only",
    EnforcementState.OFF: "switched off",
    EnforcementState.NOT_ASKED: "not to be enforced",
    EnforcementState.CANNOT: "that Entra cannot enforce",
    EnforcementState.NOT_KNOWN: "not known",
}


def enforcement_views(
    kept: SweepEnforcement | None, rules: Iterable[ResolvedRule], *, is_frozen: bool
) -> Mapping[str, EnforcementView]:
    """Say of each rule how far Entra refuses what it forbids.

    Args:
        kept: what the sweep kept; None where it kept nothing, or the rules have changed since.
        rules: in force.
        is_frozen: whether writing is frozen now.
    """
    if kept is None:
        return {rule.id: _without_sweep(rule) for rule in rules}
    return sweep_views(kept, [rule.id for rule in rules], is_frozen=is_frozen)


def sweep_views(
    kept: SweepEnforcement, rules: Iterable[str], *, is_frozen: bool
) -> Mapping[str, EnforcementView]:
    """Say of each rule, by its id, what a sweep kept of it."""
    known = {each.rule: each for each in kept.rules}
    return {rule: _of_rule(known.get(rule), kept, is_frozen=is_frozen) for rule in rules}


def _without_sweep(rule: ResolvedRule) -> EnforcementView:
    """What the rule alone says: that no reference is asked for needs no sweep to be known."""
    if not (cannot := why_not_at_all(rule, ())):
        return UNKNOWN_ENFORCEMENT
    return _not_enforced(
        RuleReferences(
            rule=rule.id, mode=rule.rule.mode, is_found_only=rule.is_found_only, cannot=cannot
        )
    )


def sum_up(views: Sequence[EnforcementView], setting: str | None) -> EnforcementSum:
    """Sum up all rules in one sentence."""
    counted = Counter(each.state for each in views)
    states = {state: counted[state] for state in EnforcementState if counted[state]}
    if not views:
        text = "No rule is in force."
    elif states.keys() == {EnforcementState.NOT_KNOWN}:
        text = "Whether Entra enforces the rules is not known."
    else:
        parts = [f"{number} {_SUMMED[state]}" for state, number in states.items()]
        text = f"Of {_rules(len(views))}: {', '.join(parts)}."
    return EnforcementSum(text=text, setting=setting, states=states)


def _of_rule(
    found: RuleReferences | None, kept: SweepEnforcement, *, is_frozen: bool
) -> EnforcementView:
    if found is None:
        return UNKNOWN_ENFORCEMENT
    if found.cannot:
        return _not_enforced(found)
    if kept.setting == _OFF:
        return EnforcementView(state=EnforcementState.OFF, text="off: ENFORCEMENT=off")
    if not kept.is_known or not found.wanted:
        return msgspec.structs.replace(UNKNOWN_ENFORCEMENT, why=found.in_part)
    state = _state(found, kept.setting, is_frozen=is_frozen)
    return EnforcementView(
        state=state,
        text=_text(state, found),
        wanted=found.wanted,
        missing=found.missing,
        held=found.held,
        why=found.in_part,
    )


def _not_enforced(found: RuleReferences) -> EnforcementView:
    """A rule that asks for no reference: its mode is not `enforce`, or Entra has none for it."""
    if found.mode is not Mode.ENFORCE and not found.is_found_only:
        text = f"not to be enforced: its mode is {found.mode}"
        return EnforcementView(state=EnforcementState.NOT_ASKED, text=text)
    return EnforcementView(
        state=EnforcementState.CANNOT, text="cannot be enforced by Entra", why=found.cannot
    )


def _state(found: RuleReferences, setting: str, *, is_frozen: bool) -> EnforcementState:
    if not found.missing:
        return EnforcementState.IN_PART if found.in_part else EnforcementState.BOTH_WAYS
    if setting == _PLAN:
        return EnforcementState.PLAN_ONLY
    if found.held == found.missing:
        return EnforcementState.HELD
    return EnforcementState.FROZEN if is_frozen else EnforcementState.MISSING


def _text(state: EnforcementState, found: RuleReferences) -> str:
    missing = f"{found.missing:,} of {found.wanted:,}"
    match state:
        case EnforcementState.BOTH_WAYS:
            return "refused by Entra both ways"
        case EnforcementState.IN_PART:
            return "refused by Entra in part"
        case EnforcementState.PLAN_ONLY:
            return f"plan only: {missing} references missing"
        case EnforcementState.HELD:
            return f"held: {missing} references wait"
        case EnforcementState.FROZEN:
            return f"frozen: {missing} references missing"
        case _:
            held = f", {found.held:,} of them held" if found.held else ""
            return f"missing {missing} references{held}"


def _rules(number: int) -> str:
    return f"{number:,} {'rule' if number == 1 else 'rules'}"
