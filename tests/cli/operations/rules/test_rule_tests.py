from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.cli.operations.rules.rule_tests import (
    RuleTestOutcome,
    find_conflicts,
    run_rule_tests,
)
from entra_sod.core.errors import RulesError
from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.grant_language import GrantSelector
from entra_sod.domain.rules.language import (
    AtMost,
    Effective,
    ExceptionEntry,
    Mode,
    Override,
    PackageSelector,
    Rule,
    Severity,
    Side,
)
from entra_sod.domain.rules.parse import ParsedRules
from entra_sod.domain.rules.resolve import ResolvedRule, ResolvedSide, resolve
from entra_sod.domain.rules.verdict import SubjectAccess, is_violated
from tests.builders import TODAY, guid, rule, side

HEAD = f"""\
version: 1
packages:
  - {{name: Alpha, id: {guid("a")}}}
  - {{name: Beta, id: {guid("b")}}}
  - {{name: Gamma, catalog: Finance}}
people:
  - name: Ada
"""


def at_most(count: int, names: str, *, mode: Mode = Mode.ENFORCE) -> Rule:
    return Rule(
        id="few",
        title="Few of many",
        severity=Severity.LOW,
        owner="o@example.com",
        mode=mode,
        at_most=AtMost(count=count, of=[PackageSelector(id=UUID(guid(name))) for name in names]),
    )


def book_of(*rules: Rule, exceptions: tuple[ExceptionEntry, ...] = ()) -> ParsedRules:
    return ParsedRules(
        rules={each.id: each for each in rules}, exceptions={each.id: each for each in exceptions}
    )


def run(person: str, book: ParsedRules, head: str = HEAD) -> RuleTestOutcome:
    """Run a test with one person; `person` is what stands below the name."""
    lines = "".join(f"    {line}\n" for line in person.splitlines())
    return run_rule_tests(SourceFile("t.yaml", head + lines), book, TODAY)


def failures(person: str, book: ParsedRules, head: str = HEAD) -> list[str]:
    return [str(each) for each in run(person, book, head).failures]


def problems(text: str, book: ParsedRules) -> tuple[str, ...]:
    with pytest.raises(RulesError) as caught:
        run_rule_tests(SourceFile("t.yaml", text), book, TODAY)
    return caught.value.problems


A_AND_B = book_of(rule("r", side("a"), side("b")))
HOLDS_BOTH = "holds: [Alpha, Beta]\n"


def decided(decision: str, rules: str = "[]", *, asks: str = "Beta") -> str:
    return f"decisions: [{{asks: {asks}, decision: {decision}, rules: {rules}}}]"


def test_an_expected_conflict_is_found() -> None:
    """A conflict that is expected is met, in whichever order and case its packages stand."""
    outcome = run(f"{HOLDS_BOTH}conflicts: [{{rule: r, packages: [beta, ALPHA]}}]", A_AND_B)
    assert (outcome.expectations, outcome.failures) == (2, [])


def test_an_unexpected_conflict_fails() -> None:
    """All conflicts of a person are to be written down."""
    assert failures(HOLDS_BOTH, A_AND_B) == [
        "t.yaml:7:11: expected no conflict of Ada, found r (Alpha, Beta)"
    ]


def test_an_expected_conflict_that_is_not_there_fails() -> None:
    """The failure stands where the expectation does."""
    text = "holds: [Alpha]\nconflicts:\n  - {rule: r, packages: [Alpha, Beta]}"
    assert failures(text, A_AND_B) == [
        "t.yaml:10:9: expected conflict r (Alpha, Beta) of Ada, found none"
    ]


@pytest.mark.parametrize(
    ("mode", "expected"), [("enforce", "deny"), ("warn", "deny"), ("record", "review")]
)
def test_the_mode_of_a_rule_decides(mode: str, expected: str) -> None:
    """Rules that warn or enforce deny; a rule that only records asks for a look."""
    book = book_of(rule("r", side("a"), side("b"), mode=Mode(mode)))
    assert failures(f"holds: [Alpha]\n{decided(expected, '[r]')}", book) == []


