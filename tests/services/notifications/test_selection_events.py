"""Who is told that a rule selects something else than was reviewed, and when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from entra_sod.core.errors import Unavailable
from entra_sod.domain.enforcement.selection_guard import HeldChange
from entra_sod.domain.rules.language import Mode, Rule
from entra_sod.stores.kept_events import KeptEvents
from local.memory.storage import MemoryStorage
from tests.app import App
from tests.builders import guid, package
from tests.domain.notifications.corpus import CORPUS
from tests.services.notifications.test_subscriptions import FIRST, subscribe
from tests.services.notifications.test_writing_events import told
from tests.services.sweeps.test_selections import PATTERN, approve, next_sweep
from tests.services.sweeps.test_sweeps import MakeApp

B = package("b", "2")


async def make(make_app: MakeApp, rule: Rule = PATTERN, **settings: str) -> App:
    """An app that has swept once, and a subscriber to changes of selections alone."""
    app = make_app(
        [package("a", "1"), B],
        {},
        [rule],
        **{"ENFORCEMENT": "apply", "CALLBACK_HOSTS": CORPUS.allowed, **settings},
    )
    await subscribe(app, FIRST, "selection.changed")
    await next_sweep(app)
    assert told(app) == []
    return app


async def changes(app: App) -> list[tuple[list[str], list[str]]]:
    """Sweep on another day; what each event says of the only rule: ids that joined and left."""
    run = (await next_sweep(app))["id"]
    bodies = [body for name, body in told(app) if name == "selection.changed"]
    assert all((body["run"], body["changed"]) == (run, 1) for body in bodies)
    return [_of(body) for body in bodies]


def _of(body: dict[str, Any]) -> tuple[list[str], list[str]]:
    [rule] = body["rules"]
    assert rule["rule"] == "r"
    return rule["joined"], rule["left"]


async def test_a_change_is_told_once_and_the_next_one_after_its_approval(
    make_app: MakeApp,
) -> None:
    """Two nights are one event; an approval is none; another change is another event."""
    app = await make(make_app)
    app.graph.put(package("b", "2", "e"))
    assert await changes(app) == [([guid("e")], [])]
    assert await changes(app) == []
    await approve(app)
    assert await changes(app) == []
    app.graph.put(package("eb", "3"))
    assert await changes(app) == [(sorted([guid("eb"), guid("3")]), [])]
    assert await changes(app) == []


async def test_what_joins_while_a_change_waits_is_told_alone(make_app: MakeApp) -> None:
    """The event names what is new; what was told before is not repeated."""
    app = await make(make_app)
    app.graph.put(package("b", "2", "e"))
    await changes(app)
    app.graph.put(package("b", "2", "e", "3"))
    assert await changes(app) == [([guid("3")], [])]


async def test_a_package_that_is_renamed_has_left(make_app: MakeApp) -> None:
    """Its name does not fit the pattern any more, and the event says so."""
    app = await make(make_app)
    app.graph.put(replace(B, display_name="Something else"))
    assert await changes(app) == [([], [guid("b")])]
    assert await changes(app) == []


async def test_a_change_that_was_undone_is_told_when_it_returns(make_app: MakeApp) -> None:
    """It waited, it was gone for a night, and it waits again."""
    app = await make(make_app)
    joined = package("b", "2", "e")
    app.graph.put(joined)
    assert len(await changes(app)) == 1
    app.graph.put(B)
    assert await changes(app) == []
    app.graph.put(joined)
    assert len(await changes(app)) == 1


async def test_a_package_that_cannot_be_read_for_a_night_is_not_told_anew(
    make_app: MakeApp,
) -> None:
    """It has left the app's view, which is told; what was told of its groups stays noted."""
    app = await make(make_app)
    app.graph.put(package("b", "2", "e"))
    assert await changes(app) == [([guid("e")], [])]
    app.graph.unreadable.add(guid("b"))
    assert await changes(app) == [([], [guid("b")])]
    app.graph.unreadable.clear()
    assert await changes(app) == []


@pytest.mark.parametrize(
    ("mode", "settings"),
    [
        (Mode.WARN, {}),
        (Mode.ENFORCE, {"SELECTION_CHANGES": "write"}),
        (Mode.ENFORCE, {"ENFORCEMENT": "off"}),
    ],
)
async def test_what_holds_nothing_tells_nothing(
    make_app: MakeApp, mode: Mode, settings: dict[str, str]
) -> None:
    """A rule that writes nothing grows by itself, and without holding there is nothing to do."""
    app = await make(make_app, msgspec.structs.replace(PATTERN, mode=mode), **settings)
    app.graph.put(package("b", "2", "e"))
    assert await changes(app) == []


async def test_a_closing_that_comes_again_tells_the_same_event(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a crash between the event and the note of it, the event keeps its id and its body."""
    app = await make(make_app)
    kept, failing = app.records.announcer.kept, [Unavailable("503")]
    remember = kept.remember_changes

    async def fail_once(changes: list[HeldChange]) -> None:
        if failing:
            raise failing.pop()
        await remember(changes)

    monkeypatch.setattr(kept, "remember_changes", fail_once)
    app.graph.put(package("b", "2", "e"))
    await next_sweep(app)
    first, again = app.sender.posts
    assert first.headers["webhook-id"].startswith("selection-sweep-")
    assert (again.headers["webhook-id"], again.body) == (first.headers["webhook-id"], first.body)


async def test_a_damaged_note_of_what_was_told_ends_no_sweep(make_app: MakeApp) -> None:
    """All that waits is told once more."""
    app = await make(make_app)
    app.graph.put(package("b", "2", "e"))
    assert len(await changes(app)) == 1
    await app.storage.blobs.put("events", "changed.json", b'{"x": [')
    assert len(await changes(app)) == 1
    assert await changes(app) == []


async def test_a_rule_that_is_written_anew_has_changes_of_its_own() -> None:
    """Two texts under one id share no note of what was told."""
    kept = KeptEvents(MemoryStorage().blobs)
    before = HeldChange(rule="r", key="one", joined=frozenset({"x"}), left=frozenset())
    await kept.remember_changes([before])
    assert await kept.newly_changed([before]) == {}
    assert await kept.newly_changed([replace(before, key="two")]) == {"r": (["x"], [])}
