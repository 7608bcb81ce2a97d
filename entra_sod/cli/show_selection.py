"""What rules select beside what was reviewed: lines for people, values for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import Group, RenderableType

from entra_sod.cli.show import MAX_ROWS
from entra_sod.cli.terminal import line, shown
from entra_sod.core.names import visible
from entra_sod.domain.enforcement.guard import HeldReference
from entra_sod.domain.entra import ReferenceKind
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.services.rules.reviews import ReviewState


def states_lines(rules: RuleSet, states: Sequence[ReviewState]) -> RenderableType:
    """Each rule with what was reviewed of it and what has changed, a line each."""
    return Group(*(each for state in states for each in _state_lines(rules, state)))


def _state_lines(rules: RuleSet, state: ReviewState) -> Iterator[RenderableType]:
    yield line(f"rule {state.rule.id} ({state.rule.rule.mode}): {_reviewed(state)}", "bold")
    if state.damage:
        yield line(f"  {state.damage}", "red")
    changes = [*_changes(rules, state)]
    yield from (line(f"  {visible(each)}", "yellow") for each in changes[:MAX_ROWS])
    yield from _more(changes)
    yield from (line(f"  held: {visible(_held(rules, each))}") for each in state.held[:MAX_ROWS])
    yield from _more(state.held)


def _more(rows: Sequence[object]) -> Iterator[RenderableType]:
    if len(rows) > MAX_ROWS:
        yield line(f"  and {len(rows) - MAX_ROWS:,} more, see --format json", "dim")


def _reviewed(state: ReviewState) -> str:
    if state.stored is None:
        return "damaged" if state.damage else "not seen by any run yet, so nothing was reviewed"
    groups = {each for some in state.stored.selection.groups.values() for each in some}
    counts = f"{len(state.stored.selection.packages)} packages, {len(groups)} groups"
    more = "" if state.changes else "; nothing has changed"
    return f"{counts}, reviewed {state.stored_at} ({shown(state.stored_by)}){more}"


def _changes(rules: RuleSet, state: ReviewState) -> Iterator[str]:
    change = state.change
    if change is None:
        return
    yield from (f"joined: {rules.named(each)}" for each in sorted(change.joined))
    yield from (f"left: {rules.named(each)}" for each in sorted(change.left))
    for group, package in sorted(change.joined_groups.items()):
        yield f"joined: group {group}, which {rules.named(package)} grants"
    for group, package in sorted(change.left_groups.items()):
        yield f"left: group {group}, which {rules.named(package)} granted"


def _held(rules: RuleSet, held: HeldReference) -> str:
    reference = held.reference
    kept_away = (
        f"members of group {reference.target}"
        if reference.kind is ReferenceKind.GROUP
        else f"holders of {rules.named(reference.target)}"
    )
    what = "removal of a reference" if held.is_removal else "reference"
    return f"{what} on {rules.named(reference.on)}, {kept_away}"


def as_json(rules: RuleSet, states: Iterable[ReviewState]) -> list[Mapping[str, object]]:
    """The same for programs."""
    return [_view(rules, each) for each in states]


def _view(rules: RuleSet, state: ReviewState) -> Mapping[str, object]:
    stored, change = state.stored, state.change
    return {
        "rule": state.rule.id,
        "mode": state.rule.rule.mode,
        "reviewedAt": state.stored_at if stored else None,
        "reviewedBy": state.stored_by if stored else None,
        "damage": state.damage,
        "selection": stored.selection if stored else None,
        "joined": _named(rules, change.joined if change else ()),
        "left": _named(rules, change.left if change else ()),
        "joinedGroups": _granted(change.joined_groups if change else {}),
        "leftGroups": _granted(change.left_groups if change else {}),
        "held": state.held,
    }


def _named(rules: RuleSet, packages: Iterable[str]) -> list[Mapping[str, str]]:
    listed = rules.listed
    return [
        {"id": each, "name": listed[each].display_name if each in listed else ""}
        for each in sorted(packages)
    ]


def _granted(groups: Mapping[str, str]) -> list[Mapping[str, str]]:
    return [{"group": group, "accessPackage": each} for group, each in sorted(groups.items())]
