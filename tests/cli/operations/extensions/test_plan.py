"""Which policies are hooked, and which are left as they are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from entra_sod.cli.operations.extensions.model import STAGE, HookRefused, LogicApp
from tests.builders import guid
from tests.cli.operations.extensions.builders import (
    CATALOG,
    LOGIC_APP,
    catalog_of,
    ours,
    policy,
    setting,
    to_install,
    to_remove,
)

OTHER_APP = LogicApp.parse(f"{LOGIC_APP.resource_id}-2")


async def test_only_policies_of_packages_that_rules_name_are_hooked() -> None:
    """Every policy of a named package, and none of another."""
    graph = catalog_of(policy("1", "a"), policy("2", "a"), policy("3", "b"))
    plan = await to_install(graph, "a", "e")
    assert [each.id for each in plan.attach] == [guid("1"), guid("2")]
    assert plan.create is not None
    assert (plan.create.logic_app, plan.create.wait_hours) == (LOGIC_APP, 24)


async def test_no_extension_is_made_that_no_policy_would_call() -> None:
    """Rules that name no package of the catalog ask for nothing."""
    plan = await to_install(catalog_of(policy("1", "a")), "e", logic_app=None)
    assert (plan.is_empty, plan.create) == (True, None)


async def test_what_calls_the_extension_already_is_kept() -> None:
    """A second install has nothing to do, also where Graph writes the stage in another case."""
    hooked = policy("1", "a", setting("AssignmentRequestCreated", ours().id))
    plan = await to_install(catalog_of(hooked, extensions=[ours()]), "a", logic_app=None)
    assert (plan.is_empty, plan.kept) == (True, 1)


async def test_the_extension_at_another_stage_is_not_the_hook() -> None:
    """Only request created can be answered, so the policy is attached there."""
    late = policy("1", "a", setting("assignmentRequestGranted", ours().id))
    plan = await to_install(catalog_of(late, extensions=[ours()]), "a")
    assert [each.id for each in plan.attach] == [late.id]


async def test_a_policy_that_cannot_be_written_back_is_left_alone() -> None:
    """A stage setting without its extension would be lost by writing, so nothing is written."""
    graph = catalog_of(policy("1", "a", setting(STAGE, None)), policy("2", "a"))
    plan = await to_install(graph, "a")
    assert [each.id for each in plan.attach] == [guid("2")]
    assert [guid("1") in gap.what for gap in plan.gaps] == [True]


async def test_a_policy_whose_questions_graph_does_not_show_is_left_alone() -> None:
    """Writing it back would take the questions away: neither attached nor detached, and said."""
    blind = replace(policy("1", "a"), shows_questions=False)
    plan = await to_install(catalog_of(blind, policy("2", "a")), "a")
    assert [each.id for each in plan.attach] == [guid("2")]
    (gap,) = plan.gaps
    assert guid("1") in gap.what
    assert "questions" in gap.why
    hooked = replace(policy("1", "a", setting(STAGE, ours().id)), shows_questions=False)
    removal = await to_remove(catalog_of(hooked, extensions=[ours()]))
    assert (removal.detach, removal.is_deleted, len(removal.gaps)) == ((), False, 1)


async def test_the_first_install_wants_a_logic_app() -> None:
    """Without an extension and without --logic-app the plan is refused, saying what is missing."""
    with pytest.raises(HookRefused, match="--logic-app"):
        await to_install(catalog_of(policy("1", "a")), "a", logic_app=None)


@pytest.mark.parametrize(
    ("extensions", "words"),
    [
        ([ours(logic_app=OTHER_APP)], "calls .*entra-sod-2, not"),
        ([ours(logic_app=None)], "something else"),
        ([ours(waits=False)], "no request waits"),
        (
            [ours(kind="#microsoft.graph.accessPackageAssignmentWorkflowExtension")],
            "no request waits",
        ),
        ([ours(), ours(id=guid("0b"), display_name="ENTRA-SOD")], "Several extensions"),
    ],
)
async def test_a_name_that_is_taken_is_refused(extensions: list[object], words: str) -> None:
    """An extension of our name that does not fit is neither used nor changed."""
    graph = catalog_of(policy("1", "a"), extensions=extensions)  # type: ignore[arg-type]
    with pytest.raises(HookRefused, match=words):
        await to_install(graph, "a")


async def test_a_logic_app_is_the_same_in_any_case() -> None:
    """Azure compares resource ids without regard to case."""
    shouted = LogicApp.parse(LOGIC_APP.resource_id.upper())
    graph = catalog_of(policy("1", "a"), extensions=[ours()])
    assert (await to_install(graph, "a", logic_app=shouted)).create is None


async def test_remove_takes_the_hook_off_whatever_rules_say_today() -> None:
    """Every policy of the catalog that calls ours at request created, and then the extension."""
    graph = catalog_of(
        policy("1", "a", setting(STAGE, ours().id)), policy("2", "b"), extensions=[ours()]
    )
    plan = await to_remove(graph)
    assert ([each.id for each in plan.detach], plan.is_deleted) == ([guid("1")], True)


async def test_an_extension_that_is_used_otherwise_is_kept() -> None:
    """Attached by a person at another stage: that stays, the extension stays, and it is said."""
    late = policy("1", "a", setting("assignmentRequestGranted", ours().id))
    plan = await to_remove(catalog_of(late, extensions=[ours()]))
    assert (plan.detach, plan.is_deleted, len(plan.gaps)) == ((), False, 1)


async def test_without_an_extension_there_is_nothing_to_remove() -> None:
    """Remove is done when there is none."""
    assert (await to_remove(catalog_of(policy("1", "a", setting(STAGE))))).is_empty


async def test_remove_deletes_no_extension_of_another_kind() -> None:
    """An extension of our name that no request waits for is none of ours."""
    graph = catalog_of(policy("1", "a"), extensions=[ours(waits=False)])
    with pytest.raises(HookRefused):
        await to_remove(graph)


@pytest.mark.parametrize(
    "resource_id",
    [
        "entra-sod",
        f"{LOGIC_APP.resource_id}/triggers/manual",
        LOGIC_APP.resource_id.replace("Microsoft.Logic/workflows", "Microsoft.Web/sites"),
        LOGIC_APP.resource_id.replace("entra-sod", "x" * 60),
    ],
)
def test_only_a_consumption_workflow_of_150_characters_is_taken(resource_id: str) -> None:
    """Names, triggers, Standard apps and ids that Entra does not take are refused at once."""
    with pytest.raises(HookRefused):
        LogicApp.parse(resource_id)


def test_a_resource_id_of_150_characters_is_taken() -> None:
    """The limit itself is allowed, and one more is not."""
    longest = LOGIC_APP.resource_id + "x" * (150 - len(LOGIC_APP.resource_id))
    assert LogicApp.parse(longest).resource_id == longest
    with pytest.raises(HookRefused, match="151 characters"):
        LogicApp.parse(f"{longest}x")


async def test_the_catalog_of_the_plan_is_the_one_that_was_read() -> None:
    """The plan names where it writes."""
    assert (await to_install(catalog_of(policy("1", "a")), "a")).catalog == CATALOG
