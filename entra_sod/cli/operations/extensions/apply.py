"""Carries a hook plan out: one policy at a time, each read before and after it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import msgspec

from entra_sod.cli.operations.extensions.model import Extension, HookRefused, Policy
from entra_sod.cli.operations.extensions.plan import ExtensionPlan, attached, detached
from entra_sod.cli.operations.extensions.port import Extensions
from entra_sod.core.errors import Forbidden, GraphError, NotYetConsistent, Unavailable
from entra_sod.domain.text import fold

NEEDS_OWNER = (
    "Extensions are made and deleted by an owner of the catalog who may also write the Logic App, "
    "or with EntitlementManagement.ReadWrite.All: run it as such a person, with "
    "GRAPH_CREDENTIAL=default"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionFailure:
    """A policy, or the extension, that is not as the plan wants it, and why."""

    what: str
    why: str


@dataclass(slots=True)
class ExtensionOutcome:
    """What became of a plan.

    Attributes:
        written: policies that Graph shows as they were written.
        failed: nothing is lost by running the command again.
    """

    written: list[Policy] = field(default_factory=list)
    failed: list[ExtensionFailure] = field(default_factory=list)


async def apply(graph: Extensions, plan: ExtensionPlan) -> ExtensionOutcome:
    """Create, attach, detach, delete, in this order.

    Raises:
        HookRefused, GraphError, NotYetConsistent: the extension was not made; no policy was
            touched.
    """
    outcome = ExtensionOutcome()
    ours = await _created(graph, plan) if plan.create else plan.extension
    if ours is None:
        return outcome
    for policy in plan.attach:
        await _write(graph, policy, attached(policy, ours.id), outcome)
    for policy in plan.detach:
        await _write(graph, policy, detached(policy, ours.id), outcome)
    if plan.is_deleted and not outcome.failed:
        await _delete(graph, plan, ours, outcome)
    return outcome


async def _created(graph: Extensions, plan: ExtensionPlan) -> Extension:
    """Make the extension, and read it back for its id; a lost answer is settled by that, too."""
    lost: GraphError | None = None
    if plan.create:
        try:
            await graph.create(plan.catalog.id, plan.create)
        except Unavailable as error:
            lost = error
        except Forbidden as error:
            raise HookRefused(f"{error}. {NEEDS_OWNER}") from error
    found = await _ours(graph, plan)
    if len(found) == 1:
        return found[0]
    if lost and not found:
        raise lost
    raise NotYetConsistent(
        f"Graph shows {len(found)} extensions {plan.name} after one was made: look again later"
    )


async def _ours(graph: Extensions, plan: ExtensionPlan) -> Sequence[Extension]:
    wanted = fold(plan.name)
    listed = await graph.extensions(plan.catalog.id)
    return [each for each in listed if fold(each.display_name) == wanted]


async def _write(
    graph: Extensions, planned: Policy, wanted: Policy, outcome: ExtensionOutcome
) -> None:
    try:
        why = await _replaced(graph, planned, wanted)
    except GraphError as error:
        why = str(error)
    if why is None:
        outcome.written.append(wanted)
    else:
        outcome.failed.append(
            ExtensionFailure(what=f"policy {planned.display_name} ({planned.id})", why=why)
        )


async def _replaced(graph: Extensions, planned: Policy, wanted: Policy) -> str | None:
    """Write one policy; say why it is not as wanted, or None."""
    if not _alike(await graph.policy(planned.package_id, planned.id), planned):
        return "it has changed since the plan was made: nothing was written, run it again"
    lost = ""
    try:
        await graph.replace(wanted)
    except Unavailable as error:
        lost = f" ({error})"
    seen = await graph.policy(planned.package_id, planned.id)
    if _alike(seen, wanted):
        return None
    if _alike(seen, planned):
        return f"Graph does not show the change: look again later{lost}"
    parts = ", ".join(_differing(seen, wanted))
    return (
        f"Graph shows it otherwise than it was written, in {parts}: compare it in the portal{lost}"
    )


def _alike(one: Policy, other: Policy) -> bool:
    return one.rest == other.rest and _bodies(one) == _bodies(other)


def _bodies(policy: Policy) -> list[bytes]:
    return sorted(each.body for each in policy.settings)


def _differing(one: Policy, other: Policy) -> Sequence[str]:
    """The names of the properties in which two readings of a policy differ."""
    first, second = (
        msgspec.json.decode(each.rest, type=dict[str, object]) for each in (one, other)
    )
    missing = object()
    names = sorted(
        name
        for name in {*chain(first, second)}
        if first.get(name, missing) != second.get(name, missing)
    )
    return names if _bodies(one) == _bodies(other) else [*names, "customExtensionStageSettings"]


async def _delete(
    graph: Extensions, plan: ExtensionPlan, ours: Extension, outcome: ExtensionOutcome
) -> None:
    try:
        await graph.delete(plan.catalog.id, ours.id)
    except Unavailable as error:
        if await _ours(graph, plan):
            outcome.failed.append(ExtensionFailure(what=f"extension {plan.name}", why=str(error)))
    except Forbidden as error:
        why = f"{error}. {NEEDS_OWNER}"
        outcome.failed.append(ExtensionFailure(what=f"extension {plan.name}", why=why))
    except GraphError as error:
        outcome.failed.append(ExtensionFailure(what=f"extension {plan.name}", why=str(error)))
