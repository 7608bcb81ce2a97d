"""What an import leaves open: classes without access packages, rules without an owner. Pure.

An import knows the names of duties, and never guesses which packages give them. So it writes a
class with a name that no package has. Sweeps call its rules a gap, as they do for every side that
selects nothing. Validate calls it a warning, because the other rules work without it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from entra_sod.core.validation import Mistake
from entra_sod.domain.rules.document import RulesProblem
from entra_sod.domain.rules.language import PackageSelector, Rule, Side
from entra_sod.domain.rules.parse import ParsedRules
from entra_sod.domain.text import fold

NOT_BOUND = "(not bound)"
NOT_NAMED = "not named yet"  # in place of an owner
_MAX_NAMED = 3


def is_placeholder(selector: PackageSelector) -> bool:
    return selector.name == NOT_BOUND


def unbound_classes(parsed: ParsedRules) -> Collection[str]:
    """Name the classes that have a placeholder and nothing else."""
    return {name for name, side in parsed.classes.items() if _is_unbound(side)}


def _is_unbound(side: Side) -> bool:
    others = [each for each in side.packages if not is_placeholder(each)]
    is_bound = others or side.groups or side.classes or side.grants
    return bool(side.packages) and not is_bound


def unbound_rules(parsed: ParsedRules) -> Collection[str]:
    """Name the rules of which a side is nothing but classes that are not bound."""
    unbound = unbound_classes(parsed)
    return {
        rule.id
        for rule in parsed.rules.values()
        if any(_is_nothing_but(unbound, side) for side in sides_of(rule))
    }


def _is_nothing_but(unbound: Collection[str], side: Side) -> bool:
    has_classes = bool(side.classes) and set(side.classes) <= set(unbound)
    return has_classes and not side.packages and not side.groups and not side.grants


def sides_of(rule: Rule) -> Sequence[Side]:
    """Return the sides of a rule, whatever its form."""
    return rule.sides


def is_one_class(side: Side) -> bool:
    """Whether a side is one class and nothing else, as every side that a matrix states."""
    has_more = side.packages or side.groups or side.reads_grants
    return len(side.classes) == 1 and not has_more


def unbound_problems(parsed: ParsedRules) -> Iterator[RulesProblem]:
    """Say of each class that is not bound which rules cover nothing because of it."""
    for name in unbound_classes(parsed):
        rules = [
            rule.id
            for rule in parsed.rules.values()
            if any(name in side.classes for side in sides_of(rule))
        ]
        more = len(rules) - _MAX_NAMED
        named = ", ".join(rules[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
        unbound = "is not bound to packages, groups or grants yet"
        detail = f"{unbound}: it selects nothing for {named or 'any rule'}"
        mistake = Mistake(("classes", name), detail)
        yield parsed.origin("classes", name).document.place(mistake, is_warning=True)


def ownerless_problems(parsed: ParsedRules) -> Iterator[RulesProblem]:
    """Say of each file which of its rules have no owner but the placeholder of an import.

    It is one warning for a file, because an import may have hundreds of such rules.
    """
    by_file: dict[str, list[str]] = {}
    for rule in parsed.rules.values():
        if fold(rule.owner) == NOT_NAMED:
            by_file.setdefault(_owner_place(parsed, rule, "").file, []).append(rule.id)
    for rules in by_file.values():
        more = len(rules) - _MAX_NAMED
        named = ", ".join(rules[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
        detail = f'is the placeholder "{NOT_NAMED}": name who answers for {named}'
        yield _owner_place(parsed, parsed.rules[rules[0]], detail)


def _owner_place(parsed: ParsedRules, rule: Rule, detail: str) -> RulesProblem:
    return parsed.origin("rules", rule.id).place(Mistake(("owner",), detail), is_warning=True)
