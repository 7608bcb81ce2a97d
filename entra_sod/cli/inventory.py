"""`entra-sod inventory`: references in the tenant that no rule names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import typer

from entra_sod.cli.commands import run
from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.lists import (
    ListAs,
    ListFormat,
    PrintedList,
    RulesIfAny,
    folder_of,
    print_list,
    tell,
)
from entra_sod.cli.operations.inventory import (
    LedgerView,
    UnnamedReference,
    named_by_rules,
    possibly_named,
    unnamed_references,
)
from entra_sod.cli.operations.plan_document import in_view, not_read
from entra_sod.cli.read_references import TenantReferences, read_references
from entra_sod.cli.session import Session, open_session
from entra_sod.domain.results.coverage import Skipped
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.text import counted
from entra_sod.services.enforcement.damaged_entries import damaged_gaps

COLUMNS = ("on package", "kept away", "kind", "ways", "made by", "on id", "kept away id")


def inventory(rules: RulesIfAny = None, how: ListAs = ListFormat.TABLE) -> None:
    """List the incompatible packages and groups in the tenant that no rule names.

    Says of each whether the other package refers back, and whether this app made it (by the ledger
    in the app's storage) or people did. A rule of any mode names the references that it would ask
    for under enforce. Writes nothing.

    Exit code 0: rules name all of them. 2: no rule names some of them. 3: not everything could be
    read. 1: an error.
    """
    raise typer.Exit(run(_inventory(folder_of(rules), how), refused=ExitCode.UNKNOWN))


async def _inventory(folder: Path | None, how: ListFormat) -> ExitCode:
    async with open_session() as session:
        rules = await session.rules(folder) if folder else RuleSet([])
        ledger, damaged = await _ledger(session)
        read = await read_references(session, in_view(rules, ledger or {}))
    named = named_by_rules(rules, read.state.packages)
    found = unnamed_references(read.state, named, ledger)
    gaps = [*_gaps(read, rules, found), *damaged]
    columns = _list(read, found, gaps)
    print_list(columns, how, _values(read, found))
    _tell(read, found, folder, knows_ours=ledger is not None)
    return ExitCode.of(found, gaps)


async def _ledger(session: Session) -> tuple[LedgerView | None, Sequence[Skipped]]:
    """Read what this app has noted; None where the environment names no storage."""
    if session.ledger is None:
        return None, ()
    ledger = await session.ledger.read()
    return ledger.entries, damaged_gaps(ledger.damaged)


def _gaps(
    read: TenantReferences, rules: RuleSet, found: Sequence[UnnamedReference]
) -> Sequence[Skipped]:
    unread = read.state.unread_of(in_view(rules, ()))
    of_rules = [each for each in not_read(rules, (), read.state) if each.hides]
    gaps = [*read.gaps, *of_rules, *possibly_named(found, rules, unread)]
    return list(dict.fromkeys(gaps))


def _list(
    read: TenantReferences, found: Sequence[UnnamedReference], gaps: Sequence[Skipped]
) -> PrintedList:
    return PrintedList(
        key="references",
        columns=COLUMNS,
        rows=[list(_cells(read, each)) for each in found],
        ids=frozenset(COLUMNS[-2:]),
        below={"on package": "on id", "kept away": "kept away id"},
        piped=frozenset({"kind"}),
        not_read=gaps,
    )


def _cells(read: TenantReferences, found: UnnamedReference) -> Iterator[str]:
    on, kind, target = found.reference.on, found.reference.kind, found.reference.target
    yield from (read.name(on) or on, read.name(target, kind) or target)
    yield from (kind, found.ways, found.maker, on, target)


def _values(
    read: TenantReferences, found: Sequence[UnnamedReference]
) -> Iterator[Mapping[str, object]]:
    for each in found:
        reference = each.reference
        yield {
            "on": reference.on,
            "onName": read.name(reference.on),
            "kind": reference.kind,
            "target": reference.target,
            "targetName": read.name(reference.target, reference.kind),
            "ways": each.ways,
            "madeBy": each.maker,
        }


def _tell(
    read: TenantReferences,
    found: Sequence[UnnamedReference],
    folder: Path | None,
    *,
    knows_ours: bool,
) -> None:
    """Say how many references there are, and what to do with those that no rule names."""
    every, packages = len(read.state.present), len(read.state.packages)
    by = f"the rules in {folder}" if folder else "rules (there is no folder of rules)"
    where = counted(packages, "access package")
    text = f"{counted(every, 'reference')} on {where}: {every - len(found):,} named by {by}"
    tell(f"{text}, {len(found):,} by no rule")
    if not knows_ours:
        tell(
            "AzureWebJobsStorage is not set, so which of them this app made is not known", "yellow"
        )
    if found:
        tell("To make rules of them that only record: entra-sod import references")
