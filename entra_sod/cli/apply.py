"""`entra-sod apply`: write a plan that was reviewed, if it still means what was reviewed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from entra_sod.cli import plan as plans
from entra_sod.cli.commands import run
from entra_sod.cli.confirm import Yes, confirm
from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.made_by import made_by
from entra_sod.cli.operations.plan_document import PlanDocument
from entra_sod.cli.operations.plan_file import PlanRefused, load_plan
from entra_sod.cli.operations.plan_review import (
    DEFAULT_MAX_AGE,
    MAX_AGE,
    PlanReview,
    PlanSource,
    new_errors,
    review_plan,
    why_too_old,
)
from entra_sod.cli.patience import Patience, is_passing
from entra_sod.cli.progress import counting
from entra_sod.cli.session import Session, open_session
from entra_sod.cli.terminal import err, out, shown
from entra_sod.cli.write_plan import (
    ApplyResult,
    require_permission,
    require_within_limit,
    write_plan,
)
from entra_sod.core.errors import ConfigurationError

DEFAULT_WAIT, MAX_WAIT_MINUTES = 30, 1440
MAX_GROWTH = 1_000_000
MAX_REASONS = 20
AGAIN = "Make and review a new one with entra-sod plan --out, or say --replan."

# Not `type` statements: typer does not look behind them.
ApplyRulesFolder = Annotated[
    Path | None,
    typer.Option(
        "--rules",
        help="Folder of the rules files. Default: the folder that the plan was made from.",
        exists=True,
        file_okay=False,
    ),
]
Replan = Annotated[
    bool,
    typer.Option("--replan", help="Make a new plan from the same rules, and ask about that one."),
]
AllowedGrowth = Annotated[
    int,
    typer.Option(
        "--allow-growth",
        help="How many more references, and more affected subjects, than reviewed are accepted.",
        min=0,
        max=MAX_GROWTH,
    ),
]
MaxAge = Annotated[
    int, typer.Option("--max-age", help="Maximum age of the plan in hours.", min=1, max=MAX_AGE)
]
WaitMinutes = Annotated[
    int,
    typer.Option(
        "--wait",
        help="Maximum minutes to wait in total while Graph is busy.",
        min=0,
        max=MAX_WAIT_MINUTES,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions:
    """What was asked for; the help of each option says what it means."""

    rules: Path | None
    replan: bool
    dry_run: bool
    yes: bool
    allowed_growth: int
    max_age: int
    wait: int


def apply(
    plan_file: Annotated[
        Path,
        typer.Argument(metavar="PLAN", help="The file that `plan --out` wrote.", exists=True),
    ],
    *,
    rules: ApplyRulesFolder = None,
    replan: Replan = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Do all checks, and write nothing.")
    ] = False,
    yes: Yes = False,
    allow_growth: AllowedGrowth = 0,
    max_age: MaxAge = DEFAULT_MAX_AGE,
    wait: WaitMinutes = DEFAULT_WAIT,
) -> None:
    """Write a plan that was reviewed; needs ENFORCEMENT=apply and the app's storage.

    Shows the figures that were reviewed, compares them with the tenant as it is now, and
    asks for the word yes. Without a terminal it needs --yes. While Graph is busy it waits.

    Exit code 0: all written. 1: the plan is stale or refused, or some writes failed; it is safe to
    run it again. 3: all written, and not everything could be read.
    """
    options = ApplyOptions(
        rules=rules,
        replan=replan,
        dry_run=dry_run,
        yes=yes,
        allowed_growth=allow_growth,
        max_age=max_age,
        wait=wait,
    )
    raise typer.Exit(run(_apply(plan_file, options)))


async def _apply(plan_file: Path, options: ApplyOptions) -> ExitCode:
    reviewed = load_plan(plan_file)
    folder = options.rules or _folder_of(reviewed)
    async with open_session() as session:
        _require_age(reviewed, session, options)
        if not options.dry_run:
            await require_permission(session)
        patience = Patience(session.clock, 60.0 * options.wait, err.print)
        fresh, source = await patience.read(
            lambda: _read(session, folder, reviewed), "reading the tenant"
        )
        is_unchanged = _show(reviewed, source, fresh, options)
        if options.dry_run:
            return ExitCode.of((), fresh.not_read)
        require_within_limit(session, fresh)
        if fresh.writes or fresh.held:
            confirm(_question(fresh), yes=options.yes)
        code = _report(await _write(session, fresh, source, patience))
        if is_unchanged and code is ExitCode.NOTHING:
            by = await made_by(session)
            await session.approve_selections(source.rules, source.state.granting, by=by)
    return code or ExitCode.of((), fresh.not_read)


def _show(
    reviewed: PlanDocument, source: PlanSource, fresh: PlanDocument, options: ApplyOptions
) -> bool:
    """Show what is asked about, and say whether it is all that the rules select now.

    Raises:
        PlanRefused: it is not what was reviewed.
    """
    if options.replan:
        out.print("the new plan:")
        plans.show(fresh, plans.Format.TABLE, out)
        return True
    review = review_plan(reviewed, source, fresh, allowed=options.allowed_growth)
    _refuse(reviewed, review.refused)
    _show_reviewed(reviewed, fresh, review)
    return review.is_unchanged


def _require_age(reviewed: PlanDocument, session: Session, options: ApplyOptions) -> None:
    too_old = why_too_old(reviewed, session.clock.now(), options.max_age)
    if too_old and not options.replan:
        _refuse(reviewed, [too_old])


def _refuse(reviewed: PlanDocument, reasons: Sequence[str]) -> None:
    if reasons:
        more = [f"and {len(reasons) - MAX_REASONS} more"] if len(reasons) > MAX_REASONS else []
        why = "\n  ".join([*reasons[:MAX_REASONS], *more])
        raise PlanRefused(f"the plan of {reviewed.made_at} is refused: {why}\n{AGAIN}")


async def _read(
    session: Session, folder: Path, reviewed: PlanDocument
) -> tuple[PlanDocument, PlanSource]:
    """Make the plan anew. A package that only now answers with an error is waited for."""
    fresh, source = await plans.make(session, folder, err, counted=reviewed.added)
    for error in filter(is_passing, new_errors(reviewed, source.state)):
        raise error
    return fresh, source


def _show_reviewed(reviewed: PlanDocument, fresh: PlanDocument, review: PlanReview) -> None:
    by = shown(reviewed.made_by or "an unknown person")
    out.print(f"the plan that {by} made at {reviewed.made_at}:")
    plans.show(reviewed, plans.Format.TABLE, out)
    if done := reviewed.writes - fresh.writes:
        out.print(f"{done} of its {reviewed.writes} references are as planned already")
    for grown in review.grown:
        out.print(f"grown: {grown}", style="yellow")


def _question(fresh: PlanDocument) -> str:
    figures = fresh.figures
    at_least = "at least " if figures.unknown else ""
    held = f" {len(fresh.held)} are held, and are not written." if fresh.held else ""
    return (
        f"Add {figures.additions} references and remove {figures.removals}, so that "
        f"{at_least}{figures.kept_from_getting} times a subject cannot get a package, and "
        f"{at_least}{figures.kept_from_renewing} times cannot renew one?{held}"
    )


async def _write(
    session: Session, fresh: PlanDocument, source: PlanSource, patience: Patience
) -> ApplyResult:
    with counting("writing", fresh.writes) as advance:
        return await write_plan(session, fresh, source.state, patience, lambda: advance(1))


def _folder_of(plan: PlanDocument) -> Path:
    """Return the folder that a plan was made of.

    Raises:
        ConfigurationError: it is not here.
    """
    folder = Path(plan.rules_folder)
    if not folder.is_dir():
        problem = f"The plan was made of {folder}, which is no folder here: name it by --rules."
        raise ConfigurationError([problem])
    return folder


def _report(result: ApplyResult) -> ExitCode:
    """Say what was done, also if an error ended it."""
    applied = result.applied
    out.print(
        f"{len(applied.written)} written, {len(applied.removed)} removed, "
        f"{len(applied.found_present)} made by others meanwhile, {len(applied.failed)} failed"
    )
    for each in applied.failed:
        err.print(f"failed: {each.reference.on}: {each.why}", style="red")
    if result.unsealed:
        err.print(
            f"no evidence of this could be sealed, so PRUNE will not remove it: {result.unsealed}",
            style="yellow",
        )
    if result.untold:
        err.print(f"subscribers are not told: {result.untold}", style="yellow")
    if stopped := _why_stopped(result):
        err.print(f"entra-sod: {stopped}", style="red")
    return ExitCode.ERROR if applied.failed or stopped else ExitCode.NOTHING


def _why_stopped(result: ApplyResult) -> str | None:
    if result.applied.frozen:
        return str(result.applied.frozen)
    if result.was_stopped:
        return "interrupted. Run the command again to go on"
    return f"{result.error}. Run the command again to go on" if result.error else None
