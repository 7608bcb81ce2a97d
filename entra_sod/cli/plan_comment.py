"""A plan as Markdown that fits a comment on a pull request, whatever its size is. Pure.

Each part has a share of the room, and what a part does not need goes to those after it. A part
begins with its worst rows, and counts those that have no room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from entra_sod.cli.operations.plan_additions import Addition
from entra_sod.cli.operations.plan_document import PlanDocument
from entra_sod.cli.operations.plan_figures import RuleFigures
from entra_sod.cli.show import (
    FIGURES_HEAD,
    Names,
    addition_cells,
    figures_cells,
    headline,
    held_text,
    other_limits,
    reach_text,
    reference_cells,
    touched_rules,
)
from entra_sod.cli.terminal import in_markdown
from entra_sod.domain.results.coverage import Skipped

MAX_COMMENT = 60_000  # GitHub takes 65,536; signs beyond the basic plane count twice here
MAX_GAP = 400  # characters
MAX_RULES_NAMED = 3  # of those that ask for one reference
MAX_REACHES = 30
_SPARE = 1_000  # for the end, and for lines that count what has no room
_ADDITIONS_HEAD = ("on package", "kept away", "rules", "cannot get it", "cannot renew it")


@dataclass(frozen=True, slots=True)
class CommentPart:
    """A part of a comment.

    Attributes:
        share: of the whole room, in hundredths.
        head: lines that stand before the rows if there are any.
        rows: the worst first; made only as far as there is room.
        total: how many rows there are in all, those among them that a file leaves out.
        rest: says what is left out, given how many rows are shown.
        max_rows: however much room there is.
    """

    share: int
    head: Sequence[str]
    rows: Iterable[str]
    total: int
    rest: Callable[[int], str]
    max_rows: int | None = None


def plan_markdown(plan: PlanDocument, *, saved_to: Path | None = None) -> str:
    """Write a plan for a comment: what is not known, totals by rule, references, the worst first.

    Args:
        plan: to show.
        saved_to: the file that has the whole of it.
    """
    lines = ["### entra-sod plan", "", headline(plan), ""]
    room, is_cut, left_over = MAX_COMMENT - _SPARE - _length(lines), False, 0
    for part in _parts(plan):
        left_over += room * part.share // 100
        shown = _fitting(part, left_over)
        is_cut = is_cut or shown.is_cut
        left_over -= _length(shown.lines)
        lines += shown.lines
    lines += ["", *_whole(saved_to, is_cut=is_cut)]
    lines += [f"rules `{plan.rules_hash[:19]}` · state `{plan.state_hash[:19]}`", ""]
    return "\n".join(lines)


def _whole(saved_to: Path | None, *, is_cut: bool) -> Iterator[str]:
    """Say where all of it is, if there is more than the comment has."""
    if is_cut:
        where = f"in {in_markdown(saved_to.name)}" if saved_to else "what `plan --out FILE` writes"
        yield from (f"This is not all of the plan. The whole plan is {where}.", "")


@dataclass(frozen=True, slots=True)
class _FittedPart:
    lines: Sequence[str]
    is_cut: bool


def _fitting(part: CommentPart, room: int) -> _FittedPart:
    rows: list[str] = []
    used = _length(part.head)
    for row in part.rows:
        used += _length([row])
        if used > room or len(rows) == part.max_rows:
            break
        rows.append(row)
    is_cut = len(rows) < part.total
    rest = [part.rest(len(rows))] if is_cut else []
    is_table = any(each.startswith("|") for each in part.head)
    head = part.head if rows else []
    gap = [""] if is_table and rows else []
    return _FittedPart([*head, *rows, *gap, *rest, *(gap if rest else [])], is_cut)


def _length(lines: Iterable[str]) -> int:
    """Count as most programs do that take comments: in units of UTF-16."""
    return sum(len(each.encode("utf-16-le", "surrogatepass")) // 2 + 1 for each in lines)


def _parts(plan: PlanDocument) -> Iterator[CommentPart]:
    yield _notes(12, "**not known**", plan.not_read, plan.count("not_read"))
    yield _notes(10, "**toxic**", plan.toxic, plan.count("toxic"))
    yield _totals(plan)
    yield _additions(plan)
    yield _removals(plan)
    yield _held(plan)
    yield _reaches(plan)
    limits = other_limits(plan)
    hidden = plan.left_out.get("not_enforceable", 0)
    yield _notes(5, "not enforceable", limits, len(limits) + hidden)
    yield _notes(5, "not in the rules", plan.alike, plan.count("alike"))


def _notes(share: int, word: str, notes: Sequence[Skipped], total: int) -> CommentPart:
    rows = (f"- {word}: {in_markdown(f'{each.what}: {each.why}', MAX_GAP)}" for each in notes)
    return CommentPart(share, [], rows, total, lambda shown: f"- {word}: {total - shown:,} more")


def _totals(plan: PlanDocument) -> CommentPart:
    touched = touched_rules(plan) if plan.writes else []
    rows = (_row(_figures(each, plan.packages)) for each in touched)
    return CommentPart(
        25, _table(FIGURES_HEAD), rows, len(touched), lambda shown: _rest(touched[shown:])
    )


def _figures(each: RuleFigures, names: Names) -> Sequence[str]:
    rule, *others = figures_cells(each, names, _named)
    return [in_markdown(rule), *others]


def _rest(rules: Sequence[RuleFigures]) -> str:
    added = sum(each.additions for each in rules)
    removed = sum(each.removals for each in rules)
    return f"and {len(rules):,} rules more: {added:,} to add, {removed:,} to remove"


def _additions(plan: PlanDocument) -> CommentPart:
    worst = sorted(
        plan.additions,
        key=lambda each: (-each.kept_from_renewing, -each.kept_from_getting, each.reference),
    )
    total = plan.figures.additions
    rows = (_row(_addition(each, plan.packages)) for each in worst)
    return CommentPart(
        20, _table(_ADDITIONS_HEAD), rows, total, lambda shown: f"and {total - shown:,} more to add"
    )


def _addition(each: Addition, names: Names) -> Sequence[str]:
    on, away, _, *figures = addition_cells(each, names, _named)
    rules = [in_markdown(rule) for rule in each.rules[:MAX_RULES_NAMED]]
    more = len(each.rules) - len(rules)
    return [on, away, ", ".join([*rules, *([f"{more} more"] if more else [])]), *figures]


def _removals(plan: PlanDocument) -> CommentPart:
    total = plan.figures.removals
    head = ["**To remove**", "", *_table(("on package", "was kept away"))]
    rows = (_row(reference_cells(each, plan.packages, _named)) for each in plan.removals)
    return CommentPart(10, head, rows, total, lambda shown: f"and {total - shown:,} more to remove")


def _held(plan: PlanDocument) -> CommentPart:
    total = plan.count("held")
    rows = (
        f"- **held**: {held_text(each, plan.packages, _named)}: {in_markdown(each.why, MAX_GAP)}"
        for each in plan.held
    )
    return CommentPart(8, [], rows, total, lambda shown: f"- **held**: {total - shown:,} more")


def _reaches(plan: PlanDocument) -> CommentPart:
    """Rules that Entra does not enforce all of, first."""
    total = plan.count("enforcement")
    worst = sorted(plan.enforcement, key=lambda each: not each.why)
    rows = (f"- {in_markdown(reach_text(each), MAX_GAP)}" for each in worst)
    return CommentPart(
        5, [], rows, total, lambda shown: f"- and {total - shown:,} rules more", MAX_REACHES
    )


def _named(package: str, names: Names) -> str:
    name = names.get(package)
    return f"{in_markdown(name)} (`{package}`)" if name else f"`{package}`"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _table(head: Sequence[str]) -> Sequence[str]:
    return [_row(head), _row("---" for _ in head)]
