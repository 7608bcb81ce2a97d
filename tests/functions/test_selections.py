"""`GET /api/selections` and `POST /api/selections/approve`."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from typing import Any

import azure.functions as func
import msgspec
import pytest

from entra_sod.core.errors import Forbidden, StorageUnavailable, Unavailable, UnreadableItem
from entra_sod.domain.rules.language import Mode, PackageSelector, Rule, Side
from entra_sod.services.rules import approvals, effect
from tests.app import App, body_of
from tests.builders import at_most, guid, held, package, rule, side
from tests.credentials import OBJECT_ID, principal
from tests.functions.asking import ask, get, problem
from tests.services.sweeps.test_sweeps import sweep

type MakeApp = type[App]

PATTERN = rule("r", side("a"), Side(packages=[PackageSelector(name="Package b*")]))
OTHER = rule("other", side("c"), side("d"))
PACKAGES = [package("a", "1"), package("b", "2"), package("c", "3"), package("d")]
HELD = {"a": held("a", "xy"), "b": held("b", "yz"), "c": held("c", "vw")}
NONE = "sha256:" + "0" * 64


def made(make_app: MakeApp, *rules: Rule, **settings: str) -> App:
    asked = {"ENFORCEMENT": "apply", "PRUNE": "true", **settings}
    return make_app(PACKAGES, HELD, [PATTERN, *rules], **asked)


def change(app: App) -> None:
    """The package b grants another group, and the package c joins."""
    app.graph.put(package("b", "2", "e"))
    app.graph.put(replace(package("c", "3"), display_name="Package b [x]"))
    app.clock.advance(3600)


async def waiting(make_app: MakeApp, *rules: Rule, **settings: str) -> App:
    """The app after a sweep, a change, and a sweep that held what the change asks for."""
    app = made(make_app, *rules, **settings)
    await sweep(app)
    change(app)
    await sweep(app)
    return app


async def shown(rule_id: str = "r") -> dict[str, Any]:
    [found] = (await get("selections", rule=rule_id))["rules"]
    return dict(found)


async def approve(*selections: tuple[str, str], **headers: str) -> func.HttpResponse:
    body = {"rules": [{"id": name, "selection": text} for name, text in selections]}
    return await ask("POST selections/approve", body=body, headers=headers)


async def test_what_was_reviewed_is_shown(make_app: MakeApp) -> None:
    """When and by whom; nothing waits, and an approval would do nothing."""
    await sweep(made(make_app, OTHER))
    page = await get("selections")
    assert (page["remembers"], page["notRead"]) == (True, [])
    assert [each["id"] for each in page["rules"]] == ["other", "r"]
    for found in page["rules"]:
        assert (found["waits"], found["joined"], found["left"]) == (False, [], [])
        assert found["reviewedBy"].startswith("first seen by sweep ")
        would = found["approving"]
        assert (would["writes"], would["removes"], would["subjects"]) == ([], [], 0)


async def test_a_rule_that_no_run_has_met_waits_for_nothing(make_app: MakeApp) -> None:
    """Nothing of it was reviewed, and nothing of it is held."""
    made(make_app)
    found = await shown()
    assert (found["waits"], found["reviewedAt"], found["reviewedBy"]) == (False, None, None)


async def test_what_joined_is_shown_with_what_an_approval_would_do(make_app: MakeApp) -> None:
    """Each reference that the next sweep would write, and how many subjects it keeps away."""
    app = await waiting(make_app)
    app.graph.members = {guid("1"): 2, guid("3"): 2, guid("e"): 5}
    found = await shown()
    assert found["waits"] is True
    assert found["joined"] == [{"id": guid("c"), "name": "Package b [x]"}]
    groups = {each["group"]: each["package"]["id"] for each in found["joinedGroups"]}
    assert groups == {guid("3"): guid("c"), guid("e"): guid("b")}
    would = found["approving"]
    writes = {(each["on"]["id"], each["target"]["id"]): each for each in would["writes"]}
    assert set(writes) == {
        (guid("a"), guid("3")),
        (guid("a"), guid("e")),
        (guid("a"), guid("c")),
        (guid("c"), guid("1")),
        (guid("c"), guid("a")),
    }
    # Both holders of c may get a today; both are in its group, which counts them once.
    assert (would["writeCount"], would["removeCount"], would["why"]) == (5, 0, None)
    assert writes[guid("a"), guid("c")]["subjects"] == 2
    assert writes[guid("a"), guid("3")]["subjects"] == 0
    # Of the five members two hold b, whose holders cannot get a as it is.
    assert writes[guid("a"), guid("e")]["subjects"] == 3
    assert would["subjects"] == sum(each["subjects"] for each in would["writes"])


async def test_members_that_may_not_be_counted_are_not_known(make_app: MakeApp) -> None:
    """Null, those who are known at least, and why."""
    await waiting(make_app)
    would = (await shown())["approving"]
    assert would["subjects"] is None
    assert "may not count the members" in would["why"]
    by_group = [each for each in would["writes"] if each["kind"] == "group"]
    assert {each["subjects"] for each in by_group} == {None}


async def test_holders_of_more_packages_than_are_asked_for_are_not_known(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package has joined between two sweeps, and the index does not have it."""
    app = made(make_app)
    app.graph.members = {guid("1"): 2, guid("3"): 2, guid("e"): 5}
    await sweep(app)
    change(app)
    assert (await shown())["approving"]["subjects"] is not None
    monkeypatch.setattr(effect, "MAX_PACKAGES_ASKED", 0)
    found = (await shown())["approving"]
    assert found["subjects"] is None
    assert "the newest sweep has not read who holds" in found["why"]


