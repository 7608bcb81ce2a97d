"""Which references a rollback takes back, and which it leaves alone and why. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from entra_sod.cli.operations.plan_additions import packages_kept_away
from entra_sod.cli.operations.tenant_state import TenantState
from entra_sod.core.clock import timestamp
from entra_sod.core.errors import SodError
from entra_sod.domain.enforcement.desired import packages_in_view, references_on
from entra_sod.domain.enforcement.guard import WriteGuard, protect
from entra_sod.domain.enforcement.impact import grantors_of
from entra_sod.domain.enforcement.uncertainty import may_be_required
from entra_sod.domain.entra import AccessPackage, Reference, ReferenceKind
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.stores.ledger import LedgerEntry, LedgerState

EXAMPLES = "Examples: --since 2h, --since 1d, --since 2026-11-28, --since 2026-11-28T02:00:00Z."
_AGE = re.compile(r"([1-9][0-9]{0,4})([hd])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}

NOT_PROVED = "no sealed evidence of the run that the ledger names says so: forged, or never sealed"
REMOVED_SINCE = "newer evidence says that it was removed: if it is there, a person made it again"
ADOPTED = "it was adopted, not written: `entra-sod unadopt` gives it back to people"
NOT_CONFIRMED = "its write was never confirmed: the next sweep settles it"
GONE = "the ledger does not have it any more: it was removed since"
NOT_THERE = "it is not in Entra any more: it was removed outside of this app"


class RollbackRefused(SodError):
    """A rollback that is not carried out; nothing was removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackScope:
    """What to take back: exactly one of the three."""

    run: str = ""
    rule: str = ""
    since: datetime | None = None

    def __str__(self) -> str:
        if self.since:
            return f"--since {timestamp(self.since)}"
        return f"--run {self.run}" if self.run else f"--rule {self.rule}"

    def takes(self, entry: LedgerEntry) -> bool:
        if self.since:
            return datetime.fromisoformat(entry.at) >= self.since
        return entry.run_id == self.run if self.run else self.rule in entry.rule_ids


def parse_scope(
    run: str | None, rule: str | None, since: str | None, now: datetime
) -> RollbackScope:
    """Read the three options.

    Raises:
        RollbackRefused: not exactly one is given, or the time is none.
    """
    given = [each for each in (run, rule, since) if each is not None and each.strip()]
    if len(given) != 1:
        raise RollbackRefused(
            "Say what to take back by exactly one of --run, --rule and --since. Examples: "
            "--run sweep-20261128T020000Z-1f2e3d4c, --rule pay-and-approve, --since 2h."
        )
    moment = parse_since(since, now) if since else None
    return RollbackScope(run=(run or "").strip(), rule=(rule or "").strip(), since=moment)


