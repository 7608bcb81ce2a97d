"""`entra-sod adopt` and `unadopt`: whose references are that people made and rules ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from entra_sod.cli.choices import choose_rule
from entra_sod.cli.commands import PlanRulesFolder, run
from entra_sod.cli.confirm import Yes, confirm
from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.lists import ListFormat, PrintedList, print_list, tell, tell_gaps
from entra_sod.cli.operations.adoption_plan import (
    AdoptionPlan,
    plan_adoption,
    plan_return,
    rules_adopted_for,
)
from entra_sod.cli.operations.adoption_run import (
    OwnershipChange,
    adopt_references,
    return_references,
)
from entra_sod.cli.operations.plan_document import in_view, not_read
from entra_sod.cli.read_references import read_group_names
from entra_sod.cli.session import Session, open_session, require_storage
from entra_sod.cli.show import Names
from entra_sod.cli.state import read_state, with_protected
from entra_sod.cli.terminal import out
from entra_sod.core.errors import GraphError, SodError
from entra_sod.domain.entra import Reference
from entra_sod.domain.results.coverage import Skipped
from entra_sod.domain.text import counted
from entra_sod.services.enforcement.damaged_entries import damaged_gaps
from entra_sod.stores.ledger import Ledger

COLUMNS = ("on package", "kept away", "kind", "rules", "on id", "kept away id")

# Not `type` statements: typer does not look behind them.
AdoptedRule = Annotated[
    str, typer.Option("--rule", help="Adopt only references that this rule asks for.")
]
ReturnedRule = Annotated[
    str, typer.Option("--rule", help="Give back only references that were adopted for this rule.")
]
AdoptDryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be done, and change nothing.")
]


def adopt(
    *,
    rules: PlanRulesFolder = Path("rules"),
    rule: AdoptedRule = "",
    dry_run: AdoptDryRun = False,
    yes: Yes = False,
) -> None:
    """Take over references that people made and an enforcing rule asks for.

    From then on they are the app's own: PRUNE and rollback --rule may remove them once no rule asks
    for them. Changes nothing in Entra, so it needs no ENFORCEMENT and counts in no budget. Needs
    the app's storage, and leaves sealed evidence. Shows the references first, and asks. What the
    rules protect is left alone. It may be run again after an error.

    Exit code 0: all are adopted, or there was nothing to adopt. 3: not everything could be read. 1:
    an error. With --dry-run 2: something would be adopted.
    """
    raise typer.Exit(run(_adopt(rules, rule, dry_run=dry_run, yes=yes)))


def unadopt(*, rule: ReturnedRule = "", dry_run: AdoptDryRun = False, yes: Yes = False) -> None:
    """Give adopted references back to people: the app never removes them then.

    Only what was adopted, never what the app wrote. Changes nothing in Entra. Needs the app's
    storage, and leaves sealed evidence. It may be run again after an error.

    Exit code 0: all are given back, or none was adopted. 3: the ledger could not be read
    completely. 1: an error. With --dry-run 2: something would be given back.
    """
    raise typer.Exit(run(_unadopt(rule, dry_run=dry_run, yes=yes)))


async def _adopt(folder: Path, rule: str, *, dry_run: bool, yes: bool) -> ExitCode:
    tell(f"rules: {folder}")
    async with open_session() as session:
        storage = require_storage(session)
        rules = await session.rules(folder)
        _require_rule(rule, [each.id for each in rules.rules], f"{folder}")
        ledger = await Ledger(storage, session.clock).read()
        view = in_view(rules, ())
        state = await read_state(session.graph, view, with_holders=False)
        state = await with_protected(session.graph, rules, state)
        gaps = [
            *(gap for gap in not_read(rules, view, state) if gap.hides),
            *damaged_gaps(ledger.damaged),
        ]
        plan = plan_adoption(rules, state, ledger.entries, rule)
        references = {each.reference: each.rule_ids for each in plan.adoptions}
        names = {key: each.display_name for key, each in state.packages.items()}
        _show(references, {**names, **await read_group_names(session.graph, references)}, gaps)
        _tell_plan(plan)
        if dry_run or not references:
            return ExitCode.of(references, gaps)
        confirm(f"Take over {_counted(references)}?{_MEANS}", yes=yes)
        adopted = await adopt_references(storage, session.clock, plan.adoptions, rules, gaps)
    return _report(adopted, "adopted", gaps)


_MEANS = " Once no rule asks for them, PRUNE and rollback --rule may remove them."


async def _unadopt(rule: str, *, dry_run: bool, yes: bool) -> ExitCode:
    async with open_session() as session:
        storage = require_storage(session)
        ledger = await Ledger(storage, session.clock).read()
        known = rules_adopted_for(ledger.entries.values())
        if known:
            _require_rule(rule, known, "What was adopted")
        entries = plan_return(ledger.entries.values(), rule)
        gaps = damaged_gaps(ledger.damaged)
        references = {each.reference: each.rule_ids for each in entries}
        _show(references, await _names(session, references), gaps)
        if not references:
            tell("there is nothing to give back: no reference in the ledger was adopted")
        if dry_run or not references:
            return ExitCode.of(references, gaps)
        confirm(f"Give {_counted(references)} back, so that the app leaves them alone?", yes=yes)
        returned = await return_references(storage, session.clock, entries)
    return _report(returned, "given back", gaps)


def _require_rule(rule: str, known: Collection[str], where: str) -> None:
    """Refuse a rule that is not known.

    Raises:
        NoSuchChoice: it is one.
    """
    if rule:
        choose_rule(rule, known, where)


async def _names(session: Session, references: Iterable[Reference]) -> Names:
    """Read names for people; where they cannot be read, ids have to do."""
    wanted = {key for each in references for key in each.packages}
    try:
        found = await session.graph.packages_by_id(wanted)
        groups = await read_group_names(session.graph, references)
    except SodError as error:
        tell(f"names are not known: {error}", "yellow")
        return {}
    read = {key: each for key, each in found.items() if not isinstance(each, GraphError)}
    return {**{key: each.display_name for key, each in read.items()}, **groups}


def _show(
    references: Mapping[Reference, Sequence[str]], names: Names, gaps: Sequence[Skipped]
) -> None:
    rows = [
        [
            names.get(each.on) or each.on,
            names.get(each.target) or each.target,
            each.kind,
            ", ".join(rules),
            each.on,
            each.target,
        ]
        for each, rules in references.items()
    ]
    ids = frozenset(COLUMNS[-2:])
    columns = PrintedList(
        key="references",
        columns=COLUMNS,
        rows=rows,
        ids=ids,
        below={"on package": "on id", "kept away": "kept away id"},
        piped=frozenset({"kind"}),
    )
    print_list(columns, ListFormat.TABLE, ())
    tell_gaps(gaps)


def _tell_plan(plan: AdoptionPlan) -> None:
    for each in plan.left_alone:
        on = each.reference
        tell(f"left alone: {on.kind} {on.target} on {on.on}: {each.why}", "yellow")
    if not plan.adoptions:
        tell(
            "there is nothing to adopt: of the references that enforcing rules ask for, people "
            f"made none that is there; {plan.ours:,} are the app's own"
        )
    if plan.not_enforced:
        named = ", ".join(f"{rule} ({count})" for rule, count in plan.not_enforced.items())
        tell(
            f"rules that do not enforce ask for nothing, though they name references: {named}. "
            "Set their mode to enforce, look at entra-sod plan, and adopt then"
        )


def _counted(references: Mapping[Reference, Sequence[str]]) -> str:
    packages = {each.on for each in references}
    where = counted(len(packages), "access package")
    return f"{counted(len(references), 'reference')} on {where}"


def _report(change: OwnershipChange, what: str, gaps: Sequence[Skipped]) -> ExitCode:
    for each in change.changed:
        why = "another run has changed its entry in the ledger meanwhile"
        tell(f"left alone: {each.kind} {each.target} on {each.on}: {why}", "yellow")
    count = counted(len(change.done), "reference")
    out.print(f"{count} {what}; the evidence is sealed as {change.run}")
    return ExitCode.of((), gaps)
