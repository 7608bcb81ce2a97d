"""What one subject holds by the newest sweep's index, and which rules that concerns."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from entra_sod.core.clock import timestamp
from entra_sod.core.errors import SodError
from entra_sod.core.names import cut
from entra_sod.core.parallel import first_of
from entra_sod.domain.entra import AccessPackage, Assignment, Subject
from entra_sod.domain.findings.model import Finding
from entra_sod.domain.findings.views import view as finding_view
from entra_sod.domain.results.named import named_package, named_packages
from entra_sod.domain.rules.logic import find_hit
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.ports.storage import Condition
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.services.subjects.index import IndexMissing, KnownHolders, read_known_holders
from entra_sod.services.subjects.view import (
    HeldPackage,
    HeldSide,
    SubjectDetail,
    SubjectException,
    TouchingRule,
)
from entra_sod.services.sweeps.index import held_by_index
from entra_sod.stores.findings import FindingStore
from entra_sod.stores.sweeps import SweepStore

MAX_PACKAGES_NAMED = 100
MAX_FINDINGS_OF_SUBJECT = 1000


class IndexIncomplete(SodError):
    """A subject was not found, and not everything was read: it may hold something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectLookup:
    """Answers `GET /subjects/{id}`."""

    sweeps: SweepStore
    findings: FindingStore
    rules: RulesProvider

    async def find(self, asked: str) -> SubjectDetail | None:
        """Describe a subject by either of its ids; None where all was read, and it is unknown.

        Raises:
            IndexMissing: no index can be read.
            IndexIncomplete: it was not found in what was read.
        """
        asked = as_stored(asked)
        known = await read_known_holders(self.sweeps, self.rules)
        held = await self._held(known, asked)
        ids = {asked, *(held[0].subject.ids if held else ())}
        findings = await self._findings(ids)
        if not held and not findings:
            if known.is_whole:
                return None
            raise IndexIncomplete(_why_incomplete(known))
        subject = _described(held, findings)
        # In a thread: a subject may touch rules with thousands of packages.
        return await asyncio.to_thread(_detail, known, subject, held, findings)

    async def _held(self, known: KnownHolders, asked: str) -> Sequence[Assignment]:
        try:
            found = await held_by_index(self.sweeps, known.summary.index, {asked})
        except LookupError as error:
            sweep = known.summary.sweep_id
            raise IndexMissing(f"The index of sweep {sweep} is gone: {error}.") from None
        return found.get(asked, ())

    async def _findings(self, ids: AbstractSet[str]) -> Sequence[Finding]:
        names = ("subjectId", "objectId")
        wanted = [Condition(name, "eq", each) for each in sorted(ids) for name in names]
        found = self.findings.all(where=[wanted])
        return [each.finding async for each in first_of(found, MAX_FINDINGS_OF_SUBJECT)]


def as_stored(subject_id: str) -> str:
    """An id as the index has it: GUIDs in lower case."""
    try:
        return str(UUID(subject_id))
    except ValueError:
        return subject_id


def _why_incomplete(known: KnownHolders) -> str:
    first = next(each for each in known.gaps if each.hides)
    more = len(known.gaps) - 1
    others = f", and {more} more" if more else ""
    return f"No subject of this id was found, and {first.what} was not read ({first.why}){others}."


def _described(held: Sequence[Assignment], findings: Sequence[Finding]) -> Subject:
    """The subject as the newest source shows it."""
    if held:
        shown = next((each for each in held if each.subject.display_name), held[0])
        return shown.subject
    newest = max(findings, key=lambda each: each.last_seen)
    return Subject(
        id=newest.subject_id,
        object_id=newest.object_id,
        display_name=newest.display_name,
        subject_type=newest.subject_type,
    )


def _detail(
    known: KnownHolders,
    subject: Subject,
    held: Sequence[Assignment],
    findings: Sequence[Finding],
) -> SubjectDetail:
    rules, names = known.rules, known.names
    packages = frozenset(each.package_id for each in held if each.package_id)
    touching = _touching(rules, packages, known) if rules else ()
    return SubjectDetail(
        sweep=known.summary.sweep_id,
        as_of=timestamp(known.summary.as_of),
        is_whole=known.is_whole,
        not_read=known.gaps,
        subject_id=subject.id,
        object_id=subject.object_id,
        display_name=None if subject.display_name is None else cut(subject.display_name),
        subject_type=subject.subject_type,
        holds=sorted(
            (_held_package(each, names) for each in held), key=lambda each: (each.name, each.id)
        ),
        rules=list(touching),
        findings=[finding_view(each) for each in findings],
        exceptions=list(_exceptions(rules, subject)) if rules else [],
    )


def _held_package(held: Assignment, listed: Mapping[str, AccessPackage]) -> HeldPackage:
    package = named_package(held.package_id or "", listed)
    return HeldPackage(
        id=package.id,
        name=package.name,
        assignment_id=held.id,
        state=held.state,
        since=_moment(held.start),
        until=_moment(held.end),
    )


def _moment(moment: datetime | None) -> str | None:
    return timestamp(moment) if moment else None


def _exceptions(rules: RuleSet, subject: Subject) -> Iterator[SubjectException]:
    for each in rules.exceptions:
        if str(each.subject) in subject.ids:
            yield SubjectException(id=each.id, rule=each.rule, until=each.end)


def _touching(rules: RuleSet, held: frozenset[str], known: KnownHolders) -> Iterator[TouchingRule]:
    for rule in rules.rules:
        if not rule.packages.isdisjoint(held):
            yield touching_rule(rule, held, known.unread, known.names)


def touching_rule(
    resolved: ResolvedRule,
    held: frozenset[str],
    unread: frozenset[str],
    listed: Mapping[str, AccessPackage],
) -> TouchingRule:
    """Say on which sides of a rule a subject is, and what more would be a conflict.

    Args:
        resolved: the rule, in force.
        held: all packages that the subject is known to hold.
        unread: packages of which that is not known.
        listed: the tenant's list, for names.
    """
    rule, more = resolved.rule, sorted(would_conflict(resolved, held, unread))
    sides = enumerate(resolved.package_sides, start=1)
    return TouchingRule(
        id=rule.id,
        title=rule.title,
        severity=rule.severity,
        mode=rule.mode,
        form=rule.form,
        sides=[
            HeldSide(side=number, holds=named_packages(side & held, listed))
            for number, side in sides
            if not side.isdisjoint(held)
        ],
        in_conflict=find_hit(resolved, held, unread) is not None,
        would_conflict=named_packages(more, listed)[:MAX_PACKAGES_NAMED],
        would_conflict_count=len(more),
    )


def would_conflict(
    rule: ResolvedRule, held: frozenset[str], unread: frozenset[str]
) -> Iterator[str]:
    """Each package of a rule that would make a conflict, or be a part of one, if it was held."""
    for package in rule.packages - held:
        hit = find_hit(rule, held | {package}, unread - {package})
        if hit is not None and package in hit.packages:
            yield package
