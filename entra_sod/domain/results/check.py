"""The answer to a check, as callers read it (design contract, HTTP 200)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import islice

import msgspec
from msgspec import UNSET, UnsetType

from entra_sod.domain.enforcement.budget import WritesStopped
from entra_sod.domain.enforcement.guard import HeldReference
from entra_sod.domain.enforcement.impact import Impact
from entra_sod.domain.enforcement.result import EnforcementResult, LazyCollection
from entra_sod.domain.entra import Assignment, Reference, Subject
from entra_sod.domain.results.coverage import Coverage, Outcome
from entra_sod.domain.results.sets import SetSummary
from entra_sod.domain.rules.language import Rule
from entra_sod.domain.rules.ruleset import PairConstraint, RuleSet

MAX_HOLDERS_IN_RESPONSE = 1000

type Impacts = Mapping[Reference, Impact]
NO_IMPACTS: Impacts = {}


class Holder(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    subject_id: str
    object_id: str | None
    display_name: str | None
    assignment_id: str
    state: str | None
    subject_type: str | None = None

    @property
    def subject(self) -> Subject:
        return Subject(
            id=self.subject_id,
            object_id=self.object_id,
            display_name=self.display_name,
            subject_type=self.subject_type,
        )


class RuleView(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    id: str
    title: str
    severity: str
    mode: str
    owner: str
    control: str | None = None
    advice: str | None = None


class ReferenceView(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One reference: on which package, of which kind, to which group or package.

    Attributes:
        why: it failed, or is held.
        subjects: how many a planned, written or held one newly keeps away, where all are known.
        subjects_at_least: those who are known, where not all are.
        is_removal: whether it was removed, or is held and was to be removed.
    """

    access_package_id: str
    kind: str
    target_id: str
    why: str | None = None
    is_removal: bool = False
    subjects: int | UnsetType = UNSET
    subjects_at_least: int | UnsetType = UNSET


class ReferencesView(msgspec.Struct, frozen=True, kw_only=True):
    """Desired references: which were there, are planned, were written, and failed and why.

    `removed` are references of our own that no rule asked for any more; only a sweep removes.
    `held` are changes that are wanted and wait, each with the reason.
    """

    present: Collection[ReferenceView] = []
    planned: Collection[ReferenceView] = []
    written: Collection[ReferenceView] = []
    failed: Collection[ReferenceView] = []
    removed: Collection[ReferenceView] = []
    held: Collection[ReferenceView] = []


class PairView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    access_package_id: str
    incompatible_access_package_id: str


class ExceptionView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An exception that permits a holder's conflict, until the end of a day."""

    id: str
    rule: str
    subject_id: str
    until: date


class CheckResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What `GET /checks/{id}` answers with 200.

    Attributes:
        holders: each subject once; at most 1,000 of them in the answer, and `holder_count` is
            always whole.
        exceptions: that permit holders to hold both; the outcome is a conflict all the same.
        pair: None where the message that asked could not be read.
        enforcement: how far the app went: the caller's wish, capped by the app's setting.
        rules_hash: of the rules that were in force, empty where they could not be read.
        stopped: what stopped the check before it had written all that it planned.
        sets: each rule that the pair is a part of and that is found only, with its own outcome;
            `outcome` is of the pair alone.
        as_of: nothing that the check read is older; of one that failed, when it was given up.
    """

    id: str
    status: str
    outcome: Outcome
    pair: PairView | None
    reference: str | None
    enforcement: str
    holders: list[Holder]
    holder_count: int
    rules: list[RuleView]
    references: ReferencesView
    coverage: Coverage
    rules_hash: str
    as_of: str
    exceptions: list[ExceptionView] = []
    sets: list[SetSummary]
    stopped: WritesStopped | None = None


def exception_views(
    holders: Iterable[Holder], constraint: PairConstraint | None, rules: RuleSet
) -> list[ExceptionView]:
    """The exceptions in force that permit a holder to hold both."""
    return [
        ExceptionView(id=each.id, rule=each.rule, subject_id=holder.subject_id, until=each.end)
        for holder in holders
        for each in rules.exceptions_for(
            constraint.rule_ids if constraint else (), (holder.subject_id, holder.object_id)
        )
    ]


def holders_view(assignments: Iterable[Assignment]) -> list[Holder]:
    return [
        Holder(
            subject_id=each.subject.id,
            object_id=each.subject.object_id,
            display_name=each.subject.display_name,
            assignment_id=each.id,
            state=each.state,
            subject_type=each.subject.subject_type,
        )
        for each in assignments
    ]


def rule_view(rule: Rule) -> RuleView:
    return msgspec.convert(rule, RuleView, from_attributes=True)


def references_view(enforced: EnforcementResult, most: int | None = None) -> ReferencesView:
    """All references, or the first of each kind."""
    impacts = enforced.weighed.impacts
    return ReferencesView(
        present=[_reference_view(each) for each in islice(enforced.present, most)],
        planned=[_reference_view(each, impacts) for each in islice(enforced.planned, most)],
        written=[_reference_view(each, impacts) for each in enforced.written[:most]],
        failed=[_reference_view(each.reference, why=each.why) for each in enforced.failed[:most]],
        removed=[_reference_view(each) for each in enforced.removed[:most]],
        held=[_held_view(each, impacts) for each in islice(enforced.held, most)],
    )


def written_view(written: Sequence[Reference]) -> ReferencesView:
    """What a run has written that failed after that: all that is known of its plan."""
    return references_view(EnforcementResult(planned=written, written=tuple(written)))


def remade_view(enforced: EnforcementResult) -> ReferencesView:
    """All references of a whole tenant, made while they are gone through."""
    present, planned, held = enforced.present, enforced.planned, enforced.held
    impacts = enforced.weighed.impacts
    return msgspec.structs.replace(
        references_view(replace(enforced, present=(), planned=(), held=())),
        present=LazyCollection(len(present), lambda: map(_reference_view, present)),
        planned=LazyCollection(
            len(planned), lambda: (_reference_view(each, impacts) for each in planned)
        ),
        held=LazyCollection(len(held), lambda: (_held_view(each, impacts) for each in held)),
    )


def _held_view(held: HeldReference, impacts: Impacts) -> ReferenceView:
    view = _reference_view(held.reference, impacts, held.why)
    return msgspec.structs.replace(view, is_removal=held.is_removal)


def _reference_view(
    reference: Reference, impacts: Impacts = NO_IMPACTS, why: str | None = None
) -> ReferenceView:
    impact = impacts.get(reference)
    return ReferenceView(
        access_package_id=reference.on,
        kind=reference.kind,
        target_id=reference.target,
        why=why,
        subjects=impact.subjects if impact and impact.is_known else UNSET,
        subjects_at_least=impact.subjects if impact and not impact.is_known else UNSET,
    )
