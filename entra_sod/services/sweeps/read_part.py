"""Works one part of a sweep: reads, and writes nothing to Graph."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import msgspec

from entra_sod.core.errors import GraphError, Unavailable, UnreadableItem
from entra_sod.domain.detection.index import IndexWriter
from entra_sod.domain.detection.join import holders_of_both, one_each
from entra_sod.domain.entra import AccessPackage, Assignment, ReferenceKind
from entra_sod.domain.results.check import holders_view
from entra_sod.domain.results.coverage import DetectionMethod, Outcome, Reason, Skipped
from entra_sod.domain.sweeps.part_results import (
    EnforcedPackage,
    IndexedPackage,
    PairFinding,
    PartFindings,
    Unread,
)
from entra_sod.domain.sweeps.parts import Part
from entra_sod.ports.graph import Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class PartResult:
    """What a part found, and the index file that belongs to it."""

    findings: PartFindings
    index: bytes


async def read_part(graph: Graph, part: Part, *, is_patient: bool = False) -> PartResult:
    """Read what a part asks for; what cannot be read is in the findings.

    Args:
        graph: to ask.
        part: of the sweep.
        is_patient: whether to try again later if only some packages are unavailable.

    Raises:
        Throttled, Unavailable: the same part should be worked again later.
    """
    unread = await _unlisted(graph, part)
    hidden = {each.package for each in unread}
    places = [each for each in part.packages if each not in hidden]
    writer = IndexWriter(places)
    indexed = await _read_index(graph, places, writer, unread)
    pairs, unconfirmed = await _read_pairs(graph, part, hidden, unread)
    enforced = [each for each in part.enforced if each not in hidden]
    findings = PartFindings(
        pairs=pairs,
        places=places,
        indexed=indexed,
        enforced=await _read_enforced(graph, enforced, unread),
        unread=unread,
        unconfirmed=unconfirmed,
    )
    passing = [each for each in unread if each.reason is Reason.UNAVAILABLE]
    if is_patient and passing:
        raise Unavailable(passing[0].why)
    return PartResult(findings=findings, index=writer.finish() if places else b"")


async def _unlisted(graph: Graph, part: Part) -> list[Unread]:
    """Look for packages that the tenant's list did not show."""
    if not part.unlisted:
        return []
    found = await graph.packages_by_id(part.unlisted)
    return [_unread(key, each) for key, each in found.items() if isinstance(each, GraphError)]


def _unread(package: str, error: GraphError, what: str = "") -> Unread:
    gap = Skipped.of(what or f"access package {package}", error)
    return Unread(package=package, what=gap.what, why=gap.why, reason=gap.reason)


async def _read_index(
    graph: Graph, packages: Sequence[str], writer: IndexWriter, unread: list[Unread]
) -> list[IndexedPackage]:
    held, pages = dict.fromkeys(packages, 0), dict.fromkeys(packages, 0)
    failed: set[str] = set()
    async for package, page in graph.assignments_of(packages):
        if isinstance(page, GraphError):
            unread.append(_unread(package, page, f"the assignments of {package}"))
            failed.add(package)
        else:
            held[package] += writer.add(package, page)
            pages[package] += 1
    return [
        IndexedPackage(id=each, assignments=held[each], pages=pages[each])
        for each in packages
        if each not in failed
    ]


type _PairIds = tuple[str, str]


async def _read_pairs(
    graph: Graph, part: Part, hidden: AbstractSet[str], unread: list[Unread]
) -> tuple[list[PairFinding], str]:
    """What Graph says of the pairs, and why some of them could not be confirmed."""
    pairs: list[PairFinding] = []
    unconfirmed = ""
    readable = [pair for pair in part.pairs if not hidden & {*pair}]
    held, refused = await _additional_access(graph, readable)
    if refused and part.confirms:
        unconfirmed = str(next(iter(refused.values())))
    elif refused:
        pairs += await _by_assignments(graph, [*refused], unread)
    pairs += [_found(pair, held[pair], DetectionMethod.ADDITIONAL_ACCESS) for pair in held]
    pairs += [PairFinding.unknown(pair) for pair in part.pairs if hidden & {*pair}]
    return pairs, unconfirmed


