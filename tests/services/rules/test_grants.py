"""What packages grant is read once, again when a package changes, and never taken for known."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from entra_sod.core.errors import Forbidden, GraphError, Rejected, Throttled, UnreadableItem
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.grants import Grants
from entra_sod.domain.results.coverage import rule_gaps
from entra_sod.domain.rules.grant_language import GrantSelector
from entra_sod.domain.rules.language import Rule, Side
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.services.rules import provider as provider_module
from entra_sod.services.rules.grants import MAX_AGE, MAX_UNDATED_AGE, TenantGrants
from entra_sod.services.rules.provider import LIST_LIFETIME, RULES_LIFETIME, RulesProvider
from entra_sod.services.rules.selections import review_selections
from entra_sod.stores.grants import GrantStore
from entra_sod.stores.selections import SelectionStore
from local.memory.clock import ManualClock
from local.memory.graph import MemoryGraph
from local.memory.storage import MemoryStorage
from tests.app import RulesInMemory
from tests.builders import guid, package, rule, side

DATED = "2026-05-01T00:00:00Z"
NO = Forbidden("403 no", status=403)


def dated(name: str, *groups: str, modified: str | None = DATED) -> AccessPackage:
    return replace(package(name, *groups), modified=modified)


def by_group(name: str) -> Side:
    return Side(grants=[GrantSelector(group=UUID(guid(name)))])


RULE = rule("r", by_group("1"), by_group("2"))


class Interrupted(MemoryGraph):
    """A tenant that is throttled after so many packages."""

    after = 1_000

    async def grants_of(
        self, package_ids: Collection[str]
    ) -> AsyncIterator[tuple[str, Grants | GraphError]]:
        number = 0
        async for each in super().grants_of(package_ids):
            if number == self.after:
                raise Throttled("429", retry_after=60)
            number += 1
            yield each


class World:
    """A tenant of the packages "a" and "b", rules by what they grant, and a storage."""

    def __init__(self, *rules: Rule) -> None:
        self.clock, self.storage = ManualClock(), MemoryStorage()
        self.graph = Interrupted([dated("a", "1"), dated("b", "2")], {})
        self.files = RulesInMemory(rules or [RULE])
        self.provider = self.new_provider()

    def new_provider(self) -> RulesProvider:
        """Another instance of the app."""
        selections = SelectionStore(self.storage, self.clock)
        grants = GrantStore(self.storage)
        return RulesProvider(self.files, self.graph, self.clock, selections, grants)

    async def later(self, by: timedelta = LIST_LIFETIME) -> RuleSet:
        """The rules of another instance, when the list is read again."""
        self.clock.advance(by.total_seconds() + 1)
        self.graph.grants_read.clear()
        return await self.new_provider().current()

    def listed(self) -> dict[str, AccessPackage]:
        return dict(self.graph._packages)


def sides(rules: RuleSet) -> list[str]:
    return ["".join(sorted(each[0] for each in side)) for side in rules.rules[0].package_sides]


async def test_each_package_is_read_once() -> None:
    """However many rules ask, and again and again; another instance reads nothing more."""
    world = World(RULE, rule("s", by_group("2"), by_group("1")))
    assert sides(await world.provider.current()) == ["a", "b"]
    await world.provider.current()
    await world.provider.from_today()
    assert Counter(world.graph.grants_read) == {guid("a"): 1, guid("b"): 1}
    assert sides(await world.later()) == ["a", "b"]
    assert world.graph.grants_read == []


async def test_rules_that_name_packages_read_no_grants() -> None:
    """What packages grant is read only where a rule needs it."""
    world = World(rule("r", side("a"), side("b")))
    await world.provider.current()
    assert world.graph.grants_read == []


async def test_only_what_was_modified_is_read_again() -> None:
    """A changed package and a new one; one that is gone is on no side."""
    world = World()
    await world.provider.current()
    world.graph.put(dated("a", "3", modified="2026-06-02T00:00:00Z"))
    world.graph.put(dated("c", "1"))
    rules = await world.later()
    assert sorted(world.graph.grants_read) == [guid("a"), guid("c")]
    assert sides(rules) == ["c", "b"]


async def test_modified_is_trusted_for_some_days_only() -> None:
    """Microsoft does not document what changes it: after a week every package is read again."""
    world = World()
    await world.provider.current()
    await world.later(MAX_AGE)
    assert sorted(world.graph.grants_read) == [guid("a"), guid("b")]


async def test_packages_without_a_date_are_read_every_hour() -> None:
    """Where Graph does not say when a package was modified, nothing else shows a change."""
    world = World()
    world.graph.put(dated("a", "1", modified=None))
    await world.provider.current()
    await world.later()
    assert world.graph.grants_read == []
    await world.later(MAX_UNDATED_AGE)
    assert world.graph.grants_read == [guid("a")]


async def test_an_unreadable_package_is_a_gap_and_not_off_the_side() -> None:
    """What it granted when it was read last counts until it can be read."""
    world = World()
    await world.provider.current()
    world.graph.put(dated("b", "9", modified="2026-06-02T00:00:00Z"))
    world.graph.hidden_grants[guid("b")] = NO
    rules = await world.later()
    assert sides(rules) == ["a", "b"]
    (gap,) = rule_gaps(rules)
    assert f"{guid('b')}" in gap.what
    assert "rule r selects packages by what they grant: 403 no" in gap.why


async def test_a_package_that_was_never_read_is_a_gap() -> None:
    """It is on no side, and the rule says that it may be."""
    world = World()
    world.graph.hidden_grants[guid("b")] = NO
    rules = await world.provider.current()
    assert sides(rules) == ["a", ""]
    assert guid("b") in rules.rules[0].grant_gaps


async def test_a_batch_that_is_refused_makes_every_package_a_gap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Waiting does not mend it, and nothing is taken for not granted."""
    world = World()

    async def refuse(_: Collection[str]) -> AsyncIterator[tuple[str, Grants | GraphError]]:
        raise Rejected("400", status=400)
        yield  # an iterator

    monkeypatch.setattr(world.graph, "grants_of", refuse)
    rules = await world.provider.current()
    assert set(rules.rules[0].grant_gaps) == {guid("a"), guid("b")}


