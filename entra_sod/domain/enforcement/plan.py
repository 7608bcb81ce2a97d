"""The difference between what rules ask for and what Graph has, as a value. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from itertools import islice

from entra_sod.domain.enforcement.desired import DesiredReference
from entra_sod.domain.enforcement.guard import HeldReference, WriteGuard
from entra_sod.domain.entra import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one run would do, in order.

    Attributes:
        additions: desired and absent.
        removals: prunable, present, and desired by no rule.
        unchanged: desired and present.
        vanished: neither present nor desired: only the ledger still has them.
        held: additions and removals that a guard took out.
    """

    additions: tuple[DesiredReference, ...] = ()
    removals: tuple[Reference, ...] = ()
    unchanged: tuple[Reference, ...] = ()
    vanished: tuple[Reference, ...] = ()
    held: tuple[HeldReference, ...] = ()

    @property
    def changes(self) -> tuple[Reference, ...]:
        return (*(each.reference for each in self.additions), *self.removals)

    @property
    def writes(self) -> int:
        return len(self.additions) + len(self.removals)

    def guarded(self, guards: Collection[WriteGuard]) -> Plan:
        """The same plan, with what a guard holds back taken out of its writes."""
        if not guards:
            return self
        held = [
            *(
                HeldReference(each.reference, why)
                for each in self.additions
                for why in _first(g.why_held(each) for g in guards)
            ),
            *(
                HeldReference(each, why, is_removal=True)
                for each in self.removals
                for why in _first(g.why_kept(each) for g in guards)
            ),
        ]
        taken = {each.reference for each in held}
        return replace(
            self,
            additions=tuple(each for each in self.additions if each.reference not in taken),
            removals=tuple(each for each in self.removals if each not in taken),
            held=(*self.held, *held),
        )

    def first(self, writes: int) -> Plan:
        """The same plan with so many of its writes: additions before removals."""
        additions, left = self.additions[:writes], max(0, writes - len(self.additions))
        return replace(self, additions=additions, removals=self.removals[:left])


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
    return Plan(
        additions=tuple(wanted[each] for each in _in_order(wanted.keys() - there)),
        removals=_in_order(there & ours - wanted.keys()),
        unchanged=_in_order(wanted.keys() & there),
        vanished=_in_order(ours.union(noted) - there - wanted.keys()),
    )


def _first(reasons: Iterable[str | None]) -> Iterable[str]:
    """The first reason that is given, or nothing."""
    return islice(filter(None, reasons), 1)


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
