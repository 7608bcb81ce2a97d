"""What a sweep says of rules that are found only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from entra_sod.core.errors import Forbidden
from entra_sod.domain.results.coverage import Outcome
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.sweeps.outcomes import ReadScope, evaluate_sets
from tests.builders import all_of, guid, rule_set, side

RULE = all_of("r", side("a"), side("b"), side("c"))


@pytest.mark.parametrize(
    ("read", "has_gaps", "over", "outcome"),
    [
        ("abc", False, 0, Outcome.CLEAR),
        ("ab", False, 0, Outcome.UNKNOWN),
        ("abc", True, 0, Outcome.UNKNOWN),
        ("abc", True, 2, Outcome.CONFLICT),
    ],
)
def test_such_a_rule_is_clear_only_if_all_of_it_is_known(
    read: str, over: int, outcome: Outcome, *, has_gaps: bool
) -> None:
    """Its packages were read to their end, and no other package may belong to it."""
    [resolved] = rule_set(RULE).rules
    gaps = {guid("d"): Forbidden("403")} if has_gaps else {}
    rules = RuleSet([replace(resolved, grant_gaps=gaps)])
    scope = ReadScope(asked=(), indexed=[*map(guid, read)], holders={}, enforced=())
    [summary] = evaluate_sets(rules, scope, {"r": over})
    assert summary.outcome is outcome
