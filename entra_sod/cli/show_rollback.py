"""A rollback for people: what would be removed, and what became of it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from rich.console import Group, RenderableType

from entra_sod.cli.lists import AsList, PrintedList
from entra_sod.cli.operations.rollback_plan import AskedAgain, LeftAlone, LetIn
from entra_sod.cli.read_rollback import PreparedRollback
from entra_sod.cli.terminal import line, shown
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.short_ids import short_ids
from entra_sod.stores.ledger import LedgerEntry

MAX_LEFT_SHOWN = 20
MAX_REASON = 144  # characters
MAX_RULES = 72  # characters
COLUMNS = (
    "package",
    "kept away",
    "written",
    "who gets it again",
    "run",
    "rules",
    "package id",
    "kept away id",
)


def rollback_table(prepared: PreparedRollback) -> RenderableType:
    """What a rollback would remove and what it leaves alone."""
    removals = prepared.plan.removals
    parts: list[RenderableType] = []
    if removals:
        parts = [AsList(_removals_list(prepared)), line(totals(removals, prepared.let_in), "bold")]
    return Group(*parts, *_left_alone(prepared), line(again(prepared.asked, _references(removals))))


def _removals_list(prepared: PreparedRollback) -> PrintedList:
    """Make a row for each reference; those of one run and rule stand together on a terminal."""
    entries = sorted(prepared.plan.removals, key=lambda each: (each.run_id, each.rule_ids))
    runs = short_ids(each.run_id for each in entries)
    return PrintedList(
        key="removals",
        columns=COLUMNS,
        rows=[_cells(each, prepared.names, prepared.let_in[each.reference]) for each in entries],
        ids=frozenset({"package id", "kept away id", "run"}),
        below={"package": "package id", "kept away": "kept away id"},
        piped=frozenset({"run", "rules"}),
        heads=[
            (f"run {runs[each.run_id]}", f"for {shown(', '.join(each.rule_ids), MAX_RULES)}")
            for each in entries
        ],
    )


def totals(removals: Sequence[LedgerEntry], let_in: Mapping[Reference, LetIn]) -> str:
    """How much a rollback takes back, and how many subjects it lets in."""
    packages, runs = {each.reference.on for each in removals}, {each.run_id for each in removals}
    text = (
        f"References: {len(removals):,}, on packages: {len(packages):,}, written by runs: "
        f"{len(runs):,}. {let_in_again(let_in)}."
    )
    unknown = sum(not each.is_whole for each in let_in.values())
    return f"{text} Not all subjects are known for references: {unknown:,}." if unknown else text


def let_in_again(let_in: Mapping[Reference, LetIn]) -> str:
    """How often a subject can get a package again."""
    known = sum(each.known for each in let_in.values())
    is_whole = all(each.is_whole for each in let_in.values())
    return f"{'' if is_whole else 'At least '}{known:,} times a subject can get a package again"


def again(asked: AskedAgain, removed: Collection[Reference]) -> str:
    """Whether the rules in force ask for what is removed."""
    if not removed:
        return ""
    if asked.unknown:
        return f"Whether the rules ask for them again is not known: {asked.unknown}"
    meant = {each: asked.rules[each] for each in removed if asked.rules.get(each)}
    if not meant:
        return "No rule that could be looked at asks for them again."
    rules = Counter(rule for ids in meant.values() for rule in ids)
    named = ", ".join(f"{rule} ({count})" for rule, count in sorted(rules.items()))
    return (
        f"The next sweep with ENFORCEMENT=apply writes {len(meant):,} of {len(removed):,} again, "
        f"because rules ask for them: {named}. Set the mode of these rules to warn, or freeze "
        "writing with `entra-sod freeze`."
    )


def _references(entries: Iterable[LedgerEntry]) -> Collection[Reference]:
    return [each.reference for each in entries]


def _cells(entry: LedgerEntry, names: Mapping[str, str], lets_in: LetIn) -> Sequence[str]:
    reference = entry.reference
    is_package = reference.kind is ReferenceKind.PACKAGE
    away = names.get(reference.target, "a package") if is_package else ""
    return (
        shown(names.get(reference.on, "(name not known)")),
        shown(f"holders of {away}" if is_package else "members of a group"),
        f"{entry.at.replace('T', ' ').removesuffix('Z')} UTC",
        f"lets in again: {lets_in}",
        entry.run_id,
        ", ".join(entry.rule_ids),
        reference.on,
        reference.target,
    )


def _left_alone(prepared: PreparedRollback) -> Iterator[RenderableType]:
    by_reason: dict[str, list[LeftAlone]] = {}
    for each in prepared.plan.left_alone:
        by_reason.setdefault(each.why, []).append(each)
    for why, found in by_reason.items():
        yield line(f"left alone ({len(found):,}): {shown(why, MAX_REASON)}", "yellow")
        for each in found[:MAX_LEFT_SHOWN]:
            on = each.reference
            yield line(f"  {on.kind} {on.target}\n  on {on.on}", "dim")
        if len(found) > MAX_LEFT_SHOWN:
            yield line(f"  and {len(found) - MAX_LEFT_SHOWN:,} more", "dim")
    for row in prepared.damaged[:MAX_LEFT_SHOWN]:
        yield line(f"left alone: the ledger's row {shown(row)} cannot be read: delete it", "yellow")
    if prepared.proofs.broken:
        yield line(f"the chain of evidence does not hold: {prepared.proofs.broken}", "yellow")
