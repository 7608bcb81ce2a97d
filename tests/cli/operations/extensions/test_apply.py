"""Install and remove, carried out: idempotent, reversible, and honest about what went wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.cli.operations.extensions.apply import apply
from entra_sod.cli.operations.extensions.model import (
    STAGE,
    HookRefused,
    NewExtension,
    Policy,
    StageSetting,
)
from entra_sod.cli.operations.extensions.plan import custom_extension
from entra_sod.cli.operations.extensions.read import find_catalog
from entra_sod.core.errors import Forbidden, NotYetConsistent, Unavailable
from tests.builders import guid
from tests.cli.operations.extensions.builders import (
    CATALOG,
    FOREIGN,
    STAGES,
    catalog_of,
    ours,
    policy,
    setting,
    to_install,
    to_remove,
)
from tests.cli.operations.extensions.memory import MemoryExtensions

PACKAGES = ("a", "b", "d")


@st.composite
def policies(draw: st.DrawFn) -> list[Policy]:
    """Policies of three packages, each with whatever a person may have attached."""
    count = draw(st.integers(0, 5))
    return [
        policy(
            f"{number + 1}",
            draw(st.sampled_from(PACKAGES)),
            *draw(st.lists(st.sampled_from([setting(stage) for stage in STAGES]), max_size=3)),
        )
        for number in range(count)
    ]


def foreign(given: Policy) -> tuple[StageSetting, ...]:
    return tuple(each for each in given.settings if each.extension_id == FOREIGN.id)


@given(policies(), st.sets(st.sampled_from(PACKAGES)))
async def test_install_is_complete_and_remove_takes_back_exactly_that(
    before: list[Policy], named: set[str]
) -> None:
    """After install the plan is empty; after remove every policy is as it was, byte for byte."""
    graph = catalog_of(*before)
    assert (await apply(graph, await to_install(graph, *named))).failed == []
    assert (await to_install(graph, *named, logic_app=None)).is_empty
    for each in before:
        after = graph.policies[each.id]
        assert (foreign(after), after.rest) == (each.settings, each.rest)
        assert (after != each) == (each.package_id in {guid(name) for name in named})
    assert (await apply(graph, await to_remove(graph))).failed == []
    assert list(graph.policies.values()) == before
    assert list(graph.known.values()) == [FOREIGN]
    assert (await to_remove(graph)).is_empty


async def test_a_second_install_writes_nothing() -> None:
    """It is idempotent."""
    graph = catalog_of(policy("1", "a"))
    await apply(graph, await to_install(graph, "a"))
    graph.written.clear()
    await apply(graph, await to_install(graph, "a"))
    assert (graph.written, len(graph.known)) == ([], 2)


async def test_a_policy_that_changed_since_the_plan_is_not_written() -> None:
    """What a person did meanwhile is not written over; the other policies are."""
    graph = catalog_of(policy("1", "a"), policy("2", "a"))
    plan = await to_install(graph, "a")
    graph.policies[guid("1")] = changed = policy("1", "a", setting(STAGE))
    outcome = await apply(graph, plan)
    assert [guid("1") in each.what for each in outcome.failed] == [True]
    assert graph.policies[guid("1")] == changed
    assert graph.policies[guid("2")].settings != ()


class Losing(MemoryExtensions):
    """Carries writes out, or not, and loses the answers."""

    carries_out = True

    async def replace(self, policy: Policy) -> None:
        if self.carries_out:
            await super().replace(policy)
        raise Unavailable("no answer")

    async def create(self, catalog_id: str, new: NewExtension) -> None:
        if self.carries_out:
            await super().create(catalog_id, new)
        raise Unavailable("no answer")

    async def delete(self, catalog_id: str, extension_id: str) -> None:
        if self.carries_out:
            await super().delete(catalog_id, extension_id)
        raise Unavailable("no answer")


def losing(*policies: Policy) -> Losing:
    calm = catalog_of(*policies)
    return Losing(CATALOG, calm._packages, policies, [FOREIGN])


async def test_a_lost_answer_is_settled_by_reading() -> None:
    """What was written in spite of the lost answer counts, and nothing is made twice."""
    graph = losing(policy("1", "a"))
    assert (await apply(graph, await to_install(graph, "a"))).failed == []
    assert [each.display_name for each in graph.known.values()] == ["Mail", "entra-sod"]
    assert (await apply(graph, await to_remove(graph))).failed == []
    assert list(graph.known.values()) == [FOREIGN]


async def test_a_write_that_did_not_happen_is_said() -> None:
    """An extension that is not there ends it; a policy or a deletion is named as failed."""
    graph = losing(policy("1", "a"))
    graph.carries_out = False
    with pytest.raises(Unavailable):
        await apply(graph, await to_install(graph, "a"))
    graph.known[ours().id] = ours()
    assert len((await apply(graph, await to_install(graph, "a"))).failed) == 1
    assert len((await apply(graph, await to_remove(graph))).failed) == 1
    assert graph.written == []


class Forgetful(MemoryExtensions):
    """Loses a part of what a policy says when it is written, as a Graph of another version may."""

    async def replace(self, policy: Policy) -> None:
        await super().replace(policy)
        self.policies[policy.id] = replace(policy, rest=b'{"displayName":"Policy 1"}')


async def test_a_policy_that_lost_something_is_named_with_what_it_lost() -> None:
    """The policy is read again after it is written, and any difference is a failure."""
    calm = catalog_of(policy("1", "a"))
    graph = Forgetful(CATALOG, calm._packages, calm.policies.values(), [FOREIGN])
    (failure,) = (await apply(graph, await to_install(graph, "a"))).failed
    assert "in expiration:" in failure.why


async def test_an_identity_that_does_not_own_the_catalog_is_told_who_can() -> None:
    """Making an extension wants an owner; nothing was written."""
    graph = catalog_of(policy("1", "a"))
    graph.may_own = False
    with pytest.raises(HookRefused, match="owner of the catalog"):
        await apply(graph, await to_install(graph, "a"))
    assert graph.written == []


async def test_a_policy_that_may_not_be_written_is_a_failure() -> None:
    """The refusal is told for each policy."""
    graph = catalog_of(policy("1", "a"), policy("2", "a"))
    graph.may_write_policies = False
    outcome = await apply(graph, await to_install(graph, "a"))
    assert [len(outcome.failed), len(outcome.written)] == [2, 0]


async def test_an_extension_is_not_deleted_after_a_failure() -> None:
    """A policy that still calls it would fail with it."""
    graph = catalog_of(policy("1", "a", custom_extension(ours().id)), extensions=[ours()])
    plan = await to_remove(graph)
    graph.may_write_policies = False
    (failure,) = (await apply(graph, plan)).failed
    assert guid("1") in failure.what
    assert ours().id in graph.known


class Blind(MemoryExtensions):
    """Takes an extension, and does not list it."""

    async def create(self, catalog_id: str, new: NewExtension) -> None:
        pass


async def test_an_extension_that_graph_does_not_show_is_unsettled() -> None:
    """The app attaches nothing to an id that Graph does not show."""
    calm = catalog_of(policy("1", "a"))
    graph = Blind(CATALOG, calm._packages, calm.policies.values())
    with pytest.raises(NotYetConsistent):
        await apply(graph, await to_install(graph, "a"))


@pytest.mark.parametrize("wanted", ["finance", "Finance", CATALOG.id, CATALOG.id.upper()])
async def test_a_catalog_is_found_by_name_or_id(wanted: str) -> None:
    """Both compare without regard to case."""
    assert await find_catalog(catalog_of(), wanted) == CATALOG


@pytest.mark.parametrize("wanted", ["Treasury", guid("c9"), "Fin*"])
async def test_an_unknown_catalog_is_refused(wanted: str) -> None:
    """The message says how many there were to choose from."""
    with pytest.raises(HookRefused, match="among the 1"):
        await find_catalog(catalog_of(), wanted)


async def test_a_refused_catalog_is_an_error_and_no_empty_one() -> None:
    """What may not be read is never taken for nothing."""
    with pytest.raises(Forbidden):
        await catalog_of().extensions(guid("c9"))
