"""Every construct of the language: what it gives, and what is said where it is wrong."""

from __future__ import annotations

from datetime import date

import pytest

from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.document import MAX_FILE_BYTES, SourceFile
from entra_sod.domain.rules.language import Mode, Severity
from entra_sod.domain.rules.parse import ParsedRules, parse_rules, read_rules
from entra_sod.domain.rules.resolve import Tenant, resolve
from entra_sod.domain.rules.ruleset import RuleSet
from tests.builders import guid

HEAD = "version: 1\nrules:\n"
ENTRY = "  - {{id: {0}, title: T, severity: low, owner: o, mode: record, {1}}}\n"
PAIR = f"between: [{{packages: [{{id: {guid('a')}}}]}}, {{packages: [{{id: {guid('b')}}}]}}]"
EXCEPTION = (
    f"exceptions:\n  - {{id: EX-1, rule: r1, subject: {guid('5')}, from: 2026-11-01, "
    "until: 2026-12-31, reason: x, requestedBy: ann, approvedBy: bob}\n"
)
DAY = date(2026, 6, 1)


def rule(body: str = PAIR, rule_id: str = "r1") -> str:
    return ENTRY.format(rule_id, body)


def said(*texts: str) -> list[str]:
    """What is said of files that are named a, b, c, d."""
    files = [SourceFile(name, text) for name, text in zip("abcd", texts, strict=False)]
    return [str(problem) for problem in read_rules(files).problems]


def book(text: str) -> ParsedRules:
    return parse_rules([SourceFile("f", text)])


def package(name: str, label: str, catalog: str = "Finance") -> AccessPackage:
    return AccessPackage(id=guid(name), display_name=label, catalog_name=catalog)


def selected(selector: str, *packages: AccessPackage) -> set[str]:
    """The display names that a selector fits, as the side of a rule."""
    text = HEAD + rule(f"between: [{{packages: [{selector}]}}, {{groups: [{{id: {guid('1')}}}]}}]")
    (resolved,) = resolve(book(text), Tenant(packages), DAY)
    return {each.display_name for each in packages if each.id in resolved.sides[0].packages}


def test_a_rule_says_all_that_it_may() -> None:
    """Every optional field of a rule arrives under its own name."""
    text = HEAD + rule(
        f"{PAIR}, references: groups, eligible: true, effective: {{from: 2026-01-01, until: "
        "2026-12-31}, control: C-1, advice: Ask."
    )
    (found,) = book(text).rules.values()
    assert (found.severity, found.mode, found.eligible) == (Severity.LOW, Mode.RECORD, True)
    assert (found.references, found.control, found.advice) == ("groups", "C-1", "Ask.")
    assert found.effective is not None
    assert (found.effective.start, found.effective.end) == (date(2026, 1, 1), date(2026, 12, 31))


def test_the_last_day_is_included() -> None:
    """A rule holds on its first and on its last day, and on neither neighbour."""
    text = HEAD + rule(f"{PAIR}, effective: {{from: 2026-01-02, until: 2026-01-04}}")
    days = [day for day in range(1, 6) if resolve(book(text), None, date(2026, 1, day))]
    assert days == [2, 3, 4]


def test_at_most_one_keeps_every_two_apart() -> None:
    """`atMost` with a count of 1 is every pair of the set, of classes as well."""
    text = HEAD + rule(f"atMost: {{count: 1, of: [{{id: {guid('a')}}}], classes: [more]}}")
    text += f"classes: {{more: {{packages: [{{id: {guid('b')}}}, {{id: {guid('c')}}}]}}}}\n"
    assert len(RuleSet(resolve(book(text), None, DAY)).constraints) == 3


def test_an_exception_arrives_whole() -> None:
    """An exception has its dates, and who asked and who allowed."""
    (entry,) = book(HEAD + rule() + EXCEPTION).exceptions.values()
    assert (entry.start, entry.end) == (date(2026, 11, 1), date(2026, 12, 31))
    assert (entry.requested_by, entry.approved_by, str(entry.subject)) == ("ann", "bob", guid("5"))


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("{name: 'approve *'}", {"Approve invoices", "APPROVE orders"}),
        ("{name: 'Approve ??????'}", {"APPROVE orders"}),
        ("{name: 'Pay [EU]'}", {"Pay [EU]"}),
        ("{name: 'Pay [a-z]'}", set()),
        ("{catalog: treasury}", {"Release"}),
        ("{catalog: 'f*', name: '*'}", {"Approve invoices", "APPROVE orders", "Pay [EU]"}),
        ("{name: approve}", set()),
        (f"{{id: {guid('d')}}}", {"Release"}),
    ],
)
def test_patterns_fit_whole_names_without_case(selector: str, expected: set[str]) -> None:
    """`*` and `?` are wildcards, brackets stand for themselves, case does not matter."""
    packages = [
        package("a", "Approve invoices"),
        package("b", "APPROVE orders"),
        package("c", "Pay [EU]"),
        package("d", "Release", "Treasury"),
    ]
    assert selected(selector, *packages) == expected


