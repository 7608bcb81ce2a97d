"""Remembers what rules select, and what of it was approved."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress

from entra_sod.core.errors import StorageUnavailable
from entra_sod.core.parallel import in_parallel
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.selection import RuleSelection, next_selection, selection_of
from entra_sod.ports.storage import Row
from entra_sod.stores.selections import DamagedSelection, SelectionStore, StoredSelection

MAX_ATTEMPTS = 20  # to store a selection: other runs may store it in between


class SelectionMemory:
    """What rules selected when that was reviewed.

    Args:
        store: of selections.
    """

    def __init__(self, store: SelectionStore) -> None:
        self._store = store

    async def review(
        self,
        rules: Collection[ResolvedRule],
        packages: Mapping[str, AccessPackage],
        *,
        by: str,
        gone: Collection[str] = (),
        is_sweep: bool = False,
    ) -> Mapping[str, RuleSelection]:
        """Return what was reviewed of each rule; what is met first counts as reviewed, and is kept.

        Args:
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

        for _ in range(MAX_ATTEMPTS):
            known = await self._store.read(rules)
            # In a thread: rules may have thousands of packages, and others wait for the loop.
            found = await asyncio.to_thread(following, known)
            if await self._keep(rules, known, found, by):
                return found
        raise StorageUnavailable("other runs change what is remembered of rules without a pause")

    async def _keep(
        self,
        rules: Collection[ResolvedRule],
        known: Mapping[str, StoredSelection],
        found: Mapping[str, RuleSelection],
        by: str,
    ) -> bool:
        """Store what is new; False if another run has stored some of it meanwhile."""

        async def keep(rule: ResolvedRule) -> bool:
            before, selection = known.get(rule.id), found[rule.id]
            if before is None:
                return await self._store.keep(rule, selection, None, by=by)
            if before.selection == selection:
                return True
            return await self._store.keep(rule, selection, before.row, by=None)

        return all(await in_parallel(keep, rules))

    async def approve(
        self,
        rules: Collection[ResolvedRule],
        packages: Mapping[str, AccessPackage],
        *,
        by: str,
    ) -> None:
        """Remember what rules select now as reviewed.

        Args:
            rules: to be approved, with the packages that they keep.
            packages: that were read, with the groups that they grant; of others nothing changes.
            by: who approves.

        Raises:
            StorageUnavailable: it cannot be stored; come again.
        """
        for _ in range(MAX_ATTEMPTS):
            rows = await self._store.rows(rules)

            async def keep(rule: ResolvedRule, rows: Mapping[str, Row] = rows) -> bool:
                row, selection = rows.get(rule.id), selection_of(rule, packages)
                with suppress(DamagedSelection):
                    known = await self._store.stored(rule, row) if row else None
                    selection = selection.with_read(known.selection.groups) if known else selection
                return await self._store.keep(rule, selection, row, by=by)

            if all(await in_parallel(keep, rules)):
                return
        raise StorageUnavailable("other runs change what is remembered of rules without a pause")