async def _additional_access(
    graph: Graph, pairs: Collection[_PairIds]
) -> tuple[dict[_PairIds, list[Assignment]], dict[_PairIds, GraphError]]:
    """The holders of each pair, and the pairs that were refused."""
    held: dict[_PairIds, list[Assignment]] = {pair: [] for pair in pairs}
    refused: dict[_PairIds, GraphError] = {}
    async for pair, page in graph.additional_access_of(pairs):
        if isinstance(page, GraphError):
            refused[pair] = page
            held.pop(pair, None)
        elif pair in held:
            held[pair] += page
    return held, refused


async def _by_assignments(
    graph: Graph, pairs: Sequence[_PairIds], unread: list[Unread]
) -> list[PairFinding]:
    """Where additionalAccess is refused: the lists of both packages, each read once.

    Of a list that shows an item that cannot be understood, the other items count.
    """
    held: dict[str, list[Assignment]] = {each: [] for pair in pairs for each in pair}
    failed: set[str] = set()
    partial: set[str] = set()
    async for package, page in graph.assignments_of(held):
        if isinstance(page, GraphError):
            unread.append(_unread(package, page, f"the assignments of {package}"))
            (partial if isinstance(page, UnreadableItem) else failed).add(package)
        else:
            held[package] += [each for each in page if each.is_held]
    return [
        _intersected(pair, held, is_partial=not partial.isdisjoint(pair))
        if failed.isdisjoint(pair)
        else PairFinding.unknown(pair)
        for pair in pairs
    ]


def _intersected(
    pair: _PairIds, held: Mapping[str, Sequence[Assignment]], *, is_partial: bool
) -> PairFinding:
    both = holders_of_both(held[pair[0]], held[pair[1]])
    found = _found(pair, both, DetectionMethod.ASSIGNMENTS)
    return msgspec.structs.replace(found, outcome=Outcome.UNKNOWN) if is_partial else found


def _found(pair: _PairIds, held: Sequence[Assignment], way: DetectionMethod) -> PairFinding:
    holders = one_each(held)
    return PairFinding(
        access_package_id=pair[0],
        incompatible_access_package_id=pair[1],
        outcome=Outcome.CONFLICT if holders else Outcome.CLEAR,
        holders=holders_view(holders),
        way=way,
    )


async def _read_enforced(
    graph: Graph, packages: Sequence[str], unread: list[Unread]
) -> list[EnforcedPackage]:
    if not packages:
        return []
    found = await graph.packages_by_id(packages)
    readable = [key for key, each in found.items() if isinstance(each, AccessPackage)]
    references = await graph.references_of(readable)
    enforced: list[EnforcedPackage] = []
    for key, each in found.items():
        read = _unread(key, each) if isinstance(each, GraphError) else _enforced(each, references)
        if isinstance(read, Unread):
            unread.append(read)
        else:
            enforced.append(read)
    return enforced


def _enforced(
    package: AccessPackage,
    references: Mapping[tuple[str, ReferenceKind], frozenset[str] | GraphError],
) -> EnforcedPackage | Unread:
    found: dict[ReferenceKind, list[str]] = {}
    for kind in ReferenceKind:
        targets = references[package.id, kind]
        if isinstance(targets, GraphError):
            return _unread(package.id, targets, f"the incompatible {kind}s of {package.id}")
        found[kind] = sorted(targets)
    return EnforcedPackage(
        id=package.id,
        member_groups=sorted(package.member_groups),
        eligible_groups=sorted(package.eligible_groups),
        other_roles=sorted(package.other_roles),
        incompatible_groups=found[ReferenceKind.GROUP],
        incompatible_packages=found[ReferenceKind.PACKAGE],
    )
