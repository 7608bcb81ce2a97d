"""`entra-sod plan` and `drift`: preview what would be written, and see what has moved."""

from __future__ import annotations

import gc
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import msgspec
from rich.console import Console

from entra_sod.cli.lists import ListFormat, print_list
from entra_sod.cli.operations.plan_document import (
    PlanDocument,
    compile_references,
    half_seen,
    in_view,
    not_read,
)
from entra_sod.cli.operations.plan_review import PlanSource
from entra_sod.cli.operations.tenant_state import TenantState
from entra_sod.cli.plan_comment import plan_markdown
from entra_sod.cli.progress import counting
from entra_sod.cli.session import Session
from entra_sod.cli.show import drift_list, plan_csv, plan_table
from entra_sod.cli.state import find_unfit_groups, read_state, with_members, with_protected
from entra_sod.core.clock import timestamp
from entra_sod.domain.enforcement.drift import Drift, find_drift
from entra_sod.domain.enforcement.uncertainty import is_certain
from entra_sod.domain.entra import Reference
from entra_sod.domain.results.coverage import Skipped
from entra_sod.services.enforcement.count_subjects import CountedGroups, count_members
from entra_sod.services.rules.alike import GrantsOfGraph, read_alike
from entra_sod.services.rules.reviews import read_reviewed

_COLLECT_AFTER = 100_000


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


async def make(
    session: Session, folder: Path, console: Console, *, counted: Collection[Reference] = ()
) -> tuple[PlanDocument, PlanSource]:
    """Plan everything that the rules of a folder ask for; reads only.

    Args:
        session: to read with.
        folder: of the rules.
        console: for progress.
        counted: references of a plan of before, so that the members of their groups are counted.
    """
    # Hundreds of thousands of assignments pass, none of which is garbage that refers to itself:
    # looking for such garbage every 2,000 objects takes a quarter of the time.
    gc.set_threshold(_COLLECT_AFTER)
    rules, own = await session.rules(folder), await session.ours()
    ours = own.written
    prunable = ours if session.settings.prune else {}
    packages = in_view(rules, prunable)
    with counting("reading the tenant", len(packages)) as advance:
        state = await read_state(session.graph, packages, with_holders=True, advance=advance)
    state = (await with_protected(session.graph, rules, state)).with_gaps(own.gaps)
    made_at = timestamp(session.clock.now())
    source = PlanSource(
        rules=rules,
        state=state,
        ours=ours,
        prunable=prunable,
        selections=await read_reviewed(session.selections, rules.rules, state.packages),
    )
    made = source.plan(made_at)
    targets = [each.reference for each in made.additions]
    if unfit := await find_unfit_groups(session.graph, targets):
        source = replace(source, state=state.without(unfit))
        made = source.plan(made_at)
    if made.writes <= session.settings.max_reference_writes:
        targets = [*(each.reference for each in made.additions), *counted]
        counted_state = await with_members(session.graph, source.state, targets, console)
        source = replace(source, state=counted_state)
        made = source.plan(made_at)
    unread = state.unread_of(packages) | state.gone
    grants = GrantsOfGraph(session.graph)
    alike = await read_alike(grants, rules, source.state.granting, unread=unread)
    return msgspec.structs.replace(
        made,
        alike=tuple(alike.notes),
        toxic=tuple(alike.toxic_notes),
        rules_folder=folder.as_posix(),
    ), source


def show(
    plan: PlanDocument, how: Format, console: Console, *, saved_to: Path | None = None
) -> None:
    """Print a plan; what has no room in a comment is in the file that it is saved to."""
    if how is Format.JSON:
        console.file.write(msgspec.json.format(msgspec.json.encode(plan)).decode() + "\n")
    elif how is Format.CSV:
        console.file.write(plan_csv(plan))
    elif how is Format.MARKDOWN:
        console.file.write(plan_markdown(plan, saved_to=saved_to))
    else:
        console.print(plan_table(plan))


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftResult:
    """Drift, and what it was found in.

    Attributes:
        groups: that references of ours name, as far as they could be looked up.
        not_read: what could not be looked at, and why: what it would show is not in `found`.
    """

    found: Sequence[Drift]
    state: TenantState
    groups: CountedGroups
    not_read: Sequence[Skipped]


async def drift(session: Session, folder: Path) -> DriftResult:
    """Compare rules, tenant and ledger; reads only."""
    rules, own = await session.rules(folder), await session.ours()
    ours, packages = own.written, in_view(rules, own.written)
    with counting("reading the tenant", len(packages)) as advance:
        read = await read_state(session.graph, packages, with_holders=False, advance=advance)
    state = read.with_gaps(own.gaps)
    groups = await count_members(session.graph, ours)
    found = find_drift(
        compile_references(rules, state.packages),
        state.present,
        ours,
        is_one_way=state.is_one_way,
        gone=state.gone | groups.gone,
    )
    unread = state.unread_of(packages)
    halves = half_seen(rules, unread)
    sure = [each for each in found if is_certain(each, halves, unread)]
    gaps = not_read(rules, packages, state)
    return DriftResult(found=sure, state=state, groups=groups, not_read=gaps)


def show_drift(compared: DriftResult, how: ListFormat) -> None:
    names = {key: each.display_name for key, each in compared.state.packages.items()}
    print_list(drift_list(compared.found, names, compared.not_read), how, compared.found)
