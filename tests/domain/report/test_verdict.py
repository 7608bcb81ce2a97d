"""The first sentence of a report."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.report.verdict import (
    ReportOutcome,
    RuleFacts,
    RuleStatus,
    SweepFacts,
    failed_verdict,
    reach_verdict,
)

HOLDS = RuleFacts(title="Pay or approve")
UNCHECKED = RuleFacts(title="Hire or fire", is_checked=False, is_whole=False)
PARTLY = RuleFacts(title="Buy or sell", is_whole=False)
FOUND_ONLY = RuleFacts(title="At most three", is_found_only=True)


def violated(people: int, **more: object) -> RuleFacts:
    return RuleFacts(title="Pay or approve", people=people, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rules", "sweep", "outcome", "headline"),
    [
        ([], None, "unknown", "No sweep has ended yet, so nothing is known."),
        ([HOLDS], None, "unknown", "No sweep has ended yet, so nothing is known."),
        ([], SweepFacts(), "unknown", "No rule is in force, so nothing was checked."),
        ([HOLDS], SweepFacts(), "clear", "No conflict was found: the only rule holds."),
        ([HOLDS] * 5, SweepFacts(), "clear", "No conflict was found: all 5 rules hold."),
        (
            [HOLDS] * 5,
            SweepFacts(is_whole=False),
            "unknown",
            "No conflict was found in what was checked.",
        ),
        ([UNCHECKED], SweepFacts(), "unknown", "The only rule could not be checked."),
        ([UNCHECKED] * 3, SweepFacts(), "unknown", "None of the 3 rules could be checked."),
        ([HOLDS, UNCHECKED], SweepFacts(), "unknown", "No conflict was found in what was checked."),
        ([HOLDS, PARTLY], SweepFacts(), "unknown", "No conflict was found in what was checked."),
        (
            [violated(1), HOLDS],
            SweepFacts(people=1),
            "violated",
            "1 person violates the rule \u201cPay or approve\u201d.",
        ),
        (
            [violated(7), HOLDS],
            SweepFacts(people=7),
            "violated",
            "7 people violate the rule \u201cPay or approve\u201d.",
        ),
        (
            [violated(7, duties=("Pay invoices", "Approve invoices"))],
            SweepFacts(people=7),
            "violated",
            "7 people hold both \u201cPay invoices\u201d and \u201cApprove invoices\u201d.",
        ),
        (
            [violated(1, duties=("Pay invoices", "Approve invoices"))],
            SweepFacts(people=1),
            "violated",
            "1 person holds both \u201cPay invoices\u201d and \u201cApprove invoices\u201d.",
        ),
        (
            [violated(7), violated(6), HOLDS],
            SweepFacts(people=1_200),
            "violated",
            "1,200 people violate 2 of 3 rules.",
        ),
        (
            [violated(2), violated(1)],
            SweepFacts(people=2, are_people=False),
            "violated",
            "2 subjects violate 2 of 2 rules.",
        ),
        (
            [violated(2)],
            SweepFacts(people=2, lost=3),
            "violated",
            "At least 2 people violate the rule \u201cPay or approve\u201d.",
        ),
        (
            [HOLDS],
            SweepFacts(lost=3),
            "violated",
            "The sweep found 3 conflicts, and the findings are lost.",
        ),
        (
            [HOLDS],
            SweepFacts(people=3),
            "violated",
            "3 people violate rules that are no longer in force.",
        ),
    ],
)
def test_the_headline(
    rules: list[RuleFacts], sweep: SweepFacts | None, outcome: str, headline: str
) -> None:
    """One sentence for each case, with the right numbers and the right grammar."""
    found = reach_verdict(rules, sweep)
    assert (found.outcome, found.headline) == (outcome, headline)


@pytest.mark.parametrize(
    ("rules", "sweep", "more"),
    [
        (
            [violated(7), UNCHECKED, *[HOLDS] * 3],
            SweepFacts(people=7),
            ["1 of 5 rules could not be checked."],
        ),
        ([UNCHECKED] * 2, SweepFacts(), []),
        ([UNCHECKED], SweepFacts(people=1), ["1 of 1 rule could not be checked."]),
        ([PARTLY, HOLDS], SweepFacts(), ["1 of 2 rules could be checked only in part."]),
        ([HOLDS], SweepFacts(excepted=1), ["An exception permits what 1 person holds."]),
        ([HOLDS], SweepFacts(excepted=2), ["An exception permits what 2 people hold."]),
        ([FOUND_ONLY], SweepFacts(), ["1 of 1 rule is found only: Entra cannot enforce it."]),
        (
            [FOUND_ONLY, FOUND_ONLY],
            SweepFacts(),
            ["2 of 2 rules are found only: Entra cannot enforce them."],
        ),
        (
            [HOLDS],
            SweepFacts(newest_failed=True),
            ["The newest sweep failed. This report tells of the one before."],
        ),
    ],
)
def test_what_is_said_beside_it(rules: list[RuleFacts], sweep: SweepFacts, more: list[str]) -> None:
    """What is not known, what is permitted, and what Entra cannot enforce."""
    assert reach_verdict(rules, sweep).more == more


def test_a_failed_sweep_says_so() -> None:
    """Where no other has ended, nothing is known."""
    found = failed_verdict()
    assert (found.outcome, found.people) == ("unknown", None)
    assert found.headline == "The sweep failed, so nothing is known."


@pytest.mark.parametrize(
    ("rule", "status"),
    [
        (HOLDS, "holds"),
        (UNCHECKED, "not-checked"),
        (PARTLY, "partly-checked"),
        (violated(1), "violated"),
        (violated(1, is_checked=False), "violated"),
        (FOUND_ONLY, "holds"),
    ],
)
def test_the_status_of_a_rule(rule: RuleFacts, status: str) -> None:
    """What was seen before stays violated, also where this sweep could not look."""
    assert rule.status == status


def facts() -> st.SearchStrategy[RuleFacts]:
    return st.builds(
        RuleFacts,
        title=st.text(min_size=1),
        duties=st.sampled_from([(), ("one", "other")]),
        people=st.integers(0, 5),
        is_checked=st.booleans(),
        is_whole=st.booleans(),
        is_found_only=st.booleans(),
    )


@given(
    st.lists(facts(), max_size=6),
    st.builds(
        SweepFacts,
        people=st.integers(0, 9),
        excepted=st.integers(0, 9),
        are_people=st.booleans(),
        lost=st.integers(0, 3),
        is_whole=st.booleans(),
        newest_failed=st.booleans(),
    ),
)
def test_it_is_clear_only_if_every_rule_holds(rules: list[RuleFacts], sweep: SweepFacts) -> None:
    """No gap, no violation and no lack of rules ever leads to an all-clear."""
    found = reach_verdict(rules, sweep)
    holds = bool(rules) and all(each.status is RuleStatus.HOLDS for each in rules)
    if found.outcome is ReportOutcome.CLEAR:
        assert holds
        assert sweep.is_whole
        assert not sweep.people
        assert not sweep.lost
    else:
        assert "hold:" not in found.headline
        assert not found.headline.startswith("No conflict was found:")
    for each in (found.headline, *found.more):
        assert each[0].isupper() or each[0].isdigit()
        assert each.endswith(".")


@given(st.lists(facts(), min_size=1, max_size=6), st.integers(1, 9))
def test_one_is_never_plural(rules: list[RuleFacts], people: int) -> None:
    """Neither `1 people` nor `2 person`, whatever the numbers are."""
    found = reach_verdict(rules, SweepFacts(people=people, excepted=people))
    text = " ".join((found.headline, *found.more))
    assert not re.search(r"\b1 (people|rules|subjects|conflicts)\b", text)
    assert not re.search(r"\b(?!1\b)\d+ (person|subject|conflict)\b", text)
