"""Every form of rule against every subset of six packages, by all that decide on it.

What is expected is written apart from the product (`naive_evaluator.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import combinations
from typing import Any

import pytest

from entra_sod.cli.operations.rules.rule_tests import run_rule_tests
from entra_sod.domain.entra import Assignment, Subject
from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.language import Mode, Rule
from entra_sod.domain.rules.parse import ParsedRules
from functions.http.decisions import decide_many
from tests.app import App, body_of
from tests.builders import (
    all_of,
    at_most,
    at_most_sides,
    guid,
    package,
    requires,
    rule,
    side,
)
from tests.services.decisions.test_decisions import post
from tests.services.rules.naive_evaluator import Case, conflicts
from tests.services.sweeps.test_index_sweeps import found
from tests.services.sweeps.test_sweeps import MakeApp, sweep

LETTERS = "abcdef"
PACKAGES = [package(letter) for letter in LETTERS]
SUBSETS = [set(some) for size in range(7) for some in combinations(LETTERS, size)]
PEOPLE = {f"{number + 16:02x}": held for number, held in enumerate(SUBSETS)}
CASES = [
    Case("between", ["a", "b"]),
    Case("between", ["ab", "bc"]),
    Case("between", ["a", "bc", "d"]),
    Case("between", ["+ab", "c"]),
    Case("between", ["+a", "c"]),
    Case("atMost", [*LETTERS], 1),
    Case("atMost", [*"abcd"], 2),
    Case("atMost", [*LETTERS], 4),
    Case("allOf", ["a", "bc"]),
    Case("allOf", ["a", "b", "c"]),
    Case("allOf", ["ab", "bc", "d"]),
    Case("allOf", ["+ab", "cd"]),
    Case("allOf", ["+ab", "+cd", "ef"]),
    Case("atMostSides", ["a", "b", "cd"], 1),
    Case("atMostSides", ["a", "b", "c", "de"], 2),
    Case("atMostSides", ["+ab", "bc", "d", "e"], 3),
    Case("requires", ["a", "b"]),
    Case("requires", ["ab", "cd"]),
    Case("requires", ["+ab", "c"]),
    Case("requires", ["a", "+bcd"]),
    Case("requires", ["ab", "bc"]),
]
ONE_BY_ONE = pytest.mark.parametrize("case", CASES, ids=str)


def rule_of(case: Case, name: str = "r") -> Rule:
    """The rule of a case, enforced."""
    sides = [side(each.strip("+"), every=each.startswith("+")) for each in case.sides]
    if case.form == "atMost":
        return at_most(name, case.count, "".join(case.sides), mode=Mode.ENFORCE)
    if case.form == "atMostSides":
        return at_most_sides(name, case.count, *sides)
    if case.form == "requires":
        return requires(name, *sides)
    return (all_of if case.form == "allOf" else rule)(name, *sides)


def assignments() -> Mapping[str, Sequence[Assignment]]:
    return {
        letter: [
            Assignment(
                id=f"{letter}-{who}",
                subject=Subject(id=f"s-{who}", object_id=guid(who)),
                state="delivered",
            )
            for who, held in PEOPLE.items()
            if letter in held
        ]
        for letter in LETTERS
    }


def names_of(ids: Sequence[str]) -> frozenset[str]:
    by_id = {guid(letter): letter for letter in LETTERS}
    return frozenset(by_id[each] for each in ids)


def expected_of(case: Case) -> set[tuple[str, frozenset[str]]]:
    return {(who, packages) for who, held in PEOPLE.items() for packages in conflicts(case, held)}


async def found_of(app: App, name: str) -> set[tuple[str, frozenset[str]]]:
    return {
        (each.subject_id.removeprefix("s-"), names_of(each.packages))
        for each in await found(app)
        if each.rule == name
    }


@ONE_BY_ONE
async def test_a_sweep_finds_what_the_form_says(make_app: MakeApp, case: Case) -> None:
    """By whichever strategy takes fewer requests for this rule alone."""
    app = make_app(PACKAGES, assignments(), [rule_of(case)])
    answer = await sweep(app)
    assert answer["status"] == "completed"
    assert await found_of(app, "r") == expected_of(case)


@pytest.mark.parametrize("refused", [False, True])
async def test_a_sweep_finds_it_among_all_other_forms(make_app: MakeApp, *, refused: bool) -> None:
    """Pairs that Graph may be asked about and those joined from the index are the same."""
    rules = [rule_of(case, f"r{number:02}") for number, case in enumerate(CASES)]
    app = make_app(PACKAGES, assignments(), rules)
    app.graph.refuses_additional_access = refused
    answer = await sweep(app)
    assert answer["status"] == "completed"
    for number, case in enumerate(CASES):
        assert await found_of(app, f"r{number:02}") == expected_of(case), case


@ONE_BY_ONE
async def test_a_decision_goes_by_what_would_be_held(make_app: MakeApp, case: Case) -> None:
    """Denied if a conflict would have the wanted package in it, and allowed otherwise."""
    app = make_app(PACKAGES, assignments(), [rule_of(case)])
    app.graph.whole_tenant = True
    app.graph.newcomers = [Subject(id=f"s-{who}", object_id=guid(who)) for who in PEOPLE]
    for asked in LETTERS:
        answers = await answers_of(asked)
        for who, held in PEOPLE.items():
            is_against = any(asked in each for each in conflicts(case, held | {asked}))
            expected = "deny" if is_against else "allow"
            assert answers[who]["decision"] == expected, (held, asked, answers[who]["reasons"])


async def answers_of(asked: str) -> Mapping[str, Any]:
    requests = [
        {"subject": guid(who), "accessPackageIds": [guid(asked)], "reference": who}
        for who in PEOPLE
    ]
    answers = body_of(await post({"requests": requests}, decide_many))["decisions"]
    return {each["reference"]: each for each in answers}


@ONE_BY_ONE
def test_a_rule_test_says_the_same(case: Case) -> None:
    """Conflicts, and decisions, of `entra-sod test`."""
    file = {
        "version": 1,
        "packages": [{"name": letter, "id": guid(letter)} for letter in LETTERS],
        "people": list(people_of(case)),
    }
    book = ParsedRules(rules={"r": rule_of(case)})
    source = SourceFile("t.yaml", json.dumps(file))
    outcome = run_rule_tests(source, book, date(2026, 6, 1))
    assert [str(each) for each in outcome.failures] == []
    assert outcome.expectations > len(PEOPLE)


def people_of(case: Case) -> Iterator[dict[str, object]]:
    for who, held in PEOPLE.items():
        yield {
            "name": who,
            "holds": sorted(held),
            "conflicts": [
                {"rule": "r", "packages": sorted(each)} for each in conflicts(case, held)
            ],
            "decisions": [
                {
                    "asks": asked,
                    "decision": "deny"
                    if any(asked in each for each in conflicts(case, held | {asked}))
                    else "allow",
                }
                for asked in LETTERS
            ],
        }