def test_a_wrong_decision_fails() -> None:
    """What was found is told with the rules that led to it."""
    assert failures(f"holds: [Alpha]\n{decided('allow')}", A_AND_B) == [
        "t.yaml:9:17: expected allow for Ada asking for Beta, found deny by r"
    ]


def test_the_rules_of_a_decision_are_compared_where_they_are_given() -> None:
    """Without rules the decision alone counts; with rules they must be all there are."""
    book = book_of(rule("r", side("a"), side("b")), rule("q", side("ab"), side("b")))
    assert failures("holds: [Alpha]\ndecisions: [{asks: Beta, decision: deny}]", book) == []
    assert failures(f"holds: [Alpha]\n{decided('deny', '[r, q]')}", book) == []
    assert failures(f"holds: [Alpha]\n{decided('deny', '[r]')}", book) == [
        "t.yaml:9:17: expected deny by r for Ada asking for Beta, found deny by q, r"
    ]


def test_a_renewal_is_no_conflict_with_itself() -> None:
    """Who asks for what is held already is held against the rest only."""
    book = book_of(rule("r", side("a"), side("b")))
    assert failures(f"holds: [Beta]\n{decided('allow')}", book) == []
    assert failures(f"holds: [Alpha]\n{decided('deny', '[r]')}", book) == []


def test_membership_of_a_named_group_counts_for_decisions() -> None:
    """A member of a side's group may not get what the other side has, and may get its own."""
    book = book_of(rule("r", side("a"), side(groups=["c"])))
    member = f"groups: [{guid('c')}]\n"
    assert failures(member + decided("deny", "[r]", asks="Alpha"), book) == []
    assert failures(member + decided("allow"), book) == []


def exception(until: date) -> ExceptionEntry:
    return ExceptionEntry(
        id="EX",
        rule="r",
        subject=guid("e"),
        start=date(2026, 1, 1),
        until=until,
        reason="short of people",
        requested_by="one",
        approved_by="two",
    )


@pytest.mark.parametrize(
    ("person", "until", "expected"),
    [("e", TODAY, "review"), ("e", date(2026, 5, 31), "deny"), ("f", TODAY, "deny")],
)
def test_an_exception_turns_deny_into_review(person: str, until: date, expected: str) -> None:
    """It does so for its subject, up to and on its last day; the conflict stays one."""
    book = book_of(rule("r", side("a"), side("b")), exceptions=(exception(until),))
    text = f"id: {guid(person)}\nholds: [Alpha]\n{decided(expected, '[r]')}"
    assert failures(text, book) == []
    assert len(failures(f"id: {guid(person)}\n{HOLDS_BOTH}", book)) == 1


def test_an_exception_leaves_other_rules_standing() -> None:
    """Deny stays deny where a second rule is violated, too."""
    rules = rule("r", side("a"), side("b")), rule("q", side("a"), side("b"))
    book = book_of(*rules, exceptions=(exception(TODAY),))
    assert failures(f"id: {guid('e')}\nholds: [Alpha]\n{decided('deny', '[q, r]')}", book) == []


def test_more_than_so_many_of_a_set_is_a_conflict() -> None:
    """Two of three are allowed, the third is not: what Entra cannot express is seen here."""
    head = HEAD.replace("catalog: Finance", f"id: {guid('c')}")
    book = book_of(at_most(2, "abc"))
    assert failures(f"{HOLDS_BOTH}{decided('deny', '[few]', asks='Gamma')}", book, head) == []
    assert failures(f"{HOLDS_BOTH}{decided('allow')}", book, head) == []
    everything = "holds: [Alpha, Beta, Gamma]\n"
    conflict = "conflicts: [{rule: few, packages: [Alpha, Beta, Gamma]}]"
    assert failures(everything + conflict, book, head) == []


def test_a_rule_counts_on_its_days_only() -> None:
    """The file's day decides which rules are in force; without one it is today."""
    later = Rule(
        id="r",
        title="Later",
        severity=Severity.LOW,
        owner="o@example.com",
        mode=Mode.ENFORCE,
        between=[side("a"), side("b")],
        effective=Effective(start=date(2026, 7, 1)),
    )
    assert failures(HOLDS_BOTH, book_of(later)) == []
    assert len(failures(HOLDS_BOTH, book_of(later), f"day: 2026-07-01\n{HEAD}")) == 1


