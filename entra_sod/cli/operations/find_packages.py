"""Finds access packages by what people know of them: a part of the name, a pattern, an id. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.text import TextPattern, fold, fold_for_patterns

_BEGINNING_OF_ID = re.compile(r"[0-9a-f]{8}[0-9a-f-]*")


def find_packages(
    packages: Iterable[AccessPackage], search: str, catalog: str
) -> Sequence[AccessPackage]:
    """Return the packages that fit, in the order of catalog, name and id.

    Args:
        packages: to look among.
        search: a pattern of the name as rules have it; without `*` and `?` any part of the name.
            The first eight characters of an id, or more, find the id.
        catalog: a pattern of the name of the catalog; empty for every catalog.
    """
    is_wanted, is_in = _named(search), TextPattern(catalog.strip() or "*")
    found = [
        each
        for each in packages
        if is_in.fits(fold_for_patterns(each.catalog_name)) and is_wanted(each)
    ]
    return sorted(
        found, key=lambda each: (fold(each.catalog_name), fold(each.display_name), each.id)
    )


def _named(search: str) -> Callable[[AccessPackage], bool]:
    text = search.strip()
    is_pattern = "*" in text or "?" in text
    pattern = TextPattern(text if is_pattern else f"*{text}*")
    id_part = text.lower() if _BEGINNING_OF_ID.fullmatch(text.lower()) else None
    return lambda each: (
        pattern.fits(fold_for_patterns(each.display_name))
        or (id_part is not None and each.id.startswith(id_part))
    )


def rules_naming(rules: RuleSet | None) -> Mapping[str, Sequence[str]]:
    """Return the ids of the rules that name each package, in order."""
    found: dict[str, list[str]] = {}
    for rule in rules.rules if rules else ():
        for package in rule.packages:
            found.setdefault(package, []).append(rule.id)
    return found
