"""Remembers what rules select, as runs meet it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

from entra_sod.core.errors import StorageUnavailable
from entra_sod.core.parallel import in_parallel
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.selection import RuleSelection, next_selection
from entra_sod.stores.selections import SelectionStore, StoredSelection

MAX_ATTEMPTS = 20  # to store a selection: other runs may store it in between


async def review_selections(
    store: SelectionStore | None,
    rules: Collection[ResolvedRule],
    packages: Mapping[str, AccessPackage],
    *,
    by: str,
    gone: Collection[str] = (),
    is_sweep: bool = False,
) -> Mapping[str, RuleSelection]:
    """Return what was reviewed of each rule; what is met first counts as reviewed, and is stored.

    Args:
        store: of selections; without one nothing is remembered.
        rules: to be looked at.
        packages: that were read, with the groups that they grant.
        by: what meets a rule for the first time, for people.
        gone: packages that Graph says do not exist.
        is_sweep: whether a sweep asks, which has read every package.

    Raises:
        StorageUnavailable: what was reviewed cannot be read, or is damaged.
    """

    def following(known: Mapping[str, StoredSelection]) -> Mapping[str, RuleSelection]:
        before = {key: each.selection for key, each in known.items()}
        return {
            rule.id: next_selection(
                before.get(rule.id), rule, packages, gone=gone, is_sweep=is_sweep
            )
            for rule in rules
        }

    if store is None:
        return {}
    for _ in range(MAX_ATTEMPTS):
        known = await store.read(rules)
        # In a thread: rules may have thousands of packages, and others wait for the loop.
        found = await asyncio.to_thread(following, known)
        first = ((rule, found[rule.id], None, by) for rule in rules if rule.id not in known)
        changed = (
            (rule, found[rule.id], known[rule.id].row, None)
            for rule in rules
            if rule.id in known and known[rule.id].selection != found[rule.id]
        )
        if all(await in_parallel(lambda each: store.keep(*each), (*first, *changed))):
            return found
    raise StorageUnavailable("other runs change what is remembered of rules without a pause")