def parse_since(text: str, now: datetime) -> datetime:
    """Read an age in hours or days, a date, or a moment; without a zone it is UTC.

    Raises:
        RollbackRefused: it is none, or in the future.
    """
    if age := _AGE.fullmatch(text.strip()):
        return now - int(age[1]) * _UNITS[age[2]]
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise RollbackRefused(f"--since {text}: this is no age, date or time. {EXAMPLES}") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment > now:
        raise RollbackRefused(f"--since {text} is in the future. {EXAMPLES}")
    return moment


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """A reference that was meant and is not removed.

    Attributes:
        is_open: whether it may still stand in Entra because of the app: it was not proved, or not
            read.
    """

    reference: Reference
    why: str
    is_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedAgain:
    """Which rules in force ask for a reference.

    Attributes:
        rules: by reference, the ids of the rules.
        guards: of what the rules protect.
        unread: packages that were not read, so what they ask for is not known.
        unknown: why none of it is known; empty where it is.
    """

    rules: Mapping[Reference, tuple[str, ...]] = field(default_factory=dict)
    guards: Collection[WriteGuard] = ()
    unread: frozenset[str] = frozenset()
    unknown: str = ""

    def why_kept(self, reference: Reference, scope: RollbackScope) -> str:
        """Why rules keep a reference; empty where they do not."""
        protected = filter(None, (each.why_kept(reference) for each in self.guards))
        return next(protected, "") or (
            scope.rule and self._why_kept_by_others(reference, scope.rule)
        )

    def _why_kept_by_others(self, reference: Reference, rule: str) -> str:
        if others := [each for each in self.rules.get(reference, ()) if each != rule]:
            return f"rule {', '.join(others)} asks for it, too"
        if may_be_required(reference, self.unread):
            return "a package could not be read, so another rule may ask for it"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackPlan:
    """What a rollback does.

    Attributes:
        removals: in order.
        left_alone: and told.
        vanished: proved ours, and not in Entra any more: the ledger forgets them.
    """

    removals: tuple[LedgerEntry, ...]
    left_alone: tuple[LeftAlone, ...]
    vanished: tuple[Reference, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every reference that the app may have written could be proved and read."""
        return not any(each.is_open for each in self.left_alone)


def split_entries(
    meant: Iterable[LedgerEntry],
    proven: Collection[Reference],
    removed: Collection[Reference],
) -> tuple[Sequence[LedgerEntry], Sequence[LeftAlone]]:
    """Split what is meant into what is proved ours and what is left alone.

    Args:
        meant: what the ledger has.
        proven: what is proved ours.
        removed: what newer evidence says was removed since.
    """
    ours, left = list[LedgerEntry](), list[LeftAlone]()
    for each in sorted(meant, key=lambda entry: entry.reference):
        if each.state is not LedgerState.WRITTEN:
            left.append(LeftAlone(each.reference, NOT_CONFIRMED, is_open=True))
        elif each.reference not in proven:
            why = REMOVED_SINCE if each.reference in removed else NOT_PROVED
            left.append(LeftAlone(each.reference, why, is_open=True))
        else:
            ours.append(each)
    return ours, left


def split_adopted(
    meant: Iterable[LedgerEntry], scope: RollbackScope
) -> tuple[Sequence[LedgerEntry], Sequence[LeftAlone]]:
    """Take out what no run wrote: to take back a run or a day removes no reference of people.

    The references of a rule are the rule's own, however the app came by them.
    """
    entries = list(meant)
    if scope.rule:
        return entries, ()
    left = [LeftAlone(each.reference, ADOPTED) for each in entries if each.is_adopted]
    return [each for each in entries if not each.is_adopted], left


def evidence_only(
    written: Iterable[Reference], ledger: Mapping[Reference, LedgerEntry], run: str
) -> Iterator[LeftAlone]:
    """What a run is proved to have written, and the ledger does not say so any more."""
    for each in sorted(written):
        entry = ledger.get(each)
        if entry is None:
            yield LeftAlone(each, GONE)
        elif entry.run_id != run:
            yield LeftAlone(each, f"the ledger says that run {entry.run_id} wrote it since")


def plan_rollback(
    ours: Iterable[LedgerEntry],
    left_alone: Iterable[LeftAlone],
    scope: RollbackScope,
    state: TenantState,
    asked: AskedAgain,
) -> RollbackPlan:
    """Decide on each reference that is proved ours.

    Args:
        ours: what is meant and proved.
        left_alone: what was left alone before Entra was looked at.
        scope: of the rollback.
        state: of the packages that the references are on.
        asked: what the rules in force ask for.
    """
    removals, left, vanished = list[LedgerEntry](), list(left_alone), list[Reference]()
    for each in ours:
        reference = each.reference
        if reference.on not in state.packages and reference.on not in state.gone:
            why = f"access package {reference.on} cannot be read: {state.errors.get(reference.on)}"
            left.append(LeftAlone(reference, why, is_open=True))
        elif reference not in state.present:
            left.append(LeftAlone(reference, NOT_THERE))
            vanished.append(reference)
        elif why := asked.why_kept(reference, scope):
            left.append(LeftAlone(reference, why))
        else:
            removals.append(each)
    return RollbackPlan(removals=tuple(removals), left_alone=tuple(left), vanished=tuple(vanished))


def packages_asking(rules: RuleSet, references: Iterable[Reference]) -> frozenset[str]:
    """The packages that have to be read to know which rules ask for references."""
    on = {each.on for each in references} & packages_in_view(rules)
    return frozenset(on).union(*(rules.constraints.facing(each).keys() for each in on))


def asked_again(
    rules: RuleSet,
    references: Collection[Reference],
    packages: Mapping[str, AccessPackage],
    unread: frozenset[str],
) -> AskedAgain:
    """Say which rules in force ask for references."""
    meant = frozenset(references)
    return AskedAgain(
        rules={
            each.reference: each.rule_ids
            for on in sorted({each.on for each in references})
            for each in references_on(on, rules, packages)
            if each.reference in meant
        },
        guards=tuple(protect(rules, packages)),
        unread=unread,
    )


@dataclass(frozen=True, slots=True)
class LetIn:
    """How many subjects could get a package again.

    Attributes:
        known: hold the other side and not the package.
        is_whole: false where there may be more.
    """

    known: int
    is_whole: bool

    def __str__(self) -> str:
        if self.is_whole:
            return f"{self.known:,}"
        return f"at least {self.known:,}" if self.known else "unknown"


def let_in(references: Iterable[Reference], state: TenantState) -> Mapping[Reference, LetIn]:
    """Work out for each reference whom its removal lets in."""
    grantors, none = grantors_of(state.packages.values()), frozenset[str]()
    found: dict[Reference, LetIn] = {}
    for each in references:
        away = packages_kept_away(each, grantors)
        holders = none.union(*(state.holders.get(key, none) for key in away))
        is_known = each.on in state.holders  # else it is unknown which of them hold the package
        # Members that a group has by other ways than packages are not known.
        is_whole = each.kind is ReferenceKind.PACKAGE and each.target in state.holders
        is_whole = is_whole and state.partly_held.isdisjoint(each.packages)
        newly = len(holders - state.holders.get(each.on, none))
        found[each] = LetIn(newly * is_known, is_whole and is_known)
    return found


def packages_let_in(
    references: Iterable[Reference], packages: Mapping[str, AccessPackage]
) -> frozenset[str]:
    """The packages whose holders have to be known for `let_in`."""
    grantors, found = grantors_of(packages.values()), set[str]()
    for each in references:
        found.update(each.packages, packages_kept_away(each, grantors))
    return frozenset(found)
