"""Conflicts that show only in all that a subject holds: the one evaluator of such rules. Pure.

Rules that keep pairs of packages apart need it not; it agrees with them where both can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

from entra_sod.domain.rules.language import RuleForm
from entra_sod.domain.rules.resolve import ResolvedRule, ResolvedSide

MAX_MISSING_NAMED = 5


class ConflictKind(StrEnum):
    """What makes a conflict.

    Attributes:
        PAIR: two packages that are kept apart.
        SET: all that a subject holds of a rule that is found only.
        REQUIREMENT: packages that need another one, which the subject does not hold.
        PACKAGE: one package that meets a rule by itself.
    """

    PAIR = "pair"
    SET = "set"
    REQUIREMENT = "requirement"
    PACKAGE = "package"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleHit:
    """A conflict of one subject with one rule.

    Attributes:
        packages: that are held and make the conflict; never none.
        missing: packages of the needed side that are not held: any of them would do, or with
            `every` all of them.
    """

    kind: ConflictKind
    packages: frozenset[str]
    missing: frozenset[str] = frozenset()


def find_hit(
    rule: ResolvedRule, held: AbstractSet[str], unread: AbstractSet[str] = frozenset()
) -> RuleHit | None:
    """Say whether what a subject holds is a conflict, or whether it certainly is one.

    Args:
        rule: of any form. Of a rule that keeps pairs apart, all packages of the sides that meet.
        held: packages that the subject is known to hold.
        unread: packages of which that is not known. A needed package among them may be held.
    """
    if rule.form is RuleForm.REQUIRES:
        return _requirement_hit(rule, held, unread)
    if rule.set_of:
        of_the_set = rule.set_of & held
        is_met = len(of_the_set) > rule.count
        return RuleHit(kind=ConflictKind.SET, packages=of_the_set) if is_met else None
    met = [side for side in rule.all_sides if is_held(side, held)]
    if len(met) <= rule.count:
        return None
    packages = frozenset[str]().union(*(side.packages & held for side in met))
    return RuleHit(kind=ConflictKind.SET, packages=packages)


def met_by(rule: ResolvedRule, held: Collection[str]) -> frozenset[str]:
    """Return the packages that make a conflict of what a subject holds; none if there is none."""
    hit = find_hit(rule, frozenset(held))
    return hit.packages if hit else frozenset()


def is_held(side: ResolvedSide, held: AbstractSet[str]) -> bool:
    """Whether a subject that holds these packages is on a side; on one without packages never."""
    if not side.every:
        return not side.packages.isdisjoint(held)
    return bool(side.packages) and side.packages <= held


def _requirement_hit(
    rule: ResolvedRule, held: AbstractSet[str], unread: AbstractSet[str]
) -> RuleHit | None:
    when, needs = rule.duties
    if not is_held(when, held) or is_held(needs, held | unread):
        return None
    if "" in rule.grant_gaps or not held.isdisjoint(rule.grant_gaps.keys()):
        return None  # a package that is held may be on the needed side: the gap is told
    return RuleHit(
        kind=ConflictKind.REQUIREMENT,
        packages=when.packages & held,
        missing=needs.packages - held,
    )


def told_rule(rule: ResolvedRule) -> str:
    """Say in a few words what a rule that is found only looks for."""
    if rule.form is RuleForm.AT_MOST:
        return f"at most {rule.count} of {len(rule.set_of)} packages"
    if rule.form is RuleForm.REQUIRES:
        return "one side requires the other"
    if rule.form is RuleForm.ALL_OF:
        return f"all of {len(rule.duties)} sides"
    return f"at most {rule.count} of {len(rule.duties)} sides"


def why_found_only(rule: ResolvedRule) -> str:
    """Say why Entra cannot enforce a rule that is found only."""
    if rule.form is RuleForm.REQUIRES:
        return "Entra's references keep packages apart, and none says that a package is needed"
    if any(side.every for side in rule.duties):
        return "Entra's references compare one package with one package, not with every one of many"
    return "Entra's references allow none or all of a pair, not some of many"


def told_missing(rule: ResolvedRule, missing: Collection[str], named: Callable[[str], str]) -> str:
    """Say which packages a subject needs that it does not hold."""
    first = sorted(missing)[:MAX_MISSING_NAMED]
    more = len(missing) - len(first)
    listed = ", ".join(map(named, first)) + (f" and {more} more" if more else "")
    if len(missing) == 1:
        return f"the subject needs {listed}"
    needs_all = rule.duties[1].every
    return f"the subject needs {'all' if needs_all else 'one'} of {listed}"
