"""When: the wanted access, what is held, rules and exceptions each have their time."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
import pytest

from entra_sod.domain.rules.language import Effective, Mode
from tests.app import body_of
from tests.builders import at_most, exception, guid, rule, side
from tests.services.decisions.test_decisions import ANN, BOB, RULES, MakeApp, ask, holds, make, post
from tests.services.sweeps.test_sweeps import sweep

FEBRUARY = date(2026, 2, 1)
LATER = [msgspec.structs.replace(RULES[0], effective=Effective(start=FEBRUARY))]
OVER = [msgspec.structs.replace(RULES[0], effective=Effective(end=FEBRUARY))]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("begins", "until", "decision"),
    [
        ("2026-03-01T00:00:00Z", None, "deny"),
        ("2026-02-01T00:00:00Z", None, "deny"),
        ("2026-01-31T23:59:59Z", None, "review"),
        (None, None, "review"),
        (None, "2026-02-01T00:00:01Z", "review"),
        (None, "2026-02-01T00:00:00Z", "allow"),
    ],
)
async def test_a_rule_counts_as_of_the_day_it_takes_effect(
    make_app: MakeApp, begins: str | None, until: str | None, decision: str
) -> None:
    """Asked in January: in force as the access begins it denies, after that it is reviewed."""
    make(make_app, {"b": [holds("b", ANN)]}, LATER)
    given = {"from": begins, "until": until}
    answer = await ask("a", ANN, **{name: each for name, each in given.items() if each})
    assert answer["decision"] == decision
    assert ("takes effect on 2026-02-01" in "".join(answer["reasons"])) == (decision == "review")


async def test_a_rule_that_is_over_by_then_does_not_count(make_app: MakeApp) -> None:
    """In force until its last day, and no longer."""
    make(make_app, {"b": [holds("b", ANN)]}, OVER)
    assert (await ask("a", **{"from": "2026-02-01T23:59:59Z"}))["decision"] == "deny"
    assert (await ask("a", **{"from": "2026-02-02T00:00:00Z"}))["decision"] == "allow"


@pytest.mark.parametrize(
    ("begins", "decision"),
    [
        ("2026-02-28T23:59:59Z", "deny"),
        ("2026-03-01T00:00:00Z", "review"),
        ("2026-04-01T00:00:00Z", "deny"),
    ],
)
async def test_an_exception_counts_on_its_days(
    make_app: MakeApp, begins: str, decision: str
) -> None:
    """One that is still to come, too; and not where the access begins before or after it."""
    app = make(make_app, {"b": [holds("b", ANN)]})
    entry = exception("pay", "1", start=date(2026, 3, 1), end=date(2026, 3, 31))
    app.rules.write(RULES, [entry])
    assert (await ask("a", **{"from": begins}))["decision"] == decision


async def test_sweeps_go_by_the_rules_of_today(make_app: MakeApp) -> None:
    """What takes effect later is no conflict yet."""
    held = {"a": [holds("a", ANN)], "b": [holds("b", ANN)]}
    app = make(make_app, held, LATER)
    entry = exception("pay", "1", start=FEBRUARY, end=FEBRUARY)
    app.rules.write(LATER, [entry])
    await sweep(app)
    today = await app.engine.rules.current()
    assert (today.rules, today.exceptions, len(today.constraints)) == ((), (), 0)
    later = await app.engine.rules.from_today()
    assert [each.id for each in later.rules] == ["pay"]
    assert [each.id for each in later.exceptions] == ["EX-pay-1"]


@pytest.mark.parametrize("begins", ["2026-02-28T23:30:00Z", "2026-03-01T01:30:00+02:00"])
async def test_one_instant_has_one_answer_however_it_is_written(
    make_app: MakeApp, begins: str
) -> None:
    """The days of rules and exceptions are those of UTC."""
    app = make(make_app, {"b": [holds("b", ANN)]})
    entry = exception("pay", "1", start=date(2026, 3, 1), end=date(2026, 3, 31))
    app.rules.write(RULES, [entry])
    assert (await ask("a", **{"from": begins}))["decision"] == "deny"


@pytest.mark.parametrize(
    ("window", "pointer"),
    [
        ({"until": "2025-12-31T23:59:59Z"}, "/until"),
        ({"until": "2026-01-01T00:00:00Z"}, "/until"),
        ({"from": "2025-01-01T00:00:00Z", "until": "2025-06-01T00:00:00Z"}, "/until"),
        ({"from": "2027-01-01T00:00:00Z", "until": "2026-06-01T00:00:00Z"}, "/until"),
        ({"until": "9999-12-31T23:59:59-14:00"}, "/until"),
        ({"from": "0001-01-01T00:00:00+14:00"}, "/from"),
    ],
)
async def test_a_window_that_cannot_be_is_refused(
    make_app: MakeApp, window: dict[str, str], pointer: str
) -> None:
    """Access that has ended cannot be granted, and would meet nothing."""
    make(make_app, {"b": [holds("b", ANN)]})
    response = await post({"subject": ANN, "accessPackageId": guid("a"), **window})
    assert response.status_code == 422
    assert [each["pointer"] for each in body_of(response)["errors"]] == [pointer]


async def test_access_begins_now_at_the_earliest(make_app: MakeApp) -> None:
    """A beginning in the past is one now: a rule that has taken effect since is in force."""
    app = make(make_app, {"b": [holds("b", ANN)]}, LATER)
    app.clock.advance(60 * 86_400)
    assert (await ask("a", **{"from": "2026-01-15T00:00:00Z"}))["decision"] == "deny"


async def test_reasons_name_only_what_is_held_at_another_time(make_app: MakeApp) -> None:
    """Of three against an `atMost` of two, the one that is held throughout is no reason."""
    held = {"b": [holds("b", ANN)], "c": [holds("c", ANN, end=NOON)]}
    make(make_app, held, [at_most("two", 2, "abcd", mode=Mode.WARN)])
    answer = await ask("a", **{"from": "2026-03-01T12:00:00Z"})
    [reason] = answer["reasons"]
    assert reason.startswith(f"rule two: the access to {guid('c')} ends on 2026-03-01T12:00:00Z")
    assert len(answer["conflicts"]) == 2


async def test_a_reason_is_said_once_for_two_wanted_packages(make_app: MakeApp) -> None:
    """Both meet the one assignment that ends before."""
    make(make_app, {"c": [holds("c", BOB, end=NOON)]}, [rule("pay", side("ab"), side("c"))])
    answer = await ask("ab", BOB, **{"from": "2026-03-01T12:00:00Z"})
    assert (answer["decision"], len(answer["reasons"])) == ("review", 1)