def test_patterns_fit_the_packages_of_the_test() -> None:
    """A package without an id is found by catalog and name."""
    finance = Side(packages=[PackageSelector(catalog="fin*", name="g*")])
    book = book_of(rule("r", side("a"), finance))
    assert failures(f"holds: [Alpha]\n{decided('deny', '[r]', asks='Gamma')}", book) == []


def test_a_package_on_both_sides_is_a_conflict_by_itself() -> None:
    """It is expected by its one name, and a decision about it is never allow."""
    book = book_of(rule("r", side("ab"), side("a")))
    conflict = "conflicts: [{rule: r, packages: [Alpha]}]"
    assert failures(f"holds: [Alpha]\n{conflict}", book) == []
    assert failures(decided("deny", "[r]", asks="Alpha"), book) == []
    assert len(failures("holds: [Alpha]", book)) == 1
    assert len(failures(f"holds: [Beta]\n{conflict}", book)) == 1


def test_an_override_has_a_decision_reviewed() -> None:
    """The conflict stays one, as an exception leaves it."""
    book = book_of(rule("r", side("ab"), side("a")))
    book.overrides["o"] = Override(rule="r", package=UUID(guid("a")), max_days=14)
    assert failures(decided("review", "[r]", asks="Alpha"), book) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("holds: [Alpa]", "t.yaml:8:13: people.0.holds.0 Alpa is no package here; did you mean Al"),
        (
            "conflicts: [{rule: rr, packages: [Alpha, Beta]}]",
            "t.yaml:8:24: people.0.conflicts.0.rule rr is no rule; did you mean r?",
        ),
        (
            "conflicts: [{rule: r, packages: [Alpha, alpha]}]",
            "t.yaml:8:37: people.0.conflicts.0.packages must be two packages or more",
        ),
        ("conflicts: [{rule: r, packages: [Alpha, X]}]", "t.yaml:8:45: people.0.conflicts.0."),
        (decided("deny", asks="Delta"), "people.0.decisions.0.asks Delta is no package here"),
        (decided("deny", "[q]"), "people.0.decisions.0.rules.0 q is no rule"),
        (decided("refuse"), "people.0.decisions.0.decision must be allow, deny or review"),
        ("hold: [Alpha]", "t.yaml:8:5: people.0.hold is not known here; did you mean holds?"),
    ],
)
def test_what_a_test_cannot_mean_is_named_with_its_place(text: str, expected: str) -> None:
    """Unknown names and fields are mistakes of the test, never failures of the rules."""
    found = problems(f"{HEAD}    {text}\n", A_AND_B)
    assert any(expected in problem for problem in found), found


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("name: Beta", "name: ALPHA", "t.yaml:4:12: packages.1.name is given twice"),
        (guid("b"), guid("a"), "packages.1.id is given twice"),
        ("- name: Ada", "- name: Ada\n  - name: ada", "people.1.name is given twice"),
        ("people:\n  - name: Ada", "people: []", "people is empty: the file has no expectation"),
        ("version: 1", "version: 1\nday: 2026-02-30", "t.yaml:2:6: day must be a date that exists"),
        ("version: 1", "version: [", "not YAML"),
        (HEAD, "", "the file is empty"),
    ],
)
def test_a_test_file_must_be_whole(old: str, new: str, expected: str) -> None:
    """Names that cannot be told apart, days that do not exist, files that are none: all named."""
    found = problems(HEAD.replace(old, new), A_AND_B)
    assert any(expected in problem for problem in found), found


people = st.builds(
    SubjectAccess,
    holds=st.frozensets(st.sampled_from([guid(name) for name in "abcd"])),
)
resolved = st.one_of(
    st.lists(st.text("abcd", max_size=3), min_size=2, max_size=4).map(
        lambda sides: rule("r", *(side(each) for each in sides))
    ),
    st.builds(at_most, st.integers(1, 3), st.just("abcd")),
).map(lambda each: resolve(book_of(each), None, TODAY)[0])


