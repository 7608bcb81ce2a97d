"""A seed is all that a schedule needs."""

from __future__ import annotations

import msgspec

from functions.rules.language import RulesFile
from local.graph.tenant import Tenant
from tests.chaos.schedule import HOSTS, Kill, schedule
from tests.chaos.truth import find_truth

SEEDS = range(1, 51)


def test_a_seed_replays() -> None:
    """The same seed gives the same tenant, rules, weather and disturbances."""
    assert schedule(17) == schedule(17)
    assert schedule(17) != schedule(18)


def test_disturbances_are_in_the_order_of_their_moments() -> None:
    """Each is carried out before whatever comes after it, and no host is named that is not."""
    for seed in SEEDS:
        disturbances = schedule(seed).disturbances
        assert [each.at for each in disturbances] == sorted(each.at for each in disturbances)
        assert all(each.host < HOSTS for each in disturbances if isinstance(each, Kill))


def test_seeds_together_have_everything() -> None:
    """In fifty seeds every kind of disturbance comes, and packages that may not be read."""
    schedules = [schedule(seed) for seed in SEEDS]
    kinds = {type(each).__name__ for one in schedules for each in one.disturbances}
    faults = {getattr(each, "kind", "") for one in schedules for each in one.disturbances}
    assert len(kinds) == 7
    assert faults >= {"status", "drop-connection", "truncate-json", "cut-connection"}
    assert faults >= {"apply-then-status", "apply-then-drop"}
    books = [one.books for one in schedules]
    assert {bool(find_truth(each.tenant, each.rules).unreadable) for each in books} == {True, False}


def test_tenant_and_rules_are_such_as_the_simulator_and_the_app_read() -> None:
    """Both decode, and there is something to find, something to write, and something clear."""
    for seed in SEEDS:
        books = schedule(seed).books
        tenant = msgspec.json.decode(books.tenant, type=Tenant)
        assert msgspec.json.decode(books.rules, type=RulesFile).rules
        truth = find_truth(books.tenant, books.rules)
        assert 30 <= len(tenant.access_packages) <= 62
        assert {bool(subjects) for subjects in truth.conflicts.values()} == {True, False}
        assert len(truth.desired - truth.present) > 20