def test_classes_are_shared_by_files_and_hold_classes() -> None:
    """A class of one file serves a rule of another, with the groups of the classes in it."""
    files = [
        SourceFile("a", HEAD + rule(f"between: [{{classes: [x]}}, {PAIR[10:-1]}]")),
        SourceFile(
            "b",
            f"version: 1\nclasses: {{x: {{classes: [y]}}, y: {{groups: [{{id: {guid('1')}}}]}}}}",
        ),
    ]
    (resolved,) = resolve(parse_rules(files), None, DAY)
    assert resolved.sides[0].groups == {guid("1")}


@pytest.mark.parametrize(
    "classes",
    [
        "".join(f"  c{n}: {{classes: [c{n + 1}]}}\n" for n in range(100)),
        # Every class twice over: 2 to the 100 ways lead down.
        "".join(f"  c{n}: {{classes: [l{n}, r{n}]}}\n" for n in range(100))
        + "".join(f"  {side}{n}: {{classes: [c{n + 1}]}}\n" for n in range(100) for side in "lr"),
        "".join(f"  c{n}: {{classes: [c{n + 1}]}}\n" for n in range(3000)),
    ],
    ids=["chain", "diamonds", "long chain"],
)
def test_nested_classes_resolve_fast(classes: str) -> None:
    """Deep chains and diamonds of classes cost what they are long, not what they branch."""
    last = 3000 if "c3000" in classes else 100
    text = (
        HEAD
        + rule(f"between: [{{classes: [c0]}}, {{packages: [{{id: {guid('b')}}}]}}]")
        + f"classes:\n{classes}  c{last}: {{packages: [{{id: {guid('a')}}}]}}\n"
    )
    assert len(RuleSet(resolve(book(text), None, DAY)).constraints) == 1


def test_circles_of_classes_are_named_once_with_their_way() -> None:
    """Each circle is one mistake, at the class that closes it; classes beside it have none."""
    found = said(
        "version: 1\nclasses:\n  a: {classes: [b]}\n  b: {classes: [c]}\n"
        "  c: {classes: [a]}\n  d: {classes: [d]}\n  e: {classes: [a]}\n"
    )
    assert found == [
        "a:3:16: classes.a.classes lead in a circle: a → b → c → a",
        "a:6:16: classes.d.classes lead in a circle: d → d",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            rule("control: x"),
            "a:3:5: rules.0 needs one of between, atMost, allOf",
        ),
        (
            rule(f"{PAIR}, atMost: {{count: 1, of: [{{name: x}}]}}"),
            "rules.0 has between and atMost: a rule has one of",
        ),
        (rule("atMost: {count: 0, of: [{name: x}]}"), "a:3:79: rules.0.atMost.count must be"),
        (rule("atMost: {count: 1}"), "a:3:71: rules.0.atMost selects nothing: give of, groups"),
        (rule("atMost: {count: 1, of: [{}]}"), "rules.0.atMost.of.0 selects nothing: give an id"),
        (rule(PAIR.replace("id:", "name: x, id:", 1)), "has an id and a pattern"),
        (
            rule(f"{PAIR}, effective: {{from: 2026-02-01, until: 2026-01-01}}"),
            "rules.0.effective.until is before its from",
        ),
        (rule(f"{PAIR}, effective: {{from: 2026-02-30}}"), "effective.from must be a date that"),
        (rule(f"{PAIR}, eligible: perhaps"), "rules.0.eligible must be true or false"),
        (rule(f"{PAIR}, 7: x, yes: x"), "rules.0.7 is not known here"),
        (rule(f"{PAIR}, refrences: both"), "rules.0.refrences is not known here; did you mean ref"),
        (rule() + "classes: {yes: {groups: []}}\n", "a:4:11: classes.True must be text: put"),
        (rule() + "classes: {7: {groups: []}}\n", "classes.7 must be text: put the name into quo"),
        (rule() + f"classes: {{{'x' * 101}: {{}}}}\n", "must have a name of 1 to 100 characters"),
        (
            rule() + "classes: {x: {}}\n",
            "classes.x selects nothing: give packages, groups, grants or cl",
        ),
        (rule() + rule(), "a:4:10: rules.1.id r1 exists already"),
        (
            rule() + "  - &x {}\n  - *x\n",
            "a:4:5: &x is a mark of YAML, for which rules have no use: quote",
        ),
        (rule() + "  - !!bool perhaps\n", "a:4:5: !!bool is a mark of YAML"),
        (rule() + "\t- x\n", "a:4:1: tabs cannot indent in YAML: use blanks"),
        (rule() + "version: 1\n", "a:4:1: version is given twice"),
        (rule() + "<<: {version: 2}\n", "a:4:1: << is not known here"),
        (rule() + "? [x]\n: y\nversion: 1\n", "version is given twice"),
        (rule() + "x: " + "[" * 30 + "]" * 30 + "\n", "a:4:23: nested too deep"),
        (rule() + "# \x00\n", "a:4:3: holds U+0000, which is no text"),
        (rule() + "---\nversion: 1\n", "a:4:1: but found another document"),
        (rule("between: ['"), "a quote is not closed"),
    ],
)
def test_each_mistake_says_where_it_is(text: str, expected: str) -> None:
    """What is wrong by itself or beside something else is named with its place."""
    found = said(HEAD + text)
    assert any(expected in problem for problem in found), found


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("rule: r1", "rule: r1x", "rule r1x is no rule; did you mean r1?"),
        ("2026-12-31", "2026-10-31", "exceptions.0.until is before its from"),
        ("2026-12-31", "2027-11-03", "exceptions.0.until is more than a year after its from"),
        ("2026-12-31", "2026-11-31", "exceptions.0.until must be a date that exists"),
        ("approvedBy: bob", "approvedBy: ANN", "approvedBy must differ from requestedBy"),
        ("approvedBy: bob", f"approvedBy: {guid('5')}", "approvedBy must differ from the subject"),
        ("reason: x, ", "", "exceptions.0.reason is missing"),
        ("reason: x", "reason: ''", "exceptions.0.reason must be"),
    ],
)
def test_an_exception_is_held_against_its_terms(old: str, new: str, expected: str) -> None:
    """An exception that would be no control is refused, with what is missing."""
    found = said(HEAD + rule() + EXCEPTION.replace(old, new))
    assert len(found) == 1
    assert expected in found[0]


