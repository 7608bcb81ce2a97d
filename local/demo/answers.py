"""From the app's own answers to facts with names in them."""

from collections.abc import Iterable

from entra_sod.cli.operations.plan_document import PlanDocument
from entra_sod.domain.results.check import CheckResult, ReferencesView, ReferenceView
from entra_sod.domain.results.coverage import Skipped
from entra_sod.domain.results.sweep import DriftView, PairSummary, SweepResult
from local.demo.facts import (
    Drifted,
    Gap,
    Holder,
    Pair,
    Passing,
    Reference,
    References,
    SweptPair,
)
from local.demo.names import Snapshot


def holders(result: CheckResult, names: Snapshot) -> tuple[Holder, ...]:
    # A person who was invited and has not come yet has no name in Graph.
    return tuple(
        Holder(each.display_name or names.name(each.subject_id), each.state or "")
        for each in result.holders
    )


def rules(result: CheckResult) -> tuple[str, ...]:
    return tuple(f"{rule.title} ({rule.severity}, {rule.mode})" for rule in result.rules)


def pairs(result: SweepResult, names: Snapshot) -> tuple[SweptPair, ...]:
    return tuple(_pair(each, names) for each in result.results)


def references(view: ReferencesView, names: Snapshot) -> References:
    def named(entries: Iterable[ReferenceView]) -> tuple[Reference, ...]:
        found = (
            Reference(names.name(each.access_package_id), each.kind, names.name(each.target_id))
            for each in entries
        )
        return tuple(sorted(found))

    return References(
        present=named(view.present),
        planned=named(view.planned),
        written=named(view.written),
        failed=named(view.failed),
        held=named(view.held),
    )


def why_held(view: ReferencesView, names: Snapshot) -> tuple[str, ...]:
    """The reason of each reference that is held, in the order of `references`."""
    found = [
        (names.name(each.access_package_id), each.kind, names.name(each.target_id), each.why or "")
        for each in view.held
    ]
    return tuple(names.in_words(why) for *_, why in sorted(found))


def additions(plan: PlanDocument, names: Snapshot) -> tuple[Reference, ...]:
    found = (each.reference for each in plan.additions)
    return tuple(
        sorted(Reference(names.name(each.on), each.kind, names.name(each.target)) for each in found)
    )


def drift(views: Iterable[DriftView], names: Snapshot) -> tuple[Drifted, ...]:
    return tuple(
        Drifted(
            each.kind,
            Reference(
                names.name(each.access_package_id), each.reference_kind, names.name(each.target_id)
            ),
        )
        for each in views
    )


def passing(result: SweepResult, names: Snapshot) -> tuple[Passing, ...]:
    toxic = (
        Passing(
            names.name(each.access_package_id),
            "toxic",
            each.rule,
            each.holder_count,
            each.override_days,
        )
        for each in result.toxic_packages
    )
    overlaps = (
        Passing(names.name(each.access_package_id), "overlap", each.rule)
        for each in result.overlaps
    )
    return (*toxic, *overlaps)


def gaps(skipped: Iterable[Skipped], names: Snapshot) -> tuple[Gap, ...]:
    return tuple(Gap(names.in_words(each.what), names.in_words(each.why)) for each in skipped)


def _pair(summary: PairSummary, names: Snapshot) -> SweptPair:
    pair = names.name(summary.access_package_id), names.name(summary.incompatible_access_package_id)
    return SweptPair(
        pair=Pair.of(*pair),
        outcome=summary.outcome,
        holder_count=summary.holder_count,
        rules=tuple(summary.rules),
    )
