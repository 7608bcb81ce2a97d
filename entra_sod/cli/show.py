"""Plans and drift for people, as tables on a terminal. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from entra_sod.cli.lists import AsList, PrintedList
from entra_sod.cli.operations.plan_additions import Addition
from entra_sod.cli.operations.plan_document import PlanDocument
from entra_sod.cli.operations.plan_figures import RuleFigures
from entra_sod.cli.terminal import MAX_ROWS, line, shown
from entra_sod.domain.enforcement.drift import Drift
from entra_sod.domain.enforcement.guard import HeldReference
from entra_sod.domain.enforcement.reach import EnforcementReach, RuleEnforcement
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.findings.views import csv_table
from entra_sod.domain.results.coverage import Skipped

type Names = Mapping[str, str]
type NameFormat = Callable[[str, Names], str]


def _on_terminal(package: str, names: Names) -> str:
    return shown(names.get(package) or package)


def plan_table(plan: PlanDocument) -> RenderableType:
    """What a plan says, for a terminal; of long lists the first rows."""
    parts: list[RenderableType] = [line(headline(plan), style="bold")]
    if plan.writes:
        parts += [_section("By rule"), AsList(_figures_list(plan))]
    if plan.additions:
        parts += [_section("To add", "green"), AsList(_additions_list(plan))]
    lists = (
        ("To remove", "red", plan.removals),
        ("Made by others", "", plan.left_alone),
        ("Ours, and kept", "", plan.kept),
    )
    for title, style, references in lists:
        if references:
            found = _references_list(references, plan.packages)
            parts += [_section(title, style), AsList(found)]
    parts += [Text()]
    parts += [_held_line(each, plan.packages) for each in plan.held[:MAX_ROWS]]
    parts += [*_more(range(plan.count("held")))]
    reaches = plan.enforcement
    parts += [line(reach_text(each), _REACH_STYLES[each.reach]) for each in reaches[:MAX_ROWS]]
    parts += [*_more(range(plan.count("enforcement")))]
    parts += [
        line(f"not enforceable: {gap.what}: {gap.why}", "yellow") for gap in other_limits(plan)
    ]
    parts += [
        line(f"not in the rules: {gap.what}: {gap.why}", "yellow") for gap in plan.alike[:MAX_ROWS]
    ]
    parts += [*_more(range(plan.count("alike"))), *map(_toxic_line, plan.toxic[:MAX_ROWS])]
    parts += [*_more(range(plan.count("toxic")))]
    return Group(*parts, gaps_lines(plan.not_read))


def _toxic_line(found: Skipped) -> RenderableType:
    return line(f"toxic: {found.what}: {found.why}", "red")


def gaps_lines(gaps: Sequence[Skipped]) -> RenderableType:
    """What could not be looked at, a line each."""
    shown_gaps = [line(f"not known: {gap.what}: {gap.why}", "yellow") for gap in gaps[:MAX_ROWS]]
    return Group(*shown_gaps, *_more(gaps))


def _more(rows: Sequence[object]) -> Iterator[RenderableType]:
    if len(rows) > MAX_ROWS:
        yield line(f"and {len(rows) - MAX_ROWS:,} more, see --format json", "dim")


def headline(plan: PlanDocument) -> str:
    """Count the references and the rules. Rules that a file leaves out do not count as enforced."""
    in_full = sum(each.reach is EnforcementReach.ENFORCED for each in plan.enforcement)
    return (
        f"References: {plan.figures.additions} to add, {plan.figures.removals} to remove, "
        f"{plan.count('held')} held, {plan.count('unchanged')} unchanged, "
        f"{plan.count('left_alone')} made by others and left alone, "
        f"{plan.count('kept')} ours and kept. "
        f"Rules that Entra enforces in full: {in_full} of {plan.count('enforcement')}. "
        f"Not known, because it could not be read: {plan.count('not_read')}."
    )


_REACH_STYLES = {
    EnforcementReach.ENFORCED: "green",
    EnforcementReach.IN_PART: "yellow",
    EnforcementReach.FOUND_ONLY: "yellow",
}


def reach_text(each: RuleEnforcement) -> str:
    """Say how far Entra enforces a rule, and why no further."""
    return f"rule {each.rule}: {each.reach}" + (f": {each.why}" if each.why else "")


def other_limits(plan: PlanDocument) -> Sequence[Skipped]:
    """What cannot be enforced beside the rules that are named as found only."""
    told = {f"rule {each.rule}" for each in plan.enforcement[:MAX_ROWS] if each.why}
    return [each for each in plan.not_enforceable if each.what.partition(": ")[0] not in told]


def plan_csv(plan: PlanDocument) -> str:
    """Every reference of a plan, and what becomes of it, as a table for a spreadsheet."""
    added = [
        ("add", *_reference_row(each.reference, plan.packages), *addition_cells(each, {})[2:])
        for each in plan.additions
    ]
    others = [
        (what, *_reference_row(each, plan.packages), "", "", "")
        for what, references in (
            ("remove", plan.removals),
            ("made by others", plan.left_alone),
            ("ours, and kept", plan.kept),
            ("held", [each.reference for each in plan.held]),
        )
        for each in references
    ]
    head = ("action", *_REFERENCE_HEAD, "rules", *_COUNTS)
    return csv_table(head, [*added, *others]).decode()


def drift_list(found: Sequence[Drift], names: Names, gaps: Sequence[Skipped] = ()) -> PrintedList:
    return PrintedList(
        key="drift",
        columns=("kind", *_REFERENCE_HEAD),
        rows=[(each.kind, *_reference_row(each.reference, names)) for each in found],
        ids=_REFERENCE_IDS,
        below=_REFERENCE_BELOW,
        empty="" if gaps else "no drift",
        not_read=gaps,
    )


FIGURES_HEAD = (
    "rule",
    "selects",
    "to add",
    "to remove",
    "cannot get it",
    "cannot renew it",
    "in conflict",
)


def touched_rules(plan: PlanDocument) -> Sequence[RuleFigures]:
    """The rules for which a plan writes, the one that touches most subjects first."""
    touched = [each for each in plan.by_rule if each.additions or each.removals]
    return sorted(
        touched, key=lambda each: (-each.kept_from_renewing, -each.kept_from_getting, each.rule)
    )


def _section(title: str, style: str = "") -> RenderableType:
    return Group(Text(), line(title, f"bold {style}".strip()))


def _figures_list(plan: PlanDocument) -> PrintedList:
    rows = [figures_cells(each, plan.packages) for each in touched_rules(plan)]
    return PrintedList(
        key="rules",
        columns=FIGURES_HEAD,
        rows=rows,
        numbers=frozenset(FIGURES_HEAD[2:]),
        below={"rule": "selects"},
    )


def figures_cells(
    each: RuleFigures, names: Names, show: NameFormat = _on_terminal
) -> tuple[str, ...]:
    """Return the cells of `FIGURES_HEAD` for a rule."""
    at_least = "≥ " if each.unknown else ""
    more = each.packages - len(each.selected)
    selected = [*(show(one, names) for one in each.selected), *([f"{more} more"] if more else [])]
    return (
        each.rule,
        ", ".join(selected) or "no longer in force",
        str(each.additions),
        str(each.removals),
        f"{at_least}{each.kept_from_getting}",
        f"{at_least}{each.kept_from_renewing}",
        f"{at_least}{each.in_conflict}",
    )


def _held_line(each: HeldReference, names: Names) -> RenderableType:
    return line(f"held: {held_text(each, names, _on_terminal)}: {each.why}", "yellow")


def held_text(each: HeldReference, names: Names, show: NameFormat) -> str:
    on, away = reference_cells(each.reference, names, show)
    what = "to be removed" if each.is_removal else "to be added"
    return f"{what}: on {on}, {away}"


_REFERENCE_HEAD = ("on package", "kept away", "on id", "kept away id")
_REFERENCE_IDS = frozenset(_REFERENCE_HEAD[2:])
_REFERENCE_BELOW = {"on package": "on id", "kept away": "kept away id"}
_COUNTS = ("cannot get it", "cannot renew it")


def _additions_list(plan: PlanDocument) -> PrintedList:
    return PrintedList(
        key="additions",
        columns=(*_REFERENCE_HEAD, "rules", *_COUNTS),
        rows=[
            (
                *_reference_row(each.reference, plan.packages),
                *addition_cells(each, plan.packages)[2:],
            )
            for each in plan.additions
        ],
        ids=_REFERENCE_IDS,
        below=_REFERENCE_BELOW,
        numbers=frozenset(_COUNTS),
    )


def _references_list(references: Sequence[Reference], names: Names) -> PrintedList:
    return PrintedList(
        key="references",
        columns=_REFERENCE_HEAD,
        rows=[_reference_row(each, names) for each in references],
        ids=_REFERENCE_IDS,
        below=_REFERENCE_BELOW,
    )


def _reference_row(reference: Reference, names: Names) -> tuple[str, ...]:
    """Names where they are known, and the ids of both ends."""
    on, away = names.get(reference.on, ""), names.get(reference.target, "")
    what = "members of a group" if reference.kind is ReferenceKind.GROUP else f"holders of {away}"
    if not away and reference.kind is not ReferenceKind.GROUP:
        what = "holders of a package"
    return shown(on or "(name not known)"), shown(what), reference.on, reference.target


def addition_cells(
    each: Addition, names: Names, show: NameFormat = _on_terminal
) -> tuple[str, ...]:
    at_least = "" if each.is_whole else "≥ "
    return (
        *reference_cells(each.reference, names, show),
        ", ".join(each.rules),
        f"{at_least}{each.kept_from_getting}",
        f"{at_least}{each.kept_from_renewing}",
    )


def reference_cells(
    reference: Reference, names: Names, show: NameFormat = _on_terminal
) -> tuple[str, str]:
    on = show(reference.on, names)
    if reference.kind is ReferenceKind.GROUP:
        return on, f"members of group {reference.target}"
    return on, f"holders of {show(reference.target, names)}"
