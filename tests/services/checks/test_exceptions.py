"""Exceptions permit a conflict for a while; they never hide it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from entra_sod.domain.entra import Assignment, Subject
from tests.app import App
from tests.builders import exception, guid, package, rule, side
from tests.services.sweeps.test_index_sweeps import found
from tests.services.sweeps.test_sweeps import MakeApp, sweep

FIRST, LAST = date(2025, 12, 1), date(2026, 1, 31)  # the tests' clock says 2026-01-01
RULES = [rule("pay", side("a"), side("b")), rule("buy", side("a"), side("bc"))]


def holds(name: str, person: str) -> Assignment:
    subject = Subject(id=guid(f"{person}5"), object_id=guid(person), display_name="Eve")
    return Assignment(id=f"{name}-{person}", state="delivered", subject=subject)


@pytest.fixture
def app(make_app: MakeApp) -> App:
    """One person with an exception and one without hold both packages of both rules."""
    held = {name: [holds(name, "e"), holds(name, "f")] for name in "ab"}
    return make_app([package(name) for name in "abc"], held, RULES)


def excepted(answer: dict[str, Any]) -> list[str]:
    return [each["id"] for each in answer["exceptions"]]


async def test_a_check_names_the_exceptions_of_its_holders(app: App) -> None:
    """The conflict stays one, with both holders; beside it stands who may, and until when."""
    app.rules.write(RULES, [exception(each, "e", start=FIRST, end=LAST) for each in ("pay", "buy")])
    answer = await app.check("a", "b")
    assert (answer["outcome"], answer["holderCount"]) == ("conflict", 2)
    assert excepted(answer) == ["EX-buy-e", "EX-pay-e"]
    assert answer["exceptions"][0]["until"] == "2026-01-31"
    assert answer["exceptions"][0]["subjectId"] == guid("e5")


async def test_an_exception_from_one_rule_does_not_excuse_from_another(app: App) -> None:
    """Where two rules keep a pair apart, both must be excepted."""
    app.rules.write(RULES, [exception("pay", "e", start=FIRST, end=LAST)])
    assert excepted(await app.check("a", "b")) == []


async def test_an_exception_whose_time_is_over_excuses_no_subject(app: App) -> None:
    """The day after its last day it is not there any more."""
    over = date(2025, 12, 31)
    app.rules.write(RULES, [exception(each, "e", start=FIRST, end=over) for each in ("pay", "buy")])
    assert excepted(await app.check("a", "b")) == []


async def test_an_exception_may_name_the_id_in_entitlement_management(app: App) -> None:
    """A guest who has no object id yet is named by the other id."""
    entries = [exception(each, "e5", start=FIRST, end=LAST) for each in ("pay", "buy")]
    app.rules.write(RULES, entries)
    assert excepted(await app.check("a", "b")) == ["EX-buy-e5", "EX-pay-e5"]


async def test_a_sweep_counts_what_is_excepted(app: App) -> None:
    """Excepted findings are findings, and counted apart."""
    app.rules.write(RULES, [exception(each, "e", start=FIRST, end=LAST) for each in ("pay", "buy")])
    answer = await sweep(app)
    assert (answer["findings"], answer["excepted"]) == (2, 1)
    excepted = {(each.object_id, each.exception) for each in await found(app)}
    assert excepted == {(guid("e"), "EX-buy-e"), (guid("e"), "EX-pay-e"), (guid("f"), "")}
