"""`entra-sod selection show` and `approve`: what rules select, and what of it was reviewed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from entra_sod.cli.choices import choose_rule
from entra_sod.cli.commands import PlanRulesFolder
from entra_sod.cli.confirm import Yes, confirm
from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.lists import ListAs, ListFormat, print_list
from entra_sod.cli.made_by import made_by
from entra_sod.cli.operations.plan_document import in_view, not_read
from entra_sod.cli.operations.tenant_state import TenantState
from entra_sod.cli.session import Session, open_session, require_storage
from entra_sod.cli.show_selection import as_json, selection_list
from entra_sod.cli.state import read_state, with_protected
from entra_sod.cli.terminal import err, out
from entra_sod.core.errors import ConfigurationError, SodError
from entra_sod.domain.results.coverage import Skipped
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.services.rules.reviews import (
    ReviewState,
    SeenTenant,
    read_stored,
    review_states,
    with_reviewed,
)
from entra_sod.services.rules.reviews import approve as store_approved
from entra_sod.stores.selections import SelectionStore

app = typer.Typer(
    help="What rules select, and which part of that was reviewed.", no_args_is_help=True
)

# Not a `type` statement: typer does not look behind it.
OneRule = Annotated[str | None, typer.Option("--rule", help="Id of one rule. Default: all rules.")]


class ListIncomplete(SodError):
    """The tenant's list of packages is not whole, so what left a rule is not known."""


@app.command()
def show(
    rules: PlanRulesFolder = Path("rules"),
    rule: OneRule = None,
    how: ListAs = ListFormat.TABLE,
) -> None:
    """Show per rule which packages were reviewed, which joined or left since, and what is held.

    Needs the app's storage. Writes nothing.

    Exit code 0: nothing waits for an approval. 2: something does. 3: not everything could be read.
    1: an error, also if the stored review is damaged.
    """
    raise typer.Exit(_run(_show(rules, rule, how)))


@app.command()
def approve(
    rules: PlanRulesFolder = Path("rules"),
    rule: OneRule = None,
    yes: Yes = False,  # noqa: FBT002 - a flag
) -> None:
    """Approve what rules select now; the next sweep writes the references that were held back.

    Shows what has changed, and asks. Without a terminal it needs --yes.

    Exit code 0: approved, or there was nothing to approve. 3: approved, except for what could
    not be read. 1: an error; nothing was approved.
    """
    raise typer.Exit(_run(_approve(rules, rule, yes=yes)))


def _run(work: Coroutine[None, None, ExitCode]) -> ExitCode:
    try:
        return asyncio.run(work)
    except SodError as error:
        err.print(f"entra-sod: {error}", style="red")
        return ExitCode.ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionReading:
    """What was read for either command."""

    store: SelectionStore
    rules: RuleSet
    state: TenantState
    states: Sequence[ReviewState]
    gaps: Sequence[Skipped]


async def read(session: Session, folder: Path, rule_id: str | None) -> SelectionReading:
    """Compare what rules of a folder select with what was reviewed; reads only.

    Raises:
        ConfigurationError: nothing is remembered.
        NoSuchChoice: no such rule is in force.
    """
    require_storage(session)
    store = session.selections
    if store is None:
        raise ConfigurationError(
            ["SELECTION_CHANGES is write, so the app stores no reviews. Fix: set it to hold."]
        )
    rules = await session.rules_as_written(folder)
    if rule_id is not None:
        choose_rule(rule_id, [each.id for each in rules.rules], str(folder))
    stored, damages = await read_stored(store, rules.rules)
    whole, ours = with_reviewed(rules, stored), (await session.ours()).written
    prunable = ours if session.settings.prune else []
    view = in_view(whole, prunable)
    state = await read_state(session.graph, view, with_holders=False)
    state = await with_protected(session.graph, whole, state)
    seen = SeenTenant(
        packages=state.packages,
        granting=state.granting,
        present=state.present,
        unread=state.unread_of(view),
        gone=state.gone,
    )
    states = review_states(rules, stored, damages, seen, prunable)
    return SelectionReading(
        store=store,
        rules=rules,
        state=state,
        states=[each for each in states if rule_id in (None, each.rule.id)],
        gaps=[gap for gap in not_read(whole, view, state) if gap.hides],
    )


async def _show(folder: Path, rule_id: str | None, how: ListFormat) -> ExitCode:
    async with open_session() as session:
        found = await read(session, folder, rule_id)
    listing = selection_list(found.rules, found.states, found.gaps)
    print_list(listing, how, as_json(found.rules, found.states))
    if any(each.damage for each in found.states):
        return ExitCode.ERROR
    return ExitCode.of([each for each in found.states if each.changes], found.gaps)


async def _approve(folder: Path, rule_id: str | None, *, yes: bool) -> ExitCode:
    async with open_session() as session:
        found = await read(session, folder, rule_id)
        waiting = [each for each in found.states if each.is_to_approve]
        if found.rules.unlisted:
            raise ListIncomplete(
                f"Nothing was approved, because {found.rules.unlisted}: what is on the rest of the "
                "list would be taken for what left. Run the command again when it can be read."
            )
        if found.rules.unsettled:
            raise ListIncomplete(
                f"Nothing was approved, because {found.rules.unsettled}: a package that is not "
                "known would be taken for one that left. Run the command again when it can be read."
            )
        if not waiting:
            out.print("nothing to approve: rules select what was reviewed")
            return ExitCode.of((), found.gaps)
        print_list(selection_list(found.rules, waiting, found.gaps), ListFormat.TABLE, ())
        confirm(f"Approve what {_counted(waiting)} now?", yes=yes)
        by = f"{await made_by(session)} on the command line"
        rules = [each.rule for each in waiting]
        await store_approved(found.store, rules, found.state.granting, by=by)
    out.print(f"approved what {_counted(waiting)}: the next sweep writes what was held")
    return ExitCode.of((), found.gaps)


def _counted(states: Sequence[ReviewState]) -> str:
    return (
        f"rule {states[0].rule.id} selects" if len(states) == 1 else f"{len(states)} rules select"
    )
