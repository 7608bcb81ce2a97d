"""Why something is not known, as one of a few words."""

from __future__ import annotations

from datetime import date

import pytest

from entra_sod.core import errors
from entra_sod.domain.results.coverage import Coverage, Reason, selection_gaps
from entra_sod.domain.rules.language import PackageSelector, Side
from entra_sod.domain.rules.parse import ParsedRules
from entra_sod.domain.rules.resolve import Tenant, resolve
from entra_sod.domain.rules.ruleset import RuleSet
from tests.builders import rule, side


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (errors.Forbidden("x", status=403), "missing-role"),
        (errors.Forbidden("x", status=401), "no-token"),
        (errors.Unlicensed("x", status=403), "no-licence"),
        (errors.NoToken("x"), "no-token"),
        (errors.NotFound("x"), "no-such-thing"),
        (errors.Throttled("x", retry_after=1), "throttled"),
        (errors.Unavailable("x"), "unavailable"),
        (errors.UnreadableItem("x", "y"), "unreadable-item"),
        (errors.Unreadable("x"), "unreadable-answer"),
        (errors.TooManyPages("x"), "too-many-pages"),
        (errors.UnsafeLink("x"), "unsafe-link"),
        (errors.Rejected("x"), "refused"),
        ("words", "not-looked-at"),
    ],
)
def test_each_error_has_its_reason(error: object, reason: str) -> None:
    """A subclass is told from its base class."""
    assert Reason.of(error) == reason


def test_an_item_is_named_by_itself() -> None:
    """Whatever it was read for."""
    notes = Coverage()
    notes.skip("a pair", errors.UnreadableItem("the assignments of p, 7", "no target"))
    assert notes.skipped[0].what == "the assignments of p, 7"


@pytest.mark.parametrize(
    ("second", "gaps"),
    [
        (side("b"), []),
        (side("", ["1"]), []),
        (side("a"), ["rule r"]),
        (Side(packages=[PackageSelector(name="Aprove*")]), ["side 2 of rule r"]),
    ],
)
def test_a8_a_rule_that_selects_no_pair_is_a_gap(second: Side, gaps: list[str]) -> None:
    """A side without anything, and sides of the same single package; a group is something."""
    parsed = ParsedRules(rules={"r": rule("r", side("a"), second)})
    rules = RuleSet(resolve(parsed, Tenant([]), date(2026, 1, 1)))
    assert [each.what for each in selection_gaps(rules)] == gaps