async def test_the_index_and_graph_count_alike(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the newest sweep has read all holders, Graph is not asked for them."""
    app = await waiting(make_app, at_most("set", 2, "abc"))
    app.graph.members = {guid("1"): 2, guid("3"): 2, guid("e"): 5}
    by_index = (await shown())["approving"]
    monkeypatch.setattr(effect, "last_summary", nothing)
    assert (await shown())["approving"] == by_index
    assert by_index["subjects"] is not None


async def nothing(_: object) -> None:
    return None


async def test_holders_that_cannot_be_read_are_not_known(make_app: MakeApp) -> None:
    """With Graph's reason."""
    app = await waiting(make_app)
    app.graph.members = {guid("1"): 2, guid("3"): 2, guid("e"): 5}
    ask_graph = app.graph.assignments_of

    async def refuse(packages: Collection[str]) -> AsyncIterator[tuple[str, Any]]:
        async for package_id, page in ask_graph(packages):
            is_refused = package_id == guid("c")
            yield package_id, Forbidden("no", status=403) if is_refused else page

    app.graph.assignments_of = refuse  # type: ignore[method-assign,assignment]
    found = (await shown())["approving"]
    assert found["subjects"] is None
    assert guid("c") in found["why"]


async def test_what_left_is_shown_with_what_an_approval_would_remove(make_app: MakeApp) -> None:
    """References are ours, and stay until that is approved."""
    await left(make_app)
    found = await shown()
    assert (found["waits"], found["left"]) == (True, [{"id": guid("c"), "name": "Renamed"}])
    would = found["approving"]
    assert (would["writeCount"], would["removeCount"]) == (0, 4)
    assert {each["on"]["id"] for each in would["removes"]} == {guid("a"), guid("c")}


async def left(make_app: MakeApp, **settings: str) -> App:
    """The app after a sweep that wrote, and a package that its rule does not fit any more."""
    app = made(make_app, **settings)
    app.graph.put(replace(package("c", "3"), display_name="Package b2"))
    await sweep(app)
    app.graph.put(replace(package("c", "3"), display_name="Renamed"))
    app.clock.advance(3600)
    return app


async def test_without_prune_nothing_would_be_removed(make_app: MakeApp) -> None:
    """A sweep removes no reference then."""
    await left(make_app, PRUNE="false")
    found = await shown()
    assert (found["waits"], found["approving"]["removeCount"]) == (True, 0)


async def test_what_another_rule_asks_for_stays(make_app: MakeApp) -> None:
    """Approving what left one rule removes nothing that the other keeps apart."""
    app = await left(make_app)
    app.rules.write([PATTERN, rule("same", side("a"), side("c"))])
    app.clock.advance(120)
    found = await shown()
    assert (found["waits"], found["approving"]["removeCount"]) == (True, 0)


async def test_a_rule_that_would_select_nothing_removes_nothing(make_app: MakeApp) -> None:
    """That is a gap of the rule, and with a gap no sweep removes anything."""
    app = made(make_app)
    await sweep(app)
    app.graph.put(replace(package("b", "2"), display_name="Renamed"))
    app.clock.advance(3600)
    found = await shown()
    assert (found["waits"], found["approving"]["removeCount"]) == (True, 0)


async def test_an_approval_lets_the_next_sweep_write(make_app: MakeApp) -> None:
    """Exactly what was shown, and who approved it is kept."""
    app = await waiting(make_app, OTHER, WEBSITE_AUTH_ENABLED="True")
    found = await ask("GET selections", headers=principal("SoD.Read"))
    rules = {each["id"]: each for each in body_of(found)["rules"]}
    answer = await approve(("r", rules["r"]["selection"]), **principal("SoD.Admin"))
    assert answer.status_code == 200, answer.get_body()
    [approved] = body_of(answer)["approved"]
    assert approved == {
        "id": "r",
        "selection": rules["r"]["selection"],
        "reviewedAt": "2026-01-01T01:00:00Z",
        "reviewedBy": f"principal:{OBJECT_ID}",
    }
    planned = {
        (each["on"]["id"], each["kind"], each["target"]["id"])
        for each in rules["r"]["approving"]["writes"]
    }
    written = (await sweep(app))["references"]["written"]
    assert planned == {
        (each["accessPackageId"], each["kind"], each["targetId"]) for each in written
    }
    after = body_of(await ask("GET selections", headers=principal("SoD.Read")))["rules"]
    assert {each["id"]: each["waits"] for each in after} == {"other": False, "r": False}


async def test_an_approval_of_what_left_lets_the_next_sweep_remove(make_app: MakeApp) -> None:
    """As many as were shown."""
    app = await left(make_app)
    assert (await approve(("r", (await shown())["selection"]))).status_code == 200
    app.clock.advance(120)
    assert len((await sweep(app))["references"]["removed"]) == 4


async def test_the_same_approval_again_is_no_error(make_app: MakeApp) -> None:
    """It changes nothing, not even when it was approved."""
    app = await waiting(make_app)
    selection = (await shown())["selection"]
    first = body_of(await approve(("r", selection)))
    app.clock.advance(60)
    again = await approve(("r", selection))
    assert (again.status_code, body_of(again)) == (200, first)


async def test_another_selection_than_was_shown_is_refused(make_app: MakeApp) -> None:
    """409 with its place; nothing is approved, not even what was shown of another rule."""
    app = await waiting(make_app, OTHER)
    found, other = (await shown())["selection"], (await shown("other"))["selection"]
    app.graph.put(package("b", "2", "e", "f"))
    answer = await approve(("other", other), ("r", found))
    assert answer.status_code == 409
    assert body_of(answer)["type"] == "urn:entra-sod:problem:selection-changed"
    assert [each["pointer"] for each in body_of(answer)["errors"]] == ["/rules/1/selection"]
    assert (await shown())["waits"] is True
    assert (await shown("other"))["reviewedBy"].startswith("first seen by sweep")


async def test_a_package_that_vanished_between_list_and_click_is_told(make_app: MakeApp) -> None:
    """What was shown is not what the rule selects any more."""
    app = await waiting(make_app)
    selection = (await shown())["selection"]
    app.graph.drop(guid("c"))
    app.clock.advance(3600)
    assert (await approve(("r", selection))).status_code == 409


async def test_a_run_that_is_faster_wins(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row stays as it is, and the caller looks again."""
    app = await waiting(make_app)
    selection = (await shown())["selection"]

    async def slower(*_: object) -> bool:
        return False

    monkeypatch.setattr(app.records.selections, "keep", slower)
    answer = await approve(("r", selection))
    assert answer.status_code == 409
    assert body_of(answer)["detail"].startswith("Nothing was approved.")


async def test_what_was_approved_before_another_run_was_faster_is_told(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several rules are stored one by one, and the answer never says that nothing was."""
    app = await waiting(make_app, replace_id(PATTERN, "q"))
    keep, kept = app.records.selections.keep, list[str]()

    async def second_is_slower(rule_: Any, *more: Any) -> bool:
        kept.append(rule_.id)
        return len(kept) == 1 and await keep(rule_, *more)

    selections = [(name, (await shown(name))["selection"]) for name in ("q", "r")]
    monkeypatch.setattr(app.records.selections, "keep", second_is_slower)
    answer = await approve(*selections)
    assert answer.status_code == 409
    assert "Approved, before another run changed the next rule: q." in body_of(answer)["detail"]
    assert [each["pointer"] for each in body_of(answer)["errors"]] == ["/rules/1/selection"]


def replace_id(rule_: Rule, rule_id: str) -> Rule:
    return msgspec.structs.replace(rule_, id=rule_id)


async def test_an_approval_is_a_line_in_the_log(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    """With the rule and who approved; no name of the tenant."""
    await waiting(make_app)
    with caplog.at_level(logging.INFO, "entra_sod"):
        await approve(("r", (await shown())["selection"]))
    [line] = [
        each for each in caplog.records if getattr(each, "action", "") == "selection_approved"
    ]
    assert (line.__dict__["rule"], line.__dict__["caller"]) == ("r", "anyone:local")
    assert "Package" not in line.getMessage()


async def test_damage_is_shown_and_mended_by_an_approval(make_app: MakeApp) -> None:
    """What was reviewed cannot be used; what the rule selects now takes its place."""
    app = await waiting(make_app)
    async for name in app.storage.blobs.names("selections"):
        await app.storage.blobs.put("selections", name, b"{")
    app.records.selections._cached.clear()
    found = await shown()
    assert (found["waits"], "is damaged" in found["damage"]) == (True, True)
    assert (await approve(("r", found["selection"]))).status_code == 200
    assert (await shown())["damage"] is None


async def test_nothing_is_remembered_if_changes_are_written(make_app: MakeApp) -> None:
    """SELECTION_CHANGES=write: no rule is listed, and there is nothing to approve."""
    made(make_app, SELECTION_CHANGES="write")
    page = await get("selections")
    assert (page["remembers"], page["rules"]) == (False, [])
    body = {"rules": [{"id": "r", "selection": NONE}]}
    assert await problem("POST selections/approve", body=body) == (409, "nothing-remembered")


async def test_an_unknown_rule_is_404(make_app: MakeApp) -> None:
    """Also if the rule was removed a moment ago."""
    made(make_app)
    body = {"rules": [{"id": "gone", "selection": NONE}]}
    assert await problem("POST selections/approve", body=body) == (404, "unknown-rule")
    assert (await get("selections", rule="gone"))["rules"] == []


async def test_a_list_that_is_not_whole_approves_nothing(make_app: MakeApp) -> None:
    """What is on the rest of it would be taken for what left."""
    app = await waiting(make_app)
    selection = (await shown())["selection"]
    listed = await app.graph.packages()

    async def partly() -> None:
        raise UnreadableItem("a package", "no id", listed)

    app.graph.packages = partly  # type: ignore[method-assign,assignment]
    app.clock.advance(3600)
    body = {"rules": [{"id": "r", "selection": selection}]}
    assert await problem("POST selections/approve", body=body) == (503, "list-incomplete")


async def test_a_package_that_cannot_be_read_is_told(make_app: MakeApp) -> None:
    """Which groups it grants is not known, so nothing of it is shown or approved."""
    app = await waiting(make_app)
    app.graph.unreadable.add(guid("b"))
    page = await get("selections", rule="r")
    assert guid("b") in page["notRead"][0]["what"]
    assert guid("e") not in str(page["rules"][0]["joinedGroups"])


async def test_no_more_packages_are_read_than_a_caller_waits_for(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that joined, and what they face, come first; the others are a gap."""
    await waiting(make_app, OTHER)
    monkeypatch.setattr(approvals, "MAX_PACKAGES_READ", 2)
    page = await get("selections")
    assert page["notRead"][0]["what"] == "which groups 2 more packages grant"
    assert [each["id"] for each in page["rules"]] == ["other", "r"]


@pytest.mark.parametrize("mode", [Mode.WARN, Mode.RECORD])
async def test_a_rule_that_writes_nothing_holds_nothing(make_app: MakeApp, mode: Mode) -> None:
    """Its selection grows with each sweep."""
    found_only = at_most("many", 1, "ab", mode=mode)
    app = make_app(PACKAGES, HELD, [found_only])
    await sweep(app)
    would = (await shown("many"))["approving"]
    assert (would["writeCount"], would["removeCount"]) == (0, 0)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/rules"),
        ({"rules": []}, "/rules"),
        ({"rules": [{"id": "r"}]}, "/rules/0/selection"),
        ({"rules": [{"id": "r", "selection": "x"}]}, "/rules/0/selection"),
        ({"rules": [{"id": "r", "selection": NONE + "\n"}]}, "/rules/0/selection"),
        ({"rules": [{"id": "", "selection": NONE}]}, "/rules/0/id"),
        ({"rules": [{"id": "r", "selection": NONE}] * 2}, "/rules/1/id"),
        ({"rules": [{"id": "r", "selection": NONE}] * 101}, "/rules"),
        ({"rules": [{"id": "r", "selection": NONE, "force": True}]}, "/rules/0/force"),
        ({"rule": "r"}, "/rules"),
    ],
)
async def test_a_wrong_body_is_refused(
    make_app: MakeApp, body: dict[str, object], pointer: str
) -> None:
    """With each wrong place, and nothing is approved."""
    made(make_app)
    answer = await ask("POST selections/approve", body=body)
    assert answer.status_code == 422
    assert pointer in [each["pointer"] for each in body_of(answer)["errors"]]


async def test_graph_that_is_away_is_503(make_app: MakeApp) -> None:
    """Nothing was approved."""
    app = await waiting(make_app)
    selection = (await shown())["selection"]

    async def away(_: Collection[str]) -> None:
        raise Unavailable("Graph answers 503", status=503)

    app.graph.packages_by_id = away  # type: ignore[method-assign,assignment]
    body = {"rules": [{"id": "r", "selection": selection}]}
    assert await problem("GET selections") == (503, "graph")
    assert await problem("POST selections/approve", body=body) == (503, "graph")


async def test_storage_that_is_away_is_503(make_app: MakeApp) -> None:
    app = await waiting(make_app)

    async def away(_: object) -> None:
        raise StorageUnavailable("away")

    app.records.selections.rows = away  # type: ignore[method-assign,assignment]
    assert await problem("GET selections") == (503, "storage")
