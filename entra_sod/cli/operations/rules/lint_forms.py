"""What the forms of rules can get wrong that shows only once their sides are resolved. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from entra_sod.core.validation import Mistake
from entra_sod.domain.rules.document import MAX_PROBLEMS
from entra_sod.domain.rules.forms import find_circles
from entra_sod.domain.rules.language import Mode, RuleForm
from entra_sod.domain.rules.logic import why_found_only
from entra_sod.domain.rules.resolve import ResolvedRule


def mode_warnings(rule: ResolvedRule) -> Iterator[Mistake]:
    """Say of an enforcing rule that nothing can be written for it."""
    if rule.is_found_only and rule.form is not RuleForm.AT_MOST and rule.rule.mode is Mode.ENFORCE:
        why = why_found_only(rule)
        yield Mistake(("mode",), f"is enforce, and nothing is written. {why}: it is found only")


def group_warnings(rule: ResolvedRule) -> Iterator[Mistake]:
    """Name sides that lead to groups by a class, where only packages that are held count."""
    for (path, _), side in zip(rule.rule.placed_sides, rule.duties, strict=False):
        if side.groups:
            detail = "lead to groups, which do not count here: members of groups are not read"
            yield Mistake((*path, "classes"), detail)


def equal_sides(rule: ResolvedRule) -> Iterator[Mistake]:
    """Name each side that selects the same packages as a side before it."""
    seen = set[frozenset[str]]()
    for (path, _), side in zip(rule.rule.placed_sides, rule.all_sides, strict=False):
        if side.packages in seen:
            yield Mistake(path, "selects the same packages as a side before it")
        if side.packages:
            seen.add(side.packages)


def never_met(rule: ResolvedRule) -> Iterator[Mistake]:
    """Say why no subject can be in conflict with a rule that is found only, or every one is."""
    if not rule.duties:
        return
    filled = sum(bool(side.packages) for side in rule.duties)
    if rule.form is RuleForm.AT_MOST_SIDES:
        if filled <= rule.count:
            detail = f"keeps nothing apart: sides that select a package: {filled}"
            yield Mistake(("atMostSides",), detail)
        return
    for (path, _), side in zip(rule.rule.placed_sides, rule.duties, strict=True):
        if not side.packages:
            yield Mistake(path, "selects no access package: no subject can be on this side")
    if rule.form is RuleForm.REQUIRES and filled == len(rule.duties) and _is_implied(rule):
        detail = "requires nothing: a subject that is on `when` is on `needs` as well"
        yield Mistake(("requires",), detail)


def _is_implied(rule: ResolvedRule) -> bool:
    when, needs = rule.duties
    if needs.every:
        is_one = len(when.packages) == 1
        return needs.packages <= when.packages and (when.every or is_one)
    return (
        not when.packages.isdisjoint(needs.packages)
        if when.every
        else when.packages <= needs.packages
    )


def requirement_circles(rules: Iterable[ResolvedRule]) -> Iterator[tuple[str, Mistake]]:
    """Name circles of `requires` over sides that select the same packages, by the rule's id."""
    needs = (
        (rule.id, rule.duties[0].packages, rule.duties[1].packages)
        for rule in rules
        if rule.form is RuleForm.REQUIRES and all(side.packages for side in rule.duties)
    )
    for name, circle in islice(find_circles(needs), MAX_PROBLEMS):
        yield name, Mistake(("requires",), circle)


def forbidden_requirements(rules: Sequence[ResolvedRule]) -> Iterator[tuple[str, Mistake]]:
    """Name each rule that requires what another rule keeps apart from it, by the rule's id."""
    by_package: dict[str, list[ResolvedRule]] = {}
    for rule in rules:
        for package in () if rule.is_found_only else rule.packages:
            by_package.setdefault(package, []).append(rule)
    for rule in rules:
        if rule.form is RuleForm.REQUIRES and all(side.packages for side in rule.duties):
            facing = by_package.get(min(rule.duties[0].packages), ())
            other = next((each for each in facing if _keeps_apart(each, rule)), None)
            if other is not None:
                detail = f"cannot be kept: rule {other.id} keeps `when` apart from `needs`"
                yield rule.id, Mistake(("requires",), detail)


def _keeps_apart(rule: ResolvedRule, requirement: ResolvedRule) -> bool:
    when, needs = (side.packages for side in requirement.duties)
    if not when.isdisjoint(needs):
        return False
    if rule.is_at_most_one:
        return when | needs <= rule.set_of
    on = [at for at, side in enumerate(rule.sides) if when <= side.packages]
    facing = [at for at, side in enumerate(rule.sides) if needs <= side.packages]
    return any(one != other for one in on for other in facing)
