"""Rules resolved: which pairs are to be kept apart, how strictly, and by which rules. Pure."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import permutations

import msgspec

from entra_sod.core.names import cut
from entra_sod.domain.entra import AccessPackage, Pair
from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.exception_subjects import ExceptionProblem
from entra_sod.domain.rules.language import ExceptionEntry, Mode, Override, References, Rule
from entra_sod.domain.rules.resolve import ResolvedRule, ResolvedSide

MAX_SAID = 100  # characters of a name within a sentence
EMPTY_SIDE = ResolvedSide(frozenset(), frozenset())


@dataclass(frozen=True, kw_only=True)
class ConstraintTerms:
    """What rules ask of a pair, whichever pair it is: all pairs of two sides share them.

    Attributes:
        low_groups: that the side of the pair's lower package names.
        high_groups: that the side of its higher package names.
        named_groups: that any side of the rules names, written or not.
    """

    rules: tuple[Rule, ...]
    mode: Mode
    references: References
    low_groups: frozenset[str]
    high_groups: frozenset[str]
    named_groups: frozenset[str]

    @cached_property
    def rule_ids(self) -> tuple[str, ...]:
        return tuple(rule.id for rule in self.rules)

    @cached_property
    def counts_eligible(self) -> bool:
        """Whether groups count that a package makes people eligible members of."""
        return any(rule.eligible for rule in self.rules)

    @property
    def turned(self) -> ConstraintTerms:
        """The same, seen from the higher package."""
        return replace(self, low_groups=self.high_groups, high_groups=self.low_groups)

    def merged(self, asked: ConstraintTerms) -> ConstraintTerms:
        """Both: the stricter mode and the wider references win, and every rule is named."""
        new = tuple(rule for rule in asked.rules if rule.id not in self.rule_ids)
        return ConstraintTerms(
            rules=(*self.rules, *new),
            mode=max(self.mode, asked.mode, key=lambda mode: mode.strictness),
            references=self.references.widened(asked.references),
            low_groups=self.low_groups | asked.low_groups,
            high_groups=self.high_groups | asked.high_groups,
            named_groups=self.named_groups | asked.named_groups,
        )


@dataclass(frozen=True, slots=True)
class PairConstraint:
    """What all rules together ask of one pair."""

    pair: Pair
    terms: ConstraintTerms

    @property
    def rules(self) -> tuple[Rule, ...]:
        return self.terms.rules

    @property
    def rule_ids(self) -> tuple[str, ...]:
        return self.terms.rule_ids

    @property
    def mode(self) -> Mode:
        return self.terms.mode

    @property
    def named_groups(self) -> frozenset[str]:
        return self.terms.named_groups


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupBlock:
    """Groups whose members may not get a package, from sides that consist of groups only."""

    package: str
    groups: frozenset[str]
    rule_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _OpposingSide:
    """Packages that one side stands against, in order, and on which terms."""

    packages: Sequence[str]
    terms: ConstraintTerms

    def __contains__(self, package: str) -> bool:
        place = bisect_left(self.packages, package)
        return place < len(self.packages) and self.packages[place] == package

    def packages_after(self, package: str) -> Sequence[str]:
        """The packages after this one; those before it have this one after them."""
        return self.packages[bisect_right(self.packages, package) :]

    def is_only(self, package: str) -> bool:
        return len(self.packages) == 1 and package in self


class PairConstraints(Mapping[Pair, PairConstraint]):
    """Every pair that some rule keeps apart, in order.

    Twenty thousand packages make millions of pairs. So only what each package faces is kept, and a
    pair is made while it is looked at: memory grows with the packages, not with the pairs.
    """

    def __init__(self, rules: Iterable[ResolvedRule]) -> None:
        opposing_sides: dict[str, list[_OpposingSide]] = {}
        for rule in rules:
            for package, opposing in _opposing_sides(rule):
                opposing_sides.setdefault(package, []).append(opposing)
        self._opposing_sides = dict(sorted(opposing_sides.items()))

    def __getitem__(self, pair: Pair) -> PairConstraint:
        found: ConstraintTerms | None = None
        for opposing in self._opposing_sides.get(pair.low, ()):
            if pair.high in opposing:
                found = found.merged(opposing.terms) if found else opposing.terms
        if found is None:
            raise KeyError(pair)
        return PairConstraint(pair, found)

    def __iter__(self) -> Iterator[Pair]:
        return (constraint.pair for constraint in self.in_order())

    def __len__(self) -> int:
        return self._count

    def in_order(self) -> Iterator[PairConstraint]:
        """Yield every pair constraint in the order of pairs, faster than by looking each up."""
        for low, row in self._rows():
            for high in sorted(row):
                yield PairConstraint(Pair(low, high), row[high])

    def facing(self, package: str) -> Mapping[str, ConstraintTerms]:
        """All that a package is kept apart from; the low side of these terms is its own."""
        row = _row((each.packages, each.terms) for each in self._opposing_sides.get(package, ()))
        row.pop(package, None)
        return row

    @cached_property
    def packages(self) -> frozenset[str]:
        """Every package of some pair."""
        return frozenset(
            package
            for package, opposing_sides in self._opposing_sides.items()
            if not all(opposing.is_only(package) for opposing in opposing_sides)
        )

    @cached_property
    def _count(self) -> int:
        return sum(len(row) for _, row in self._rows())

    def _rows(self) -> Iterator[tuple[str, Mapping[str, ConstraintTerms]]]:
        """For each package in order, those after it that it is kept apart from."""
        for low, opposing_sides in self._opposing_sides.items():
            yield low, _row((each.packages_after(low), each.terms) for each in opposing_sides)


def _row(
    opposing_sides: Iterable[tuple[Sequence[str], ConstraintTerms]],
) -> dict[str, ConstraintTerms]:
    row: dict[str, ConstraintTerms] = {}
    for packages, terms in opposing_sides:
        _join(row, dict.fromkeys(packages, terms))
    return row


def _join(row: dict[str, ConstraintTerms], asked: dict[str, ConstraintTerms]) -> None:
    """Add what another rule asks; where two rules meet at many pairs, they are merged once."""
    # By identity, as rules cannot be hashed; the row keeps what is present alive until the end.
    merged: dict[int, ConstraintTerms] = {}
    for high in row.keys() & asked.keys():
        present = row[high]
        if id(present) not in merged:
            merged[id(present)] = present.merged(asked[high])
        asked[high] = merged[id(present)]
    row.update(asked)


def _opposing_sides(resolved: ResolvedRule) -> Iterator[tuple[str, _OpposingSide]]:
    """For each package of one side every other side that has packages."""
    if resolved.is_at_most_one:
        all_of_them = _OpposingSide(sorted(resolved.set_of), _terms(resolved.rule))
        yield from ((package, all_of_them) for package in all_of_them.packages)
        return
    sides = [(side, sorted(side.packages)) for side in resolved.sides]
    for (one, packages), (other, against) in permutations(sides, 2):
        if against:
            opposing = _OpposingSide(against, _terms(resolved.rule, one, other, resolved.sides))
            yield from ((package, opposing) for package in packages)


class RuleSet:
    """The rules in force.

    Attributes:
        rules: in order of their ids.
        exceptions: in force then, in order of their ids; the subject of each is an id.
        written_exceptions: the same as their author wrote them, those that excuse no one among
            them: the hash does not change if a name gets another id.
        refused: why the newest files are not these rules, where a broken version was not taken.
        unlisted: why patterns may fit more packages than are known, where the list is refused.
        files: that the rules were read from, where that is known.
        protected: packages and groups that are never written on, nor used as references.
        listed: the tenant's list of packages, where patterns were held against it.
        exception_problems: of exceptions that excuse no one, and of names that changed hands.
        overrides: packages that may meet a rule in force by themselves for some days, in order.
        day: on which they are in force, where it matters.
    """

    def __init__(
        self,
        rules: Iterable[ResolvedRule],
        exceptions: Iterable[ExceptionEntry] = (),
        refused: str | None = None,
        files: Sequence[SourceFile] = (),
        *,
        unlisted: str | None = None,
        day: date | None = None,
        protected: ResolvedSide = EMPTY_SIDE,
        listed: Mapping[str, AccessPackage] | None = None,
        overrides: Iterable[Override] = (),
        exception_problems: Iterable[ExceptionProblem] = (),
        written_exceptions: Iterable[ExceptionEntry] | None = None,
    ) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: rule.id))
        self.exceptions = tuple(sorted(exceptions, key=lambda entry: entry.id))
        written = self.exceptions if written_exceptions is None else written_exceptions
        self.written_exceptions = tuple(sorted(written, key=lambda entry: entry.id))
        self.exception_problems = tuple(
            sorted(exception_problems, key=lambda each: (each.entry.id, each.kind))
        )
        self.refused = refused
        self.files = tuple(files)
        self.unlisted = unlisted
        self.day = day
        self.protected = protected
        self.listed = listed or {}
        in_force = {rule.id for rule in self.rules}
        applicable = (each for each in overrides if each.rule in in_force)
        self.overrides = tuple(sorted(applicable, key=lambda each: each.id))

    @cached_property
    def hash(self) -> str:
        """Names this version of the rules: equal rules in any order have equal hashes.

        It is of what is written, the classes that rules lead to among it, and of what is protected;
        what patterns of rules mean in the tenant is not in it.
        """
        classes = {name: side for each in self.rules for name, side in each.classes.items()}
        exceptions = self.written_exceptions
        written = [[each.rule for each in self.rules], exceptions, sorted(classes.items())]
        protected = sorted(self.protected.ids)
        more = [each for each in (protected, self.overrides) if each]
        data = msgspec.json.encode([*written, *more])
        return f"sha256:{hashlib.sha256(data).hexdigest()}"

    @cached_property
    def constraints(self) -> PairConstraints:
        """Every pair that some rule keeps apart, in order."""
        return PairConstraints(self.rules)

    @cached_property
    def group_blocks(self) -> Mapping[str, GroupBlock]:
        """Every package that enforcing rules keep from the members of groups, in order."""
        group_blocks: dict[str, GroupBlock] = {}
        for rule in self.rules:
            for package, groups in _blocked_groups(rule):
                present = group_blocks.get(package)
                group_blocks[package] = GroupBlock(
                    package=package,
                    groups=groups | (present.groups if present else frozenset()),
                    rule_ids=_joined(present.rule_ids if present else (), rule.id),
                )
        return dict(sorted(group_blocks.items()))

    def named(self, package: str, packages: Mapping[str, AccessPackage] | None = None) -> str:
        """An access package by its id, and its name where the list or what was read shows it."""
        known = self.listed.get(package) or (packages or {}).get(package)
        name = f' ("{cut(known.display_name, MAX_SAID)}")' if known and known.display_name else ""
        return f"access package {package}{name}"

    @cached_property
    def unsettled(self) -> str | None:
        """Why rules may mean more packages than are known; None where they mean no more."""
        if self.unlisted:
            return self.unlisted
        gaps = next((each.grant_gaps for each in self.rules if each.grant_gaps), {})
        for package, error in gaps.items():
            what = f"what {self.named(package)} grants" if package else "what packages grant"
            return f"{what} is not known ({error})"
        return None

    @cached_property
    def found_only_rules(self) -> tuple[ResolvedRule, ...]:
        """Rules that Entra's references cannot express: found in all that a subject holds."""
        return tuple(rule for rule in self.rules if rule.is_found_only)

    @cached_property
    def found_only_by_package(self) -> Mapping[str, Sequence[ResolvedRule]]:
        """These rules by each of their packages."""
        found: dict[str, list[ResolvedRule]] = {}
        for rule in self.found_only_rules:
            for package in rule.packages:
                found.setdefault(package, []).append(rule)
        return found

    @cached_property
    def found_only_packages(self) -> frozenset[str]:
        """Every package whose assignments these rules need."""
        return frozenset[str]().union(*(rule.packages for rule in self.found_only_rules))

    def override_of(self, rule: str, package: str) -> Override | None:
        """The override for a package under a rule in force."""
        return self._overrides.get((rule, package))

    @cached_property
    def _overrides(self) -> Mapping[tuple[str, str], Override]:
        return {(each.rule, str(each.package)): each for each in self.overrides}

    def exceptions_for(
        self, rule_ids: Iterable[str], subject_ids: Iterable[str | None]
    ) -> tuple[ExceptionEntry, ...]:
        """The exceptions that let a subject be in conflict: one for every rule, or none at all.

        Args:
            rule_ids: of all rules that the conflict is against.
            subject_ids: the subject's id in entitlement management and its object id.
        """
        known = {each for each in subject_ids if each}
        found = [self._exceptions_of(rule_id, known) for rule_id in rule_ids]
        return tuple(each for some in found for each in some) if all(found) else ()

    def _exceptions_of(self, rule_id: str, subject_ids: set[str]) -> list[ExceptionEntry]:
        return [each for each in self._exceptions.get(rule_id, ()) if each.subject in subject_ids]

    @cached_property
    def _exceptions(self) -> Mapping[str, Sequence[ExceptionEntry]]:
        by_rule: dict[str, list[ExceptionEntry]] = {}
        for each in self.exceptions:
            by_rule.setdefault(each.rule, []).append(each)
        return by_rule

    @cached_property
    def packages(self) -> frozenset[str]:
        """Every package whose assignments matter: of a pair, or of a rule that is found only."""
        return self.constraints.packages | self.found_only_packages

    @cached_property
    def named_packages(self) -> frozenset[str]:
        """Every package that some rule names, also one that stands against groups only."""
        return frozenset[str]().union(*(rule.packages for rule in self.rules))

    @cached_property
    def enforced_packages(self) -> frozenset[str]:
        """Every package that an enforcing rule may ask references on or to."""
        enforced = (rule for rule in self.rules if rule.rule.mode is Mode.ENFORCE)
        return frozenset(
            package for rule in enforced for side in rule.sides for package in side.packages
        )

    @cached_property
    def named_groups(self) -> frozenset[str]:
        """Every group that a side of some rule names."""
        return frozenset(
            group for rule in self.rules for side in rule.sides for group in side.groups
        )


def _terms(
    rule: Rule,
    low: ResolvedSide = EMPTY_SIDE,
    high: ResolvedSide = EMPTY_SIDE,
    sides: Iterable[ResolvedSide] = (),
) -> ConstraintTerms:
    return ConstraintTerms(
        rules=(rule,),
        mode=rule.mode,
        references=rule.references,
        low_groups=_enforced(rule, low),
        high_groups=_enforced(rule, high),
        named_groups=frozenset(group for side in sides for group in side.groups),
    )


def _enforced(rule: Rule, side: ResolvedSide) -> frozenset[str]:
    """A side's groups, where the rule wants them written."""
    wanted = rule.mode is Mode.ENFORCE and rule.references.wants_groups
    return side.groups if wanted else frozenset()


def _blocked_groups(resolved: ResolvedRule) -> Iterator[tuple[str, frozenset[str]]]:
    for side in resolved.sides:
        groups = frozenset[str]() if side.packages else _enforced(resolved.rule, side)
        # The side itself has no packages: all that there are face it.
        for opposing in resolved.sides if groups else ():
            for package in sorted(opposing.packages):
                yield package, groups


def _joined[T](present: tuple[T, ...], new: T) -> tuple[T, ...]:
    return present if new in present else (*present, new)
