"""What holds back writes of checks and sweeps: the budget of 24 hours, and a freeze."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import combinations
from typing import Any

import azure.functions as func
import pytest

from entra_sod.core.clock import timestamp
from entra_sod.core.errors import Unavailable
from entra_sod.domain.entra import Reference
from entra_sod.stores.evidence_drafts import EvidenceDraft
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
    """What /ready says of writing, for people."""
    said: str = (await readiness())["checks"]["writing"]
    return said


async def writing_fields() -> dict[str, Any]:
    """What /ready says of writing, for programs."""
    fields: dict[str, Any] = (await readiness())["writing"]
    return fields


async def readiness() -> dict[str, Any]:
    request = func.HttpRequest("GET", "http://localhost:7071/api/ready", body=b"")
    return body_of(await call(ready, request))


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
    assert answers[0]["stopped"] is None
    stopped = answers[-1]["stopped"]
    assert stopped.pop("why") == skipped["why"]
    room_from = timestamp(app.clock.now() + timedelta(days=1))
    figures = {"used": 5, "limit": 5, "roomFrom": room_from, "frozen": None}
    assert stopped == {"by": "day-limit", "left": 2, **figures}
    assert await writing_fields() == figures


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
    stopped = result["stopped"]
    assert (stopped["by"], stopped["left"], stopped["used"]) == ("day-limit", 60, 30)


async def test_what_is_over_the_limit_of_a_run_is_said_with_both_numbers(make_app: MakeApp) -> None:
    """No time mends it, so none is given."""
    app = make_app(PACKAGES, {}, RULES, ENFORCEMENT="apply", MAX_REFERENCE_WRITES="7")
    stopped = (await sweep(app))["stopped"]
    assert (stopped["by"], stopped["left"], stopped["limit"]) == ("run-limit", 90, 7)
    assert stopped["roomFrom"] is None
    assert app.graph.writes == []


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
    fields = await writing_fields()
    assert fields["frozen"] == answer["stopped"]["frozen"] == result["stopped"]["frozen"]
    assert fields["frozen"].keys() == {"since", "by", "reason"}
    assert [each["stopped"]["left"] for each in (answer, result)] == [2, 90]


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
    assert result["referenceCounts"]["planned"] == 90
    assert (result["stopped"]["by"], result["stopped"]["left"]) == ("freeze", 83)
    await unfreeze()
    assert "7 of 200" in await writing()
    again = await sweep(app)
    assert len(app.graph.writes) == len(app.graph.present) == 90
    assert (len(again["references"]["written"]), again["stopped"]) == (83, None)
    assert "90 of 200" in await writing()


async def test_a_frozen_sweep_whose_worker_dies_counts_nothing_twice(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The closing that comes again tells what the first one wrote, and writes no more."""
    app = make_app(PACKAGES, {}, RULES, ENFORCEMENT="apply", MAX_REFERENCE_WRITES="90")
    add, seal = app.graph.add, app.records.chain.seal
    failing = [Unavailable("503")]

    async def freeze_after_seven(reference: Reference) -> None:
        await add(reference)
        if len(app.graph.writes) == 7:
            await freeze("stop")

    async def fail_once(draft: EvidenceDraft) -> None:
        if failing:
            raise failing.pop()
        await seal(draft)

    monkeypatch.setattr(app.graph, "add", freeze_after_seven)
    monkeypatch.setattr(app.records.chain, "seal", fail_once)
    result = await sweep(app)
    assert failing == []
    assert len(result["references"]["written"]) == len(app.graph.writes) == 7
    assert result["stopped"]["left"] == 83
    assert (await writing_fields())["used"] == 7


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "  "}, {"reason": "x" * 201}])
async def test_a_freeze_without_a_reason_is_refused(make_app: MakeApp, body: object) -> None:
    """A reader of the freeze must be able to see why writing is frozen."""
    app = make_app(PACKAGES, {}, RULES, ENFORCEMENT="apply")
    assert (await call(freeze_writing, request("PUT", body))).status_code == 422
    await app.check("a", "b")
    assert len(app.graph.writes) == 2
