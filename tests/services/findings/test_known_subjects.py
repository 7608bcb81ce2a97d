"""One subject is one finding, however much of it Graph shows of each assignment."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from entra_sod.domain.entra import Assignment, Subject
from entra_sod.domain.findings.model import Finding
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
