"""Plans and drift for people: as tables on a terminal, as Markdown for a pull request. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from entra_sod.cli.operations.plan_document import Addition, PlanDocument
from entra_sod.domain.enforcement.drift import Drift
from entra_sod.domain.entra import Reference, ReferenceKind

type Names = Mapping[str, str]

# A terminal's table measures every cell, which takes a millisecond a row; nobody reads so many.
MAX_ROWS = 200


def plan_table(plan: PlanDocument) -> RenderableType:
    """What a plan says, for a terminal; of long lists the first rows."""
    parts: list[RenderableType] = [Text(headline(plan), style="bold")]
    if plan.additions:
        parts += [_additions_table(plan), *_more(plan.additions)]
    if plan.removals:
        removals = _references_table("To remove", "red", plan.removals, plan.packages)
        parts += [removals, *_more(plan.removals)]
    if plan.left_alone:
        alone = _references_table("Left alone", "dim", plan.left_alone, plan.packages)
        parts += [alone, *_more(plan.left_alone)]
    parts += [
        Text(f"not enforceable: {gap.what}: {gap.why}", "yellow") for gap in plan.not_enforceable
    ]
    return Group(*parts)


def _more(rows: Sequence[object]) -> Iterator[Text]:
    if len(rows) > MAX_ROWS:
        yield Text(f"and {len(rows) - MAX_ROWS:,} more, see --format json", "dim")


def headline(plan: PlanDocument) -> str:
    return (
        f"{len(plan.additions)} to add, {len(plan.removals)} to remove, "
        f"{len(plan.unchanged)} unchanged, {len(plan.left_alone)} made by others and left alone, "
        f"{len(plan.not_enforceable)} not enforceable by Entra"
    )


def plan_markdown(plan: PlanDocument) -> str:
    """The same for a comment on a pull request."""
    lines = ["### entra-sod plan", "", headline(plan), ""]
    if plan.additions:
        lines += _markdown_table(
            ("on package", "kept away", "rules", "cannot get it", "cannot renew it"),
            (_addition_cells(each, plan.packages) for each in plan.additions),
        )
    if plan.removals:
        lines += ["**To remove**", ""]
        cells = (_reference_cells(each, plan.packages) for each in plan.removals)
        lines += _markdown_table(("on package", "was kept away"), cells)
    lines += [f"- not enforceable: {gap.what}: {gap.why}" for gap in plan.not_enforceable]
    lines += ["", f"rules `{plan.rules_hash[:19]}` · state `{plan.state_hash[:19]}`", ""]
    return "\n".join(lines)


def drift_table(found: Sequence[Drift], names: Names) -> RenderableType:
    table = Table(title="Drift", title_justify="left")
    for column in ("kind", "on package", "who is kept away"):
        table.add_column(column)
    for each in found[:MAX_ROWS]:
        table.add_row(each.kind, *_reference_cells(each.reference, names))
    return Group(table, *_more(found))


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


def _addition_cells(each: Addition, names: Names) -> tuple[str, ...]:
    at_least = "" if each.is_whole else "≥ "
    return (
        *_reference_cells(each.reference, names),
        ", ".join(each.rules),
        f"{at_least}{each.kept_from_getting}",
        f"{at_least}{each.kept_from_renewing}",
    )


def _reference_cells(reference: Reference, names: Names) -> tuple[str, str]:
    on = names.get(reference.on) or reference.on
    if reference.kind is ReferenceKind.GROUP:
        return on, f"members of group {reference.target}"
    return on, f"holders of {names.get(reference.target) or reference.target}"


def _markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""
