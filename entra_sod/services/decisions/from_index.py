"""Answers questions from the index of the last sweep, where it is fresh and knows the packages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from entra_sod.core.clock import Clock, timestamp
from entra_sod.domain.decisions.strategy import is_index_fresh
from entra_sod.services.decisions.case import Case
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

    async def read(self, cases: Sequence[Case]) -> list[Case]:
        """Answer what can be answered, and return the rest as it was."""
        index = await last_summary(self.store) if cases and self.oldest else None
        if index is None or not is_index_fresh(index.as_of, self.clock.now(), self.oldest):
            return [*cases]
        known = [case for case in cases if index.knows(case.against)]
        subjects = {case.wish.subject for case in known}
        packages = frozenset[str]().union(*(case.against for case in known))
        try:
            held = await held_by_index(self.store, index.index, subjects, packages)
        except LookupError:
            # Somebody tidied up: as good as no index.
            return [*cases]
        for case in known:
            found = held.get(case.wish.subject, ())
            _settle(case, index)
            case.add(
                (each for each in found if each.package_id in case.against),
                f"index of sweep {index.sweep_id}, as of {timestamp(index.as_of)}",
            )
        return [case for case in cases if not index.knows(case.against)]


def _settle(case: Case, index: SweepSummary) -> None:
    """Say how old the answer is, and what the sweep itself could not read."""
    case.as_of = index.as_of
    for package in sorted(case.against & index.unread.keys()):
        why = f"sweep {index.sweep_id} could not read it: {index.unread[package]}"
        case.miss(f"whether {case.wish.subject} holds {package}", why)
