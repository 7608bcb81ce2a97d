"""Whether Entra refuses what a rule forbids, as a report says it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.report.enforcement import (
    EnforcementState,
    EnforcementView,
    enforcement_views,
    sum_up,
)
from entra_sod.domain.results.sweep import RuleReferences, SweepEnforcement
from entra_sod.domain.rules.language import Mode
from entra_sod.domain.rules.resolve import ResolvedRule
from tests.builders import at_most, rule, rule_set, side


def rules(*names: str, mode: Mode = Mode.ENFORCE) -> Sequence[ResolvedRule]:
    return rule_set(*(rule(each, side("a"), side("b"), mode=mode) for each in names)).rules


def kept(
    setting: str = "apply", *, is_known: bool = True, mode: Mode = Mode.ENFORCE, **numbers: object
) -> SweepEnforcement:
    one = RuleReferences(rule="r", mode=mode, **numbers)  # type: ignore[arg-type]
    return SweepEnforcement(setting=setting, is_known=is_known, rules=[one])


def view(found: SweepEnforcement | None, *, is_frozen: bool = False) -> EnforcementView:
    return enforcement_views(found, rules("r"), is_frozen=is_frozen)["r"]


@pytest.mark.parametrize(
    ("found", "is_frozen", "state", "text"),
    [
        (kept(wanted=4), False, "both-ways", "refused by Entra both ways"),
        (kept("plan", wanted=4), False, "both-ways", "refused by Entra both ways"),
        (kept(wanted=4, in_part="no group"), False, "in-part", "refused by Entra in part"),
        (kept(wanted=4, missing=3), False, "missing", "missing 3 of 4 references"),
        (
            kept(wanted=4, missing=3, held=1),
            False,
            "missing",
            "missing 3 of 4 references, 1 of them held",
        ),
        (kept(wanted=4, missing=3, held=3), False, "held", "held: 3 of 4 references wait"),
        (kept(wanted=4, missing=3), True, "frozen", "frozen: 3 of 4 references missing"),
        (kept(wanted=4), True, "both-ways", "refused by Entra both ways"),
        (
            kept("plan", wanted=4, missing=4),
            False,
            "plan-only",
            "plan only: 4 of 4 references missing",
        ),
        (kept("off"), False, "off", "off: ENFORCEMENT=off"),
        (
            kept(mode=Mode.WARN, cannot="its mode is warn"),
            False,
            "not-asked",
            "not to be enforced: its mode is warn",
        ),
        (kept(cannot="no group"), False, "cannot", "cannot be enforced by Entra"),
        (
            kept(mode=Mode.RECORD, cannot="some of many", is_found_only=True),
            False,
            "cannot",
            "cannot be enforced by Entra",
        ),
        (kept(is_known=False), False, "not-known", "not known"),
        (kept(wanted=0), False, "not-known", "not known"),
        (None, False, "not-known", "not known"),
    ],
)
def test_the_state_of_a_rule(
    found: SweepEnforcement | None, *, is_frozen: bool, state: str, text: str
) -> None:
    """From the numbers that the sweep kept, its setting, and whether writing is frozen."""
    shown = view(found, is_frozen=is_frozen)
    assert (shown.state, shown.text) == (state, text)


def test_a_rule_that_the_sweep_did_not_know_is_not_known() -> None:
    """A rule that came since is never called enforced."""
    views = enforcement_views(kept(wanted=4), rules("r", "new"), is_frozen=False)
    assert views["new"].state is EnforcementState.NOT_KNOWN


@pytest.mark.parametrize("mode", [Mode.RECORD, Mode.WARN])
def test_that_a_rule_asks_for_no_reference_is_known_without_a_sweep(mode: Mode) -> None:
    """Its mode or its form says so; of a rule that enforces only a sweep can tell."""
    [found] = enforcement_views(None, rules("r", mode=mode), is_frozen=False).values()
    assert (found.state, found.text) == ("not-asked", f"not to be enforced: its mode is {mode}")
    of_many = rule_set(at_most("many", 2, "abc")).rules
    assert enforcement_views(None, of_many, is_frozen=False)["many"].state == "cannot"


def test_why_is_kept() -> None:
    """A reader sees what keeps Entra from enforcing the rest."""
    assert view(kept(cannot="some of many")).why == "some of many"
    assert view(kept(wanted=1, in_part="no group")).why == "no group"


@given(
    found=st.builds(
        kept,
        st.sampled_from(["off", "plan", "apply"]),
        is_known=st.booleans(),
        cannot=st.sampled_from(["", "why"]),
        in_part=st.sampled_from(["", "why"]),
        mode=st.sampled_from(list(Mode)),
        wanted=st.integers(0, 5),
        missing=st.integers(0, 5),
    ),
    is_frozen=st.booleans(),
)
def test_both_ways_only_if_nothing_is_missing(found: SweepEnforcement, *, is_frozen: bool) -> None:
    """All references are there, each direction has one, and the sweep could read them."""
    [rule] = found.rules
    if view(found, is_frozen=is_frozen).state is EnforcementState.BOTH_WAYS:
        assert found.is_known
        assert rule.wanted
        assert (rule.missing, rule.cannot, rule.in_part) == (0, "", "")


@pytest.mark.parametrize(
    ("states", "text"),
    [
        ([], "No rule is in force."),
        (["not-known"], "Whether Entra enforces the rules is not known."),
        (["both-ways"], "Of 1 rule: 1 refused by Entra both ways."),
        (
            ["missing", "frozen", "both-ways"],
            "Of 3 rules: 1 refused by Entra both ways, 1 with references missing, 1 frozen.",
        ),
    ],
)
def test_all_rules_in_one_sentence(states: list[str], text: str) -> None:
    """The best state first; states without a rule are not named."""
    views = [EnforcementView(state=EnforcementState(each), text="") for each in states]
    found = sum_up(views, "apply")
    assert found.text == text
    assert sum(found.states.values()) == len(states)
