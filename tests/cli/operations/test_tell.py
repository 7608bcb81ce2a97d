"""What a command tells of its writes: the app sends it to the subscribers."""

from __future__ import annotations

import json

import pytest

from entra_sod.cli.operations.tell import tell_applied
from entra_sod.core.errors import StorageUnavailable
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.services.enforcement.reference_writer import AppliedPlan
from entra_sod.stores.kept_events import KeptEvents
from tests.app import App
from tests.builders import guid
from tests.domain.notifications.corpus import CORPUS
from tests.services.notifications.test_subscriptions import FIRST, subscribe

A_TO_B = Reference(guid("a"), ReferenceKind.PACKAGE, guid("b"))
B_TO_A = Reference(guid("b"), ReferenceKind.PACKAGE, guid("a"))


@pytest.fixture
async def app(make_app: type[App]) -> App:
    app = make_app([], {}, [], CALLBACK_HOSTS=CORPUS.allowed)
    await subscribe(app, FIRST, "references.written")
    return app


async def test_the_app_tells_what_a_command_wrote_and_removed(app: App) -> None:
    """Under the name of the command's run."""
    applied = AppliedPlan(written=[A_TO_B], removed=[B_TO_A])
    assert await tell_applied(app.storage, app.clock, "apply-1", applied) is None
    await app.work_off()
    [post] = app.sender.posts
    body = json.loads(post.body)
    assert (body["run"], body["written"], body["removed"]) == ("apply-1", 1, 1)
    assert [each.get("isRemoval", False) for each in body["references"]] == [False, True]


async def test_a_command_that_wrote_nothing_tells_nothing(app: App) -> None:
    """There is no event without news."""
    await tell_applied(app.storage, app.clock, "apply-1", AppliedPlan(found_present=[A_TO_B]))
    assert app.storage.sent == []


async def test_a_command_that_may_not_tell_says_why(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writes are done, and the reason is returned instead of raised."""

    async def refuse(*_: object) -> None:
        raise StorageUnavailable("the container takes nothing")

    monkeypatch.setattr(KeptEvents, "store", refuse)
    why = await tell_applied(app.storage, app.clock, "apply-1", AppliedPlan(written=[A_TO_B]))
    assert "takes nothing" in str(why)
