"""Plans a sweep that was asked for, keeps the plan, and sends a message for each part of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec

from entra_sod.domain.detection.cost import Strategy
from entra_sod.domain.enforcement.result import Enforcement
from entra_sod.domain.messages import SweepMessage, SweepStartMessage
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.sweeps.parts import (
    Part,
    PlanningInput,
    SweepPlan,
    first_listed,
    plan_sweep,
)
from entra_sod.ports.graph import Graph
from entra_sod.services.detection.detect import may_ask
from entra_sod.services.sweeps.summary import last_summary
from entra_sod.stores.ledger import Ledger
from entra_sod.stores.outbox import Outbox
from entra_sod.stores.sweeps import SweepRecord, SweepStore


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPlanner:
    graph: Graph
    store: SweepStore
    outbox: Outbox
    ledger: Ledger
    enforcement: Enforcement

    async def plan(
        self, record: SweepRecord, rules: RuleSet, listed: Collection[str]
    ) -> SweepRecord:
        """Plan a sweep, unless another worker has done so; return its row with the plan.

        If the plan would read pair by pair, one pair is tried first. If Graph refuses it, the plan
        lists whole packages: otherwise every part would meet the same refusal.
        """
        known = await self._planning_input(listed)
        plan = plan_sweep(rules, known)
        pair = first_listed(plan, listed) if plan.strategy is Strategy.PAIRS else None
        if pair is not None and not await may_ask(self.graph, pair):
            plan = plan_sweep(rules, replace(known, may_ask=False))
        await self.store.store_plan(record, plan)
        return await self.store.get(record.id) or record

    async def send_open_parts(self, record: SweepRecord, *, traceparent: str) -> None:
        """Send the parts that are not done of a sweep that is planned."""
        # The first worker has stored the plan, and all workers read that one.
        numbers = range(len((await self.store.plan(record)).parts))
        done = {part.number for part in await self.store.parts_done(record.id)}
        await self._send(record.id, [each for each in numbers if each not in done], traceparent)

    async def send_to_close(self, of: SweepMessage | SweepStartMessage, part: int) -> None:
        """Send a message that closes a sweep if all its parts are done; it has tries of its own."""
        await self.outbox.send(
            SweepMessage(id=of.id, traceparent=of.traceparent, part=part, closes=True)
        )

    async def extend(
        self, record: SweepRecord, plan: SweepPlan, more: Sequence[Part], traceparent: str
    ) -> None:
        """Add parts to a sweep whose parts are all done.

        The messages come first. If the worker crashes before the plan has the new parts, the sweep
        is not closed yet, and the next worker adds the same parts again. In the other order, no
        worker could detect that the messages were never sent.
        """
        parts = [*plan.parts, *more]
        await self._send(record.id, range(len(plan.parts), len(parts)), traceparent)
        await self.store.store_plan(record, msgspec.structs.replace(plan, parts=parts))

    async def _planning_input(self, listed: Collection[str]) -> PlanningInput:
        last = await last_summary(self.store)
        reads_references = self.enforcement is not Enforcement.OFF
        ours = {each async for entry in self.ledger.entries() for each in entry.reference.packages}
        return PlanningInput(
            listed=listed,
            pages=last.counted if last else {},
            own_references=ours,
            reads_references=reads_references,
            toxic=last.toxic if last else (),
        )

    async def _send(self, sweep_id: str, parts: Iterable[int], traceparent: str) -> None:
        for part in parts:
            message = SweepMessage(id=sweep_id, traceparent=traceparent, part=part)
            await self.outbox.send(message)
