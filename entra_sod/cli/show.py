"""Plans and drift for people: as tables on a terminal, as Markdown for a pull request. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table

from entra_sod.cli.operations.plan_additions import Addition
from entra_sod.cli.operations.plan_document import PlanDocument
from entra_sod.cli.operations.plan_figures import RuleFigures
from entra_sod.cli.terminal import in_markdown, line, shown
from entra_sod.domain.enforcement.drift import Drift
from entra_sod.domain.enforcement.guard import HeldReference
from entra_sod.domain.enforcement.reach import EnforcementReach, RuleEnforcement
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.results.coverage import Skipped

type Names = Mapping[str, str]
type NameFormat = Callable[[str, Names], str]

# A terminal's table measures every cell, which takes a millisecond a row; nobody reads so many.
MAX_ROWS = 200
MAX_GAP = 400  # characters
MAX_REACHES_IN_COMMENT = 30


def _on_terminal(package: str, names: Names) -> str:
    return shown(names.get(package) or package)


def _gap(gap: Skipped) -> str:
    return in_markdown(f"{gap.what}: {gap.why}", MAX_GAP)


def _in_markdown(package: str, names: Names) -> str:
    name = names.get(package)
    return f"{in_markdown(name)} (`{package}`)" if name else f"`{package}`"


def plan_table(plan: PlanDocument) -> RenderableType:
    """What a plan says, for a terminal; of long lists the first rows."""
    parts: list[RenderableType] = [line(headline(plan), style="bold")]
    if plan.writes:
        parts += [_figures_table(plan), *_more(_touched(plan))]
    if plan.additions:
        parts += [_additions_table(plan), *_more(range(plan.figures.additions))]
    if plan.removals:
        removals = _references_table("To remove", "red", plan.removals, plan.packages)
        parts += [removals, *_more(range(plan.figures.removals))]
    if plan.left_alone:
        alone = _references_table("Made by others", "dim", plan.left_alone, plan.packages)
        parts += [alone, *_more(range(plan.count("left_alone")))]
    if plan.kept:
        kept = _references_table("Ours, and kept", "dim", plan.kept, plan.packages)
        parts += [kept, *_more(range(plan.count("kept")))]
    parts += [_held_line(each, plan.packages) for each in plan.held[:MAX_ROWS]]
    parts += [*_more(range(plan.count("held")))]
    reaches = plan.enforcement
    parts += [line(_reach(each), _REACH_STYLES[each.reach]) for each in reaches[:MAX_ROWS]]
    parts += [*_more(range(plan.count("enforcement")))]
    parts += [
        line(f"not enforceable: {gap.what}: {gap.why}", "yellow") for gap in _other_limits(plan)
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
    return (
        f"{plan.figures.additions} to add, {plan.figures.removals} to remove, "
        f"{plan.count('held')} held, {plan.count('unchanged')} unchanged, "
        f"{plan.count('left_alone')} made by others and left alone, "
        f"{plan.count('kept')} ours and kept, "
        f"{plan.count('not_enforceable')} not enforceable by Entra, "
        f"{plan.count('not_read')} not known because they could not be read"
    )


_REACH_STYLES = {
    EnforcementReach.ENFORCED: "green",
    EnforcementReach.IN_PART: "yellow",
    EnforcementReach.FOUND_ONLY: "yellow",
}


def _reach(each: RuleEnforcement) -> str:
    return f"rule {each.rule}: {each.reach}" + (f": {each.why}" if each.why else "")


def _reach_lines(plan: PlanDocument) -> Iterator[str]:
    """For a comment, whose room is limited: rules that Entra does not enforce all of, first."""
    first = sorted(plan.enforcement, key=lambda each: not each.why)[:MAX_REACHES_IN_COMMENT]
    yield from (f"- {in_markdown(_reach(each), MAX_GAP)}" for each in first)
    if more := plan.count("enforcement") - len(first):
        yield f"- and {more:,} rules more"


def _other_limits(plan: PlanDocument) -> Sequence[Skipped]:
    """What cannot be enforced beside the rules that are named as found only."""
    told = {f"rule {each.rule}" for each in plan.enforcement[:MAX_ROWS] if each.why}
    return [each for each in plan.not_enforceable if each.what.partition(": ")[0] not in told]


def plan_markdown(plan: PlanDocument) -> str:
    """The same for a comment on a pull request."""
    lines = ["### entra-sod plan", "", headline(plan), ""]
    if plan.writes:
        cells = (_figures_cells(each, plan.packages, _in_markdown) for each in _touched(plan))
        lines += _markdown_table(_FIGURES_HEAD, cells)
    if plan.additions:
        lines += _markdown_table(
            ("on package", "kept away", "rules", "cannot get it", "cannot renew it"),
            (_addition_cells(each, plan.packages, _in_markdown) for each in plan.additions),
        )
    if plan.removals:
        lines += ["**To remove**", ""]
        cells = (_reference_cells(each, plan.packages, _in_markdown) for each in plan.removals)
        lines += _markdown_table(("on package", "was kept away"), cells)
    lines += [
        f"- **held**: {_held(each, plan.packages, _in_markdown)}: {in_markdown(each.why, MAX_GAP)}"
        for each in plan.held
    ]
    lines += _reach_lines(plan)
    lines += [f"- not enforceable: {_gap(each)}" for each in _other_limits(plan)]
    lines += [f"- not in the rules: {_gap(each)}" for each in plan.alike]
    lines += [f"- **toxic**: {_gap(each)}" for each in plan.toxic]
    lines += [f"- **not known**: {_gap(each)}" for each in plan.not_read]
    lines += ["", f"rules `{plan.rules_hash[:19]}` · state `{plan.state_hash[:19]}`", ""]
    return "\n".join(lines)


def drift_table(found: Sequence[Drift], names: Names) -> RenderableType:
    table = Table(title="Drift", title_justify="left")
    for column in ("kind", "on package", "who is kept away"):
        table.add_column(column)
    for each in found[:MAX_ROWS]:
        table.add_row(each.kind, *_reference_cells(each.reference, names))
    return Group(table, *_more(found))


_FIGURES_HEAD = (
    "rule",
    "selects",
    "to add",
    "to remove",
    "cannot get it",
    "cannot renew it",
    "in conflict",
)


def _touched(plan: PlanDocument) -> Sequence[RuleFigures]:
    """The rules for which a plan writes, the one that touches most subjects first."""
    touched = [each for each in plan.by_rule if each.additions or each.removals]
    return sorted(
        touched, key=lambda each: (-each.kept_from_renewing, -each.kept_from_getting, each.rule)
    )


def _figures_table(plan: PlanDocument) -> Table:
    table = Table(title="By rule", title_justify="left")
    for column in _FIGURES_HEAD:
        table.add_column(column, justify="left" if column in _FIGURES_HEAD[:2] else "right")
    for each in _touched(plan)[:MAX_ROWS]:
        table.add_row(*_figures_cells(each, plan.packages))
    return table


def _figures_cells(
    each: RuleFigures, names: Names, show: NameFormat = _on_terminal
) -> tuple[str, ...]:
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
    return line(f"held: {_held(each, names, _on_terminal)}: {each.why}", "yellow")


def _held(each: HeldReference, names: Names, show: NameFormat) -> str:
    on, away = _reference_cells(each.reference, names, show)
    what = "to be removed" if each.is_removal else "to be added"
    return f"{what}: on {on}, {away}"


def _additions_table(plan: PlanDocument) -> Table:
    table = Table(title="To add", title_justify="left", title_style="green")
    for column in ("on package", "who is kept away", "rules"):
        table.add_column(column)
    for column in ("cannot get it", "cannot renew it"):
        table.add_column(column, justify="right")
    for each in plan.additions[:MAX_ROWS]:
        table.add_row(*_addition_cells(each, plan.packages))
    return table


def _references_table(
    title: str, style: str, references: Sequence[Reference], names: Names
) -> Table:
    table = Table("on package", "who is kept away", title=title, title_justify="left")
    table.title_style = style
    for each in references[:MAX_ROWS]:
        table.add_row(*_reference_cells(each, names))
    return table


def _addition_cells(
    each: Addition, names: Names, show: NameFormat = _on_terminal
) -> tuple[str, ...]:
    at_least = "" if each.is_whole else "≥ "
    return (
        *_reference_cells(each.reference, names, show),
        ", ".join(each.rules),
        f"{at_least}{each.kept_from_getting}",
        f"{at_least}{each.kept_from_renewing}",
    )


def _reference_cells(
    reference: Reference, names: Names, show: NameFormat = _on_terminal
) -> tuple[str, str]:
    on = show(reference.on, names)
    if reference.kind is ReferenceKind.GROUP:
        return on, f"members of group {reference.target}"
    return on, f"holders of {show(reference.target, names)}"


def _markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