async def test_what_was_read_before_an_interruption_is_not_read_again() -> None:
    """Twenty thousand packages need not be read in one go."""
    world = World()
    world.graph.after = 1
    with pytest.raises(Throttled):
        await world.provider.current()
    world.graph.after = 1_000
    world.graph.grants_read.clear()
    assert sides(await world.new_provider().current()) == ["a", "b"]
    assert world.graph.grants_read == [guid("b")]


async def test_a_decision_waits_for_so_many_packages_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are gaps, until a sweep or the next decisions have read them."""
    monkeypatch.setattr(provider_module, "MAX_GRANTS_READ_IN_CALL", 1)
    world = World()
    rules = await world.provider.from_today()
    assert len(world.graph.grants_read) == 1
    assert len(rules.rules[0].grant_gaps) == 1
    world.clock.advance(RULES_LIFETIME.total_seconds() + 1)
    assert not (await world.provider.from_today()).rules[0].grant_gaps
    assert len(world.graph.grants_read) == 2


async def test_a_sweep_reads_what_a_decision_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, and not a minute later."""
    monkeypatch.setattr(provider_module, "MAX_GRANTS_READ_IN_CALL", 1)
    world = World()
    await world.provider.from_today()
    assert not (await world.provider.current()).rules[0].grant_gaps
    assert len(world.graph.grants_read) == 2


async def test_a_package_that_is_not_on_the_whole_list_is_a_gap_as_for_patterns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An item of the list that is not understood may be a package that grants it."""
    world = World()
    listed = await world.graph.packages()

    async def cut_off() -> None:
        raise UnreadableItem("package 2", "no id", partial=listed[:1])

    monkeypatch.setattr(world.graph, "packages", cut_off)
    rules = await world.provider.current()
    assert rules.unlisted
    assert any("patterns" in each.what for each in rule_gaps(rules))


async def test_a_package_that_stops_granting_stays_until_it_is_approved() -> None:
    """As one that a pattern does not fit any more: what is remembered keeps it."""
    world = World()
    rules = await world.provider.current()
    store = SelectionStore(world.storage, world.clock)
    await review_selections(store, rules.rules, {}, by="first seen by sweep x")
    world.graph.put(dated("b", "9", modified="2026-06-02T00:00:00Z"))
    rules = await world.later()
    assert sides(rules) == ["a", "b"]
    assert rules.rules[0].kept == (frozenset(), frozenset([guid("b")]))
    (gap,) = rule_gaps(rules)
    assert "rule r does not fit it any more" in gap.why


async def test_without_a_store_the_reader_itself_remembers() -> None:
    """As the command line, whose storage may be none."""
    world = World()
    reader = TenantGrants(world.graph, world.clock)
    await reader.read(world.listed())
    found = await reader.read(world.listed())
    assert len(world.graph.grants_read) == 2
    assert set(found.granted) == {guid("a"), guid("b")}


async def test_a_readiness_request_does_not_wait_for_all_packages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a decision: what is left out is a gap, and a sweep reads it."""
    monkeypatch.setattr(provider_module, "MAX_GRANTS_READ_IN_CALL", 1)
    world = World()
    rules = await world.provider.at_hand()
    assert (len(world.graph.grants_read), len(rules.rules[0].grant_gaps)) == (1, 1)
    assert not (await world.provider.current()).rules[0].grant_gaps