def test_a_year_is_the_longest_exception() -> None:
    """From a day to the same day of the next year is allowed."""
    assert said(HEAD + rule() + EXCEPTION.replace("2026-12-31", "2027-11-01")) == []


def test_a_mistake_does_not_hide_those_beside_it() -> None:
    """A rule with a wrong word is still known to exceptions, and its other fields are read."""
    broken = rule(f"between: [{{classes: [x]}}, {PAIR[10:-1]}]").replace("record", "recrd")
    found = said(HEAD + broken + EXCEPTION.replace("bob", "ann"))
    assert [problem.split(" ", 1)[1] for problem in found] == [
        "rules.0.mode must be record, warn or enforce; did you mean record?",
        "rules.0.between.0.classes.0 x is no class",
        "exceptions.0.approvedBy must differ from requestedBy",
    ]


def test_names_of_a_file_that_cannot_be_read_are_not_called_unknown() -> None:
    """While one file is no YAML, the set of rules and classes is unknown."""
    found = said(HEAD + rule().replace("}", "", 1), HEAD + rule(rule_id="r2") + EXCEPTION)
    assert [problem[0] for problem in found] == ["a"]


def test_a_large_file_of_rules_is_read() -> None:
    """Thousands of rules, close to the largest file, are all there."""
    entries = [rule(rule_id=f"r{number}") for number in range(3500)]
    text = HEAD + "".join(entries)
    assert MAX_FILE_BYTES / 2 < len(text) < MAX_FILE_BYTES
    assert len(book(text).rules) == 3500


def test_mistakes_without_end_are_not_all_named() -> None:
    """Of thousands of mistakes in one file the first thousand are named."""
    found = said("version: 1\n" + "".join(f"k{number}: 1\n" for number in range(5000)))
    assert found[0] == "a:1:1: more than 1000 mistakes in this file; the others are not named"
    assert len(found) == 1001
    assert found[1].startswith("a:2:1: k0 is not known here")


def test_a_circle_without_end_is_shortened() -> None:
    """Of a circle of a hundred classes the first ten are shown, and how many there are."""
    classes = "".join(f"  c{n}: {{classes: [c{(n + 1) % 100}]}}\n" for n in range(100))
    (found,) = said(f"version: 1\nclasses:\n{classes}")
    assert found.endswith("c0 → c1 → c2 → c3 → c4 → c5 → c6 → c7 → c8 → c9 → 90 more → c0")


def test_a_rule_has_a_hundred_sides_at_most() -> None:
    """More would make thousands of pairs of sides; the message names the way to say it."""
    sides = ", ".join(f"{{packages: [{{name: p{number}}}]}}" for number in range(101))
    (found,) = said(HEAD + rule(f"between: [{sides}]"))
    assert "rules.0.between has more than 100 sides: atMost with a count of 1" in found
    assert said(HEAD + rule(f"between: [{sides.rpartition(', ')[0]}]")) == []


def test_suggestions_end_where_they_would_take_long() -> None:
    """Two hundred unknown names are all named, and half of them have a suggestion."""
    names = "".join(f", payer{number}" for number in range(199))
    found = said(
        "version: 1\nclasses:\n  payers: {packages: [{name: a}]}\n"
        f"  b: {{classes: [x{names}]}}\n"
    )
    assert len(found) == 200
    assert sum("did you mean payers?" in problem for problem in found) == 99


@pytest.mark.parametrize("text", ["12:30", "9" * 41, "1" + ":59" * 1000, "0x_"])
def test_what_no_rule_has_as_a_number_is_text(text: str) -> None:
    """Base 60 and endless digits are not calculated: such a name is a name."""
    assert said(HEAD + rule().replace("title: T", f"title: {text[:400]}")) == []


def test_endless_lists_are_refused() -> None:
    """A file of half a million values is refused at the place where it becomes too much."""
    (found,) = said("version: 1\nrules: [" + "1," * 500_000 + "1]\n")
    assert found.endswith("too many values for one file: split it")
