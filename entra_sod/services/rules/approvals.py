"""What rules select now beside what was reviewed, and the approval of exactly what was shown."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from entra_sod.core.clock import Clock, timestamp
from entra_sod.core.errors import GraphError, NotFound, SodError
from entra_sod.domain.entra import AccessPackage, Reference
from entra_sod.domain.results.coverage import Coverage, Skipped, rule_gaps
from entra_sod.domain.results.named import NamedItem, named_package, named_packages
from entra_sod.domain.rules.language import Mode
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.rules.selection import RuleSelection, selection_change
from entra_sod.ports.graph import Graph
from entra_sod.services.enforcement.damaged_entries import note_damaged
from entra_sod.services.rules.alike import (
    PackageGrants,
    granting,
    read_grants,
    with_protected,
)
from entra_sod.services.rules.effect import WeighedReferences, effect_of, weigh_references
from entra_sod.services.rules.names import read_names
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.services.rules.reviews import (
    ReviewState,
    SeenTenant,
    read_stored,
    review_states,
    reviewed_now,
    selection_name,
    selection_to_approve,
    with_reviewed,
)
from entra_sod.services.rules.view import ChangedGroup, SelectionList, SelectionView
from entra_sod.stores.ledger import Ledger, LedgerState
from entra_sod.stores.selections import SelectionStore, StoredSelection
from entra_sod.stores.sweeps import SweepStore

log = logging.getLogger("entra_sod")

# Packages that are read while a caller waits: their groups, and the lists of references.
MAX_PACKAGES_READ = 500
MAX_NAMES_SHOWN = 1000


class NothingRemembered(SodError):
    """SELECTION_CHANGES is write, so nothing is held, and there is nothing to approve."""


class UnknownRule(SodError):
    """No rule in force has this id."""


class SelectionChanged(SodError):
    """Rules select something else than was shown.

    Attributes:
        places: which of the asked rules.
        approved: rules that were approved before another run changed one in that moment.
    """

    def __init__(self, places: Sequence[int], approved: Sequence[str] = ()) -> None:
        self.places, self.approved = tuple(places), tuple(approved)
        super().__init__("Rules select something else than was shown.")


class ListNotWhole(SodError):
    """The list of packages is not whole: what is on its rest would be taken for what left."""


@dataclass(frozen=True, slots=True)
class ShownSelection:
    """A rule, and the name of the selection that was shown of it."""

    rule: str
    selection: str


@dataclass(frozen=True, slots=True)
class ApprovedSelection:
    """A rule whose selection is approved, since when and by whom."""

    rule: str
    selection: str
    reviewed_at: str
    reviewed_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionReview:
    """What was read.

    Attributes:
        rules: as they are written.
        states: of each rule.
        seen: of the tenant.
        gaps: what was not read.
    """

    rules: RuleSet
    states: Sequence[ReviewState]
    seen: SeenTenant
    gaps: Sequence[Skipped]

    def to_approve(self, state: ReviewState) -> RuleSelection:
        return selection_to_approve(state.rule, self.seen.granting, state.stored)

    def name(self, state: ReviewState) -> str:
        return selection_name(state.rule, self.to_approve(state))


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionReviewer:
    """Answers `GET /selections` and `POST /selections/approve`.

    Attributes:
        store: of selections; None where nothing is remembered.
        prune: whether a sweep removes references that no rule asks for.
    """

    graph: Graph
    provider: RulesProvider
    store: SelectionStore | None
    ledger: Ledger
    sweeps: SweepStore
    clock: Clock
    prune: bool

    async def listed(self, rule: str = "") -> SelectionList:
        """Show what each rule selects and what waits, or of one rule alone.

        Raises:
            GraphError: the tenant cannot be read now.
        """
        as_of = timestamp(self.clock.now())
        if self.store is None:
            rules = await self.provider.at_hand()
            return SelectionList(
                as_of=as_of, remembers=False, rules_hash=rules.hash, not_read=[], rules=[]
            )
        found, names = await self._review(self.store), await read_names(self.provider)
        wanted = [each for each in found.states if rule in ("", each.rule.id)]
        weighed = await self._weigh(found, wanted)
        return SelectionList(
            as_of=as_of,
            remembers=True,
            rules_hash=found.rules.hash,
            not_read=list(found.gaps),
            rules=[_view(found, each, weighed, names) for each in wanted],
        )

    async def approve(
        self, shown: Sequence[ShownSelection], by: str
    ) -> Sequence[ApprovedSelection]:
        """Store what was shown of rules as reviewed; what is reviewed already stays as it is.

        Raises:
            NothingRemembered, UnknownRule, SelectionChanged, ListNotWhole: nothing was approved,
                but for rules before one that another run has changed in this moment.
            GraphError: the tenant cannot be read now.
        """
        if self.store is None:
            raise NothingRemembered("SELECTION_CHANGES is write, so nothing waits.")
        found = await self._review(self.store)
        if why := found.rules.unlisted or found.rules.unsettled:
            raise ListNotWhole(f"Nothing was approved, because {why}.")
        states = {each.rule.id: each for each in found.states}
        if unknown := [each.rule for each in shown if each.rule not in states]:
            raise UnknownRule(f"No rule {unknown[0]} is in force.")
        asked = [states[each.rule] for each in shown]
        pairs = enumerate(zip(shown, asked, strict=True))
        if changed := [at for at, (each, now) in pairs if each.selection != found.name(now)]:
            raise SelectionChanged(changed)
        await self._store(self.store, found, asked, by)
        return await self._approved(self.store, shown, asked)

    async def _store(
        self, store: SelectionStore, found: SelectionReview, asked: Sequence[ReviewState], by: str
    ) -> None:
        for at, state in enumerate(asked):
            if not state.is_to_approve:
                continue
            row = (await store.rows([state.rule])).get(state.rule.id)
            before = state.stored.row.etag if state.stored else None
            has_changed = state.damage is None and (row.etag if row else None) != before
            if has_changed or not await store.keep(state.rule, found.to_approve(state), row, by):
                raise SelectionChanged([at], approved=[each.rule.id for each in asked[:at]])
            extra = {"action": "selection_approved", "rule": state.rule.id, "caller": by}
            log.info("selection of rule %s approved by %s", state.rule.id, by, extra=extra)

    async def _approved(
        self, store: SelectionStore, shown: Sequence[ShownSelection], asked: Sequence[ReviewState]
    ) -> list[ApprovedSelection]:
        rows = await store.rows([each.rule for each in asked])
        return [
            ApprovedSelection(
                rule=each.rule,
                selection=each.selection,
                reviewed_at=str(rows[each.rule].values.get("reviewedAt", "")),
                reviewed_by=str(rows[each.rule].values.get("reviewedBy", "")),
            )
            for each in shown
        ]

    async def _review(self, store: SelectionStore) -> SelectionReview:
        rules, notes = await self.provider.as_written(), Coverage()
        notes.skipped.extend(each for each in rule_gaps(rules) if each.hides)
        stored, damages = await read_stored(store, rules.rules)
        whole = with_reviewed(rules, stored)
        read = await self._packages(whole, stored, notes)
        packages = {each.id: each for each in granting(read)}
        granted = await with_protected(self.graph, rules, packages, notes)
        concerned = concerned_packages(whole, stored, granted)
        present, unseen = await self._references(concerned & packages.keys(), notes)
        gone = {key for key, each in read.items() if isinstance(each, NotFound)}
        seen = SeenTenant(
            packages={key: packages[key] for key in concerned & packages.keys() - unseen},
            granting=granted,
            present=present,
            unread=whole.named_packages.difference(packages, gone),
            gone=gone,
        )
        ours = await self._ours(seen, notes)
        # In a thread: rules may have thousands of packages, and others wait for the loop.
        states = await asyncio.to_thread(review_states, rules, stored, damages, seen, ours)
        return SelectionReview(rules=rules, states=states, seen=seen, gaps=notes.skipped)

    async def _packages(
        self, rules: RuleSet, stored: Mapping[str, StoredSelection], notes: Coverage
    ) -> PackageGrants:
        """Read packages of enforcing rules with their groups; those that have changed first."""
        ordered = in_order_of_change(rules, stored)
        wanted, left = ordered[:MAX_PACKAGES_READ], ordered[MAX_PACKAGES_READ:]
        found = await read_grants(self.graph, wanted)
        for package, each in sorted(found.items()):
            if isinstance(each, GraphError) and not isinstance(each, NotFound):
                notes.skip(f"which groups {rules.named(package)} grants", each)
        if left:
            why = (
                f"{MAX_PACKAGES_READ} packages are read for an answer. The next sweep compares all "
                "of them, and entra-sod selection show does"
            )
            notes.skip(f"which groups {len(left)} more packages grant", why)
        return found

    async def _references(
        self, packages: Collection[str], notes: Coverage
    ) -> tuple[frozenset[Reference], frozenset[str]]:
        """Read the references on packages; of which of them that failed, too."""
        if not packages:
            return frozenset(), frozenset()
        present, unseen = set[Reference](), set[str]()
        lists = await self.graph.references_of(packages)
        for (on, kind), found in sorted(lists.items()):
            if isinstance(found, GraphError):
                notes.skip(f"references on access package {on}", found)
                unseen.add(on)
            else:
                present |= {Reference(on, kind, target) for target in found}
        return frozenset(present), frozenset(unseen)

    async def _ours(self, seen: SeenTenant, notes: Coverage) -> Sequence[Reference]:
        """The references that a sweep may remove, on the packages that are concerned."""
        if not self.prune or not seen.packages:
            return []
        ledger = await self.ledger.read()
        note_damaged(ledger.damaged, notes)
        return [
            reference
            for reference, entry in ledger.entries.items()
            if entry.state is LedgerState.WRITTEN and reference.on in seen.packages
        ]

    async def _weigh(
        self, found: SelectionReview, states: Sequence[ReviewState]
    ) -> WeighedReferences:
        held = (each for state in states for each in state.held if not each.is_removal)
        references = sorted({each.reference for each in held})
        return await weigh_references(self.graph, self.sweeps, references, found.seen)


def in_order_of_change(rules: RuleSet, stored: Mapping[str, StoredSelection]) -> Sequence[str]:
    """The packages of enforcing rules: those that joined or left, what they face, and the others.

    Which groups packages have come to grant is not known before they are read.
    """
    changed = concerned_packages(rules, stored, {})
    enforced = rules.enforced_packages
    return [*sorted(changed & enforced), *sorted(enforced - changed)]


def concerned_packages(
    rules: RuleSet,
    stored: Mapping[str, StoredSelection],
    packages: Mapping[str, AccessPackage],
) -> frozenset[str]:
    """The packages of which references may wait: those that have changed, and what they face.

    Args:
        rules: in force, with packages that left them.
        stored: what was reviewed, by the rule.
        packages: that were read, with the groups that they grant.
    """
    reviewed = reviewed_now(rules.rules, stored, packages)
    found = set[str]()
    for rule in rules.rules:
        if rule.id in reviewed and rule.rule.mode is Mode.ENFORCE:
            change = selection_change(reviewed[rule.id], rule, packages)
            found |= change.joined | change.left
            found.update(change.joined_groups.values(), change.left_groups.values())
    return frozenset(found).union(*(rules.constraints.facing(each) for each in found))


def _view(
    found: SelectionReview,
    state: ReviewState,
    weighed: WeighedReferences,
    names: Mapping[str, AccessPackage],
) -> SelectionView:
    change, rule = state.change, state.rule.rule
    return SelectionView(
        id=rule.id,
        title=rule.title,
        mode=rule.mode,
        selection=found.name(state),
        waits=state.changes or state.damage is not None,
        reviewed_at=state.stored_at or None,
        reviewed_by=state.stored_by or None,
        damage=state.damage,
        joined=_named(change.joined if change else (), names),
        left=_named(change.left if change else (), names),
        joined_groups=_granted(change.joined_groups if change else {}, names),
        left_groups=_granted(change.left_groups if change else {}, names),
        approving=effect_of(state, weighed, names),
    )


def _named(packages: Iterable[str], names: Mapping[str, AccessPackage]) -> list[NamedItem]:
    return named_packages(packages, names)[:MAX_NAMES_SHOWN]


def _granted(groups: Mapping[str, str], names: Mapping[str, AccessPackage]) -> list[ChangedGroup]:
    return [
        ChangedGroup(group=group, package=named_package(package, names))
        for group, package in sorted(groups.items())[:MAX_NAMES_SHOWN]
    ]
