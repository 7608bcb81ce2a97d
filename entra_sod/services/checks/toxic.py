"""Packages that meet a rule by themselves, as far as a check has read what they grant. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.results.coverage import Coverage
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.toxic import ToxicPackages, by_package, find_toxic


def note_toxic(
    rules: Collection[ResolvedRule], packages: Mapping[str, AccessPackage], notes: Coverage
) -> ToxicPackages:
    """Find packages that meet a rule by themselves, and note them: a check leaves their holders.

    Args:
        rules: that the check is about.
        packages: that were read, with what they grant; no other one is looked at.
        notes: what the check says that it did not look at.
    """
    found = by_package(find_toxic(rules, packages, only=packages.keys()))
    for toxic in found.values():
        for each in toxic:
            why = f"a check looks for holders of several packages, a sweep for these: {each.why}"
            notes.skip(f"who holds {each.what}", why)
    return found
