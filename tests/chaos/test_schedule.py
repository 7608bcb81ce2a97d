"""A seed is all that a schedule needs."""

from __future__ import annotations

from functools import cache
from typing import get_args

import msgspec
import pytest

from entra_sod.domain.rules.language import RulesFile
from local.graph.tenant import Tenant
from tests.chaos.schedule import (
    HOSTS,
    Check,
    ClockJump,
    Disturbance,
    Faults,
    FreezeWriting,
    GiveUp,
    Kill,
    Needless,
    Schedule,
    Storm,
    schedule,
)
from tests.chaos.traits import Trait, traits_of
from tests.chaos.truth import find_truth

SEEDS = range(1, 51)
PAIRS = Trait.PAIRS
scheduled = cache(schedule)


def test_a_seed_replays() -> None:
    """The same seed gives the same tenant, rules, weather and disturbances."""
    assert schedule(17) == schedule(17)
    assert schedule(17) != schedule(18)


def test_disturbances_are_in_the_order_of_their_moments() -> None:
    """Each is carried out before whatever comes after it, and no host is named that is not."""
    for seed in SEEDS:
        disturbances = scheduled(seed).disturbances
        assert [each.at for each in disturbances] == sorted(each.at for each in disturbances)
        assert all(each.host < HOSTS for each in disturbances if isinstance(each, Kill))


def test_seeds_together_have_everything() -> None:
    """In fifty seeds every kind of disturbance comes, and packages that may not be read."""
    schedules = [scheduled(seed) for seed in SEEDS]
    kinds = {type(each) for one in schedules for each in one.disturbances}
    faults = {getattr(each, "kind", "") for one in schedules for each in one.disturbances}
    assert kinds == set(get_args(Disturbance.__value__))
    assert faults >= {"status", "drop-connection", "truncate-json", "cut-connection"}
    assert faults >= {"apply-then-status", "apply-then-drop"}
    books = [one.books for one in schedules]
    assert {bool(find_truth(each.tenant, each.rules).unreadable) for each in books} == {True, False}


def test_each_kind_of_seed_comes_at_least_five_times() -> None:
    """Also those that ask pair by pair and are refused, or have sets to count as well."""
    kinds = [traits_of(seed) for seed in SEEDS]
    for some in (*({each} for each in Trait), {PAIRS, Trait.REFUSED}, {PAIRS, Trait.COUNTS}):
        assert sum(some <= kind for kind in kinds) >= 5, some
    is_given_up = [not kind.isdisjoint({Trait.WORN_OUT, Trait.POISONED}) for kind in kinds]
    assert sum(is_given_up) >= 5


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_is_what_it_is_called(seed: int) -> None:
    """Its rules make the wanted way the cheaper one, and it has the disturbances of its kind."""
    one = scheduled(seed)
    truth = find_truth(one.books.tenant, one.books.rules)
    ways = {each.way for each in one.disturbances if isinstance(each, GiveUp)}
    assert (truth.strategy == "pairs") == (PAIRS in one.traits)
    assert bool(truth.counted) == (Trait.COUNTS in one.traits)
    assert (one.rate in (100, 200)) == (Trait.LIMIT in one.traits)
    assert ("worn-out" in ways) == (Trait.WORN_OUT in one.traits)
    assert ("poisoned" in ways) == (Trait.POISONED in one.traits)
    assert has(one, Needless) == (Trait.NEEDLESS in one.traits)
    assert has(one, FreezeWriting) == (Trait.FROZEN in one.traits)
    assert (one.budget is not None) == (Trait.BUDGET in one.traits)
    if Trait.REFUSED in one.traits:
        assert dict(one.weather)["additional_access"] in ("forbidden", "bad-request")


def has(one: Schedule, kind: type[Disturbance]) -> bool:
    return any(isinstance(each, kind) for each in one.disturbances)


@pytest.mark.parametrize("seconds", [-119, -90, -30, -2, 2, 30, 90, 119])
def test_clocks_differ_by_little_in_many_seeds(seconds: int) -> None:
    """By so little that a lease or a turn which they moved can still be believed."""
    assert sum(seconds in {jump.seconds for jump in jumps(seed)} for seed in SEEDS) >= 5


def test_turns_move_far_ahead_in_seeds_for_that_alone() -> None:
    """Everybody waits for them; and with a limit no turn is forgotten."""
    for seed in SEEDS:
        traits = traits_of(seed)
        seconds = [each.seconds for each in jumps(seed) if "throttle" in each.tables]
        far = [each for each in seconds if 30 <= each <= 120]
        assert len(far) == (Trait.AHEAD in traits)
        assert not (seconds and Trait.LIMIT in traits)


def jumps(seed: int) -> list[ClockJump]:
    return [each for each in scheduled(seed).disturbances if isinstance(each, ClockJump)]


def test_with_a_limit_graph_refuses_for_nothing_else() -> None:
    """So that each refused host has sent too much."""
    for seed in SEEDS:
        if Trait.LIMIT in traits_of(seed):
            disturbances = scheduled(seed).disturbances
            assert not any(isinstance(each, Storm) for each in disturbances)
            assert all(each.status != 429 for each in disturbances if isinstance(each, Faults))


def test_graph_answers_with_few_single_429() -> None:
    """Without Retry-After each doubles the silence of those before it: many would take an hour."""
    for seed in SEEDS:
        faults = [each for each in scheduled(seed).disturbances if isinstance(each, Faults)]
        refusals = [each for each in faults if each.status == 429]
        assert sum(len(each.skips) for each in refusals) <= 4


def test_no_check_names_an_unreadable_package() -> None:
    """A check would wait for it until the sweep is forgotten."""
    for seed in SEEDS:
        one = scheduled(seed)
        checks = [each for each in one.disturbances if isinstance(each, Check)]
        assert all(one.blocked.isdisjoint((each.first, each.second)) for each in checks)
        rules = msgspec.json.decode(one.books.rules)["rules"]
        assert all(package in str(rules) for package in one.blocked)


def test_tenant_and_rules_are_such_as_the_simulator_and_the_app_read() -> None:
    """Both decode, and there is something to find, something to write, and something clear."""
    for seed in SEEDS:
        books = scheduled(seed).books
        tenant = msgspec.json.decode(books.tenant, type=Tenant)
        assert msgspec.json.decode(books.rules, type=RulesFile).rules
        truth = find_truth(books.tenant, books.rules)
        assert 30 <= len(tenant.access_packages) <= 62
        assert {bool(subjects) for subjects in truth.conflicts.values()} == {True, False}
        assert len(truth.desired - truth.present) > 20
