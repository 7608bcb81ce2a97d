"""Rules that ask the opposite for one pair, against every pair counted one by one."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.cli.operations.rules import contradictions
from entra_sod.cli.operations.rules.contradictions import find_contradictions
from entra_sod.domain.rules.language import AtMost, Mode, Rule, Severity
from entra_sod.domain.rules.resolve import ResolvedRule, ResolvedSide
from entra_sod.domain.rules.ruleset import RuleSet

IDS = "abcdef"


def resolved(number: int, sides: list[frozenset[str]], mode: Mode) -> ResolvedRule:
    """A rule between sides; one with a single side keeps its packages apart from each other."""
    is_set = len(sides) == 1
    rule = Rule(
        id=f"r{number}",
        title="T",
        severity=Severity.LOW,
        owner="o",
        mode=mode,
        at_most=AtMost(count=1) if is_set else None,
    )
    none: frozenset[str] = frozenset()
    parts = [frozenset([each]) for each in sorted(sides[0])] if is_set else sides
    return ResolvedRule(
        rule=rule,
        sides=tuple(ResolvedSide(each, none) for each in parts),
        set_of=sides[0] if is_set else none,
    )


rule_sets = st.lists(
    st.tuples(
        st.lists(st.frozensets(st.sampled_from(IDS), min_size=1), min_size=1, max_size=4),
        st.sampled_from(Mode),
    ),
    max_size=4,
).map(lambda found: [resolved(number, *each) for number, each in enumerate(found)])


@given(rule_sets)
def test_every_pair_that_two_rules_differ_on_is_counted(rules: list[ResolvedRule]) -> None:
    """Counting by kinds of packages gives what looking at each pair gives."""
    expected: Counter[tuple[str, str]] = Counter()
    for constraint in RuleSet(rules).constraints.in_order():
        for one, other in combinations(sorted(constraint.rules, key=lambda rule: rule.id), 2):
            if (one.mode is Mode.ENFORCE) != (other.mode is Mode.ENFORCE):
                expected[one.id, other.id] += 1
    found = find_contradictions(rules)
    assert {(one.id, other.id): count for one, other, count in found.rules} == expected
    assert found.is_whole


@pytest.mark.parametrize("steps", [0, 3, 9])
def test_looking_ends_where_too_many_rules_share_packages(
    monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """It says that it is not whole, and what it found holds all the same."""
    ab = [frozenset("a"), frozenset("b")]
    rules = [resolved(n, ab, Mode.ENFORCE if n % 2 else Mode.WARN) for n in range(6)]
    assert len(find_contradictions(rules).rules) == 9
    monkeypatch.setattr(contradictions, "MAX_STEPS", steps)
    found = find_contradictions(rules)
    assert not found.is_whole
    assert {count for _, _, count in found.rules} <= {1}
