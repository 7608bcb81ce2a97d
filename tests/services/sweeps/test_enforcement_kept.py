"""A sweep keeps how far Entra enforced each rule when it ended."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from entra_sod.core.errors import Forbidden
from entra_sod.domain.report.enforcement import enforcement_views
from entra_sod.domain.results.sweep import SweepResult
from entra_sod.domain.rules.language import Mode, References
from tests.app import App
from tests.builders import at_most, held, package, rule, rule_set, side
from tests.services.sweeps.test_selections import PATTERN, approve
from tests.services.sweeps.test_sweeps import MakeApp, sweep

PACKAGES = [package("a", "1"), package("b", "2"), package("c")]
HELD = {"a": held("a", "x"), "b": held("b", "y")}
RULE = rule("r", side("a"), side("b"))


async def swept(app: App, *, is_frozen: bool = False) -> dict[str, tuple[str, int | None]]:
    """Each rule's state and how many references are missing, by the newest sweep."""
    found = msgspec.convert(await sweep(app), SweepResult)
    assert found.rule_enforcement is not None
    rules = await app.engine.rules.at_hand()
    views = enforcement_views(found.rule_enforcement, rules.rules, is_frozen=is_frozen)
    return {key: (str(each.state), each.missing) for key, each in views.items()}


def app_of(make_app: MakeApp, *rules: Any, **settings: str) -> App:
    return make_app(PACKAGES, HELD, list(rules), **settings)


async def test_h1_twelve_missing_references_under_plan_are_said(make_app: MakeApp) -> None:
    """`plan` writes nothing, so nothing is enforced: two packages and two groups, both ways."""
    app = app_of(make_app, RULE, ENFORCEMENT="plan")
    assert await swept(app) == {"r": ("plan-only", 4)}


async def test_what_was_written_is_enforced_both_ways(make_app: MakeApp) -> None:
    """In the sweep that writes it, and in the next one."""
    app = app_of(make_app, RULE, ENFORCEMENT="apply")
    assert await swept(app) == {"r": ("both-ways", 0)}
    assert await swept(app) == {"r": ("both-ways", 0)}


async def test_what_a_limit_keeps_from_being_written_is_missing(make_app: MakeApp) -> None:
    """The budget of a day lets one of four through."""
    app = app_of(make_app, RULE, ENFORCEMENT="apply", MAX_REFERENCE_WRITES_PER_DAY="1")
    assert await swept(app) == {"r": ("missing", 3)}


async def test_a_freeze_is_told_from_a_limit(make_app: MakeApp) -> None:
    """Both leave references missing, and something else mends each."""
    app = app_of(make_app, RULE, ENFORCEMENT="apply")
    await app.records.controls.freeze("an audit", "ann")
    assert await swept(app, is_frozen=True) == {"r": ("frozen", 4)}


async def test_a_group_that_cannot_be_referred_to_is_missing(make_app: MakeApp) -> None:
    """Graph refuses it, and the rule is not enforced in that direction."""
    app = app_of(make_app, RULE, ENFORCEMENT="apply")
    app.graph.unsuitable_groups.update(PACKAGES[0].member_groups)
    assert await swept(app) == {"r": ("missing", 1)}


async def test_what_waits_for_an_approval_is_held(make_app: MakeApp) -> None:
    """A package that joined a pattern after it was reviewed."""
    app = app_of(make_app, PATTERN, ENFORCEMENT="apply")
    app.graph.drop(PACKAGES[1].id)
    await sweep(app)
    await approve(app)
    app.graph.put(PACKAGES[1])
    app.clock.advance(2 * 86_400)
    assert await swept(app) == {"r": ("held", 4)}


@pytest.mark.parametrize("mode", [Mode.RECORD, Mode.WARN])
async def test_a_lenient_rule_is_not_to_be_enforced(make_app: MakeApp, mode: Mode) -> None:
    """Which is no fault of the app's, and no enforcement either."""
    app = app_of(make_app, rule("r", side("a"), side("b"), mode=mode), ENFORCEMENT="apply")
    assert await swept(app) == {"r": ("not-asked", None)}


async def test_a_rule_that_is_found_only_cannot_be_enforced(make_app: MakeApp) -> None:
    """Whatever its mode is."""
    app = app_of(make_app, at_most("two", 2, "abc"), ENFORCEMENT="apply")
    assert await swept(app) == {"two": ("cannot", None)}


async def test_groups_alone_enforce_one_direction_where_one_side_grants_none(
    make_app: MakeApp,
) -> None:
    """All references are there, and holders of c may still get a."""
    app = app_of(
        make_app,
        rule("r", side("a"), side("c"), references=References.GROUPS),
        ENFORCEMENT="apply",
    )
    assert await swept(app) == {"r": ("in-part", 0)}


async def test_a_package_that_cannot_be_read_is_never_enforced_both_ways(
    make_app: MakeApp,
) -> None:
    """What its side asks for is not known."""
    app = app_of(make_app, rule("r", side("a"), side("bc")), ENFORCEMENT="apply")
    app.graph.unreadable.add(PACKAGES[2].id)
    assert await swept(app) == {"r": ("in-part", 0)}


async def test_references_that_cannot_be_read_are_not_known(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither missing nor there."""
    app = app_of(make_app, RULE, ENFORCEMENT="apply")

    async def refuse(*_: object) -> None:
        raise Forbidden("no role", status=403)

    monkeypatch.setattr(app.graph, "references", refuse)
    monkeypatch.setattr(app.graph, "add", refuse)
    state, _ = (await swept(app))["r"]
    assert state in {"missing", "not-known"}


async def test_off_looks_at_nothing(make_app: MakeApp) -> None:
    """And the report says that it is off."""
    assert await swept(app_of(make_app, RULE, ENFORCEMENT="off")) == {"r": ("off", None)}


async def test_a_sweep_of_an_older_version_says_nothing(make_app: MakeApp) -> None:
    """Its record has no such field, and reads as not known."""
    answer = await sweep(app_of(make_app, RULE, ENFORCEMENT="apply"))
    del answer["ruleEnforcement"]
    found = msgspec.convert(answer, SweepResult)
    assert found.rule_enforcement is None
    assert enforcement_views(None, rule_set(RULE).rules, is_frozen=False)["r"].state == "not-known"
