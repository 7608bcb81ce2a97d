"""The forms of rules as they are written, and what is said where one is wrong."""

from __future__ import annotations

import pytest

from entra_sod.domain.rules.language import RuleForm
from entra_sod.domain.rules.logic import met_by
from entra_sod.domain.rules.resolve import resolve
from tests.builders import guid
from tests.domain.rules.test_language import DAY, HEAD, PAIR, book, rule, said

A, B, C = (f"{{packages: [{{id: {guid(name)}}}]}}" for name in "abc")
EVERY = f"{{packages: [{{id: {guid('a')}}}, {{id: {guid('b')}}}], every: true}}"
GROUPS = f"{{groups: [{{id: {guid('9')}}}]}}"
MIXED = f"{{packages: [{{id: {guid('a')}}}], groups: [{{id: {guid('9')}}}]}}"
PEOPLE = (
    "process: Procure to pay, tags: [sox, finance], owners: [bob@contoso.com], "
    "frameworks: [{id: ISO27001, ref: A.5.3}], source: {file: m.xlsx, row: 7}"
)


@pytest.mark.parametrize(
    ("body", "form", "found_only"),
    [
        (f"between: [{A}, {B}, {C}]", RuleForm.BETWEEN, False),
        (f"between: [{EVERY}, {C}]", RuleForm.BETWEEN, True),
        (f"allOf: [{A}, {MIXED}]", RuleForm.ALL_OF, False),
        (f"allOf: [{A}, {B}, {C}]", RuleForm.ALL_OF, True),
        (f"atMostSides: {{count: 1, of: [{A}, {B}]}}", RuleForm.AT_MOST_SIDES, False),
        (f"atMostSides: {{count: 2, of: [{A}, {B}, {C}]}}", RuleForm.AT_MOST_SIDES, True),
        (f"requires: {{when: {A}, needs: {B}}}", RuleForm.REQUIRES, True),
    ],
)
def test_each_form_is_read(body: str, form: RuleForm, *, found_only: bool) -> None:
    """A rule that pairs can say is kept apart in pairs; any other one is found only."""
    [resolved] = resolve(book(HEAD + rule(body)), None, DAY)
    assert (resolved.form, resolved.is_found_only) == (form, found_only)
    assert bool(resolved.sides) is not found_only
    assert bool(resolved.duties) is found_only


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            f"{PAIR}, allOf: [{A}, {B}]",
            (
                "a:3:5: rules.0 has between and allOf: a rule has one of between, atMost, allOf, "
                "atMostSides, requires, so split it"
            ),
        ),
        (f"allOf: [{A}]", "rules.0.allOf needs two sides or more to keep apart"),
        (f"allOf: [{', '.join([A, B] * 51)}]", "rules.0.allOf has more than 100 sides"),
        (f"allOf: [{A}, {A}]", "rules.0.allOf keeps nothing apart: all sides are the same"),
        (f"allOf: [{A}, {{}}]", "rules.0.allOf.1 selects nothing: give packages, groups, gra"),
        (
            f"allOf: [{A}, {B}, {GROUPS}]",
            (
                "rules.0.allOf.2.groups cannot count here, because allOf looks at what is held, "
                "and members of groups are not read: give packages"
            ),
        ),
        (
            f"between: [{EVERY}, {MIXED}]",
            "rules.0.between.1.groups cannot count here, because a side has every: true",
        ),
        (
            f"between: [{A}, {{groups: [{{id: {guid('9')}}}], every: true}}]",
            "rules.0.between.1.every needs packages: it means all of them",
        ),
        (
            f"atMostSides: {{count: 2, of: [{A}, {B}]}}",
            "rules.0.atMostSides.count must be less than the number of sides, 2",
        ),
        (f"atMostSides: {{count: 1, of: [{A}]}}", "rules.0.atMostSides.of needs two sides or more"),
        (f"atMostSides: {{count: 0, of: [{A}, {B}]}}", "rules.0.atMostSides.count must be"),
        (f"requires: {{when: {A}}}", "rules.0.requires.needs is missing"),
        (
            f"requires: {{when: {A}, needs: {A}}}",
            "rules.0.requires requires nothing: both sides are the same package",
        ),
        (
            f"requires: {{when: {A}, needs: {GROUPS}}}",
            "rules.0.requires.needs.groups cannot count here, because requires looks at what",
        ),
        (f"{PAIR}, tags: [{', '.join(['t'] * 21)}]", "rules.0.tags must be"),
        (f"{PAIR}, tags: [{'t' * 51}]", "rules.0.tags.0 must be"),
        (f"{PAIR}, owners: [{', '.join(['o'] * 11)}]", "rules.0.owners must be"),
        (f"{PAIR}, frameworks: [{{id: SOX}}]", "rules.0.frameworks.0.ref is missing"),
        (f"{PAIR}, source: {{file: x, row: 0}}", "rules.0.source.row must be"),
        (f"{PAIR}, source: {{file: x, sha256: abc}}", "rules.0.source.sha256 must be"),
    ],
)
def test_each_mistake_says_where_it_is(body: str, expected: str) -> None:
    """The place, what is wrong, and what to do."""
    found = said(HEAD + rule(body))
    assert any(expected in problem for problem in found), found


