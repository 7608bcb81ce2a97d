"""From who holds what to who holds what must not meet. Pure.

By subject, not by pair: the work grows with the assignments, however many pairs the rules make.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import combinations

import msgspec

from entra_sod.domain.detection.index import IndexedAssignment
from entra_sod.domain.entra import Assignment, Pair, Subject
from entra_sod.domain.rules.language import Rule
from entra_sod.domain.rules.logic import ConflictKind, find_hit
from entra_sod.domain.rules.overrides import OverrideUse, use_of
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.rules.toxic import NO_TOXIC_PACKAGES, ToxicPackages


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectedConflict:
    """One subject that holds what must not meet.

    Attributes:
        rules: that it is against; one, unless it is a pair.
        packages: that are held and make the conflict, in order; of a pair both.
        kind: what makes it a conflict.
        missing: packages that the subject needs and does not hold, in order.
        why: what makes one package a conflict by itself, in words.
        use: what an override says of the assignment of that package.
    """

    rules: Sequence[Rule]
    packages: Sequence[str]
    subject: Subject
    kind: ConflictKind = ConflictKind.PAIR
    missing: Sequence[str] = ()
    why: str = ""
    use: OverrideUse | None = None

    @property
    def pair(self) -> Pair | None:
        """The pair; None of a conflict of another kind."""
        return Pair.of(*self.packages) if self.kind is ConflictKind.PAIR else None


def join(
    held: Iterable[tuple[str, IndexedAssignment]],
    rules: RuleSet,
    unread: AbstractSet[str] = frozenset(),
    toxic: ToxicPackages = NO_TOXIC_PACKAGES,
) -> Iterator[DetectedConflict]:
    """Find every conflict among assignments.

    Args:
        held: package ids with their assignments. All assignments of a subject must be among them.
        rules: in force.
        unread: packages of which not all assignments are known: a subject may hold them.
        toxic: packages that meet rules by themselves.
    """
    for holdings in _by_subject(held).values():
        found = [*_conflicts(holdings, rules, unread, toxic)]
        subject = _best_known(holdings) if found else None
        for conflict in found:
            yield replace(conflict, subject=subject or conflict.subject)


def _conflicts(
    holdings: _Holdings, rules: RuleSet, unread: AbstractSet[str], toxic: ToxicPackages
) -> Iterator[DetectedConflict]:
    if len(holdings) > 1:
        yield from _pair_conflicts(holdings, rules)
    for conflict in _found_only_conflicts(holdings, rules, unread):
        if not _is_told_by_package(conflict, toxic):
            yield conflict
    yield from _package_conflicts(holdings, rules, toxic)


def _best_known(holdings: _Holdings) -> Subject:
    """The subject as one of its assignments shows it.

    Graph shows no object id and no name of an assignment that is being delivered.
    """
    subjects = [held.subject for _, held in sorted(holdings.items())]
    return next((each for each in subjects if each.object_id), subjects[0])


type _Holdings = dict[str, IndexedAssignment]


def _by_subject(held: Iterable[tuple[str, IndexedAssignment]]) -> Mapping[str, _Holdings]:
    subjects: dict[str, _Holdings] = {}
    for package, each in held:
        holdings = subjects.setdefault(each.subject_id, {})
        holdings[package] = _longer(holdings[package], each) if package in holdings else each
    return subjects


def _longer(one: IndexedAssignment, other: IndexedAssignment) -> IndexedAssignment:
    """Of two assignments of one package, as by two policies, the one that lasts longer.

    What has no end, or no start that is known, may last longest.
    """
    return max(one, other, key=_length)


def _length(each: IndexedAssignment) -> timedelta:
    if each.start is None or each.end is None or each.end <= each.start:
        return timedelta.max
    return each.end - each.start


def _pair_conflicts(holdings: _Holdings, rules: RuleSet) -> Iterator[DetectedConflict]:
    for low, high in combinations(sorted(holdings), 2):
        constraint = rules.constraints.get(Pair(low, high))
        if constraint is not None:
            yield _conflict(constraint.rules, (low, high), holdings[low])


def _found_only_conflicts(
    holdings: _Holdings, rules: RuleSet, unread: AbstractSet[str]
) -> Iterator[DetectedConflict]:
    by_package, held = rules.found_only_by_package, frozenset(holdings)
    touched = {rule.id: rule for each in holdings for rule in by_package.get(each, ())}
    for _, rule in sorted(touched.items()):
        if hit := find_hit(rule, held, unread):
            packages = sorted(hit.packages)
            yield DetectedConflict(
                rules=(rule.rule,),
                packages=packages,
                subject=holdings[packages[0]].subject,
                kind=hit.kind,
                missing=sorted(hit.missing),
            )


def _is_told_by_package(conflict: DetectedConflict, toxic: ToxicPackages) -> bool:
    """Whether a set consists of one package, which is a conflict of its own kind."""
    packages, rule = conflict.packages, conflict.rules[0]
    found = toxic.get(packages[0], ()) if len(packages) == 1 else ()
    return any(each.rule.id == rule.id for each in found)


def _package_conflicts(
    holdings: _Holdings, rules: RuleSet, toxic: ToxicPackages
) -> Iterator[DetectedConflict]:
    for package in sorted(holdings.keys() & toxic.keys()) if toxic else ():
        held = holdings[package]
        for each in toxic[package]:
            override = rules.override_of(each.rule.id, package)
            yield DetectedConflict(
                rules=(each.rule.rule,),
                packages=(package,),
                subject=held.subject,
                kind=ConflictKind.PACKAGE,
                why=f"{each.what}: {each.why}",
                use=use_of(override, held.start, held.end) if override else None,
            )


def _conflict(
    rules: Sequence[Rule], packages: Sequence[str], held: IndexedAssignment
) -> DetectedConflict:
    return DetectedConflict(rules=rules, packages=packages, subject=held.subject)


def holders_of_both(
    held: Iterable[Assignment], others: Iterable[Assignment]
) -> tuple[Assignment, ...]:
    """The holders of one package who also hold another, known by either of their ids."""
    known = {key: other.subject for other in others for key in other.subject.ids}
    found = ((each, _named_in(known, each.subject)) for each in held)
    return one_each(
        msgspec.structs.replace(each, subject=each.subject if each.subject.object_id else other)
        for each, other in found
        if other
    )


def _named_in(known: Mapping[str, Subject], subject: Subject) -> Subject | None:
    return next((known[key] for key in subject.ids if key in known), None)


def one_each(held: Iterable[Assignment]) -> tuple[Assignment, ...]:
    """The first assignment of each subject, who may hold a package by two policies.

    Its subject is as the assignment shows it that shows most.
    """
    all_held = [each for each in held if each.is_held]
    known = {each.subject.id: each.subject for each in all_held if each.subject.object_id}
    found: dict[str, Assignment] = {}
    for each in all_held:
        subject = known.get(each.subject.id, each.subject)
        if subject.key not in found:
            found[subject.key] = msgspec.structs.replace(each, subject=subject)
    return tuple(found.values())