@given(resolved, people, st.sampled_from([guid(name) for name in "abcd"]))
def test_who_is_denied_would_be_in_conflict(
    each: ResolvedRule, person: SubjectAccess, asked: str
) -> None:
    """A rule is violated exactly where getting the package makes a conflict with it in it."""
    after = find_conflicts([each], person.holds | {asked})
    makes = any(asked in conflict.packages for conflict in after)
    assert is_violated(each, person, asked) == makes


def test_a_side_alone_is_no_conflict() -> None:
    """Two packages of one side may be held together."""
    one = ResolvedSide(frozenset([guid("a"), guid("b")]), frozenset())
    other = ResolvedSide(frozenset([guid("c")]), frozenset())
    found = ResolvedRule(rule=rule("r", side("ab"), side("c")), sides=(one, other))
    assert list(find_conflicts([found], [guid("a"), guid("b")])) == []


GRANTING = f"""\
version: 1
packages:
  - name: Alpha
    grants: [{{app: Payments, role: Post}}, {{group: {guid("9")}}}]
  - {{name: Beta, grants: [{{site: 'https://contoso.sharepoint.com/sites/ap', role: Owners}}]}}
  - {{name: Legacy, grants: [{{app: payments, role: post}}]}}
people:
  - name: Ada
"""
BY_GRANTS = book_of(
    rule(
        "r",
        Side(grants=[GrantSelector(app="Payments", role="Post")]),
        Side(grants=[GrantSelector(site="https://contoso.sharepoint.com/sites/ap")]),
    )
)


def test_packages_of_a_test_say_what_they_grant() -> None:
    """So rules by grants are tested without a tenant, in the words of the rules."""
    person = """\
holds: [Legacy, Beta]
conflicts: [{rule: r, packages: [Legacy, Beta]}]
decisions: [{asks: Alpha, decision: deny, rules: [r]}]
"""
    assert failures(person, BY_GRANTS, GRANTING) == []
    assert len(failures("holds: [Alpha, Beta]", BY_GRANTS, GRANTING)) == 1


def test_alike_counts_what_packages_of_a_test_grant() -> None:
    """The legacy package stands beside the one that the rule names."""
    alike = Side(packages=[PackageSelector(name="Alpha")], alike=True)
    book = book_of(rule("r", alike, Side(packages=[PackageSelector(name="Beta")])))
    person = """\
holds: [Legacy, Beta]
conflicts: [{rule: r, packages: [Legacy, Beta]}]
"""
    assert failures(person, book, GRANTING) == []


@pytest.mark.parametrize(
    ("grant", "words"),
    [
        ("{}", "packages.0.grants.0 selects nothing"),
        (f"{{group: {guid('9')}, kind: any}}", "packages.0.grants.0.kind must say how"),
    ],
)
def test_a_mistake_in_a_grant_of_a_test_is_named_at_its_place(grant: str, words: str) -> None:
    """As in rules; and a package grants a role in one way, not in any."""
    text = (
        f"version: 1\npackages: [{{name: Alpha, grants: [{grant}]}}]\n"
        "people: [{name: Ada, holds: [Alpha]}]\n"
    )
    (found,) = problems(text, BY_GRANTS)
    assert words in found


def test_a_package_that_grants_what_both_sides_grant_is_a_conflict_by_itself() -> None:
    """Though no side names it: it gives all that the packages of both sides give."""
    tenant = GRANTING.replace(
        "people:",
        "  - name: Both\n"
        "    grants:\n"
        "      - {app: Payments, role: Post}\n"
        f"      - {{group: {guid('9')}}}\n"
        "      - {site: 'https://contoso.sharepoint.com/sites/ap', role: Owners}\n"
        "people:",
    )
    sides = [Side(packages=[PackageSelector(name=name)]) for name in ("Alpha", "Beta")]
    person = """\
holds: [Both]
conflicts: [{rule: r, packages: [Both]}]
decisions: [{asks: Both, decision: deny, rules: [r]}]
"""
    assert failures(person, book_of(rule("r", *sides)), tenant) == []
