"""Answers questions from the index of the last sweep, if it is fresh and has the packages."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from entra_sod.core.clock import Clock
from entra_sod.domain.decisions.strategy import is_index_fresh
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.services.decisions.identify import known_subject
from entra_sod.services.decisions.pending_decision import PendingDecision
from entra_sod.services.sweeps.index import held_by_index
from entra_sod.services.sweeps.summary import SweepSummary, last_summary
from entra_sod.stores.sweeps import SweepStore


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReader:
    """Reads the index.

    Attributes:
        oldest: the age of an index that may still answer; nothing is for none.
    """

    store: SweepStore
    clock: Clock
    oldest: timedelta

    async def harmless(self, packages: Collection[str], rules: RuleSet) -> frozenset[str]:
        """Packages of rules that by the newest sweep meet no rule by themselves.

        None where it is too old, saw other rules, or did not compare all of their packages.
        """
        index = await last_summary(self.store) if packages and self.oldest else None
        if index is None or not is_index_fresh(index.as_of, self.clock.now(), self.oldest):
            return frozenset()
        if index.compared_by != rules.hash:
            return frozenset()
        return rules.named_packages.intersection(packages).difference(index.toxic)

    async def read(self, pending_decisions: Sequence[PendingDecision]) -> list[PendingDecision]:
        """Answer what can be answered, and return the rest as it was."""
        index = await last_summary(self.store) if pending_decisions and self.oldest else None
        if index is None or not is_index_fresh(index.as_of, self.clock.now(), self.oldest):
            return [*pending_decisions]
        known = [pending for pending in pending_decisions if index.knows(pending.against)]
        subjects = {pending.wanted.subject for pending in known}
        try:
            # Not only of these packages: a subject that holds any package is a known subject.
            held = await held_by_index(self.store, index.index, subjects)
        except LookupError:
            # A clean-up deleted the index in the meantime: Graph is asked instead.
            return [*pending_decisions]
        for pending in known:
            found = held.get(pending.wanted.subject, ())
            _settle(pending, index)
            pending.add((each for each in found if each.package_id in pending.against), index.name)
            if found:
                pending.identify(known_subject(found[0].subject, index.name))
        return [pending for pending in pending_decisions if not index.knows(pending.against)]


def _settle(pending: PendingDecision, index: SweepSummary) -> None:
    """Say how old the answer is, and what the sweep itself could not read."""
    pending.as_of = index.as_of
    for package in sorted(pending.against & index.unread.keys()):
        why = f"sweep {index.sweep_id} could not read it: {index.unread[package]}"
        pending.note_unread(f"whether {pending.wanted.subject} holds {package}", why)
