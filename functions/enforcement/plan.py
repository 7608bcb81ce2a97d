"""The difference between what rules ask for and what Graph has, as a value. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from functions.enforcement.desired import DesiredReference
from functions.entra import Reference
from functions.errors import LimitExceeded


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one run would do, in order.

    Attributes:
        additions: desired and absent.
        removals: prunable, present, and desired by no rule.
        unchanged: desired and present.
        left_alone: present, desired by no rule and not prunable: somebody else's.
        vanished: prunable, but neither present nor desired: only the ledger still has them.
    """

    additions: tuple[DesiredReference, ...] = ()
    removals: tuple[Reference, ...] = ()
    unchanged: tuple[Reference, ...] = ()
    left_alone: tuple[Reference, ...] = ()
    vanished: tuple[Reference, ...] = ()

    @property
    def writes(self) -> int:
        return len(self.additions) + len(self.removals)

    def require_within(self, limit: int) -> None:
        """Stop a run that would write more than it may, before its first write.

        Raises:
            LimitExceeded: with both numbers.
        """
        if self.writes > limit:
            raise LimitExceeded(planned=self.writes, limit=limit)


def make_plan(
    desired: Iterable[DesiredReference],
    present: Collection[Reference],
    prunable: Collection[Reference] = (),
) -> Plan:
    """Compare desired references with present ones.

    Args:
        desired: what all rules in view ask for; a reference may be asked for more than once.
        present: what Graph lists on the packages in view.
        prunable: references of our own ledger that may go where nothing desires them.
    """
    wanted, there, ours = _by_reference(desired), set(present), set(prunable)
    undesired = there - wanted.keys()
    return Plan(
        additions=tuple(wanted[each] for each in sorted(wanted.keys() - there)),
        removals=tuple(sorted(undesired & ours)),
        unchanged=tuple(sorted(wanted.keys() & there)),
        left_alone=tuple(sorted(undesired - ours)),
        vanished=tuple(sorted(ours - there - wanted.keys())),
    )


def _by_reference(desired: Iterable[DesiredReference]) -> dict[Reference, DesiredReference]:
    merged: dict[Reference, DesiredReference] = {}
    for each in desired:
        present = merged.get(each.reference)
        rule_ids = sorted({*each.rule_ids, *(present.rule_ids if present else ())})
        merged[each.reference] = DesiredReference(each.reference, tuple(rule_ids))
    return merged
