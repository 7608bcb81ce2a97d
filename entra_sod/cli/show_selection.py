"""What rules select beside what was reviewed: a list for people, values for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from entra_sod.cli.lists import PrintedList
from entra_sod.cli.terminal import shown
from entra_sod.domain.enforcement.guard import HeldReference
from entra_sod.domain.entra import ReferenceKind
from entra_sod.domain.results.coverage import Skipped
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.text import counted
from entra_sod.services.rules.reviews import ReviewState

COLUMNS = ("rule", "mode", "reviewed", "change", "what")


def selection_list(
    rules: RuleSet, states: Sequence[ReviewState], gaps: Sequence[Skipped] = ()
) -> PrintedList:
    """Each rule with what was reviewed of it, and a row for each change and held reference."""
    rows = [(state, *row) for state in states for row in _rows(rules, state)]
    return PrintedList(
        key="rules",
        columns=COLUMNS,
        rows=[
            (state.rule.id, state.rule.rule.mode, _reviewed(state), change, what)
            for state, change, what in rows
        ],
        ids=frozenset(),
        piped=frozenset(COLUMNS[:3]),
        heads=[
            (f"rule {state.rule.id} ({state.rule.rule.mode})", _reviewed(state))
            for state, *_ in rows
        ],
        styles={"damaged": "red", "joined": "yellow", "left": "yellow"},
        empty="there are no rules in force",
        not_read=gaps,
    )


def _rows(rules: RuleSet, state: ReviewState) -> Iterator[tuple[str, str]]:
    """Yield what has changed of a rule; one row if nothing has."""
    found = [*_damage(state), *_changes(rules, state)]
    found += [("held", _held(rules, each)) for each in state.held]
    yield from found or [("none", "nothing has changed")]


def _damage(state: ReviewState) -> Iterator[tuple[str, str]]:
    if state.damage:
        yield "damaged", state.damage


def _reviewed(state: ReviewState) -> str:
    if state.stored is None:
        return "damaged" if state.damage else "not seen by any run yet, so nothing was reviewed"
    groups = {each for some in state.stored.selection.groups.values() for each in some}
    packages = counted(len(state.stored.selection.packages), "package")
    counts = f"{packages}, {counted(len(groups), 'group')}"
    return f"{counts}, reviewed {state.stored_at} ({shown(state.stored_by)})"


def _changes(rules: RuleSet, state: ReviewState) -> Iterator[tuple[str, str]]:
    change = state.change
    if change is None:
        return
    yield from (("joined", rules.named(each)) for each in sorted(change.joined))
    yield from (("left", rules.named(each)) for each in sorted(change.left))
    for group, package in sorted(change.joined_groups.items()):
        yield "joined", f"group {group}, which {rules.named(package)} grants"
    for group, package in sorted(change.left_groups.items()):
        yield "left", f"group {group}, which {rules.named(package)} granted"


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
