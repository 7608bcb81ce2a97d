"""Rules by what packages grant, in sweeps and checks: who is found, and what is not known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec
import pytest

from entra_sod.core.errors import Forbidden, GraphError
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.findings.model import FindingState
from entra_sod.domain.grants import as_package
from entra_sod.domain.rules.grant_language import GrantSelector
from entra_sod.domain.rules.language import Mode, Rule, Side
from entra_sod.domain.rules.logic import ConflictKind
from entra_sod.services.rules.provider import LIST_LIFETIME
from local.memory.graph import _grants as grants_of
from tests.builders import guid, held, package, rule, side
from tests.services.sweeps.test_sweeps import MakeApp, skipped, sweep

# P pays, D approves. L is a legacy package that grants what D grants.
PACKAGES = [package("a", "1"), package("d", "2"), package("c", "2"), package("e", "3")]
HELD = {"a": held("a", "xyz"), "d": held("d", "x"), "c": held("c", "y"), "e": held("e", "z")}
NO = Forbidden("403 no", status=403)


def by_group(name: str) -> Side:
    return Side(grants=[GrantSelector(group=UUID(guid(name)))])


BY_GRANTS = rule("r", by_group("1"), by_group("2"), mode=Mode.WARN)
ALIKE = rule("r", side("a"), msgspec.structs.replace(side("d"), alike=True), mode=Mode.WARN)
EXPLICIT = rule("r", side("a"), side("dc"), mode=Mode.WARN)


def results(answer: dict[str, Any]) -> list[tuple[str, str, str]]:
    return sorted(
        (each["accessPackageId"], each["incompatibleAccessPackageId"], each["outcome"])
        for each in answer["results"]
    )


@pytest.mark.parametrize("wanted", [BY_GRANTS, ALIKE], ids=["grants", "alike"])
async def test_a_sweep_finds_who_holds_what_grants_a_duty(make_app: MakeApp, wanted: Rule) -> None:
    """The holder of the legacy package is found, as by a rule that names it."""
    answer = await sweep(make_app(PACKAGES, HELD, [wanted]))
    assert (answer["status"], answer["findings"]) == ("completed", 2)
    expected = await sweep(make_app(PACKAGES, HELD, [EXPLICIT]))
    assert results(answer) == results(expected)
    assert answer["pairs"] == expected["pairs"]


async def test_three_ways_past_a_rule_are_found(make_app: MakeApp) -> None:
    """Both packages, a legacy package beside one, and a third package that grants both."""
    third = package("f", "1", "2")
    app = make_app([*PACKAGES, third], {**HELD, "f": held("f", "w")}, [ALIKE])
    await sweep(app)
    found = [each.finding async for each in app.records.findings.all()]
    assert sorted((each.display_name, each.kind, each.packages) for each in found) == [
        ("w", ConflictKind.PACKAGE, (guid("f"),)),
        ("x", ConflictKind.PAIR, (guid("a"), guid("d"))),
        ("y", ConflictKind.PAIR, (guid("a"), guid("c"))),
    ]


async def test_a_sweep_reads_the_grants_of_each_package_once(make_app: MakeApp) -> None:
    """However many rules select by grants, and however often the rules are resolved."""
    rules = [rule(f"r{n}", by_group("1"), by_group("2"), mode=Mode.WARN) for n in range(5)]
    app = make_app(PACKAGES, HELD, rules)
    await sweep(app)
    assert Counter(app.graph.grants_read) == {each.id: 1 for each in PACKAGES}


async def test_a_package_that_cannot_be_read_is_a_gap_of_the_sweep(make_app: MakeApp) -> None:
    """It may be on a side, so the sweep says that it does not know."""
    app = make_app(PACKAGES, HELD, [BY_GRANTS])
    app.graph.hidden_grants[guid("c")] = NO
    answer = await sweep(app)
    assert answer["status"] == "completed-with-gaps"
    (gap,) = [each for each in skipped(answer) if "by what they grant" in each["why"]]
    assert guid("c") in gap["what"]
    assert (gap["reason"], gap["why"].startswith("rule r ")) == ("missing-role", True)
    assert answer["findings"] == 1


async def test_a_finding_stays_while_its_package_cannot_be_read(make_app: MakeApp) -> None:
    """What the package granted when it was read last counts until it can be read."""
    app = make_app(PACKAGES, HELD, [BY_GRANTS], SELECTION_CHANGES="write")
    await sweep(app)
    app.graph.hidden_grants[guid("c")] = NO
    app.clock.advance(LIST_LIFETIME.total_seconds() + 86_400)
    answer = await sweep(app)
    assert (answer["status"], answer["findings"]) == ("completed-with-gaps", 2)
    states = [each.finding.state async for each in app.records.findings.all()]
    assert states == [FindingState.OPEN] * 2


async def test_nothing_is_pruned_while_a_package_cannot_be_read(make_app: MakeApp) -> None:
    """Its references may be wanted by a rule that selects by grants."""
    settings = {"ENFORCEMENT": "apply", "PRUNE": "true", "SELECTION_CHANGES": "write"}
    enforced = rule("s", side("a"), side("e"))
    app = make_app(PACKAGES, HELD, [BY_GRANTS, enforced], **settings)
    await sweep(app)
    before = set(app.graph.present)
    app.rules.write([BY_GRANTS])
    app.graph.hidden_grants[guid("c")] = NO
    app.clock.advance(LIST_LIFETIME.total_seconds() + 86_400)
    await sweep(app)
    assert app.graph.present == before != set()


async def test_enforced_rules_by_grants_write_references(make_app: MakeApp) -> None:
    """A side by grants consists of packages, on which references can be written."""
    enforced = msgspec.structs.replace(BY_GRANTS, mode=Mode.ENFORCE)
    app = make_app(PACKAGES, HELD, [enforced], ENFORCEMENT="apply")
    await sweep(app)
    on = {each.on for each in app.graph.writes}
    assert on == {guid("a"), guid("d"), guid("c")}


@pytest.mark.parametrize(("hidden", "outcome"), [(True, "unknown"), (False, "clear")])
async def test_a_check_of_a_package_with_unknown_grants_is_not_clear(
    make_app: MakeApp,
    hidden: bool,  # noqa: FBT001 - a parameter of the test
    outcome: str,
) -> None:
    """Nobody holds both, and a rule may name the package all the same."""
    app = make_app(PACKAGES, HELD, [BY_GRANTS])
    if hidden:
        app.graph.hidden_grants[guid("e")] = NO
    answer = await app.check("d", "e")
    assert answer["outcome"] == outcome
    assert bool(answer["coverage"]["skipped"]) is hidden


async def test_a_check_of_other_packages_is_clear_all_the_same(make_app: MakeApp) -> None:
    """What an unread package grants changes nothing of two others, and the check names it."""
    app = make_app(PACKAGES, HELD, [BY_GRANTS])
    app.graph.hidden_grants[guid("e")] = NO
    answer = await app.check("d", "c")
    assert answer["outcome"] == "clear"
    assert [guid("e") in each["what"] for each in answer["coverage"]["skipped"]] == [True]


async def test_a_closing_that_goes_on_reads_what_packages_grant_once(make_app: MakeApp) -> None:
    """A sweep is closed twice where it has to read holders of toxic packages: each is read once.

    The night after, nothing is read again. Packages of no rule are among them.
    """
    packages = [package("a", "1"), package("b", "2"), package("c", "1", "2"), package("d", "9")]
    app = make_app(packages, {"c": held("c", "z")}, [rule("pay", side("a"), side("b"))])
    by_id = Counter[str]()
    read = app.graph.packages_by_id

    async def counted(wanted: Collection[str]) -> Mapping[str, AccessPackage | GraphError]:
        by_id.update(wanted)
        return await read(wanted)

    app.graph.packages_by_id = counted  # type: ignore[method-assign,assignment]
    answer = await sweep(app)
    assert answer["findings"] == 1
    assert Counter(app.graph.grants_read) == {guid(each): 1 for each in "cd"}
    assert by_id == {guid(each): 1 for each in "ab"}, "the parts read what they may write to"
    app.graph.grants_read.clear()
    assert (await sweep(app))["findings"] == 1
    assert app.graph.grants_read == []


def test_a_package_made_of_its_grants_is_as_if_it_was_read() -> None:
    """What it compares by is the same, whatever it grants."""
    whole = replace(
        package("a", "1", "2"),
        eligible_groups=frozenset({guid("3")}),
        other_roles=frozenset({f"aadgroup {guid('4')} owner_{guid('4')}", "sharepointonline s 5"}),
    )
    listed = AccessPackage(id=whole.id, display_name=whole.display_name)
    assert as_package(listed, grants_of(whole)) == whole
