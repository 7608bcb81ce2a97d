"""Holds a reviewed plan against the tenant of now, and says why it must not be written. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import msgspec

from entra_sod.cli.operations.plan_document import PlanDocument, make_document
from entra_sod.cli.operations.plan_figures import (
    IN_ALL,
    GrownFigure,
    RuleFigures,
    RulesOf,
    grown_figures,
    grown_of,
)
from entra_sod.cli.operations.tenant_state import TenantState
from entra_sod.core.clock import MAX_CLOCK_SKEW
from entra_sod.core.errors import GraphError
from entra_sod.domain.entra import Reference
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.rules.selection import RuleSelection

DEFAULT_MAX_AGE, MAX_AGE = 24, 168  # hours
EDITED = "was its file edited?"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSource:
    """What a plan was made of.

    Attributes:
        rules: in force.
        state: of the tenant.
        ours: references that the ledger says this app made, and for which rules.
        prunable: those of them that may go where no rule asks for them.
        selections: what was reviewed of rules, by their ids.
    """

    rules: RuleSet
    state: TenantState
    ours: RulesOf = field(default_factory=dict[Reference, Sequence[str]])
    prunable: RulesOf = field(default_factory=dict[Reference, Sequence[str]])
    selections: Mapping[str, RuleSelection] = field(default_factory=dict[str, RuleSelection])

    def plan(self, made_at: str) -> PlanDocument:
        return make_document(
            self.rules,
            self.state,
            ours=self.ours,
            prunable=self.prunable,
            made_at=made_at,
            selections=self.selections,
        )

    def before(self, plan: PlanDocument) -> PlanSource:
        """The same as if nothing of a plan had been written yet, by a try that was interrupted."""
        added, removed = plan.added, plan.removed
        gone: Mapping[Reference, Sequence[str]] = {
            each: self.ours.get(each, ()) for each in removed - self.state.present
        }
        present = (self.state.present - added) | removed
        return replace(
            self,
            state=msgspec.structs.replace(self.state, present=present),
            ours={**self.ours, **gone},
            prunable={**self.prunable, **gone},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReview:
    """What came out of holding a reviewed plan against the tenant of now.

    Attributes:
        refused: why it must not be written, one reason each; empty where it may.
        grown: figures that are larger now, also where so much growth is allowed.
        is_unchanged: whether rules, references and grants are those that were reviewed.
    """

    refused: Sequence[str]
    grown: Sequence[GrownFigure]
    is_unchanged: bool = False


def why_too_old(plan: PlanDocument, now: datetime, max_hours: int) -> str | None:
    """Say why the age of a plan refuses it; None where it does not."""
    age = now - plan.made_at_moment
    if age < -MAX_CLOCK_SKEW:
        return f"it was made in the future ({plan.made_at}): one of the two clocks is wrong"
    if age > timedelta(hours=max_hours):
        return (
            f"it was made at {plan.made_at}, and a plan may be {max_hours} hours old "
            f"(--max-age allows up to {MAX_AGE})"
        )
    return None


def new_errors(plan: PlanDocument, state: TenantState) -> Sequence[GraphError]:
    """The errors about packages that could be read when the plan was made."""
    known = {each.what for each in plan.not_read}
    return [error for key, error in state.errors.items() if f"access package {key}" not in known]


def review_plan(
    plan: PlanDocument, source: PlanSource, fresh: PlanDocument, *, allowed: int
) -> PlanReview:
    """Compare a plan with the tenant of now. What it wrote itself by now is no change.

    Args:
        plan: that a person reviewed.
        source: of the fresh plan.
        fresh: made from the same rules folder just now.
        allowed: how many references and subjects more than reviewed there may be.
    """
    if fresh.rules_hash != plan.rules_hash:
        return PlanReview(refused=["the rules have changed"], grown=())
    again_from = source.before(plan)
    again = again_from.plan(plan.made_at)
    if again.state_hash == plan.state_hash:
        holders_hash = again_from.state.holders_hash
        if edited := _why_edited(plan, again, fresh, is_same=holders_hash == plan.holders_hash):
            return PlanReview(refused=[edited], grown=())
        changed = []
    else:
        changed = [] if allowed else ["the tenant has changed", *_new_gaps(plan, fresh)]
    grown = list(dict.fromkeys([*_grown(plan, again, fresh), *_grown(plan, fresh, again)]))
    over = [each for each in grown if each.is_unbounded or each.now - each.reviewed > allowed]
    is_unchanged = again.state_hash == plan.state_hash
    return PlanReview(refused=[*changed, *map(str, over)], grown=grown, is_unchanged=is_unchanged)


def _new_gaps(plan: PlanDocument, fresh: PlanDocument) -> Iterator[str]:
    """What could be read when the plan was made, and why it cannot be read now."""
    known = {each.what for each in plan.not_read}
    return (f"{each.what}: {each.why}" for each in fresh.not_read if each.what not in known)


def _why_edited(
    plan: PlanDocument, again: PlanDocument, fresh: PlanDocument, *, is_same: bool
) -> str | None:
    """Rules and references are the same as then: so must the plan be."""
    held_then, held_now = _held(plan), _held(again)
    if missing := (plan.added | plan.removed) & held_now:
        return f"{len(missing)} of its references are held now"
    if (again.added | fresh.added | fresh.removed) - plan.added - plan.removed - held_then:
        return f"the plan lacks something that the rules ask for: {EDITED}"
    if plan.added - again.added or plan.removed - again.removed:
        return f"the plan has something that the rules do not ask for: {EDITED}"
    if is_same and held_then == held_now and not _has_figures_of(plan, again):
        return f"its figures are not those of its own references and state: {EDITED}"
    return None


def _held(plan: PlanDocument) -> frozenset[Reference]:
    return frozenset(each.reference for each in plan.held)


def _has_figures_of(plan: PlanDocument, again: PlanDocument) -> bool:
    if plan.figures != again.figures or _without_removals(plan) != _without_removals(again):
        return False
    expected = {each.reference: each for each in again.additions}
    return all(
        msgspec.structs.replace(expected[each.reference], in_conflict=each.in_conflict) == each
        for each in plan.additions
    )


def _without_removals(plan: PlanDocument) -> Sequence[RuleFigures]:
    """The ledger knows for which rules a reference was written until it is removed."""
    rows = [msgspec.structs.replace(each, removals=0) for each in plan.by_rule]
    return [each for each in rows if each.selection]


def _grown(plan: PlanDocument, now: PlanDocument, other: PlanDocument) -> Iterator[GrownFigure]:
    """In all and for each rule. In all, references are compared one by one, not by their number."""
    figures = msgspec.structs.replace(
        now.figures,
        additions=len(plan.added | now.added | other.added),
        removals=len(plan.removed | now.removed | other.removed),
    )
    yield from grown_of(IN_ALL, plan.figures, figures)
    yield from grown_figures(plan.by_rule, now.by_rule)
