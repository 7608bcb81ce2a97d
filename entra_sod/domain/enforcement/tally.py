"""How many references each rule asks for, and how many of them are there. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from entra_sod.domain.enforcement.desired import DesiredReference
from entra_sod.domain.enforcement.plan import Plan
from entra_sod.domain.entra import Reference

type RuleIds = tuple[str, ...]

_rule_ids = attrgetter("rule_ids")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceNumbers:
    """References of one rule.

    Attributes:
        wanted: that the rule asks for, alone or with others.
        missing: those of them that Entra does not have.
        held: those that are missing because they wait for an approval or another reason.
    """

    wanted: int = 0
    missing: int = 0
    held: int = 0


@dataclass(slots=True)
class ReferenceTally:
    """Desired references counted by the rules that ask for them together.

    There may be millions of references. They have few different sets of rules, so only those are
    kept.
    """

    _wanted: Counter[RuleIds] = field(default_factory=Counter)
    _missing: Counter[RuleIds] = field(default_factory=Counter)
    _held: Counter[RuleIds] = field(default_factory=Counter)

    def add(self, desired: Sequence[DesiredReference], plan: Plan) -> None:
        """Count what the rules ask for on a package, and the plan that came of it."""
        self._wanted.update(map(_rule_ids, desired))
        self._missing.update(map(_rule_ids, plan.additions))
        held = {each.reference for each in plan.held if not each.is_removal}
        if held:
            waiting = [each.rule_ids for each in desired if each.reference in held]
            self._missing.update(waiting)
            self._held.update(waiting)

    def settle(
        self,
        additions: Iterable[DesiredReference],
        *,
        there: Collection[Reference],
        held: Collection[Reference],
    ) -> None:
        """Note what became of planned additions.

        Args:
            additions: all that were planned and not held when they were counted.
            there: those that were written, or that others wrote.
            held: those that were held since.
        """
        for each in additions:
            if each.reference in there:
                self._missing[each.rule_ids] -= 1
            elif each.reference in held:
                self._held[each.rule_ids] += 1

    def by_rule(self) -> Mapping[str, ReferenceNumbers]:
        """Return the numbers of each rule that asks for anything."""
        wanted, missing, held = map(_by_rule, (self._wanted, self._missing, self._held))
        return {
            rule: ReferenceNumbers(wanted=number, missing=missing[rule], held=held[rule])
            for rule, number in wanted.items()
        }


def _by_rule(counted: Mapping[RuleIds, int]) -> Counter[str]:
    found = Counter[str]()
    for rule, number in _each(counted):
        found[rule] += number
    return found


def _each(counted: Mapping[RuleIds, int]) -> Iterator[tuple[str, int]]:
    return ((rule, number) for ids, number in counted.items() for rule in ids)
