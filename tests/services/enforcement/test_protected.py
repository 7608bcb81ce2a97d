"""No run writes on what rules files protect, and none uses it."""

from __future__ import annotations

from uuid import UUID

from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.rules.language import GroupSelector, PackageSelector, Protected, Rule
from entra_sod.services.rules.provider import LIST_LIFETIME
from tests.app import App
from tests.builders import guid, package, rule, side
from tests.services.sweeps.test_sweeps import skipped, sweep

type MakeApp = type[App]

PACKAGES = [package("a", "1"), package("b", "2"), package("c")]
RULES = [rule("r1", side("a"), side("b")), rule("r2", side("b"), side("c"))]
BETWEEN_B_AND_C = {  # all that is left of the two rules where `a` is protected
    Reference(guid("b"), ReferenceKind.PACKAGE, guid("c")),
    Reference(guid("c"), ReferenceKind.PACKAGE, guid("b")),
    Reference(guid("c"), ReferenceKind.GROUP, guid("2")),
}
HELD = 4  # packages a and b on each other, group 1 on b, group 2 on a


def protect(name: str) -> Protected:
    return Protected(packages=[PackageSelector(id=UUID(guid(name)))])


def app_of(make_app: MakeApp, protected: Protected, rules: list[Rule] = RULES) -> App:
    app = make_app(PACKAGES, {}, rules, ENFORCEMENT="apply", PRUNE="true")
    app.rules.write(rules, protected=protected)
    return app


async def test_a_sweep_writes_nothing_on_or_to_a_protected_package(make_app: MakeApp) -> None:
    """Its group is as good as the package: members of the one hold the other."""
    app = app_of(make_app, protect("a"))
    answer = await sweep(app)
    assert set(app.graph.writes) == BETWEEN_B_AND_C
    held = answer["references"]["held"]
    assert answer["referenceCounts"]["held"] == len(held) == HELD
    assert {each["why"] for each in held} == {
        f"access package {guid('a')} is protected by the rules files",
        f"package {guid('a')} is protected by the rules files",
        f"group {guid('1')} is protected by the rules files",
    }
    assert not answer["references"]["planned"][len(BETWEEN_B_AND_C) :]


async def test_a_check_writes_nothing_on_or_to_a_protected_package(make_app: MakeApp) -> None:
    """It says so of each reference, and plans none of them."""
    app = app_of(make_app, protect("a"))
    answer = await app.check("a", "b")
    assert app.graph.writes == []
    assert len(answer["references"]["held"]) == HELD
    assert answer["references"]["planned"] == []


async def test_a_protected_group_is_never_used(make_app: MakeApp) -> None:
    """A group is protected by its id, whichever package grants it."""
    app = app_of(make_app, Protected(groups=[GroupSelector(id=UUID(guid("2")))]))
    answer = await sweep(app)
    assert {each["targetId"] for each in answer["references"]["held"]} == {guid("2")}
    assert guid("2") not in {each.target for each in app.graph.writes}


async def test_what_was_written_before_it_was_protected_stays(make_app: MakeApp) -> None:
    """Removing is writing, too: a rule that is gone leaves its references on what is protected."""
    app = app_of(make_app, Protected())
    await sweep(app)
    app.rules.write(RULES[1:], protected=protect("a"))
    app.clock.advance(LIST_LIFETIME.total_seconds() + 1)
    answer = await sweep(app)
    assert answer["references"]["removed"] == []
    kept = [each for each in answer["references"]["held"] if each["isRemoval"]]
    assert len(kept) == HELD


async def test_groups_of_a_protected_package_are_protected_where_no_rule_names_it(
    make_app: MakeApp,
) -> None:
    """Another package may grant the same group: checks and sweeps look what is protected grants."""
    app = make_app([*PACKAGES, package("d", "2")], {}, RULES, ENFORCEMENT="apply")
    app.rules.write(RULES, protected=protect("d"))
    for answer in (await app.check("a", "b"), await sweep(app)):
        held = answer["references"]["held"]
        assert {each["targetId"] for each in held} == {guid("2")}
    assert app.graph.writes
    assert guid("2") not in {each.target for each in app.graph.writes}


async def test_a_protected_package_that_cannot_be_read_is_named(make_app: MakeApp) -> None:
    """What it grants is not known, and might be written to; one that is gone grants nothing."""
    app = make_app([*PACKAGES, package("d", "2")], {}, RULES, ENFORCEMENT="apply")
    app.rules.write(RULES, protected=protect("d"))
    app.graph.unreadable.add(guid("d"))
    gap = f"what protected access package {guid('d')} grants"
    for answer in (await app.check("a", "b"), await sweep(app)):
        assert gap in {each["what"] for each in skipped(answer)}
    app.graph.unreadable.clear()
    app.graph.whole_tenant = True
    app.rules.write(RULES, protected=protect("e"))
    app.clock.advance(LIST_LIFETIME.total_seconds() + 1)
    assert "protected" not in str((await sweep(app))["coverage"])
