"""One subject is one finding, however much of it Graph shows of each assignment."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from entra_sod.domain.entra import Assignment, Subject
from entra_sod.domain.findings.model import Finding, FindingNames, FindingState
from entra_sod.stores.findings import FindingStore
from tests.app import App
from tests.builders import assignment, exception, guid, package, rule, side
from tests.services.sweeps.test_sweeps import MakeApp, sweep

PACKAGES = [package("a"), package("b")]
RULES = [rule("r", side("a"), side("b"))]
OBJECT = guid("0b")


def delivered(name: str) -> Assignment:
    return replace(
        assignment(name, "x"), subject=Subject(id=guid("5b"), object_id=OBJECT, display_name="X")
    )


def delivering(name: str) -> Assignment:
    """Graph shows nothing of the subject but its id, until the assignment is delivered."""
    return replace(assignment(name, "x", "delivering"), subject=Subject(id=guid("5b")))


async def findings(app: App) -> list[Finding]:
    return [each.finding async for each in app.records.findings.all()]


@pytest.mark.parametrize("refused", [True, False])
async def test_a_subject_is_known_by_any_of_its_assignments(
    make_app: MakeApp,
    refused: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """By a sweep, and by a check before it; one assignment of the pair is not delivered yet."""
    app = make_app(PACKAGES, {"a": [delivering("a")], "b": [delivered("b")]}, RULES)
    app.graph.refuses_additional_access = refused
    await app.check("b", "a")
    await sweep(app)
    await app.check("a", "b")
    [finding] = await findings(app)
    assert finding.object_id == OBJECT


async def test_a_finding_is_the_same_while_graph_shows_less_of_its_subject(
    make_app: MakeApp,
) -> None:
    """Both assignments are made anew, and are not delivered yet."""
    app = make_app(PACKAGES, {"a": [delivered("a")], "b": [delivered("b")]}, RULES)
    await sweep(app)
    [before] = await findings(app)
    app.graph._assignments = {guid(name): [delivering(name)] for name in "ab"}
    await sweep(app)
    await app.check("a", "b")
    [after] = await findings(app)
    assert (after.id, after.object_id, after.history) == (before.id, OBJECT, before.history)


async def test_an_exception_by_object_id_permits_what_shows_no_object_id(
    make_app: MakeApp,
) -> None:
    app = make_app(PACKAGES, {"a": [delivering("a")], "b": [delivered("b")]}, RULES)
    permitted = exception("r", "0b", start=date(2025, 12, 1), end=date(2026, 6, 1))
    app.rules.write(RULES, [permitted])
    app.graph.refuses_additional_access = True
    answer = await sweep(app)
    assert (answer["findings"], answer["excepted"]) == (1, 1)


async def test_a_check_beside_a_sweep_that_closes_finds_the_same_finding(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It writes when the sweep has read what findings there are, and knows more of the subject."""
    app = make_app(PACKAGES, {"a": [delivering("a")], "b": [delivered("b")]}, RULES)
    known_names, meanwhile = FindingStore.known_names, [("b", "a")]

    async def known_before(store: FindingStore) -> FindingNames:
        names = await known_names(store)
        if meanwhile:
            await app.check(*meanwhile.pop())
        return names

    monkeypatch.setattr(FindingStore, "known_names", known_before)
    await sweep(app)
    assert not meanwhile
    [finding] = await findings(app)
    assert (finding.object_id, finding.state) == (OBJECT, FindingState.OPEN)


async def test_checks_of_both_orders_at_once_find_the_same_finding(make_app: MakeApp) -> None:
    """Graph shows each of them another assignment of the subject."""
    app = make_app(PACKAGES, {"a": [delivering("a")], "b": [delivered("b")]}, RULES)
    await app.check("a", "b")
    [shown_less] = await findings(app)
    app = make_app(PACKAGES, {"a": [delivering("a")], "b": [delivered("b")]}, RULES)
    await app.check("b", "a")
    [shown_all] = await findings(app)
    assert (shown_less.object_id, shown_all.object_id) == (None, OBJECT)
    assert shown_less.id == shown_all.id


@pytest.mark.parametrize("refused", [True, False])
async def test_two_assignments_of_one_package_are_one_holder(
    make_app: MakeApp,
    refused: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """By two policies; Graph shows the object id of one of them."""
    twice = [delivering("a"), replace(delivered("a"), id=guid("a2"))]
    app = make_app(PACKAGES, {"a": twice, "b": [delivered("b")]}, RULES)
    app.graph.refuses_additional_access = refused
    check = await app.check("a", "b")
    answer = await sweep(app)
    assert (check["holderCount"], check["holders"][0]["objectId"]) == (1, OBJECT)
    assert (answer["findings"], answer["results"][0]["holderCount"]) == (1, 1)
    assert len(await findings(app)) == 1
