"""`entra-sod rules`: what rules mean today, and rules for a running app."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from entra_sod.cli.choices import choose_rule
from entra_sod.cli.commands import PlanRulesFolder, run
from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.lists import ListAs, ListFormat, WholeIds, print_list, tell
from entra_sod.cli.operations.plan_document import not_read
from entra_sod.cli.operations.tenant_state import TenantState
from entra_sod.cli.progress import counting
from entra_sod.cli.push import push
from entra_sod.cli.session import Session, open_session
from entra_sod.cli.show_rules import Holders, rules_list, rules_values, shown_rule
from entra_sod.cli.state import read_state
from entra_sod.domain.enforcement.reach import enforcement_of
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.services.sweeps.summary import last_summary
from entra_sod.stores.sweeps import SweepStore

app = typer.Typer(
    help="Show what rules select, and upload rules for a running app.", no_args_is_help=True
)
app.command("push")(push)

# Not `type` statements: typer does not look behind them.
ShownRuleId = Annotated[str, typer.Option("--rule", help="Id of one rule. Default: all rules.")]
LivePeople = Annotated[
    bool, typer.Option("--people", help="Read from the tenant who holds the packages now.")
]


@app.command("show")
def show(
    *,
    rules: PlanRulesFolder = Path("rules"),
    rule: ShownRuleId = "",
    people: LivePeople = False,
    long: WholeIds = False,
    how: ListAs = ListFormat.TABLE,
) -> None:
    """Show what each rule selects today, by name, and how far Entra can enforce it.

    Says for each access package which words of the rule select it, and how many subjects hold it:
    by the last sweep if the environment names the app's storage, or with --people by the tenant.
    Otherwise the number is unknown. Writes nothing.

    Exit code 0: everything could be read. 3: not everything could be read. 1: an error, or no
    such rule.
    """
    work = _show(rules, rule, how, live=people, whole_ids=long)
    raise typer.Exit(run(work, refused=ExitCode.UNKNOWN))


async def _show(
    folder: Path, rule_id: str, how: ListFormat, *, live: bool, whole_ids: bool
) -> ExitCode:
    async with open_session() as session:
        rules = await session.rules_as_written(folder)
        if rule_id:
            choose_rule(rule_id, [each.id for each in rules.rules], str(folder))
            rules = _only(rules, rule_id)
        state = await _read(session, rules, live=live)
        holders = _live(state) if live else await _last_sweep(session, rules.named_packages)
    # The list has names of catalogs, which packages that are read one by one have not.
    packages = {**state.packages, **rules.listed}
    reaches = {each.rule: each for each in enforcement_of(rules, state.packages, (), {})}
    found = [shown_rule(each, packages, reaches[each.id], holders) for each in rules.rules]
    gaps = [each for each in not_read(rules, rules.named_packages, state) if each.hides]
    listing = rules_list(found, packages, holders, gaps, whole_ids=whole_ids)
    print_list(listing, how, rules_values(found, packages, holders))
    if found and how is not ListFormat.JSON:
        tell(f"holders: {holders.source or 'unknown; say --people to read them'}", "dim")
    return ExitCode.of((), gaps)


def _only(rules: RuleSet, rule_id: str) -> RuleSet:
    """Return the same rules with one of them alone."""
    kept = [each for each in rules.rules if each.id == rule_id]
    exceptions = [each for each in rules.exceptions if each.rule == rule_id]
    return RuleSet(
        kept,
        exceptions,
        unlisted=rules.unlisted,
        day=rules.day,
        protected=rules.protected,
        listed=rules.listed,
        overrides=rules.overrides,
    )


async def _read(session: Session, rules: RuleSet, *, live: bool) -> TenantState:
    view = rules.named_packages
    with counting("reading the tenant", len(view)) as advance:
        return await read_state(session.graph, view, with_holders=live, advance=advance)


def _live(state: TenantState) -> Holders:
    counts: Mapping[str, int] = {key: len(each) for key, each in state.holders.items()}
    return Holders(
        source="read from the tenant now",
        counts=counts,
        subjects=state.holders,
        at_least=state.partly_held,
    )


async def _last_sweep(session: Session, packages: frozenset[str]) -> Holders:
    """Take what the last sweep counted.

    Nothing is known without the app's storage, or if the sweep asked pair by pair.
    """
    if session.storage is None:
        return Holders()
    summary = await last_summary(SweepStore(session.storage, session.clock))
    if summary is None or packages.isdisjoint(summary.holders):
        return Holders()
    source = f"as sweep {summary.sweep_id} read them, at {summary.as_of:%Y-%m-%d %H:%M} UTC"
    return Holders(source=source, counts=summary.holders, at_least=frozenset(summary.unread))
