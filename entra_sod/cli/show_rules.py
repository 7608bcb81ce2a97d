"""What rules mean in a tenant today, as a list. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from entra_sod.cli.lists import PrintedList
from entra_sod.cli.operations.rules.selected import SelectedItem, selected_items
from entra_sod.core.names import visible
from entra_sod.domain.enforcement.reach import RuleEnforcement
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.results.coverage import Skipped
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.ruleset import PairConstraints

UNKNOWN = "unknown"
COLUMNS = (
    "rule",
    "title",
    "severity",
    "mode",
    "owner",
    "form",
    "enforcement",
    "why",
    "pairs",
    "people",
    "side",
    "package",
    "selected by",
    "holders",
    "id",
    "catalog",
)
_ON_TERMINAL = frozenset({"side", "package", "selected by", "holders", "id"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Holders:
    """Who holds access packages, as far as that is known.

    Attributes:
        source: where it is known from; empty if it is not.
        counts: how many subjects hold each package.
        subjects: which, where they were read one by one.
        at_least: packages of which there may be more holders.
    """

    source: str = ""
    counts: Mapping[str, int] | None = None
    subjects: Mapping[str, frozenset[str]] | None = None
    at_least: frozenset[str] = frozenset()

    def of_package(self, package: str) -> str:
        known = self.counts or {}
        more = "at least " if package in self.at_least else ""
        return f"{more}{known[package]}" if package in known else UNKNOWN

    def of_packages(self, packages: frozenset[str]) -> str:
        """Return how many subjects hold any of the packages; a sum counts some of them twice."""
        known = self.counts or {}
        if not packages or not packages <= known.keys():
            return UNKNOWN
        if self.subjects is None:
            total = sum(known[each] for each in packages)
            return f"at most {total}" if len(packages) > 1 else str(total)
        people = frozenset[str]().union(*(self.subjects[each] for each in packages))
        return f"{'at least ' if packages & self.at_least else ''}{len(people)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRule:
    """A rule with what it means today.

    Attributes:
        gaps: what is not known of it.
    """

    resolved: ResolvedRule
    items: Sequence[SelectedItem]
    pairs: int
    people: str
    enforcement: RuleEnforcement


def shown_rule(
    rule: ResolvedRule,
    listed: Mapping[str, AccessPackage],
    enforcement: RuleEnforcement,
    holders: Holders,
) -> ShownRule:
    """Work out what a rule selects, how many pairs it keeps apart, and how many people hold one."""
    return ShownRule(
        resolved=rule,
        items=[*selected_items(rule, listed)],
        pairs=len(PairConstraints([rule])),
        people=holders.of_packages(rule.packages),
        enforcement=enforcement,
    )


def rules_list(
    rules: Sequence[ShownRule],
    packages: Mapping[str, AccessPackage],
    holders: Holders,
    gaps: Sequence[Skipped],
    *,
    whole_ids: bool,
) -> PrintedList:
    """Make the list: a terminal shows each rule once, and what it selects below."""
    found = [(rule, item) for rule in rules for item in rule.items or [_NOTHING]]
    return PrintedList(
        key="rules",
        columns=COLUMNS,
        rows=[(*_rule_cells(rule), *_item_cells(each, packages, holders)) for rule, each in found],
        ids=frozenset({"id"}),
        below={"package": "id"},
        piped=frozenset(COLUMNS) - _ON_TERMINAL,
        heads=[_head(rule) for rule, _ in found],
        whole_ids=whole_ids,
        empty="there are no rules in force",
        not_read=gaps,
    )


_NOTHING = SelectedItem(side="", id="", by="")


def _rule_cells(shown: ShownRule) -> Sequence[str]:
    rule, reach = shown.resolved.rule, shown.enforcement
    return (
        rule.id,
        rule.title,
        rule.severity,
        rule.mode,
        rule.owner,
        rule.form,
        reach.reach,
        reach.why,
        str(shown.pairs),
        shown.people,
    )


def _item_cells(
    item: SelectedItem, packages: Mapping[str, AccessPackage], holders: Holders
) -> Sequence[str]:
    known = packages.get(item.id)
    name = (known.display_name if known else "") or "(name not known)"
    if not item.id:
        name = "(selects nothing)"
    is_package = bool(item.id) and not item.is_group
    return (
        item.side,
        "members of a group" if item.is_group else name,
        item.by,
        holders.of_package(item.id) if is_package else "",
        item.id,
        known.catalog_name if known else "",
    )


def _head(shown: ShownRule) -> Sequence[str]:
    rule, reach = shown.resolved.rule, shown.enforcement
    pairs = f"{shown.pairs:,} pair{'' if shown.pairs == 1 else 's'}"
    parts = (
        f"{rule.id}: {rule.title}",
        f"severity {rule.severity}, mode {rule.mode}, owner {rule.owner}",
        f"{reach.reach}: {reach.why}" if reach.why else str(reach.reach),
        f"{pairs} kept apart, people who hold a package: {shown.people}",
    )
    first, *others = map(visible, parts)
    return first, *(f"\n{each}" for each in others)


def rules_values(
    rules: Sequence[ShownRule], packages: Mapping[str, AccessPackage], holders: Holders
) -> Iterator[Mapping[str, object]]:
    """The same for programs."""
    for each in rules:
        rule = each.resolved.rule
        yield {
            "id": rule.id,
            "title": rule.title,
            "severity": rule.severity,
            "mode": rule.mode,
            "owner": rule.owner,
            "form": rule.form,
            "enforcement": each.enforcement.reach,
            "why": each.enforcement.why,
            "pairs": each.pairs,
            "people": each.people,
            "holdersFrom": holders.source or None,
            "selects": [_item_value(item, packages, holders) for item in each.items],
        }


def _item_value(
    item: SelectedItem, packages: Mapping[str, AccessPackage], holders: Holders
) -> Mapping[str, object]:
    known = packages.get(item.id)
    return {
        "side": item.side,
        "id": item.id or None,
        "kind": "group" if item.is_group else "package",
        "name": known.display_name if known else None,
        "catalog": known.catalog_name if known else None,
        "selectedBy": item.by,
        "holders": (holders.counts or {}).get(item.id),
    }
