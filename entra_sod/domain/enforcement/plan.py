"""The difference between what rules ask for and what Graph has, as a value. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from entra_sod.core.errors import LimitExceeded
from entra_sod.domain.enforcement.desired import DesiredReference
from entra_sod.domain.entra import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one run would do, in order.

    Attributes:
        additions: desired and absent.
        removals: prunable, present, and desired by no rule.
        unchanged: desired and present.
        left_alone: present, desired by no rule and not prunable: somebody else's.
        vanished: neither present nor desired: only the ledger still has them.
    """

    additions: tuple[DesiredReference, ...] = ()
    removals: tuple[Reference, ...] = ()
    unchanged: tuple[Reference, ...] = ()
    left_alone: tuple[Reference, ...] = ()
    vanished: tuple[Reference, ...] = ()

    @property
    def changes(self) -> tuple[Reference, ...]:
        return (*(each.reference for each in self.additions), *self.removals)

    @property
    def writes(self) -> int:
        return len(self.additions) + len(self.removals)

    def require_within(self, limit: int, *, done: int = 0) -> None:
        """Stop a run that would write more than it may, before its first write.

        Args:
            limit: of the whole run.
            done: writes of earlier tries of the run.

        Raises:
            LimitExceeded: with both numbers.
        """
        if self.writes + done > limit:
            raise LimitExceeded(planned=self.writes + done, limit=limit)


def make_plan(
    desired: Iterable[DesiredReference],
    present: Collection[Reference],
    prunable: Collection[Reference] = (),
    noted: Collection[Reference] = (),
) -> Plan:
    """Compare desired references with present ones.

    Args:
        desired: what all rules in view ask for; a reference may be asked for more than once.
        present: what Graph lists on the packages in view.
        prunable: references of our own ledger that may go where nothing desires them.
        noted: all that our own ledger has on lists that were read; the prunable ones count, too.
    """
    wanted, there, ours = _by_reference(desired), set(present), set(prunable)
    undesired = there - wanted.keys()
    return Plan(
        additions=tuple(wanted[each] for each in _in_order(wanted.keys() - there)),
        removals=_in_order(undesired & ours),
        unchanged=_in_order(wanted.keys() & there),
        left_alone=_in_order(undesired - ours),
        vanished=_in_order(ours.union(noted) - there - wanted.keys()),
    )


def _in_order(references: Iterable[Reference]) -> tuple[Reference, ...]:
    return tuple(sorted(references))


def _by_reference(desired: Iterable[DesiredReference]) -> dict[Reference, DesiredReference]:
    merged: dict[Reference, DesiredReference] = {}
    for each in desired:
        present = merged.get(each.reference)
        if present is None:
            merged[each.reference] = each
        elif present.rule_ids != each.rule_ids:
            rule_ids = sorted({*each.rule_ids, *present.rule_ids})
            merged[each.reference] = DesiredReference(each.reference, tuple(rule_ids))
    return merged
