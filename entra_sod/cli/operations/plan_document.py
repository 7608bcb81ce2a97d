"""A plan that people and other programs can read: what would change, why, whom it would touch.

It carries the hashes of the rules and of the tenant's state that it was made from, so that applying
can refuse a plan whose ground has moved. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Literal

import msgspec

from entra_sod.cli.operations.plan_additions import Addition, additions_of
from entra_sod.cli.operations.plan_figures import (
    PlanFigures,
    RuleFigures,
    RulesOf,
    figures_by_rule,
    sum_figures,
)
from entra_sod.cli.operations.tenant_state import TenantState
from entra_sod.core.errors import NotFound
from entra_sod.domain.enforcement.desired import (
    DesiredReference,
    packages_in_view,
    references_on,
)
from entra_sod.domain.enforcement.guard import HeldReference, protect
from entra_sod.domain.enforcement.plan import make_plan
from entra_sod.domain.enforcement.reach import RuleEnforcement, enforcement_of
from entra_sod.domain.enforcement.selection_guard import hold_changes
from entra_sod.domain.enforcement.uncertainty import may_be_required
from entra_sod.domain.enforcement.without_effect import ENFORCES_NOTHING, find_without_effect
from entra_sod.domain.entra import AccessPackage, Reference, ReferenceKind
from entra_sod.domain.results.coverage import Coverage, Skipped, rule_gaps
from entra_sod.domain.rules.logic import told_rule, why_found_only
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.rules.selection import RuleSelection

type MoreReferences = dict[str, dict[ReferenceKind, list[str]]]


def expand(more: MoreReferences) -> Iterator[Reference]:
    for on, kinds in more.items():
        for kind, targets in kinds.items():
            yield from (Reference(on, kind, target) for target in targets)


class PlanDocument(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """What `entra-sod plan --out` writes and `entra-sod apply` reads.

    Attributes:
        made_by: the signed-in person or application, else the user and the machine.
        holders_hash: of who holds the packages; only in a file.
        rules_folder: that the rules were read from, as it was named.
        figures: of the whole plan.
        by_rule: the figures of each rule, and what it selects.
        enforcement: how far Entra enforces each rule once the plan is written, and why no further.
        packages: every package that the plan depends on, with its name where it was read.
        left_alone: made by others, as far as the ledger tells.
        kept: made by this app, asked for by no rule that could be looked at, and not removed.
        held: additions and removals that are wanted and wait, each with the reason.
        not_read: what could not be looked at, and why. What it would change is not in the plan.
        alike: packages that no rule names and that give what a rule's package gives, and those of
            which that is not known.
        toxic: packages that meet a rule by themselves.
        more_additions, more_removals: those that a file names without their figures.
        left_out: of each list, how many entries a file does not have.
        digest: of all of it; only in a file.
    """

    version: Literal[1]
    made_at: str
    rules_hash: str
    state_hash: str
    packages: dict[str, str]
    additions: tuple[Addition, ...]
    removals: tuple[Reference, ...]
    unchanged: tuple[Reference, ...]
    left_alone: tuple[Reference, ...]
    kept: tuple[Reference, ...]
    not_enforceable: tuple[Skipped, ...]
    not_read: tuple[Skipped, ...]
    alike: tuple[Skipped, ...] = ()
    toxic: tuple[Skipped, ...] = ()
    held: tuple[HeldReference, ...] = ()
    rules_folder: str = "rules"
    made_by: str = ""
    holders_hash: str = ""
    figures: PlanFigures = PlanFigures()
    by_rule: tuple[RuleFigures, ...] = ()
    enforcement: tuple[RuleEnforcement, ...] = ()
    more_additions: MoreReferences = {}
    more_removals: MoreReferences = {}
    left_out: dict[str, int] = {}
    digest: str = ""

    @property
    def writes(self) -> int:
        return self.figures.additions + self.figures.removals

    @property
    def made_at_moment(self) -> datetime:
        """Raises ValueError if it is no moment."""
        moment = datetime.fromisoformat(self.made_at)
        if moment.tzinfo is None:
            raise ValueError(f"madeAt {self.made_at} has no time zone")
        return moment

    @property
    def added(self) -> frozenset[Reference]:
        """Every reference to add, those that a file names shortly among them."""
        return frozenset(
            (*(each.reference for each in self.additions), *expand(self.more_additions))
        )

    @property
    def removed(self) -> frozenset[Reference]:
        return frozenset((*self.removals, *expand(self.more_removals)))

    def count(self, name: str) -> int:
        """How many entries a list has, those that a file leaves out among them."""
        return len(getattr(self, name)) + self.left_out.get(name, 0)

    @property
    def desired_additions(self) -> tuple[DesiredReference, ...]:
        return tuple(DesiredReference(each.reference, each.rules) for each in self.additions)


def compile_references(
    rules: RuleSet, packages: Mapping[str, AccessPackage]
) -> Iterator[DesiredReference]:
    """Yield what the rules ask for, in order, each reference once.

    Args:
        rules: in force.
        packages: with the groups that they grant; pairs with one that is missing are left out.
    """
    for on in sorted(packages_in_view(rules) & packages.keys()):
        yield from references_on(on, rules, packages)


def make_document(
    rules: RuleSet,
    state: TenantState,
    *,
    ours: RulesOf = MappingProxyType({}),
    prunable: Collection[Reference],
    made_at: str,
    selections: Mapping[str, RuleSelection] | None = None,
) -> PlanDocument:
    """Plan everything that the rules ask for.

    Args:
        rules: in force.
        state: of every package in view of the rules, and of the prunable references.
        ours: references that the ledger says this app made, and for which rules.
        prunable: those of them that may go where no rule asks for them.
        made_at: the moment, RFC 3339.
        selections: what was reviewed of rules, by their ids.
    """
    view = in_view(rules, prunable)
    unread = state.unread_of(view)
    # A package that is on no list, or whose grants are not known, may be what a rule selects.
    removable = (
        [] if rules.unsettled else [each for each in prunable if not may_be_required(each, unread)]
    )
    made = frozenset(ours) | frozenset(prunable)
    whole = make_plan(compile_references(rules, state.packages), state.present, removable)
    changed = hold_changes(rules, selections or {}, state.granting, state.gone)
    plan = whole.guarded((*protect(rules, state.granting), *changed))
    left_alone = state.present.difference(plan.unchanged, whole.removals)
    additions = additions_of(plan.additions, state)
    return PlanDocument(
        version=1,
        made_at=made_at,
        rules_hash=rules.hash,
        state_hash=state.hash,
        packages={key: _name(key, state.packages) for key in sorted(view)},
        additions=additions,
        removals=plan.removals,
        held=plan.held,
        unchanged=plan.unchanged,
        left_alone=tuple(sorted(left_alone - made)),
        kept=tuple(sorted(left_alone & made)),
        not_enforceable=(
            *_not_enforceable(rules, state),
            *_kept(left_alone & set(prunable), unread),
        ),
        not_read=not_read(rules, view, state),
        figures=sum_figures(additions, len(plan.removals)),
        by_rule=figures_by_rule(rules, additions, plan.removals, ours),
        enforcement=enforcement_of(
            rules,
            state.packages,
            plan.held,
            rules_of_held(rules, state.packages, plan.held),
        ),
    )


def rules_of_held(
    rules: RuleSet, packages: Mapping[str, AccessPackage], held: Collection[HeldReference]
) -> Mapping[Reference, Collection[str]]:
    """The rules that ask for each reference that is held."""
    waiting = {each.reference for each in held}
    desired = compile_references(rules, packages) if waiting else ()
    return {each.reference: each.rule_ids for each in desired if each.reference in waiting}


def not_read(rules: RuleSet, view: Collection[str], state: TenantState) -> tuple[Skipped, ...]:
    """What could not be looked at: packages, items, and sides of rules that select nothing."""
    notes = Coverage()
    for each in sorted(frozenset(view) - state.packages.keys()):
        if each in packages_in_view(rules) or each not in state.gone:
            error = state.errors.get(each) or NotFound("it does not exist")
            notes.skip(f"access package {each}", error)
    return (*notes.skipped, *state.gaps, *rule_gaps(rules))


def _not_enforceable(rules: RuleSet, state: TenantState) -> tuple[Skipped, ...]:
    """What stays to be detected, and to be said: Entra will not refuse it."""
    found_only = [
        Skipped(what=f"rule {each.id}: {told_rule(each)}", why=why_found_only(each))
        for each in rules.found_only_rules
    ]
    excepted = [
        Skipped(
            what=f"exception {each.id} of subject {each.named_subject} from rule {each.rule}",
            why="Entra's references know no exceptions: it refuses this subject as well",
        )
        for each in rules.exceptions
    ]
    empty = [
        Skipped(what=f"rule {each.id}", why=ENFORCES_NOTHING)
        for each in find_without_effect(rules.rules, state.packages)
    ]
    unfit = [
        Skipped(
            what=f"references to group {each}",
            why="it is not security-enabled, as Microsoft 365 groups are: Graph refuses it",
        )
        for each in sorted(state.unfit_groups)
    ]
    return (*found_only, *excepted, *empty, *unfit)


def _kept(references: Collection[Reference], unread: Collection[str]) -> tuple[Skipped, ...]:
    """What is ours and stays although no rule seems to ask for it, as not all could be read."""
    if not references:
        return ()
    what = f"removing {len(references)} references that no rule seems to ask for"
    why = (
        f"what packages ask for that the app may not read is not known: {', '.join(sorted(unread))}"
    )
    return (Skipped(what=what, why=why),)


def in_view(rules: RuleSet, prunable: Collection[Reference]) -> frozenset[str]:
    """The packages that a plan depends on."""
    return packages_in_view(rules).union(*(each.packages for each in prunable))


def half_seen(rules: RuleSet, unread: Collection[str]) -> set[str]:
    """Packages whose own wishes are not known, for the other of a pair was not read."""
    constraints = rules.constraints.in_order() if unread else ()
    pairs = (constraint.pair for constraint in constraints)
    return {each for pair in pairs if pair.low in unread or pair.high in unread for each in pair}


def _name(package_id: str, packages: Mapping[str, AccessPackage]) -> str:
    package = packages.get(package_id)
    return package.display_name if package else ""
