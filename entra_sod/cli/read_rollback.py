"""Looks at the ledger, the evidence, the tenant and the rules for a rollback; changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from entra_sod.cli.choices import choose_id
from entra_sod.cli.operations.chained_writes import ChainedWrites
from entra_sod.cli.operations.inventory import LedgerView
from entra_sod.cli.operations.rollback_plan import (
    AskedAgain,
    LetIn,
    RollbackPlan,
    RollbackRefused,
    RollbackScope,
    asked_again,
    evidence_only,
    let_in,
    packages_asking,
    packages_let_in,
    plan_rollback,
    split_adopted,
    split_entries,
)
from entra_sod.cli.operations.tenant_state import TenantState
from entra_sod.cli.patience import Patience
from entra_sod.cli.session import Session, require_storage
from entra_sod.cli.state import read_state, with_protected
from entra_sod.core.errors import SodError
from entra_sod.domain.entra import Reference
from entra_sod.domain.near_names import did_you_mean
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.short_ids import ids_beginning
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.stores.ledger import Ledger, LedgerEntry
from entra_sod.stores.rule_files import rule_source

MAX_RULES_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedRollback:
    """A rollback before it is carried out.

    Attributes:
        proofs: by which the references were found to be ours.
        names: of packages, by id.
        let_in: how many subjects each removal lets in again.
        damaged: rows of the ledger that cannot be read.
    """

    scope: RollbackScope
    plan: RollbackPlan
    proofs: ChainedWrites
    asked: AskedAgain
    names: Mapping[str, str]
    let_in: Mapping[Reference, LetIn]
    damaged: Sequence[str]

    @property
    def is_whole(self) -> bool:
        """Whether every reference that the app may have written could be proved and read."""
        return self.plan.is_whole and not self.damaged and not self.proofs.broken


async def prepare(
    session: Session, scope: RollbackScope, folder: Path | None, patience: Patience
) -> PreparedRollback:
    """Find out what a rollback would remove.

    Raises:
        RollbackRefused: the run or the rule is unknown, or nothing of a run can be proved.
    """
    storage = require_storage(session)
    ledger = await Ledger(storage, session.clock).read()
    entries, damaged = ledger.entries, [each.row for each in ledger.damaged]
    scope = with_whole_run(scope, entries)
    meant = [each for each in entries.values() if scope.takes(each)]
    proofs = ChainedWrites(storage)
    await proofs.read({each.run_id for each in meant} | ({scope.run} - {""}))
    require_known(scope, entries, meant, proofs)
    written, adopted = split_adopted(meant, scope)
    ours, left = split_entries(written, await proofs.proven(written), proofs.removed)
    left = [*adopted, *left, *evidence_only(proofs.written(scope.run), entries, scope.run)]
    references = [each.reference for each in ours]
    asked, state = await _look(session, scope, folder, references, patience)
    plan = plan_rollback(ours, left, scope, state, asked)
    removals = [each.reference for each in plan.removals]
    return PreparedRollback(
        scope=scope,
        plan=plan,
        proofs=proofs,
        asked=asked,
        names={key: each.display_name for key, each in state.packages.items()},
        let_in=await _let_in(session, removals, state, patience),
        damaged=damaged,
    )


def with_whole_run(scope: RollbackScope, entries: LedgerView) -> RollbackScope:
    """Take the beginning of a run's id for the run, if the ledger has one run that begins so.

    Raises:
        AmbiguousChoice: it has several.
    """
    words = {each.run_id: f"began to write at {each.at}" for each in entries.values()}
    if not scope.run or not ids_beginning(scope.run, words):
        return scope
    run = choose_id(scope.run, words, what="run", lists="entra-sod rollback --since 7d --dry-run")
    return replace(scope, run=run)


def require_known(
    scope: RollbackScope,
    entries: LedgerView,
    meant: Collection[LedgerEntry],
    proofs: ChainedWrites,
) -> None:
    """Refuse a run or a rule that nothing is known of, and a run that nothing proves.

    Raises:
        RollbackRefused: it is one.
    """
    if scope.rule and not meant:
        known = sorted({rule for each in entries.values() for rule in each.rule_ids})
        named = ", ".join(known[:MAX_RULES_NAMED]) or "none"
        raise RollbackRefused(
            f"No reference in the ledger names rule {scope.rule}, so there is nothing to take "
            f"back.{did_you_mean(scope.rule, known)} Rules that it names: {named}."
        )
    if scope.run and scope.run not in proofs.runs:
        raise RollbackRefused(_unproved(scope.run, len(meant)))
    if proofs.broken and not any(proofs.written(each.run_id) for each in meant) and meant:
        raise RollbackRefused(
            f"The chain of evidence does not hold: {proofs.broken}. So nothing is proved, and "
            "nothing was removed. Fix: `entra-sod evidence verify` names the places; see "
            "docs/how-to/upgrade-and-restore.md, Restore."
        )


def _unproved(run: str, rows: int) -> str:
    fix = (
        "Fix: if another deployment made the run, set AzureWebJobsStorage to the storage of that "
        "one. `entra-sod rollback --since 7d --dry-run` shows the runs that wrote here."
    )
    if not rows:
        return (
            f"Run {run} is unknown: neither the ledger nor the evidence in this storage names it, "
            f"so nothing was removed. {fix}"
        )
    return (
        f"The ledger names run {run} for {rows} references, and this storage has no sealed "
        "evidence of it, so nothing proves that the app wrote them, and nothing was removed. The "
        "run has not ended, its evidence was never sealed, another deployment made it, or the rows "
        f"are forged. {fix}"
    )


async def _look(
    session: Session,
    scope: RollbackScope,
    folder: Path | None,
    references: Sequence[Reference],
    patience: Patience,
) -> tuple[AskedAgain, TenantState]:
    """Read the packages of references, and what the rules in force ask for on them."""
    rules, unknown = await _rules(session, folder, patience)
    if scope.rule and unknown:
        raise RollbackRefused(
            f"Whether other rules ask for the references of rule {scope.rule} is not known, so "
            f"nothing was removed: {unknown} Fix: name the rules in force by --rules, or take back "
            "by --run or --since."
        )
    view = frozenset[str]().union(*(each.packages for each in references))
    view |= packages_asking(rules, references) if rules else frozenset()
    state_of_view = await patience.read(
        lambda: read_state(session.graph, view, with_holders=False), "reading the tenant"
    )
    if rules is None:
        return AskedAgain(unknown=unknown), state_of_view
    state = await patience.read(
        lambda: with_protected(session.graph, rules, state_of_view), "reading what is protected"
    )
    return asked_again(rules, references, state.granting, state.unread_of(view)), state


async def _rules(
    session: Session, folder: Path | None, patience: Patience
) -> tuple[RuleSet | None, str]:
    """Read the rules in force, or say why they cannot be read."""
    setting, blobs = session.settings.rules, require_storage(session).blobs

    async def read() -> RuleSet:
        if folder or not setting.startswith("blob:"):
            return await session.rules(folder or Path(setting))
        source = rule_source(setting, app_folder=Path(), blobs=blobs)
        subjects = session.exception_subjects
        provider = RulesProvider(source, session.graph, session.clock, subjects=subjects)
        return await provider.current()

    try:
        rules = await patience.read(read, "reading the rules")
    except SodError as error:
        return None, str(error)
    return (None, rules.unsettled) if rules.unsettled else (rules, "")


async def _let_in(
    session: Session, removals: Sequence[Reference], state: TenantState, patience: Patience
) -> Mapping[Reference, LetIn]:
    """Read who holds the packages that decide on whom each removal lets in."""
    wanted = packages_let_in(removals, state.packages) & state.packages.keys()
    held = await patience.read(
        lambda: read_state(session.graph, wanted, with_holders=True), "reading who is let in"
    )
    return let_in(removals, held)
