"""Rules that a check's pair is a part of and that are found only: all their packages are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from entra_sod.core.errors import GraphError
from entra_sod.domain.detection.index import IndexedAssignment, indexed_assignment
from entra_sod.domain.detection.join import DetectedConflict, join
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.results.coverage import Checked, Coverage, DetectionMethod, Reason
from entra_sod.domain.results.sets import SetSummary
from entra_sod.domain.rules.logic import ConflictKind, told_rule
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.sweeps.outcomes import ReadScope, evaluate_sets, found_only_gaps
from entra_sod.ports.graph import Graph
from entra_sod.services.checks.toxic import note_toxic

MAX_PACKAGES_READ = 20  # of all these rules together: one `$batch`


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundOnlyReading:
    """What a check has read for the rules that the app detects but cannot enforce.

    Attributes:
        rules: that were evaluated.
        read: packages whose assignments were read to their end.
    """

    rules: Sequence[ResolvedRule] = ()
    read: Collection[str] = ()
    conflicts: Sequence[DetectedConflict] = ()

    @property
    def summaries(self) -> list[SetSummary]:
        over = Counter(rule.id for each in self.conflicts for rule in each.rules)
        return evaluate_sets(RuleSet(self.rules), _scope(self.read), over)


async def read_found_only(
    graph: Graph, rules: RuleSet, pair: Collection[str], notes: Coverage
) -> FoundOnlyReading:
    """Evaluate the rules that a pair is a part of; what could not be read is put into the notes.

    Raises:
        Throttled, Unavailable: worth coming back for.
    """
    chosen = list(_within_limit(_rules_of(rules, pair), notes))
    packages = frozenset[str]().union(*(each.packages for each in chosen))
    if not packages:
        return FoundOnlyReading()
    # First: a list of a package that does not exist is empty, without an error.
    known = await graph.packages_by_id(packages)
    held, read = await _read(graph, packages, _note_errors(known, notes), notes)
    evaluated = RuleSet(chosen)
    readable = {key: each for key, each in known.items() if isinstance(each, AccessPackage)}
    toxic = note_toxic(chosen, readable, notes)
    found = join(held, evaluated, packages - read, toxic)
    conflicts = [each for each in found if each.kind is not ConflictKind.PACKAGE]
    notes.skipped.extend(found_only_gaps(evaluated, _scope(read)))
    return FoundOnlyReading(rules=chosen, read=read, conflicts=conflicts)


def _rules_of(rules: RuleSet, pair: Collection[str]) -> Sequence[ResolvedRule]:
    """Rules that have both packages of a pair, in order of their ids."""
    touched = {rule.id: rule for each in pair for rule in rules.found_only_by_package.get(each, ())}
    return [rule for _, rule in sorted(touched.items()) if rule.packages.issuperset(pair)]


def _within_limit(rules: Sequence[ResolvedRule], notes: Coverage) -> Iterator[ResolvedRule]:
    packages = frozenset[str]()
    for rule in rules:
        if len(packages | rule.packages) > MAX_PACKAGES_READ:
            why = (
                f"it looks at all that a subject holds ({told_rule(rule)}), and a check reads "
                f"{MAX_PACKAGES_READ} packages of such rules: sweeps and decisions evaluate it"
            )
            notes.skip(f"rule {rule.id}", why, Reason.OUT_OF_SCOPE)
            continue
        packages |= rule.packages
        yield rule


async def _read(
    graph: Graph, packages: Collection[str], failed: set[str], notes: Coverage
) -> tuple[Sequence[tuple[str, IndexedAssignment]], frozenset[str]]:
    """All that is held of the packages, and those of them that were read to their end."""
    held: list[tuple[str, IndexedAssignment]] = []
    async for package, page in graph.assignments_of(set(packages) - failed):
        if isinstance(page, GraphError):
            notes.skip(f"the assignments of {package}", page)
            failed.add(package)
        else:
            held += ((package, indexed_assignment(0, each)) for each in page if each.is_held)
    read = frozenset(packages) - failed
    what = f"assignments of {len(read)} packages"
    notes.checked.append(Checked(what=what, how=DetectionMethod.ASSIGNMENTS))
    return held, read


def _note_errors(known: Mapping[str, object], notes: Coverage) -> set[str]:
    failed = {key: each for key, each in known.items() if isinstance(each, GraphError)}
    for key, error in sorted(failed.items()):
        notes.skip(f"access package {key}", error)
    return set(failed)


def _scope(read: Collection[str]) -> ReadScope:
    return ReadScope(asked=(), indexed=read, holders={}, enforced=())
