"""What holds back writes of checks and sweeps: the budget of 24 hours, and a freeze."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import azure.functions as func
import pytest

from entra_sod.domain.entra import Reference
from functions.http.freeze import freeze_writing, unfreeze_writing
from functions.http.health import ready
from tests.app import App, body_of, call
from tests.builders import guid, package, rule, side
from tests.services.sweeps.test_sweeps import skipped, sweep

type MakeApp = type[App]

NAMES = "abcdef0123"
PACKAGES = [package(name) for name in NAMES]
PAIRS = list(combinations(NAMES, 2))  # 45
RULES = [rule(f"r-{first}{second}", side(first), side(second)) for first, second in PAIRS]
DAY = 24 * 3600.0


def request(method: str, body: object = None) -> func.HttpRequest:
    return func.HttpRequest(
        method,
        "http://localhost:7071/api/freeze",
        headers={"Content-Type": "application/json"},
        body=json.dumps(body).encode(),
    )


async def freeze(reason: str) -> dict[str, Any]:
    return body_of(await call(freeze_writing, request("PUT", {"reason": reason})))


async def unfreeze() -> None:
    assert (await call(unfreeze_writing, request("DELETE"))).status_code == 204


async def writing() -> str:
    """What /ready says of writing."""
    answer = await call(ready, func.HttpRequest("GET", "http://localhost:7071/api/ready", body=b""))
    said: str = body_of(answer)["checks"]["writing"]
    return said


async def test_45_checks_under_a_budget_of_5_write_5(make_app: MakeApp) -> None:
    """Each check is within its own limit; together they keep to that of 24 hours, and say so."""
    app = make_app(PACKAGES, {}, RULES, ENFORCEMENT="apply", MAX_REFERENCE_WRITES_PER_DAY="5")
    answers = [await app.check(first, second) for first, second in PAIRS]
    assert len(app.graph.writes) == 5
    assert sum(len(each["references"]["written"]) for each in answers) == 5
    assert sum(len(each["references"]["planned"]) for each in answers) == 90
    (skipped,) = answers[-1]["coverage"]["skipped"]
    assert skipped["what"] == "writing the planned references"
    assert "2 writes are left planned: 5 of 5 reference writes" in skipped["why"]
    assert "room comes from" in skipped["why"]
    assert "5 of 5 reference writes" in await writing()


async def test_the_next_day_has_a_budget_of_its_own(make_app: MakeApp) -> None:
    """After 24 hours what was left planned is written."""
    app = make_app(PACKAGES, {}, RULES, ENFORCEMENT="apply", MAX_REFERENCE_WRITES_PER_DAY="2")
    await app.check("a", "b")
    await app.check("a", "c")
    assert len(app.graph.writes) == 2
    app.clock.advance(DAY)
    await app.check("a", "c")
    assert len(app.graph.writes) == 4


async def test_a_sweep_and_checks_share_the_budget(make_app: MakeApp) -> None:
    """A sweep writes what checks have left, and leaves the rest planned."""
    app = make_app(PACKAGES, {}, RULES, ENFORCEMENT="apply", MAX_REFERENCE_WRITES="90")
    app.configure(ENFORCEMENT="apply", MAX_REFERENCE_WRITES="90", MAX_REFERENCE_WRITES_PER_DAY="30")
    await app.check("a", "b")
    result = await sweep(app)
    assert len(app.graph.writes) == 30
    assert len(result["references"]["written"]) == 28
    assert any("60 writes are left planned" in each["why"] for each in skipped(result))


async def test_a_refused_write_takes_nothing_of_the_budget(make_app: MakeApp) -> None:
    """What Graph refuses is given back, so others may write as much."""
    named = package("a", "1"), package("b", "2"), package("c"), package("d")
    rules = [rule("ab", side("a"), side("b")), rule("cd", side("c"), side("d"))]
    app = make_app(named, {}, rules, ENFORCEMENT="apply", MAX_REFERENCE_WRITES_PER_DAY="4")
    app.graph.unsuitable_groups |= {guid("1"), guid("2")}
    refused = await app.check("a", "b")
    assert (len(refused["references"]["failed"]), len(app.graph.present)) == (2, 2)
    await app.check("c", "d")
    assert len(app.graph.present) == 4


async def test_a_freeze_stops_checks_and_sweeps_and_is_shown(make_app: MakeApp) -> None:
    """Nothing is written, everything is planned, and results and /ready name who froze, and why."""
    app = make_app(PACKAGES, {}, RULES, ENFORCEMENT="apply", MAX_REFERENCE_WRITES="90")
    assert (await freeze("an audit is on"))["by"] == "anyone:local"
    answer, result = await app.check("a", "b"), await sweep(app)
    assert app.graph.writes == []
    assert len(answer["references"]["planned"]) == 2
    for each in (answer["coverage"]["skipped"], skipped(result)):
        assert any("frozen since" in gap["why"] and "an audit is on" in gap["why"] for gap in each)
    assert "an audit is on" in await writing()


async def test_after_a_freeze_the_next_sweep_writes_what_was_planned(make_app: MakeApp) -> None:
    """Ending it is enough."""
    app = make_app(PACKAGES[:2], {}, RULES[:1], ENFORCEMENT="apply")
    await freeze("an audit is on")
    await sweep(app)
    await unfreeze()
    result = await sweep(app)
    assert len(result["references"]["written"]) == len(app.graph.writes) == 2
    assert "0 of 200" not in await writing()


async def test_a_sweep_that_is_frozen_in_the_middle_stops_there_and_goes_on_later(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends with what it has written, and the next sweep after the freeze writes the rest."""
    app = make_app(PACKAGES, {}, RULES, ENFORCEMENT="apply", MAX_REFERENCE_WRITES="90")
    add = app.graph.add

    async def freeze_after_seven(reference: Reference) -> None:
        await add(reference)
        if len(app.graph.writes) == 7:
            await freeze("stop")

    monkeypatch.setattr(app.graph, "add", freeze_after_seven)
    result = await sweep(app)
    assert len(result["references"]["written"]) == len(app.graph.writes) == 7
    await unfreeze()
    assert "7 of 200" in await writing()
    await sweep(app)
    assert len(app.graph.writes) == len(app.graph.present) == 90


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "  "}, {"reason": "x" * 201}])
async def test_a_freeze_without_a_reason_is_refused(make_app: MakeApp, body: object) -> None:
    """Whoever finds writing frozen must be able to see why."""
    app = make_app(PACKAGES, {}, RULES, ENFORCEMENT="apply")
    assert (await call(freeze_writing, request("PUT", body))).status_code == 422
    await app.check("a", "b")
    assert len(app.graph.writes) == 2
