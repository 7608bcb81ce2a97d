"""What a plan comes to, for each rule and in all, and which figures have grown. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec

from entra_sod.domain.entra import Reference
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.ruleset import RuleSet

if TYPE_CHECKING:
    from entra_sod.cli.operations.plan_additions import Addition

MAX_FIGURE = 1_000_000_000
MAX_SELECTED_NAMED = 5
IN_ALL = "in all"

type Figure = Annotated[int, msgspec.Meta(ge=0, le=MAX_FIGURE)]
type RulesOf = Mapping[Reference, Sequence[str]]


class PlanFigures(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """References, and the subjects that they keep away. A subject counts once a reference.

    Attributes:
        kept_from_getting: subjects that can no longer get a package.
        kept_from_renewing: subjects that keep a package, and can no longer renew it.
        unknown: references to add that may keep more subjects away than are known.
        in_conflict: different subjects that hold both sides, as far as they are named.
    """

    additions: Figure = 0
    removals: Figure = 0
    kept_from_getting: Figure = 0
    kept_from_renewing: Figure = 0
    unknown: Figure = 0
    in_conflict: Figure = 0


class RuleFigures(PlanFigures, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What a plan comes to for one rule. What several rules ask for counts for each of them.

    Attributes:
        packages: how many packages the rule selects.
        selection: a hash of the packages and groups that it selects.
        selected: the first of these packages.
    """

    rule: str
    packages: Figure = 0
    selection: str = ""
    selected: tuple[str, ...] = ()


WORDS = {
    "additions": "references to add",
    "removals": "references to remove",
    "kept_from_getting": "subjects kept from getting a package",
    "kept_from_renewing": "subjects kept from renewing a package",
    "unknown": "references of which not all subjects are known",
}


def sum_figures(additions: Collection[Addition], removals: int) -> PlanFigures:
    return PlanFigures(
        additions=len(additions),
        removals=removals,
        kept_from_getting=sum(each.kept_from_getting for each in additions),
        kept_from_renewing=sum(each.kept_from_renewing for each in additions),
        unknown=sum(not each.is_whole for each in additions),
        in_conflict=len(set[str]().union(*(each.in_conflict for each in additions))),
    )


def figures_by_rule(
    rules: RuleSet, additions: Iterable[Addition], removals: Iterable[Reference], asked: RulesOf
) -> tuple[RuleFigures, ...]:
    """Sum up a plan for each rule in force, and each that once asked for what is removed.

    Args:
        rules: in force.
        additions: of the plan.
        removals: of the plan.
        asked: the rules that references of ours were written for.
    """
    known = {each.id: each for each in rules.rules}
    added: dict[str, list[Addition]] = {rule: [] for rule in known}
    for addition in additions:
        for rule in addition.rules:
            added.setdefault(rule, []).append(addition)
    removed = dict[str, int]()
    for reference in removals:
        for rule in asked.get(reference, ()):
            added.setdefault(rule, [])
            removed[rule] = removed.get(rule, 0) + 1
    return tuple(
        _of_rule(rule, known.get(rule), sum_figures(added[rule], removed.get(rule, 0)))
        for rule in sorted(added)
    )


def _of_rule(rule: str, resolved: ResolvedRule | None, figures: PlanFigures) -> RuleFigures:
    packages = sorted(resolved.packages) if resolved else []
    return RuleFigures(
        rule=rule,
        packages=len(packages),
        selection=_selection_hash(resolved) if resolved else "",
        selected=tuple(packages[:MAX_SELECTED_NAMED]),
        **msgspec.structs.asdict(figures),
    )


def _selection_hash(rule: ResolvedRule) -> str:
    sides = [(sorted(each.packages), sorted(each.groups)) for each in rule.all_sides]
    data = msgspec.json.encode([sides, sorted(rule.set_of), rule.count])
    return hashlib.sha256(data).hexdigest()[:32]


class GrownFigure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure that is larger than the one that was reviewed."""

    rule: str
    name: str
    reviewed: int
    now: int

    @property
    def is_unbounded(self) -> bool:
        """Whether the number of further subjects that it stands for is unknown."""
        return self.name == "unknown"

    def __str__(self) -> str:
        where = self.rule if self.rule == IN_ALL else f"rule {self.rule}"
        return f"{where}: {WORDS[self.name]}: {self.reviewed:,} reviewed, {self.now:,} now"


def grown_figures(
    reviewed: Iterable[RuleFigures], now: Iterable[RuleFigures]
) -> Iterator[GrownFigure]:
    """Compare the figures of each rule. A rule that was not reviewed has grown from nothing."""
    before = {each.rule: each for each in reviewed}
    for each in now:
        yield from grown_of(each.rule, before.get(each.rule, PlanFigures()), each)


def grown_of(rule: str, reviewed: PlanFigures, now: PlanFigures) -> Iterator[GrownFigure]:
    for name in WORDS:
        was, is_now = getattr(reviewed, name), getattr(now, name)
        if is_now > was:
            yield GrownFigure(rule=rule, name=name, reviewed=was, now=is_now)
