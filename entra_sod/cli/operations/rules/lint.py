"""What rules can get wrong although every word of them is right. Pure.

Some of it shows only against a tenant: a package that is not there, a pattern that fits none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from heapq import nsmallest
from itertools import combinations, islice, permutations
from typing import TYPE_CHECKING

from entra_sod.cli.operations.rules.contradictions import find_contradictions
from entra_sod.cli.operations.rules.grant_problems import grant_problems
from entra_sod.cli.operations.rules.lint_forms import (
    equal_sides,
    forbidden_requirements,
    group_warnings,
    mode_warnings,
    never_met,
    requirement_circles,
)
from entra_sod.cli.operations.rules.unbound import (
    ownerless_problems,
    unbound_classes,
    unbound_problems,
    unbound_rules,
)
from entra_sod.core.validation import Mistake, Path
from entra_sod.domain.enforcement.without_effect import ENFORCES_NOTHING, find_without_effect
from entra_sod.domain.near_names import did_you_mean
from entra_sod.domain.rules.all_packages import find_all_packages
from entra_sod.domain.rules.document import RulesProblem
from entra_sod.domain.rules.exception_subjects import ExceptionProblem, SubjectProblem
from entra_sod.domain.rules.language import (
    ExceptionEntry,
    Mode,
    PackageSelector,
    Rule,
    Side,
    override_id,
)
from entra_sod.domain.rules.parse import ParsedRules, SourceOrigin, in_reason
from entra_sod.domain.rules.resolve import (
    ResolvedRule,
    ResolvedSide,
    Resolver,
    Tenant,
    needs_tenant,
    written_sides,
)

if TYPE_CHECKING:
    from entra_sod.services.rules.alike import AlikeReading  # slow to import

ENDING_SOON_DAYS = (1, 7, 30)
MAX_RESOLVE_STEPS = 250_000  # of resolving; larger rules compile, but validating them ends in time
_MAX_NAMED = 3


class TooMuchWork(Exception):
    """The rules need more work than a check may take."""


class _LimitedResolver(Resolver):
    """Gives up with TooMuchWork after MAX_RESOLVE_STEPS steps of some tenths of a microsecond."""

    def __init__(self, parsed: ParsedRules, tenant: Tenant) -> None:
        super().__init__(parsed, tenant)
        self._work_left = MAX_RESOLVE_STEPS

    def rule(self, rule: Rule) -> ResolvedRule:
        resolved = super().rule(rule)
        self._spend(10 * len(resolved.set_of))
        return resolved

    def members(self, side: Side) -> Sequence[ResolvedSide]:
        found = super().members(side)
        self._spend(5 * len(found) + sum(len(each.packages) for each in found))
        return found

    def _spend(self, steps: int) -> None:
        self._work_left -= steps
        if self._work_left < 0:
            raise TooMuchWork


def lint(parsed: ParsedRules, day: date, tenant: Tenant | None) -> list[RulesProblem]:
    """Find what is wrong or doubtful in what the rules mean.

    Args:
        parsed: of all files. With mistakes in it, only what each entry says by itself is looked at.
        day: today, in UTC.
        tenant: every package that may be read; None checks what needs no tenant.
    """
    found = [
        *_selector_problems(parsed, tenant),
        *_override_problems(parsed, tenant),
        *_group_problems(parsed, tenant),
        *([] if parsed.problems else grant_problems(parsed, tenant)),
        *_date_problems(parsed, day),
        *_count_problems(parsed),
        *unbound_problems(parsed),
        *ownerless_problems(parsed),
    ]
    if not parsed.problems:
        resolver = _LimitedResolver(parsed, tenant or Tenant(()))
        resolved = list(_resolved(parsed, resolver))
        found += [
            *_unfinished(parsed, len(resolved)),
            *_unused_classes(parsed, resolver),
            *_rule_problems(parsed, resolved, tenant),
            *_requirements(parsed, resolved, tenant),
            *_all_packages(parsed, tenant),
            *_without_reference(parsed, resolved, tenant),
            *_protected(parsed, resolved, resolver, tenant),
            *_contradictions(parsed, resolved, day),
        ]
    return list(in_reason(sorted(found)))


def alike_problems(parsed: ParsedRules, reading: AlikeReading) -> Iterator[RulesProblem]:
    """Packages that no rule names, at each rule that they pass by."""
    for each in reading.found:
        detail = f"does not name {each.what}: {each.why}"
        yield _warning(parsed.origin("rules", each.rule.id), (), detail)


def exception_problems(
    parsed: ParsedRules, problems: Iterable[ExceptionProblem]
) -> Iterator[RulesProblem]:
    """Report exceptions without a second person who approved, and names that changed hands.

    A name that could not be resolved is not a mistake of the file: it is told as not known.
    """
    for each in problems:
        origin = parsed.origin("exceptions", each.entry.id)
        if each.kind is SubjectProblem.SAME_PERSON:
            yield origin.place(Mistake(("approvedBy",), _without_subject(each.why)))
        elif each.kind is SubjectProblem.RENAMED:
            yield _warning(origin, ("upn",), f"is not current: {each.why}")


def _without_subject(sentence: str) -> str:
    """The rest of a sentence whose subject is the field that the mistake is placed at."""
    return sentence.removeprefix("approvedBy ")


def toxic_problems(
    parsed: ParsedRules, reading: AlikeReading, resolved: Collection[str]
) -> Iterator[RulesProblem]:
    """Packages that meet a rule by themselves, unless an override says so; and needless overrides.

    Args:
        parsed: of all files.
        reading: what the tenant's packages grant.
        resolved: the ids of the rules that it was compared with.
    """
    toxic = {override_id(each.rule.id, each.package): each for each in reading.toxic}
    for name, each in toxic.items():
        if name not in parsed.overrides:
            detail = f"is met by one package: {each.what}: {each.why}"
            yield _warning(parsed.origin("rules", each.rule.id), (), detail)
    for name in parsed.overrides.keys() - toxic.keys():
        if parsed.overrides[name].rule in resolved and not reading.is_in_doubt:
            detail = "does not meet the rule by itself: the override has no effect"
            yield _warning(parsed.origin("overrides", name), ("package",), detail)


def _resolved(parsed: ParsedRules, resolver: Resolver) -> Iterator[ResolvedRule]:
    """Every rule, in order, or as many as their classes and patterns leave the time for."""
    with suppress(TooMuchWork):
        for rule in parsed.rules.values():
            yield resolver.rule(rule)


def _unfinished(parsed: ParsedRules, resolved: int) -> Iterator[RulesProblem]:
    for rule in islice(parsed.rules.values(), resolved, resolved + 1):
        detail = "and the rules after it were not looked into: those before name too many packages"
        yield _warning(parsed.origin("rules", rule.id), (), detail)


def _contradictions(
    parsed: ParsedRules, resolved: Sequence[ResolvedRule], day: date
) -> Iterator[RulesProblem]:
    """Two rules for one pair, of which one enforces; said once for two rules, at the second."""
    alive = [each for each in resolved if not _is_over(each.rule, day)]
    found = find_contradictions(alive)
    for one, other, count in found.rules:
        if _meet(one, other):
            pairs = f"{count} pairs" if count > 1 else "a pair"
            detail = f"is {other.mode} for {pairs} that {one.id} has as {one.mode}: enforce wins"
            yield _warning(parsed.origin("rules", other.id), ("mode",), detail)
    if not found.is_whole:
        detail = "may differ from that of other rules for a pair: too many rules share packages"
        yield _warning(parsed.origin("rules", alive[-1].id), ("mode",), detail)


def _selector_problems(parsed: ParsedRules, tenant: Tenant | None) -> Iterator[RulesProblem]:
    resolver = Resolver(parsed, tenant)
    for origin, path, selector in _selectors(parsed):
        if tenant is None:
            if selector.is_everything:
                yield _warning(origin, path, "fits every access package")
        elif selector.id is not None:
            if str(selector.id) not in tenant.packages:
                detail = "is no access package that this identity may read"
                yield origin.place(Mistake((*path, "id"), detail))
        elif not (selected := resolver.select(selector)):
            near = _near_pattern(selector, tenant)
            yield origin.place(Mistake(path, f"fits no access package{near}"))
        elif len(selected) == len(tenant.packages):
            yield _warning(origin, path, f"fits every access package: {len(selected)}")


def _near_pattern(selector: PackageSelector, tenant: Tenant) -> str:
    """Suggest the catalog or the name that was probably meant, as the end of a sentence."""
    in_catalog = tenant.select(PackageSelector(catalog=selector.catalog))
    if in_catalog:
        names = {tenant.packages[each].display_name for each in in_catalog}
        near = did_you_mean(selector.name or "", names)
    else:
        catalogs = {each.catalog_name for each in tenant.packages.values()}
        near = did_you_mean(selector.catalog or "", catalogs)
    return f";{near.replace(' Did', ' did', 1)}" if near else ""


def _override_problems(parsed: ParsedRules, tenant: Tenant | None) -> Iterator[RulesProblem]:
    """Overrides for packages that the tenant does not show."""
    for name, override in parsed.overrides.items():
        if tenant is not None and str(override.package) not in tenant.packages:
            detail = "is no access package that this identity may read"
            yield parsed.origin("overrides", name).place(Mistake(("package",), detail))


def _all_packages(parsed: ParsedRules, tenant: Tenant | None) -> Iterator[RulesProblem]:
    """Patterns that happen to fit every package of this tenant."""
    if tenant is None or not tenant.packages:
        return
    resolver = Resolver(parsed, tenant)

    def fits_all(selector: PackageSelector) -> bool:
        return selector.id is None and len(resolver.select(selector)) == len(tenant.packages)

    for name, mistake in find_all_packages(parsed.rules, parsed.classes, fits_all):
        yield parsed.origin("rules", name).place(mistake)


def _group_problems(parsed: ParsedRules, tenant: Tenant | None) -> Iterator[RulesProblem]:
    if tenant is None:
        return
    unseen: list[RulesProblem] = []
    for origin, path, group_id in _groups(parsed):
        if group_id not in tenant.groups:
            unseen.append(_warning(origin, path, "was not looked up: no right to read groups"))
        elif (group := tenant.groups[group_id]) is None:
            yield origin.place(Mistake(path, "is no group of the directory"))
        elif not group.is_security_enabled:
            detail = "is not security-enabled: Entra takes no other group for a reference"
            yield origin.place(Mistake(path, detail))
    yield from unseen[:1]  # the same holds for all of them


def _groups(parsed: ParsedRules) -> Iterator[tuple[SourceOrigin, Path, str]]:
    for name, side in parsed.classes.items():
        for index, group in enumerate(side.groups):
            yield parsed.origin("classes", name), ("groups", index, "id"), str(group.id)
    for origin, protected in parsed.protected:
        for index, group in enumerate(protected.groups):
            yield origin, ("groups", index, "id"), str(group.id)
    for rule in parsed.rules.values():
        for place, side in rule.placed_sides:
            for index, group in enumerate(side.groups):
                path: Path = (*place, "groups", index, "id")
                yield parsed.origin("rules", rule.id), path, str(group.id)


def named_groups(parsed: ParsedRules) -> frozenset[str]:
    """Every group that a rule or class names."""
    return frozenset(group_id for _, _, group_id in _groups(parsed))


def _selectors(parsed: ParsedRules) -> Iterator[tuple[SourceOrigin, Path, PackageSelector]]:
    unbound = unbound_classes(parsed)
    for name, side in parsed.classes.items():
        for index, selector in enumerate(side.packages if name not in unbound else ()):
            yield parsed.origin("classes", name), ("packages", index), selector
    for origin, protected in parsed.protected:
        for index, selector in enumerate(protected.packages):
            yield origin, ("packages", index), selector
    for rule in parsed.rules.values():
        origin = parsed.origin("rules", rule.id)
        for place, side in rule.placed_sides:
            for index, selector in enumerate(side.packages):
                yield origin, (*place, "packages", index), selector
        for index, selector in enumerate(rule.at_most.of if rule.at_most else ()):
            yield origin, ("atMost", "of", index), selector


def _date_problems(parsed: ParsedRules, day: date) -> Iterator[RulesProblem]:
    for rule in parsed.rules.values():
        if _is_over(rule, day):
            origin = parsed.origin("rules", rule.id)
            yield _warning(origin, ("effective", "until"), "has passed: the rule asks for nothing")
    for entry in parsed.exceptions.values():
        if detail := _ending(entry, day):
            yield _warning(parsed.origin("exceptions", entry.id), ("until",), detail)


def _is_over(rule: Rule, day: date) -> bool:
    end = rule.effective.end if rule.effective else None
    return end is not None and end < day


def _ending(entry: ExceptionEntry, day: date) -> str | None:
    days = (entry.end - day).days
    if days < 0:
        return "has passed: the exception has expired"
    if entry.start > day:
        return None
    within = next((limit for limit in ENDING_SOON_DAYS if days <= limit), None)
    left = "1 day" if days == 1 else f"{days} days"
    return f"is near: {left} left, within {within}" if within else None


def _count_problems(parsed: ParsedRules) -> Iterator[RulesProblem]:
    for rule in parsed.rules.values():
        if rule.at_most and rule.at_most.count > 1:
            why = "is more than 1: sweeps find it, and Entra cannot enforce it"
            yield _warning(parsed.origin("rules", rule.id), ("atMost", "count"), why)


def _unused_classes(parsed: ParsedRules, resolver: Resolver) -> Iterator[RulesProblem]:
    sides = [side for rule in parsed.rules.values() for side in _sides(rule)]
    used = set(resolver.reached(name for side in sides for name in side.classes))
    for name in parsed.classes.keys() - used:
        document = parsed.origin("classes", name).document
        mistake = Mistake(("classes",), "is used by no rule", name)
        yield document.place(mistake, is_warning=True)


def _sides(rule: Rule) -> Sequence[Side]:
    return written_sides(rule)


def _rule_problems(
    parsed: ParsedRules, resolved: Iterable[ResolvedRule], tenant: Tenant | None
) -> Iterator[RulesProblem]:
    is_certain = tenant is not None or not needs_tenant(parsed)
    unbound = unbound_rules(parsed)
    for each in resolved:
        origin = parsed.origin("rules", each.id)
        yield from _shared(origin, each, tenant)
        warnings = [*mode_warnings(each), *group_warnings(each)]
        if is_certain and each.id not in unbound and not each.grant_gaps:
            yield from _without_effect(origin, each)
            yield from (origin.place(mistake) for mistake in never_met(each))
            warnings += equal_sides(each)
        yield from (origin.place(mistake, is_warning=True) for mistake in warnings)


def _requirements(
    parsed: ParsedRules, resolved: Sequence[ResolvedRule], tenant: Tenant | None
) -> Iterator[RulesProblem]:
    """Rules that require in a circle, or what another rule keeps apart."""
    if tenant is None and needs_tenant(parsed):
        return
    unbound = unbound_rules(parsed)
    bound = [each for each in resolved if each.id not in unbound]
    for name, mistake in requirement_circles(bound):
        yield parsed.origin("rules", name).place(mistake)
    for name, mistake in forbidden_requirements(bound):
        yield parsed.origin("rules", name).place(mistake, is_warning=True)


def _without_reference(
    parsed: ParsedRules, resolved: Iterable[ResolvedRule], tenant: Tenant | None
) -> Iterator[RulesProblem]:
    for each in find_without_effect(resolved, tenant.granting if tenant else {}):
        yield _warning(parsed.origin("rules", each.id), ("references",), ENFORCES_NOTHING)


def _protected(
    parsed: ParsedRules, resolved: Iterable[ResolvedRule], resolver: Resolver, tenant: Tenant | None
) -> Iterator[RulesProblem]:
    """Rules that ask for references on or to what the files protect."""
    protected = resolver.protected().ids
    for each in resolved if protected else ():
        named = frozenset().union(*(side.packages | side.groups for side in each.sides))
        if each.rule.mode is Mode.ENFORCE and (shared := named & protected):
            detail = f"asks for references on or to {_listed(shared, tenant)}, which is protected"
            yield _warning(parsed.origin("rules", each.id), ("mode",), f"{detail}: none is written")


def _shared(
    origin: SourceOrigin, rule: ResolvedRule, tenant: Tenant | None
) -> Iterator[RulesProblem]:
    """Name packages that pairs of a rule have on two sides."""
    seen: frozenset[str] = frozenset()
    places = [] if rule.rule.at_most else rule.rule.placed_sides
    for (path, _), side in zip(places, rule.sides, strict=False):
        if shared := seen & side.packages:
            words = f"has {_listed(shared, tenant)} in common with a side before it"
            detail = f"{words}: a package never conflicts with itself"
            yield _warning(origin, path, detail)
        seen |= side.packages


def _listed(package_ids: Collection[str], tenant: Tenant | None) -> str:
    packages = tenant.packages if tenant else {}
    names = nsmallest(
        _MAX_NAMED,
        (packages[each].display_name if each in packages else each for each in package_ids),
    )
    more = len(package_ids) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def _without_effect(origin: SourceOrigin, resolved: ResolvedRule) -> Iterator[RulesProblem]:
    rule = resolved.rule
    if rule.at_most is not None:
        if (held := len(resolved.set_of)) <= rule.at_most.count:
            detail = f"keeps nothing apart: packages in the set: {held}"
            yield origin.place(Mistake(("atMost",), detail))
        return
    has_pair = any(_has_pair(one, other) for one, other in combinations(resolved.sides, 2))
    if has_pair or resolved.is_found_only:
        return
    if not any(_has_guard(one, other) for one, other in permutations(resolved.sides, 2)):
        yield origin.place(Mistake((rule.form.value,), "keeps nothing apart: no pair is left"))
    elif rule.mode is not Mode.ENFORCE or not rule.references.wants_groups:
        detail = "has no pair: groups alone work under enforce with references to groups"
        yield _warning(origin, (rule.form.value,), detail)


def _has_pair(one: ResolvedSide, other: ResolvedSide) -> bool:
    is_one_package = len(one.packages) == 1 and one.packages == other.packages
    return bool(one.packages) and bool(other.packages) and not is_one_package


def _has_guard(one: ResolvedSide, other: ResolvedSide) -> bool:
    return bool(one.groups) and not one.packages and bool(other.packages)


def _meet(one: Rule, other: Rule) -> bool:
    """Whether there is a day on which both are in force."""
    spans = [rule.effective for rule in (one, other) if rule.effective]
    starts = [span.start for span in spans if span.start]
    ends = [span.end for span in spans if span.end]
    return not starts or not ends or max(starts) <= min(ends)


def _warning(origin: SourceOrigin, path: Path, detail: str) -> RulesProblem:
    return origin.place(Mistake(path, detail), is_warning=True)
