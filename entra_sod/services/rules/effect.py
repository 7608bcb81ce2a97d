"""What approving a selection would do: which references, and how many subjects they keep away."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from entra_sod.core.errors import GraphError
from entra_sod.domain.enforcement.impact import (
    Impact,
    Population,
    grantors_of,
    impacts_of,
    targets_of,
)
from entra_sod.domain.entra import AccessPackage, Pair, Reference, ReferenceKind
from entra_sod.domain.results.named import NamedItem, named_package
from entra_sod.ports.graph import Graph
from entra_sod.services.enforcement.count_subjects import count_members
from entra_sod.services.rules.count_holders import HolderCounts, count_holders
from entra_sod.services.rules.reviews import ReviewState, SeenTenant
from entra_sod.services.rules.view import ApprovalEffect, WaitingRemoval, WaitingWrite
from entra_sod.services.sweeps.summary import last_summary
from entra_sod.stores.sweeps import SweepStore

MAX_REFERENCES_SHOWN = 1000
MAX_PACKAGES_ASKED = 50  # of Graph, for their holders, while a caller waits


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighedReferences:
    """The effect of references; `why` is the reason if the subjects of some are not known."""

    impacts: Mapping[Reference, Impact]
    why: str | None


async def weigh_references(
    graph: Graph, sweeps: SweepStore, references: Collection[Reference], seen: SeenTenant
) -> WeighedReferences:
    """Work out how many subjects references newly keep away.

    Raises:
        Throttled: Graph cannot be asked now.
    """
    if not references:
        return WeighedReferences(impacts={}, why=None)
    grantors = grantors_of(seen.granting.values())
    packages, pairs = _concerned(references, grantors)
    counted = await count_members(graph, references)
    held = await _holders(graph, sweeps, HolderCounts(packages=packages, pairs=pairs))
    known = Population(
        holders=held.counts.holders,
        whole=held.whole,
        both=held.counts.both,
        grantors=grantors,
        members=counted.members,
    )
    impacts = impacts_of(references, targets_of(seen.present), known)
    is_known = all(each.is_known for each in impacts.values())
    reasons = filter(None, (held.why, counted.unread))
    return WeighedReferences(
        impacts=impacts, why=None if is_known else "; ".join(reasons) or _OTHER
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _KnownCounts:
    """Holders that were counted, of which packages all of them, and why not of the others."""

    counts: HolderCounts
    whole: frozenset[str]
    why: str = ""


async def _holders(graph: Graph, sweeps: SweepStore, counts: HolderCounts) -> _KnownCounts:
    """Count holders by the newest sweep's index; if it lacks any of few packages, ask Graph."""
    summary = await last_summary(sweeps)
    whole = counts.packages.intersection(summary.pages if summary else ())
    if whole != counts.packages and len(counts.packages) <= MAX_PACKAGES_ASKED:
        return await _asked(graph, counts)
    try:
        await count_holders(sweeps, summary.index if summary else (), counts)
    except LookupError as error:
        return _KnownCounts(counts=counts, whole=frozenset(), why=str(error))
    unread = len(counts.packages - whole)
    why = f"the newest sweep has not read who holds {unread} of the packages" if unread else ""
    return _KnownCounts(counts=counts, whole=whole, why=why)


async def _asked(graph: Graph, counts: HolderCounts) -> _KnownCounts:
    """Count holders as Graph lists them now."""
    failed, by_subject = dict[str, GraphError](), dict[str, set[str]]()
    async for package, page in graph.assignments_of(counts.packages):
        if isinstance(page, GraphError):
            failed[package] = page
            continue
        for each in page:
            if each.is_held:
                by_subject.setdefault(each.subject.id, set()).add(package)
    counts.add_subjects(by_subject.values())
    why = "; ".join(f"who holds {each}: {error}" for each, error in sorted(failed.items()))
    return _KnownCounts(counts=counts, whole=counts.packages - failed.keys(), why=why)


_OTHER = "Graph does not say who all of them are"


def _concerned(
    references: Collection[Reference], grantors: Mapping[str, Collection[str]]
) -> tuple[frozenset[str], frozenset[Pair]]:
    """The packages whose holders count, and the pairs whose common holders do."""
    pairs = {
        (each.on, target)
        for each in references
        for target in (
            (each.target,) if each.kind is ReferenceKind.PACKAGE else grantors.get(each.target, ())
        )
    }
    packages = frozenset(each for pair in pairs for each in pair)
    return packages, frozenset(Pair.of(*pair) for pair in pairs if len(set(pair)) > 1)


def effect_of(
    state: ReviewState,
    weighed: WeighedReferences,
    names: Mapping[str, AccessPackage],
) -> ApprovalEffect:
    """Describe what the approval of one rule would do."""
    writes = [each.reference for each in state.held if not each.is_removal]
    held = (each.reference for each in state.held if each.is_removal)
    removes = sorted({*held, *state.removals})
    impacts = [weighed.impacts[each] for each in writes]
    is_known = all(each.is_known for each in impacts)
    return ApprovalEffect(
        writes=[_write(each, weighed.impacts[each], names) for each in _first(writes)],
        removes=[_removal(each, names) for each in _first(removes)],
        write_count=len(writes),
        remove_count=len(removes),
        subjects=sum(each.subjects for each in impacts) if is_known else None,
        why=None if is_known else weighed.why,
    )


def _first(references: Sequence[Reference]) -> Sequence[Reference]:
    return references[:MAX_REFERENCES_SHOWN]


def _write(
    reference: Reference, impact: Impact, names: Mapping[str, AccessPackage]
) -> WaitingWrite:
    return WaitingWrite(
        on=named_package(reference.on, names),
        kind=reference.kind,
        target=_target(reference, names),
        subjects=impact.subjects if impact.is_known else None,
        subjects_at_least=impact.subjects,
    )


def _removal(reference: Reference, names: Mapping[str, AccessPackage]) -> WaitingRemoval:
    return WaitingRemoval(
        on=named_package(reference.on, names),
        kind=reference.kind,
        target=_target(reference, names),
    )


def _target(reference: Reference, names: Mapping[str, AccessPackage]) -> NamedItem:
    if reference.kind is ReferenceKind.PACKAGE:
        return named_package(reference.target, names)
    return NamedItem(id=reference.target)
