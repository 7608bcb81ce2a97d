"""What could not be known is said, and never allowed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from entra_sod.core.errors import Forbidden, GraphError, Throttled, Unlicensed
from entra_sod.domain.decisions import strategy
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.language import Mode, PackageSelector, Side
from entra_sod.services.decisions import from_graph, grants
from tests.app import App
from tests.builders import at_most, guid, package, rule, side
from tests.services.decisions.test_decisions import (
    ANN,
    BOB,
    CROWD,
    RULES,
    MakeApp,
    ask,
    holds,
    make,
)
from tests.services.decisions.test_index_answers import ask_many, how

BY_NAME = Side(packages=[PackageSelector(name="Package a")])


@pytest.mark.parametrize(("state", "decision"), [("delivered", "review"), ("expired", "allow")])
async def test_an_assignment_of_no_package_is_a_gap(
    make_app: MakeApp, state: str, decision: str
) -> None:
    """Whatever it is of may stand against the wanted package, as long as it is held."""
    app = make(make_app, {})

    async def nameless(_ids: object) -> Any:
        yield ANN, [msgspec.structs.replace(holds("b", ANN), state=state)]

    app.graph.assignments_of_subjects = nameless  # type: ignore[method-assign,assignment]
    answer = await ask("a")
    assert answer["decision"] == decision
    assert (f"b-{ANN}" in "".join(answer["reasons"])) == (decision == "review")


async def test_read_by_package_an_assignment_is_of_that_package(make_app: MakeApp) -> None:
    """Graph was asked for no other, so its silence on the package leaves nothing open."""
    app = make(make_app, {}, whole_tenant=False)

    async def nameless(wanted: Collection[tuple[str, str]]) -> Any:
        for key in wanted:
            yield key, [holds("b", ANN)]

    app.graph.assignments_of_subjects_in = nameless  # type: ignore[method-assign]
    answer = await ask("a")
    assert (answer["decision"], answer["coverage"]["skipped"]) == ("deny", [])


async def test_under_rules_that_are_out_of_date_nothing_is_allowed(make_app: MakeApp) -> None:
    """The newest rules have a mistake; what they wanted to say is not known."""
    app = make(make_app, {"b": [holds("b", ANN)]})
    assert (await ask("a", BOB))["decision"] == "allow"
    app.rules.text = "version: 2"
    app.clock.advance(61)
    answer = await ask("a", BOB)
    assert answer["decision"] == "review"
    assert "the newest version of the rules" in answer["reasons"][0]
    assert (await ask("a", ANN))["decision"] == "deny"
    app.configure(DECISION_ON_GAPS="deny")
    app.rules.write(RULES)
    assert (await ask("a", BOB))["decision"] == "allow"
    app.rules.text = "version: 2"
    app.clock.advance(61)
    assert (await ask("a", BOB))["decision"] == "deny"


# A holder of a is kept from membership of group 9; eligible members of it count by choice.
GROUPS = rule("r", side("a"), side("", ["9"]))


def granting(make_app: MakeApp, granted: AccessPackage, *rules: Any, **settings: bool) -> App:
    """Ann holds a; package d is the one given."""
    app = make(make_app, {"a": [holds("a", ANN)]}, rules or [GROUPS], **settings)
    app.graph._packages[guid("d")] = granted
    return app


async def test_a_package_that_grants_a_group_stands_for_it(make_app: MakeApp) -> None:
    """A holder of what the rule keeps from the group's members is denied membership by d."""
    granting(make_app, package("d", "9"))
    answer = await ask("d")
    assert (answer["decision"], answer["coverage"]["skipped"]) == ("deny", [])
    assert [each["accessPackageId"] for each in answer["conflicts"]] == [guid("a")]
    assert (await ask("d", BOB))["decision"] == "allow"
    assert (await ask("ad", BOB))["decision"] == "deny"


