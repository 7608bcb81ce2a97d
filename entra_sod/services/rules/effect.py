"""What approving a selection would do: which references, and how many subjects they keep away."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from entra_sod.domain.enforcement.guard import HeldReference
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
from entra_sod.services.rules.reviews import SeenTenant
from entra_sod.services.rules.view import ApprovalEffect, WaitingRemoval, WaitingWrite
from entra_sod.services.sweeps.summary import last_summary
from entra_sod.stores.sweeps import SweepStore

MAX_REFERENCES_SHOWN = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighedReferences:
    """What references come to; `why` says why subjects of some are not known."""

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
    summary, counts = await last_summary(sweeps), HolderCounts(packages=packages, pairs=pairs)
    whole, why = frozenset[str](), list[str]()
    if summary is None:
        why.append("no sweep has ended yet that read who holds the packages")
    else:
        try:
            await count_holders(sweeps, summary.index, counts)
            whole = packages.intersection(summary.pages)
        except LookupError as error:
            why.append(str(error))
    if summary and (unread := packages - whole):
        why.append(f"the newest sweep has not read who holds {len(unread)} of the packages")
    counted = await count_members(graph, references)
    if counted.unread:
        why.append(counted.unread)
    known = Population(
        holders=counts.holders,
        whole=whole,
        both=counts.both,
        grantors=grantors,
        members=counted.members,
    )
    impacts = impacts_of(references, targets_of(seen.present), known)
    is_known = all(each.is_known for each in impacts.values())
    return WeighedReferences(impacts=impacts, why=None if is_known else "; ".join(why) or _OTHER)


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
    held: Sequence[HeldReference],
    weighed: WeighedReferences,
    names: Mapping[str, AccessPackage],
) -> ApprovalEffect:
    """Describe what the approval of one rule would do."""
    writes = [each.reference for each in held if not each.is_removal]
    removes = [each.reference for each in held if each.is_removal]
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
