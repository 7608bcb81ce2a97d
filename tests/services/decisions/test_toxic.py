"""Decisions about packages that meet a rule by themselves: never allowed."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec
import pytest

from entra_sod.domain.rules.language import Mode, Override
from entra_sod.services.decisions import grants, maker
from tests.builders import exception, guid, package, rule, side
from tests.services.decisions.test_decisions import ANN, BOB, CROWD, RULES, MakeApp, ask
from tests.services.decisions.test_gaps import both_sides
from tests.services.sweeps.test_sweeps import sweep


async def test_a_package_of_one_side_that_gives_the_other_is_denied(make_app: MakeApp) -> None:
    """The rule names it on one side only."""
    app = both_sides(make_app)
    app.graph.put(package("a", "8", "9"))
    answer = await ask("a", CROWD[0])
    assert answer["decision"] == "deny"
    assert all(guid(each) in answer["reasons"][1] for each in "ab")
    assert (await ask("b", CROWD[0]))["decision"] == "allow"


async def test_a_rule_that_only_records_has_its_toxic_package_reviewed(make_app: MakeApp) -> None:
    """As it has any conflict."""
    app = both_sides(make_app, "8", "9")
    app.rules.write([msgspec.structs.replace(RULES[0], mode=Mode.RECORD)])
    assert (await ask("d"))["decision"] == "review"


async def test_an_exception_has_a_toxic_package_reviewed(make_app: MakeApp) -> None:
    """It is of one subject under the rule."""
    app = both_sides(make_app, "8", "9", a=ANN)
    entry = exception("pay", "1", start=date(2026, 1, 1), end=date(2026, 12, 31))
    app.rules.write(RULES, [entry])
    answer = await ask("d", ANN)
    assert (answer["decision"], answer["exceptions"][0]["id"]) == ("review", "EX-pay-1")
    assert (await ask("d", BOB))["decision"] == "deny"


@pytest.mark.parametrize(
    ("until", "decision"),
    [(None, "review"), ("2026-01-15T00:00:00Z", "review"), ("2026-01-15T00:00:01Z", "deny")],
)
async def test_an_override_package_is_reviewed_unless_it_is_wanted_for_too_long(
    make_app: MakeApp, until: str | None, decision: str
) -> None:
    """The reason says for how many days at most; without an end the reviewer sees to it."""
    app = both_sides(make_app, "8", "9")
    override = Override(rule="pay", package=UUID(guid("d")), max_days=14)
    app.rules.write(RULES, overrides=[override])
    more = {"until": until} if until else {}
    answer = await ask("d", CROWD[0], **more)
    assert answer["decision"] == decision
    assert ("override of it for at most 14 days" in answer["reasons"][0]) == (decision == "review")
    assert guid("d") in answer["reasons"][1]


async def test_an_override_permits_no_pair(make_app: MakeApp) -> None:
    """Both sides are wanted beside it."""
    app = both_sides(make_app, "8", "9")
    override = Override(rule="pay", package=UUID(guid("d")), max_days=14)
    app.rules.write(RULES, overrides=[override])
    assert (await ask("dab", CROWD[0]))["decision"] == "deny"


async def test_what_a_side_grants_is_a_gap_if_it_cannot_be_read(make_app: MakeApp) -> None:
    """The wanted package may grant the same: it is never said not to."""
    app = both_sides(make_app, b=BOB)
    app.graph.unreadable = {guid("b")}
    answer = await ask("a", CROWD[0])
    assert answer["decision"] == "review"
    assert guid("b") in answer["reasons"][0]


@pytest.mark.parametrize("is_fresh", [True, False])
async def test_of_too_many_packages_the_last_sweep_tells(
    make_app: MakeApp,
    monkeypatch: pytest.MonkeyPatch,
    is_fresh: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """It compared all of them, and is not too old; otherwise the decision is reviewed."""
    app = both_sides(make_app)
    app.rules.write([*RULES, rule("more", side("a"), side("cef"))])
    await sweep(app)
    monkeypatch.setattr(grants, "MAX_GRANTS_READ", 1)
    monkeypatch.setattr(maker, "MAX_GRANTS_READ", 1)
    app.clock.advance(60 if is_fresh else 3600 * 49)
    answer = await ask("a", CROWD[0])
    assert answer["decision"] == ("allow" if is_fresh else "review")
