"""The turns of one process: what it sent, as the schedule is to remember it."""

from __future__ import annotations

import pytest

from entra_sod.adapters.rate_limit.leases import Wallet
from entra_sod.adapters.rate_limit.schedule import SENT_GRACE, Lease, Wish, fresh, reserve, settled
from entra_sod.ports.rate_limit import Urgency

NOW = 1_000_000.0


def sent_at(*moments: float) -> tuple[Lease, ...]:
    """What the account says of a lease whose turns were used at these moments."""
    wallet = Wallet()
    wallet.add([Lease("a", NOW, NOW + 1, len(moments))], Urgency.BACKGROUND)
    for moment in moments:
        grant = wallet.next(1, moment, Urgency.BACKGROUND)
        assert grant is not None
        grant.left, grant.set_aside = grant.left - 1, grant.set_aside + 1
        assert grant.use(1, moment)
    return wallet.account(NOW + 1).sent


def test_requests_that_follow_closely_are_noted_together() -> None:
    """From the first of them until the last has arrived; a later one is noted by itself."""
    together, alone = sent_at(NOW, NOW + 0.05, NOW + 0.5)
    assert (together.start, together.requests) == (NOW, 2)
    assert together.end == pytest.approx(NOW + 0.05 + SENT_GRACE)
    assert (alone.start, alone.requests) == (NOW + 0.5, 1)


def test_a_clock_that_jumps_back_leaves_no_lease_that_ends_before_it_starts() -> None:
    """The schedule counts by both moments, and goes on."""
    sent = sent_at(NOW + 0.5, NOW - 60)
    assert all(lease.start <= lease.end for lease in sent)
    assert sum(lease.requests for lease in sent) == 2
    wanted = Wish(key="b", requests=20, most=20, known=20, urgency=Urgency.BACKGROUND)
    schedule, _ = reserve(settled(fresh(100, NOW), (), sent), NOW, wanted)
    assert schedule.leases
