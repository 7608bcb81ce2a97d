"""The turns that one process holds: spent in their time, and accounted for afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from entra_sod.adapters.rate_limit.schedule import FARTHEST_LEASE, SENT_GRACE, Lease
from entra_sod.ports.rate_limit import Urgency


@dataclass(slots=True)
class Grant:
    """A lease, and what became of it: not taken yet, set aside for a moment to come, or sent."""

    lease: Lease
    urgency: Urgency
    left: int
    set_aside: int = 0
    is_void: bool = False
    sent: list[Lease] = field(default_factory=list)

    def is_good(self, now: float) -> bool:
        """Whether it may be used, now or soon; what lies far ahead was planned by a wrong clock."""
        return not self.is_void and self.lease.end >= now >= self.lease.start - FARTHEST_LEASE

    def is_over(self, now: float) -> bool:
        return not self.is_good(now) or self.left + self.set_aside == 0

    def use(self, requests: int, now: float) -> bool:
        """Send what was set aside; False where that is no longer allowed."""
        self.set_aside -= requests
        if not self.is_good(now):
            return False
        _note(self.sent, requests, now)
        return True


@dataclass(frozen=True, slots=True)
class Account:
    """What became of leases that are over: their keys, and what was sent when."""

    keys: frozenset[str]
    sent: tuple[Lease, ...]


class Wallet:
    def __init__(self) -> None:
        self._grants: list[Grant] = []

    def add(self, leases: Sequence[Lease], urgency: Urgency) -> None:
        self._grants += [Grant(lease, urgency, lease.requests) for lease in leases]

    def next(self, requests: int, now: float, urgency: Urgency) -> Grant | None:
        """The first grant that has so many turns left.

        A sweep leaves a check's turns to the check, which takes a sweep's that are due: for later
        ones it would wait in vain, as its next request finds them spent.
        """
        is_check = urgency is Urgency.INTERACTIVE
        usable = [
            grant
            for grant in self._grants
            if grant.left >= requests
            and grant.is_good(now)
            and (grant.urgency is urgency or (is_check and grant.lease.start <= now))
        ]
        return min(usable, key=lambda grant: grant.lease.start, default=None)

    def account(self, now: float) -> Account:
        over = [grant for grant in self._grants if grant.is_over(now)]
        return Account(
            keys=frozenset(grant.lease.key for grant in over),
            sent=tuple(lease for grant in over for lease in grant.sent),
        )

    def forget(self, account: Account) -> None:
        """Drop what has been accounted for."""
        self._grants = [grant for grant in self._grants if grant.lease.key not in account.keys]

    def close(self, *urgencies: Urgency) -> None:
        """Let no turn of these be used any more, though they stay to be accounted for."""
        for grant in self._grants:
            grant.is_void |= grant.urgency in urgencies


def _note(sent: list[Lease], requests: int, now: float) -> None:
    """Note what is sent; requests that follow closely count as sent together with the last."""
    if sent and 0 <= now - sent[-1].start <= SENT_GRACE:
        first = sent.pop()
        requests += first.requests
        now, end = first.start, now + SENT_GRACE
    else:
        end = now + SENT_GRACE
    sent.append(Lease("", now, end, requests))