def test_every_is_for_a_side_and_not_for_a_class() -> None:
    """A class is reused by rules that may mean any of it."""
    text = HEAD + rule() + f"classes: {{x: {EVERY}}}\n"
    assert any("classes.x.every is for the side of a rule" in each for each in said(text))


def test_one_package_by_its_id_needs_no_every() -> None:
    """With it and without it the side means the same, so the rule can be written."""
    one = f"{{packages: [{{id: {guid('a')}}}], every: true}}"
    [resolved] = resolve(book(HEAD + rule(f"between: [{one}, {B}]")), None, DAY)
    assert not resolved.is_found_only


def needing(rule_id: str, when: str, needs: str) -> str:
    return rule(f"requires: {{when: {when}, needs: {needs}}}", rule_id)


def test_requirements_in_a_circle_are_a_mistake() -> None:
    """It is said once, at the rule that closes the circle, with all rules of it."""
    text = HEAD + needing("r1", A, B) + needing("r2", B, C) + needing("r3", C, A)
    [found] = said(text)
    assert found == "a:5:73: rules.2.requires leads in a circle: r1 → r2 → r3 → r1"


def test_requirements_over_classes_in_a_circle_are_a_mistake() -> None:
    """Sides are compared by what they name, in whatever order."""
    one, other = "{classes: [x, y]}", "{classes: [z]}"
    classes = f"classes: {{x: {A}, y: {B}, z: {C}}}\n"
    text = HEAD + needing("r1", one, other) + needing("r2", other, "{classes: [y, x]}") + classes
    assert any("leads in a circle: r1 → r2 → r1" in each for each in said(text))


def test_a_chain_of_requirements_is_sound() -> None:
    """However long it is."""
    sides = [f"{{packages: [{{id: {guid(f'{number:x}')}}}]}}" for number in range(0x10, 0x60)]
    chain = (needing(f"r{at}", *sides[at : at + 2]) for at in range(len(sides) - 1))
    assert said(HEAD + "".join(chain)) == []


def test_fields_for_people_arrive() -> None:
    """Process, tags, owners, frameworks and source, and none of them changes what is found."""
    [found] = book(HEAD + rule(f"{PAIR}, {PEOPLE}")).rules.values()
    assert (found.process, found.tags) == ("Procure to pay", ["sox", "finance"])
    assert found.all_owners == ["o", "bob@contoso.com"]
    assert [str(each) for each in found.frameworks] == ["ISO27001 A.5.3"]
    assert found.source is not None
    assert (found.source.file, found.source.row, found.source.sha256) == ("m.xlsx", 7, None)


def test_a_class_with_groups_counts_by_its_packages_alone() -> None:
    """Where only what is held counts, as for the set of `atMost`."""
    text = HEAD + rule(f"allOf: [{{classes: [x]}}, {B}, {C}]") + f"classes: {{x: {MIXED}}}\n"
    [resolved] = resolve(book(text), None, DAY)
    assert met_by(resolved, [*map(guid, "abc")]) == frozenset(map(guid, "abc"))


@pytest.mark.parametrize("first", ["between", "atMost", "allOf"])
def test_of_two_forms_the_sides_of_one_are_looked_at(first: str) -> None:
    """The mistake is that there are two; each place that is named is in the file."""
    forms = {
        "between": f"between: [{A}, {{classes: [nope]}}]",
        "atMost": f"atMost: {{count: 1, of: [{{id: {guid('a')}}}], classes: [nope]}}",
        "allOf": f"allOf: [{A}, {{classes: [nope]}}]",
    }
    found = said(HEAD + rule(f"{forms[first]}, requires: {{when: {A}, needs: {B}}}"))
    assert f"has {first} and requires: a rule has one of" in found[0]
    assert all("rules.0.requires" not in each for each in found)
    assert any(f"rules.0.{first}" in each and "nope is no class" in each for each in found)