async def test_a_package_that_grants_another_group_does_not(make_app: MakeApp) -> None:
    """Only the groups that the rule names."""
    granting(make_app, package("d", "8"))
    assert (await ask("d"))["decision"] == "allow"


@pytest.mark.parametrize(("eligible", "decision"), [(True, "deny"), (False, "allow")])
async def test_eligible_members_count_where_the_rule_says_so(
    make_app: MakeApp,
    eligible: bool,  # noqa: FBT001 - a parameter of the test
    decision: str,
) -> None:
    """As they do for references."""
    granted = replace(package("d"), eligible_groups=frozenset([guid("9")]))
    granting(make_app, granted, msgspec.structs.replace(GROUPS, eligible=eligible))
    assert (await ask("d"))["decision"] == decision


async def test_what_a_package_grants_is_a_gap_where_it_cannot_be_read(make_app: MakeApp) -> None:
    """It may grant the group that the rule names."""
    app = granting(make_app, package("d", "9"))

    async def refuse(ids: Collection[str]) -> dict[str, GraphError]:
        return {each: Forbidden("not for you", status=403) for each in ids}

    app.graph.packages_by_id = refuse  # type: ignore[method-assign,assignment]
    answer = await ask("d")
    assert answer["decision"] == "review"
    assert "the groups that access package" in answer["reasons"][0]


async def test_grants_are_read_once_and_only_where_they_matter(make_app: MakeApp) -> None:
    """For ten minutes; those of the rules' packages only if the wanted one grants anything."""
    app = granting(make_app, package("d", "9"))
    asked = count_grants(app)
    for subject in (ANN, BOB):
        await ask("d", subject)
    assert asked == [guid("d"), guid("a")]
    app.clock.advance(601)
    await ask("d")
    assert asked == [guid("d"), guid("a")] * 2
    app.rules.write(RULES)
    app.clock.advance(601)
    await ask("a")
    assert asked[4:] == [guid("a")]
    app.graph._packages[guid("d")] = package("d")
    await ask("d")
    assert asked[5:] == [guid("d")]


def both_sides(make_app: MakeApp, *legacy: str, **held: str) -> App:
    """Package a makes people members of 8, b of 9, and d, which no rule names, of the legacy."""
    people = {name: [holds(name, who)] for name, who in held.items()}
    app = make(make_app, people)
    for name, groups in {"a": "8", "b": "9", "d": legacy, "e": "7"}.items():
        app.graph._packages[guid(name)] = package(name, *groups)
    return app


