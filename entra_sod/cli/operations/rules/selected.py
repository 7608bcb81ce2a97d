"""What each side of a rule selects today, and which words of the rule select it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.language import PackageSelector, RuleForm, Side
from entra_sod.domain.rules.resolve import ResolvedRule, Tenant, written_sides

BY_ID, BY_GRANTS, BY_GROUP = "id", "what it grants", "group"


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedItem:
    """An access package or a group on one side of a rule.

    Attributes:
        side: the number of the side, or what it is for.
        id: of the package or group; empty for a pattern that fits nothing.
        by: the words that select it.
        is_group: whether it is a group.
    """

    side: str
    id: str
    by: str
    is_group: bool = False


def selected_items(
    rule: ResolvedRule, listed: Mapping[str, AccessPackage]
) -> Iterator[SelectedItem]:
    """Yield what is on each side, and the patterns that fit nothing, side by side."""
    tenant = Tenant(listed.values())
    names = _side_names(rule)
    sides = zip(names, written_sides(rule.rule), rule.package_sides, strict=True)
    for place, (name, written, packages) in enumerate(sides):
        by = dict.fromkeys(sorted(packages), BY_GRANTS)
        for words, found in _selections(written, rule.classes, tenant):
            by |= dict.fromkeys(sorted(packages & found), words)
            if not found:
                yield SelectedItem(side=name, id="", by=words)
        yield from (SelectedItem(side=name, id=key, by=words) for key, words in by.items())
        groups = rule.all_sides[place].groups if rule.rule.at_most is None else ()
        for group in sorted(groups):
            yield SelectedItem(side=name, id=group, by=BY_GROUP, is_group=True)


def _side_names(rule: ResolvedRule) -> tuple[str, ...]:
    if rule.form is RuleForm.REQUIRES:
        return "when", "needs"
    if rule.form is RuleForm.AT_MOST:
        return ("set",)
    return tuple(str(number) for number in range(1, len(rule.package_sides) + 1))


def _selections(
    side: Side, classes: Mapping[str, Side], tenant: Tenant
) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the words of each selector of a side and of its classes, with what it selects."""
    for each in side.packages:
        yield _words(each), _found(each, tenant)
    for name in _reached(side, classes):
        for each in classes[name].packages:
            yield f"class {name}, {_words(each)}", _found(each, tenant)


def _reached(side: Side, classes: Mapping[str, Side]) -> list[str]:
    """Return the classes that a side leads to, each once."""
    found, waiting = dict[str, None](), list(side.classes)
    while waiting:
        name = waiting.pop(0)
        if name in classes and name not in found:
            found[name] = None
            waiting += classes[name].classes
    return list(found)


def _found(selector: PackageSelector, tenant: Tenant) -> frozenset[str]:
    return frozenset({str(selector.id)}) if selector.id else tenant.select(selector)


def _words(selector: PackageSelector) -> str:
    if selector.id:
        return BY_ID
    parts = (("catalog", selector.catalog), ("name", selector.name))
    return ", ".join(f"{what} {text}" for what, text in parts if text is not None)
