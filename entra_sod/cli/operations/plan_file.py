"""A plan as a file: bounded, bound to its own figures by a digest, and read with suspicion."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from entra_sod.cli.operations.plan_additions import Addition
from entra_sod.cli.operations.plan_document import MoreReferences, PlanDocument
from entra_sod.cli.operations.plan_figures import PlanFigures, sum_figures
from entra_sod.cli.operations.tenant_state import content_hash
from entra_sod.core.errors import SodError
from entra_sod.domain.entra import Reference

# A plan of 10,000 pairs has 40,000 references. What is listed in full is what people look at.
MAX_LISTED = 2_000
MAX_NOTES = 1_000  # entries of each list that is only told
MAX_SUBJECTS_NAMED = 10_000
MAX_NAME_LENGTH = 120
MAX_BYTES = 50 * 2**20  # that are read; a plan that is longer ends too early
MAX_INDENTED_BYTES = 2**20  # for people; a longer file is for programs
_NOTES = (
    "unchanged",
    "left_alone",
    "kept",
    "not_enforceable",
    "not_read",
    "alike",
    "toxic",
    "held",
    "enforcement",
)


class PlanRefused(SodError):
    """A plan that is not carried out; nothing was written."""


def save_plan(plan: PlanDocument, path: Path) -> None:
    """Write what `load_plan` reads."""
    bounded = _bounded(plan)
    bound = msgspec.structs.replace(bounded, digest=content_hash(bounded))
    data = msgspec.json.encode(bound)
    path.write_bytes(
        (msgspec.json.format(data) if len(data) <= MAX_INDENTED_BYTES else data) + b"\n"
    )


def load_plan(path: Path) -> PlanDocument:
    """Read a plan that `save_plan` wrote.

    Raises:
        PlanRefused: it is not one, or was edited since.
    """
    plan = _decode(path)
    unbound = msgspec.structs.replace(plan, digest="")
    if not plan.digest:
        raise PlanRefused(f"{path} has no digest. Keep a plan for apply with entra-sod plan --out.")
    if plan.digest != content_hash(unbound) or not _has_own_figures(plan):
        raise PlanRefused(
            f"{path} was edited after it was made: its figures are not its own. "
            "Make and review a new plan with entra-sod plan --out."
        )
    return plan


def _decode(path: Path) -> PlanDocument:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        plan = msgspec.json.decode(data, type=PlanDocument)
        _ = plan.made_at_moment
    except (OSError, ValueError, msgspec.DecodeError, RecursionError) as error:
        raise PlanRefused(
            f"{path} is no plan of this version: {error}. "
            "Make and review a new one with entra-sod plan --out."
        ) from error
    return plan


def _has_own_figures(plan: PlanDocument) -> bool:
    """Whether the figures are those of the references. What is not listed has none to compare."""
    figures = sum_figures(plan.additions, len(plan.removals))
    if plan.more_additions or plan.more_removals or plan.left_out:
        return _is_within(figures, plan.figures)
    return figures == plan.figures


def _is_within(some: PlanFigures, whole: PlanFigures) -> bool:
    return all(
        getattr(some, name) <= getattr(whole, name) for name in PlanFigures.__struct_fields__
    )


def _bounded(plan: PlanDocument) -> PlanDocument:
    """The same with all references, and of everything else no more than a file is to have."""
    listed, more = plan.additions[:MAX_LISTED], plan.additions[MAX_LISTED:]
    cut = {name: getattr(plan, name)[:MAX_NOTES] for name in _NOTES}
    named = _with_some_subjects(listed)
    left_out = {name: len(getattr(plan, name)) - len(cut[name]) for name in _NOTES}
    left_out["in_conflict"] = _subjects(plan.additions) - _subjects(named)
    changes: dict[str, Any] = {
        **cut,
        "additions": named,
        "more_additions": _shortly(each.reference for each in more),
        "removals": plan.removals[:MAX_LISTED],
        "more_removals": _shortly(plan.removals[MAX_LISTED:]),
        "left_out": {name: number for name, number in left_out.items() if number},
        "packages": {key: name[:MAX_NAME_LENGTH] for key, name in plan.packages.items()},
    }
    return msgspec.structs.replace(plan, **changes)


def _with_some_subjects(additions: Sequence[Addition]) -> tuple[Addition, ...]:
    left, found = MAX_SUBJECTS_NAMED, list[Addition]()
    for each in additions:
        some = tuple(islice(each.in_conflict, left))
        left -= len(some)
        found.append(msgspec.structs.replace(each, in_conflict=some))
    return tuple(found)


def _subjects(additions: Iterable[Addition]) -> int:
    return sum(len(each.in_conflict) for each in additions)


def _shortly(references: Iterable[Reference]) -> MoreReferences:
    more: MoreReferences = {}
    for each in references:
        more.setdefault(each.on, {}).setdefault(each.kind, []).append(each.target)
    return more