@pytest.mark.parametrize("whole_tenant", [True, False])
async def test_a5_a_package_that_gives_what_another_gives_is_reviewed(
    make_app: MakeApp,
    whole_tenant: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """For a holder of the other side, and for no other subject; it names rule and package."""
    app = both_sides(make_app, "9", a=ANN, b=BOB)
    app.graph.whole_tenant = whole_tenant
    answer = await ask("d")
    assert answer["decision"] == "review"
    [reason] = answer["reasons"]
    assert reason.startswith(
        f"access package {guid('d')}: it gives what access package {guid('b')}"
    )
    assert "rule pay gives, and no rule names it" in reason
    assert [(await ask("d", who))["decision"] for who in (BOB, CROWD[0])] == ["allow", "allow"]
    assert (await ask("ad", CROWD[0]))["decision"] == "review"
    assert (await ask("e"))["decision"] == "allow"


async def test_a5_a_package_of_both_sides_is_denied(make_app: MakeApp) -> None:
    """It meets the rule by itself, for any subject. The reason names it and both duties."""
    both_sides(make_app, "8", "9")
    answer = await ask("d")
    assert answer["decision"] == "deny"
    assert [each["id"] for each in answer["rules"]] == ["pay"]
    assert all(guid(each) in answer["reasons"][1] for each in "dab")


async def test_a5_other_roles_and_sets_count(make_app: MakeApp) -> None:
    """A role of an application, by a rule that allows one of a set; what all grant is no matter."""
    app = both_sides(make_app, a=ANN)
    app.rules.write([at_most("one", 1, "abc", mode=Mode.WARN)])
    app.graph.directory = None
    for name, roles in {"a": "rx", "b": "ry", "c": "r", "d": "r", "e": "y"}.items():
        granted = replace(package(name), other_roles=frozenset(roles))
        app.graph._packages[guid(name)] = granted
    assert (await ask("e"))["decision"] == "review"
    assert (await ask("d"))["decision"] == "allow"


async def test_a5_grants_that_cannot_be_read_are_a_gap(make_app: MakeApp) -> None:
    """Of the package that is wanted, or of one that a rule names."""
    app = both_sides(make_app, "9", a=ANN)
    app.graph.unreadable = {guid("b")}
    answer = await ask("d", BOB)
    assert answer["decision"] == "review"
    assert guid("b") in answer["reasons"][0]


async def test_grants_of_too_many_packages_are_a_gap(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one call: the rest is reviewed."""
    monkeypatch.setattr(grants, "MAX_GRANTS_READ", 1)
    app = granting(make_app, package("d"))
    asked = count_grants(app)
    answer = await ask("de", BOB)
    assert (answer["decision"], asked) == ("review", [guid("d")])
    assert guid("e") in answer["coverage"]["skipped"][0]["what"]


def count_grants(app: App) -> list[str]:
    """Take down every package whose grants are asked for."""
    asked: list[str] = []
    read = app.graph.packages_by_id

    async def counted(ids: Collection[str]) -> Any:
        asked.extend(ids)
        return await read(ids)

    app.graph.packages_by_id = counted  # type: ignore[method-assign,assignment]
    return asked


async def test_many_subjects_package_by_package_are_bounded_in_requests(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the maximum of one call no request is sent; the other subjects are reviewed."""
    monkeypatch.setattr(from_graph, "MAX_SUBJECTS_READ", 20)
    _, asked = asked_by_package(make_app, {"b": [holds("b", CROWD[0])]})
    answers = await ask_many("a", CROWD[:6])
    assert len(asked) == 20
    assert [each["decision"] for each in answers] == ["deny", "allow", "allow", *["review"] * 3]
    [gap] = answers[3]["coverage"]["skipped"]
    assert gap["what"] == f"whether {CROWD[3]} holds 4 packages more"
    assert "20 times in one call" in gap["why"]


async def test_many_subjects_package_by_package_are_bounded_in_time(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a minute the rest is reviewed: what was read by then counts."""
    monkeypatch.setattr(from_graph, "_PORTION", 6)
    _, asked = asked_by_package(make_app, {"b": [holds("b", CROWD[0])]}, seconds=5)
    answers = await ask_many("a", CROWD[:6])
    assert len(asked) == 12
    assert [each["decision"] for each in answers] == ["deny", "allow", *["review"] * 4]
    assert "60 seconds" in answers[5]["reasons"][0]


def asked_by_package(
    make_app: MakeApp, held: Any, *, seconds: float = 0
) -> tuple[App, list[tuple[str, str]]]:
    """An app with rights on catalogs, whose every request takes so long; six packages each."""
    rules = [at_most("one", 1, "abcdef", mode=Mode.WARN)]
    app, asked = make(make_app, held, rules, whole_tenant=False), list[tuple[str, str]]()
    read = app.graph.assignments_of_subjects_in

    async def slow(wanted: Collection[tuple[str, str]]) -> Any:
        async for key, page in read(wanted):
            asked.append(key)
            app.clock.advance(seconds)
            yield key, page

    async def long(_packages: object) -> Any:
        for _ in range(strategy.MAX_LISTED_PACKAGES + 1):
            yield guid("b"), ()

    app.graph.assignments_of_subjects_in = slow  # type: ignore[method-assign]
    app.graph.assignments_of = long  # type: ignore[method-assign,assignment]
    return app, asked


async def test_a_list_of_packages_that_is_refused_is_a_gap(make_app: MakeApp) -> None:
    """A package that no rule names may be a wrong id: asking again would not help."""
    app = make(make_app, {})
    refuse_list(app, Forbidden("no list for you", status=403))
    answer = await ask("e")
    assert answer["decision"] == "review"
    assert "no list for you" in answer["reasons"][0]
    assert (await ask("a"))["decision"] == "allow"


async def test_patterns_that_fit_an_unknown_set_are_a_gap(make_app: MakeApp) -> None:
    """Rules by id count all the same; and once the list is given, all is as ever."""
    rules = [rule("named", BY_NAME, side("c")), *RULES]
    app = make(make_app, {"b": [holds("b", ANN)]}, rules)
    read = app.graph.packages
    refuse_list(app, Forbidden("no list for you", status=403))
    assert [(await ask("a", each))["decision"] for each in (ANN, BOB)] == ["deny", "review"]
    app.graph.packages = read  # type: ignore[method-assign]
    app.clock.advance(61)
    assert (await ask("a", BOB))["decision"] == "allow"


async def test_patterns_fit_what_was_listed_before(make_app: MakeApp) -> None:
    """A list that is refused later takes no conflict away that was known."""
    app = make(make_app, {"c": [holds("c", ANN)]}, [rule("named", BY_NAME, side("c"))])
    assert (await ask("a"))["decision"] == "deny"
    refuse_list(app, Forbidden("no list for you", status=403))
    app.clock.advance(601)
    assert [(await ask("a", each))["decision"] for each in (ANN, BOB)] == ["deny", "review"]


@pytest.mark.parametrize("wanted", ["a", "e"])
async def test_a_list_that_cannot_be_had_now_is_asked_for_again(
    make_app: MakeApp, wanted: str
) -> None:
    """503, as ever while Graph throttles."""
    app = make(make_app, {}, [rule("named", BY_NAME, side("c"))])
    refuse_list(app, Throttled("wait", retry_after=7.0))
    with pytest.raises(AssertionError, match="wait"):
        await ask(wanted)


def refuse_list(app: App, error: GraphError) -> None:
    async def refuse() -> Any:
        raise error

    app.graph.packages = refuse  # type: ignore[method-assign]


async def test_what_graph_refuses_altogether_is_a_gap(make_app: MakeApp) -> None:
    """A whole batch that is refused is refused the next time, too."""
    app = make(make_app, {})

    async def refuse(_ids: object) -> Any:
        raise Forbidden("no batches for you", status=403)
        yield

    app.graph.assignments_of_subjects = refuse  # type: ignore[method-assign,assignment]
    answer = await ask("a")
    assert answer["decision"] == "review"
    assert "no batches for you" in answer["reasons"][0]


NOT_FOR_YOU = Forbidden("not for you", status=403)


@pytest.mark.parametrize(
    ("errors", "asked_live"),
    [
        ([NOT_FOR_YOU, NOT_FOR_YOU], False),
        ([NOT_FOR_YOU, None], True),
        ([Forbidden("who are you?", status=401)] * 2, True),
        ([Unlicensed("no licence", status=403)] * 2, True),
    ],
)
async def test_only_a_refusal_of_the_list_as_such_is_remembered(
    make_app: MakeApp,
    errors: list[GraphError | None],
    asked_live: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Of one subject among others, of a token, of a licence: the next subject is asked live."""
    app = make(make_app, {})
    read = app.graph.assignments_of_subjects

    async def refuse(ids: Collection[str]) -> Any:
        for each, error in zip(sorted(ids), errors, strict=False):
            yield each, error or ()

    app.graph.assignments_of_subjects = refuse  # type: ignore[method-assign,assignment]
    await ask_many("a", [ANN, BOB])
    app.graph.assignments_of_subjects = read  # type: ignore[method-assign]
    answer = await ask("a")
    assert ("assignments of the subject" in how(answer).split("; ")) == asked_live
