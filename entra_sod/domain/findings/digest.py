"""Who is to be told what after a run: a digest for each owner of rules, and tickets. Pure.

Rules that only record send no digest.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import msgspec

from entra_sod.domain.enforcement.budget import WritesStopped
from entra_sod.domain.findings.model import Change, Finding, FindingState
from entra_sod.domain.findings.views import FindingView, view
from entra_sod.domain.notifications.console_links import finding_link
from entra_sod.domain.results.check import ReferenceView
from entra_sod.domain.rules.language import Mode
from entra_sod.domain.rules.ruleset import RuleSet

MAX_DIGEST_FINDINGS = 10  # of each kind; the counts are always whole
MAX_TICKETS = 1000  # of one run
_ACTIONABLE = (FindingState.OPEN, FindingState.EXCEPTION_EXPIRED)
_INACTIVE = (FindingState.RESOLVED, FindingState.ON_HOLD, FindingState.EXCEPTED)

type DigestSection = Literal["new", "reopened", "expiring"]
_KINDS: tuple[DigestSection, ...] = ("new", "reopened", "expiring")
type TicketAction = Literal["opened", "resolved"]


class DigestReferences(msgspec.Struct, kw_only=True):
    """References on packages of an owner's rules: `held` newly, `left` as the sweep was stopped."""

    written: int = 0
    removed: int = 0
    held: int = 0
    left: int = 0


class Digest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What one owner is told after a sweep; it is never empty.

    Attributes:
        stopped: what stopped the sweep, where it left references of the owner.
        counts: of the findings of each kind, whole.
        new, reopened, expiring: at most ten of each. What was permitted and is not any more is
            reopened; what an exception permits for 30, 7 or 1 days more is expiring.
    """

    sweep: str
    owner: str
    counts: Mapping[DigestSection, int]
    new: list[FindingView]
    reopened: list[FindingView]
    expiring: list[FindingView]
    references: DigestReferences
    stopped: WritesStopped | None = None


@dataclass(slots=True)
class _OwnerNews:
    counts: dict[DigestSection, int] = field(default_factory=lambda: dict.fromkeys(_KINDS, 0))
    first: dict[DigestSection, list[FindingView]] = field(
        default_factory=lambda: {each: [] for each in _KINDS}
    )
    references: DigestReferences = field(default_factory=DigestReferences)


@dataclass(slots=True)
class RunNotifications:
    """Gathers what is to be told of a run, finding by finding.

    Attributes:
        tickets: findings to open a ticket for or to close it, the first thousand of them.
        omitted_tickets: how many there are more.
    """

    run: str
    rules: RuleSet
    tickets: list[tuple[str, TicketAction]] = field(default_factory=list)
    omitted_tickets: int = 0
    _news: dict[str, _OwnerNews] = field(default_factory=lambda: defaultdict(_OwnerNews))
    _is_notified: Mapping[str, bool] = field(init=False)

    def __post_init__(self) -> None:
        self._is_notified = {
            each.id: each.rule.mode is not Mode.RECORD for each in self.rules.rules
        }

    def add(self, finding: Finding) -> None:
        """Look at what the run changed of a finding."""
        if not self._is_notified.get(finding.rule):
            return
        for before, change in pairwise([None, *finding.history]):
            if change is None or change.run != self.run:
                continue
            if kind := section_of(change, before):
                self._count(finding, kind)
            if ticket := ticket_action_of(change, before):
                self._ticket(finding, ticket)

    def add_references(
        self, what: Literal["written", "removed", "held", "left"], found: Iterable[ReferenceView]
    ) -> None:
        """Count references for the owners of enforced rules that name their package."""
        by_package = Counter(each.access_package_id for each in found)
        owners = {
            (package, owner)
            for rule in self.rules.rules
            if by_package and rule.rule.mode is Mode.ENFORCE and not rule.is_found_only
            for package in rule.packages & by_package.keys()
            for owner in rule.rule.all_owners
        }
        for package, owner in owners:
            counts = self._news[owner].references
            setattr(counts, what, getattr(counts, what) + by_package[package])

    def digests(self, stopped: WritesStopped | None = None) -> Iterator[Digest]:
        for owner, news in sorted(self._news.items()):
            yield Digest(
                sweep=self.run,
                owner=owner,
                counts=news.counts,
                **news.first,
                references=news.references,
                stopped=stopped if news.references.left else None,
            )

    def _count(self, finding: Finding, kind: DigestSection) -> None:
        for owner in finding.all_owners:
            news = self._news[owner]
            news.counts[kind] += 1
            if len(news.first[kind]) < MAX_DIGEST_FINDINGS:
                news.first[kind].append(view(finding))

    def _ticket(self, finding: Finding, ticket: TicketAction) -> None:
        if len(self.tickets) < MAX_TICKETS:
            self.tickets.append((finding.id, ticket))
        else:
            self.omitted_tickets += 1


def section_of(change: Change, before: Change | None) -> DigestSection | None:
    """Under which heading of a digest a change comes, which has another one before it."""
    if change.days_left is not None:
        return "expiring"
    if change.now not in _ACTIONABLE:
        return None
    if change.was is None:
        return "new"
    return "reopened" if _last_certain_state(change, before) in _INACTIVE else None


def _last_certain_state(change: Change, before: Change | None) -> FindingState | None:
    """What it was, looking through a look that did not see it.

    Such a look is only a doubt: what needed work before it was told of then, and what was permitted
    before it was announced to no owner.
    """
    is_doubt_over = before is not None and change.was is before.now is FindingState.RESOLVING
    return before.was if before and is_doubt_over else change.was


def ticket_action_of(change: Change, before: Change | None) -> TicketAction | None:
    """Whether a change opens a ticket or closes it."""
    if change.now is FindingState.RESOLVED:
        return "resolved"
    return "opened" if section_of(change, before) in ("new", "reopened") else None


class TicketBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a ticketing system is told of a finding.

    Attributes:
        dedupe_key: the same for a finding's whole life: look for a ticket that has it.
        action: open a ticket, or close it.
        link: the finding in the console, where it can be claimed.
    """

    dedupe_key: str
    action: Literal["open", "close"]
    link: str
    finding: FindingView


def ticket_body(finding: Finding, ticket: str, app: str) -> bytes:
    """Make the body of a ticket.

    Args:
        finding: that it is of.
        ticket: `opened`, or anything else to close it.
        app: the address of this app as the receiver knows it, up to `/api`.
    """
    body = TicketBody(
        link=finding_link(app, finding.id),
        dedupe_key=finding.id,
        action="open" if ticket == "opened" else "close",
        finding=view(finding),
    )
    return msgspec.json.encode(body)
