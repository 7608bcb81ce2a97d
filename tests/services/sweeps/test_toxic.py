"""What sweeps find of packages that meet a rule by themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from entra_sod.core.errors import Forbidden, GraphError
from entra_sod.domain.entra import AccessPackage, Assignment
from entra_sod.domain.findings.model import Finding
from entra_sod.domain.rules.language import ExceptionEntry, Override, Rule
from entra_sod.ports.graph import AssignmentPage
from tests.app import App, install_parts
from tests.builders import all_of, assignment, at_most, guid, held, package, rule, side
from tests.services.sweeps.test_sweeps import MakeApp, sweep

PAY_OR_APPROVE = rule("r", side("a"), side("b"))
# Paying, approving, and a legacy package that no rule names and that gives both.
A_DAY = 86_400  # what packages grant is read again by then, where Graph does not date them
PACKAGES = [package("a", "1"), package("b", "2"), package("c", "1", "2")]
HELD = {"a": held("a", "x"), "b": held("b", "y"), "c": held("c", "z")}
START = datetime(2025, 12, 20, tzinfo=UTC)
FOR_14_DAYS = Override(rule="r", package=UUID(guid("c")), max_days=14)


def lasting(person: str, days: float | None, *, start: datetime | None = START) -> Assignment:
    """An assignment of the legacy package for so many days."""
    end = None if days is None else START + timedelta(days=days)
    return replace(assignment("c", person), start=start, end=end)


def hide_holders(app: App, name: str) -> None:
    """Have the assignments of a package refused."""
    read = app.graph.assignments

    async def refuse(package_id: str) -> AsyncIterator[AssignmentPage]:
        if package_id == guid(name):
            raise Forbidden("not for you", status=403)
        async for page in read(package_id):
            yield page

    app.graph.assignments = refuse  # type: ignore[method-assign]


def hide_grants(app: App, name: str) -> None:
    """Have what a package grants refused, though the list shows it."""
    app.graph.hidden_grants[guid(name)] = Forbidden("not for you", status=403)
    read = app.graph.packages_by_id

    async def refuse(wanted: Collection[str]) -> Mapping[str, AccessPackage | GraphError]:
        found = dict(await read(wanted))
        if guid(name) in found:
            found[guid(name)] = Forbidden("not for you", status=403)
        return found

    app.graph.packages_by_id = refuse  # type: ignore[method-assign,assignment]


async def findings(app: App) -> list[Finding]:
    return [each.finding async for each in app.records.findings.all()]


async def states(app: App) -> dict[str, str]:
    """The state of the finding of each subject, by its name."""
    return {each.display_name or "": each.state.value for each in await findings(app)}


def gaps(answer: dict[str, Any]) -> str:
    return str(answer["coverage"]["skipped"])


def outcomes(answer: dict[str, Any]) -> list[tuple[str, str, int]]:
    return [
        (each["accessPackageId"][0], each["outcome"], each["holderCount"])
        for each in answer["toxicPackages"]
    ]


@pytest.mark.parametrize("refused", [True, False])
async def test_the_holders_of_a_toxic_package_are_findings(
    make_app: MakeApp,
    refused: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """By pairs and by an index alike; the pair itself is clear."""
    app = make_app(PACKAGES, HELD, [PAY_OR_APPROVE])
    app.graph.refuses_additional_access = refused
    answer = await sweep(app)
    assert answer["status"] == "completed"
    assert answer["pairs"] == {"total": 1, "conflict": 0, "clear": 1, "unknown": 0}
    assert (answer["findings"], outcomes(answer)) == (1, [("c", "conflict", 1)])
    [finding] = await findings(app)
    assert (finding.kind, finding.packages, finding.state) == ("package", (guid("c"),), "open")
    assert finding.object_id == "object-z"
    assert guid("a") in finding.why
    assert guid("b") in finding.why
    assert guid("c") in str(answer["coverage"]["checked"])


async def test_a_toxic_package_that_a_rule_names_is_found_beside_its_pairs(
    make_app: MakeApp,
) -> None:
    """Paying gives what approving gives. Each payer is a finding, each holder of both is two."""
    packages = [package("a", "1", "2"), package("b", "2")]
    app = make_app(packages, {"a": held("a", "xy"), "b": held("b", "y")}, [PAY_OR_APPROVE])
    answer = await sweep(app)
    assert (answer["pairs"]["conflict"], answer["results"][0]["holderCount"]) == (1, 1)
    assert (answer["findings"], outcomes(answer)) == (3, [("a", "conflict", 2)])
    found = [(each.kind.value, each.display_name) for each in await findings(app)]
    assert sorted(found) == [("package", "x"), ("package", "y"), ("pair", "y")]
    assert (await sweep(app))["findings"] == 3


async def test_a_pair_of_two_toxic_packages_is_counted_once(make_app: MakeApp) -> None:
    """Graph was asked for the pair, and then the holders of each of them were read, too."""
    packages = [package("a", "1"), package("b", "1")]
    app = make_app(packages, {"a": held("a", "z"), "b": held("b", "z")}, [PAY_OR_APPROVE])
    answer = await sweep(app)
    assert answer["results"][0]["holderCount"] == 1
    assert (answer["findings"], len(await findings(app))) == (3, 3)


async def test_two_ways_of_looking_at_a_pair_of_toxic_packages_agree(make_app: MakeApp) -> None:
    """Graph answers for the pair, and the holders of both packages are read later."""
    packages = [package("a", "1", "2"), package("b", "1", "2"), package("c", "1"), package("d")]
    holders = {"a": held("a", "xy"), "b": held("b", "yz")}
    app = make_app(packages, holders, [rule("r", side("a", "c"), side("b"))])
    answer = await sweep(app)
    assert answer["strategy"]["chosen"] == "pairs"
    assert {each["outcome"] for each in answer["toxicPackages"]} == {"conflict"}
    assert answer["pairs"]["conflict"] == 1
    assert answer["status"] == "completed"
    assert "additionalAccess" not in gaps(answer)


async def test_a_package_on_both_sides_is_found_without_its_grants(make_app: MakeApp) -> None:
    """Both sides select it, so it needs no comparison."""
    app = make_app([package(name) for name in "abc"], HELD, [rule("r", side("ac"), side("bc"))])
    answer = await sweep(app)
    assert (answer["findings"], outcomes(answer)) == (1, [("c", "conflict", 1)])


async def test_a_package_of_a_rule_that_is_found_only_is_one_finding(make_app: MakeApp) -> None:
    """It is on all three sides by itself: the finding is of the package, and there is no set."""
    app = make_app(PACKAGES, HELD, [all_of("r", side("c"), side("ac"), side("bc"))])
    answer = await sweep(app)
    assert (answer["findings"], outcomes(answer)) == (1, [("c", "conflict", 1)])
    assert [each.kind for each in await findings(app)] == ["package"]


async def test_of_a_set_a_package_that_gives_too_much_is_found(make_app: MakeApp) -> None:
    """One of three packages is allowed, and the fourth gives two of them."""
    packages = [*PACKAGES, package("d", "3")]
    answer = await sweep(make_app(packages, HELD, [at_most("r", 1, "abd")]))
    assert outcomes(answer) == [("c", "conflict", 1)]


async def test_a_toxic_package_whose_holders_cannot_be_read_is_unknown(make_app: MakeApp) -> None:
    """The sweep has gaps, and no subject is cleared."""
    app = make_app(PACKAGES, HELD, [PAY_OR_APPROVE])
    await sweep(app)
    hide_holders(app, "c")
    answer = await sweep(app)
    assert answer["status"] == "completed-with-gaps"
    assert outcomes(answer) == [("c", "unknown", 0)]
    assert await states(app) == {"z": "open"}


async def test_a_package_whose_grants_cannot_be_read_is_a_gap(make_app: MakeApp) -> None:
    """It is not said to be harmless, and its finding stays."""
    app = make_app(PACKAGES, HELD, [PAY_OR_APPROVE])
    await sweep(app)
    hide_grants(app, "c")
    app.clock.advance(A_DAY)
    answer = await sweep(app)
    assert f"what access package {guid('c')} grants" in gaps(answer)
    assert await states(app) == {"z": "open"}


async def test_a_toxic_package_that_comes_out_of_reach_is_a_gap(make_app: MakeApp) -> None:
    """The list does not show it any more, and the last sweep knew it."""
    app = make_app(PACKAGES, HELD, [PAY_OR_APPROVE])
    await sweep(app)
    app.graph.unreadable.add(guid("c"))
    for _ in range(2):
        app.clock.advance(601)  # the list of packages is kept for ten minutes
        answer = await sweep(app)
        assert answer["status"] == "completed-with-gaps"
        assert guid("c") in gaps(answer)
        assert await states(app) == {"z": "open"}


async def test_grants_of_a_side_that_cannot_be_read_clear_nothing(make_app: MakeApp) -> None:
    """What approving gives is not known, so the legacy package may still give it."""
    app = make_app(PACKAGES, HELD, [PAY_OR_APPROVE])
    await sweep(app)
    hide_grants(app, "b")
    answer = await sweep(app)
    assert outcomes(answer) == []
    assert guid("b") in gaps(answer)
    assert await states(app) == {"z": "open"}


async def test_a_finding_ends_with_its_assignment_and_rests_with_its_package(
    make_app: MakeApp,
) -> None:
    """Not held any more: resolved after two looks. Not toxic any more: on hold."""
    app = make_app(PACKAGES, {**HELD, "c": held("c", "zv")}, [PAY_OR_APPROVE])
    await sweep(app)
    app.graph._assignments[guid("c")] = held("c", "z")
    await sweep(app)
    assert await states(app) == {"z": "open", "v": "resolving"}
    await sweep(app)
    app.graph._packages[guid("c")] = package("c", "1")
    app.clock.advance(A_DAY)
    answer = await sweep(app)
    assert outcomes(answer) == []
    assert await states(app) == {"z": "on-hold", "v": "resolved"}


async def test_a_toxic_package_that_is_gone_puts_its_findings_on_hold(make_app: MakeApp) -> None:
    """Graph says that there is no such package."""
    app = make_app(PACKAGES, HELD, [PAY_OR_APPROVE])
    await sweep(app)
    app.graph.drop(guid("c"))
    app.graph.whole_tenant = True  # so that it says which packages there are not
    app.clock.advance(601)  # the list of packages is kept for ten minutes
    await sweep(app)
    assert await states(app) == {"z": "on-hold"}


async def test_an_exception_permits_a_toxic_package(make_app: MakeApp) -> None:
    """As it permits a pair: one subject under one rule."""
    subject = guid("e")
    someone = replace(assignment("c", "z"), subject=replace(assignment("c", "z").subject))
    someone = replace(someone, subject=replace(someone.subject, object_id=subject))
    app = make_app(PACKAGES, {"c": [someone]}, [PAY_OR_APPROVE])
    entry = ExceptionEntry(
        id="EX-1",
        rule="r",
        subject=subject,
        start=date(2026, 1, 1),
        until=date(2026, 1, 31),
        reason="Year-end closing",
        requested_by="ann@example.com",
        approved_by="bob@example.com",
    )
    app.rules.write([PAY_OR_APPROVE], [entry])
    answer = await sweep(app)
    assert (answer["findings"], answer["excepted"]) == (1, 1)
    [finding] = await findings(app)
    assert (finding.state, finding.exception) == ("excepted", "EX-1")


async def overridden(make_app: MakeApp, *assignments: Assignment) -> App:
    app = make_app(PACKAGES, {"c": assignments}, [PAY_OR_APPROVE])
    app.rules.write([PAY_OR_APPROVE], overrides=[FOR_14_DAYS])
    return app


async def test_an_override_permits_an_assignment_that_ends_in_time(make_app: MakeApp) -> None:
    """The finding is excepted until the last day of the assignment, and names the override."""
    app = await overridden(make_app, lasting("z", 14))
    answer = await sweep(app)
    assert (answer["findings"], answer["excepted"]) == (1, 1)
    assert answer["toxicPackages"][0]["overrideDays"] == 14
    [finding] = await findings(app)
    assert (finding.state, finding.exception) == ("excepted", f"override:r:{guid('c')}")
    assert finding.exception_until == date(2026, 1, 2)


@pytest.mark.parametrize(
    ("made", "missing"),
    [
        (
            lasting("z", None),
            "its assignment has no end that Graph shows, the override allows 14 days",
        ),
        (lasting("z", 90), "its assignment ends 90 days after it starts, the override allows 14"),
        (lasting("z", 14.001), "its assignment ends 15 days after it starts, the override allows"),
        (lasting("z", 14, start=None), "Graph does not show when its assignment starts"),
        (lasting("z", -1), "its assignment ends before it starts"),
    ],
)
async def test_an_assignment_that_lasts_too_long_says_what_is_missing(
    make_app: MakeApp, made: Assignment, missing: str
) -> None:
    """Without an end, without a start, or for too long: a finding, with the reason."""
    app = await overridden(make_app, made)
    answer = await sweep(app)
    assert (answer["findings"], answer["excepted"]) == (1, 0)
    [finding] = await findings(app)
    assert finding.state == "open"
    assert missing in finding.why


async def test_of_two_assignments_of_one_subject_the_longer_one_counts(make_app: MakeApp) -> None:
    """A subject may have a package by two policies."""
    longer = replace(lasting("z", 90), id="c-z-again")
    for some in ([lasting("z", 7), longer], [longer, lasting("z", 7)]):
        app = await overridden(make_app, *some)
        await sweep(app)
        assert await states(app) == {"z": "open"}


async def test_an_override_that_is_taken_back_permits_nothing(make_app: MakeApp) -> None:
    """The finding is open again."""
    app = await overridden(make_app, lasting("z", 14))
    await sweep(app)
    app.rules.write([PAY_OR_APPROVE])
    app.clock.advance(61)
    await sweep(app)
    assert await states(app) == {"z": "exception-expired"}


async def test_an_override_goes_on_while_holders_cannot_be_read(make_app: MakeApp) -> None:
    """As exceptions do; and it ends with the last day of the assignment that was seen."""
    app = await overridden(make_app, lasting("z", 14))
    await sweep(app)
    hide_holders(app, "c")
    await sweep(app)
    assert await states(app) == {"z": "excepted"}
    app.clock.advance(timedelta(days=2).total_seconds())
    await sweep(app)
    assert await states(app) == {"z": "exception-expired"}


names = st.sampled_from("abcdef")
holdings = st.dictionaries(st.sampled_from("xyz"), st.sets(names), max_size=3)
granted = st.fixed_dictionaries({name: st.sets(st.sampled_from("123")) for name in "abcdef"})


async def found(
    rules: Sequence[Rule], grants: Mapping[str, set[str]], holds: Mapping[str, set[str]]
) -> set[tuple[str, str, frozenset[str]]]:
    """What a sweep finds: the rule, the subject, and the packages of each finding."""
    people = {name: [who for who, some in holds.items() if name in some] for name in grants}
    app = App(
        [package(name, *sorted(groups)) for name, groups in grants.items()],
        {name: held(name, "".join(who)) for name, who in people.items()},
        rules,
    )
    try:
        await sweep(app)
        return {
            (each.rule, each.display_name or "", frozenset(each.packages))
            for each in await findings(app)
        }
    finally:
        install_parts()


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(granted, holdings, names, st.sampled_from("xyz"))
async def test_another_package_removes_no_finding(
    grants: dict[str, set[str]], holds: dict[str, set[str]], more: str, who: str
) -> None:
    """Whatever else a subject gets, and whatever that grants, its findings stand.

    A finding of a set may name more packages then.
    """
    rules = [rule("r", side("ab"), side("cd")), at_most("s", 1, "ace"), at_most("t", 2, "abce")]
    before = await found(rules, grants, holds)
    after = await found(rules, grants, {**holds, who: holds.get(who, set()) | {more}})
    for rule_id, subject, packages in before:
        assert any(
            (rule_id, subject) == (each[0], each[1]) and packages <= each[2] for each in after
        )
