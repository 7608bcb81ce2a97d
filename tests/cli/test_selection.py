"""`entra-sod selection show` and `approve`, and plans that hold what is not approved."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from entra_sod.cli import confirm as asking
from entra_sod.cli import selection as commands
from entra_sod.cli.__main__ import app as entra_sod
from entra_sod.cli.plan import make
from entra_sod.cli.session import Session
from entra_sod.cli.terminal import err, out
from entra_sod.core.errors import UnreadableItem
from entra_sod.domain.entra import AccessPackage, Group
from entra_sod.domain.rules.language import PackageSelector, Rule, RulesFile, Side
from entra_sod.domain.rules.selection import selection_key
from entra_sod.ports.storage import Row
from entra_sod.services.rules.selections import review_selections
from entra_sod.settings import read_settings
from entra_sod.stores.selections import PARTITION, TABLE
from tests.builders import guid, package, rule, side
from tests.cli.tenant import QUIET, Tenant

PATTERN = rule("r", side("a"), Side(packages=[PackageSelector(name="Package b*")]))


class Selecting(Tenant):
    """The same tenant with a rule by pattern, and the commands on it."""

    def __init__(self, folder: Path, *rules: Rule) -> None:
        super().__init__(folder)
        self.write(PATTERN, *rules)
        self.graph.put(package("a", "1"))
        self.graph.put(package("b", "2"))

    def write(self, *rules: Rule) -> None:
        content = msgspec.json.encode(RulesFile(version=1, rules=list(rules)))
        (self.folder / "rules.yaml").write_bytes(content)

    async def is_reviewed(self) -> None:
        """Have a sweep meet the rules."""
        rules = (await self.session.rules(self.folder)).rules
        packages = {guid("a"): package("a", "1"), guid("b"): package("b", "2")}
        store = self.session.selections
        assert store is not None
        await review_selections(store, rules, packages, by="first seen by sweep x")

    def change(self) -> None:
        """The package b grants another group, and another package joins."""
        self.graph.put(package("b", "2", "e"))
        self.graph.put(replace(package("c"), display_name="Package b [x]\n2"))

    async def run(self, *arguments: str, **options: Any) -> Result:
        words = ["selection", arguments[0], "--rules", str(self.folder), *arguments[1:]]
        return await asyncio.to_thread(CliRunner().invoke, entra_sod, words, **options)

    async def held(self) -> set[tuple[str, str]]:
        plan, _ = await make(self.session, self.folder, QUIET)
        return {(each.reference.on, each.reference.target) for each in plan.held}


@pytest.fixture
def tenant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Selecting:
    found = Selecting(tmp_path)

    @asynccontextmanager
    async def open_session() -> AsyncIterator[Session]:
        yield found.session

    monkeypatch.setattr(commands, "open_session", open_session)
    monkeypatch.setattr(out, "width", 400)
    monkeypatch.setattr(err, "width", 400)
    return found


async def test_what_is_remembered_is_shown(tenant: Selecting) -> None:
    """How much, since when, by whom; exit code 0, because nothing waits."""
    await tenant.is_reviewed()
    done = await tenant.run("show")
    assert done.exit_code == 0, done.output
    head, line = done.stdout.splitlines()
    assert head.split("\t") == ["rule", "mode", "reviewed", "change", "what"]
    rule, mode, reviewed, *change = line.split("\t")
    assert (rule, mode, change) == ("r", "enforce", ["none", "nothing has changed"])
    assert reviewed.startswith("2 packages, 2 groups, reviewed 2026-")
    assert reviewed.endswith("(first seen by sweep x)")


async def test_a_rule_that_no_run_has_met_is_shown_as_that(tenant: Selecting) -> None:
    """Nothing of it was reviewed, and nothing of it is held."""
    done = await tenant.run("show")
    assert (done.exit_code, "not seen by any run yet" in done.stdout) == (0, True)
    assert await tenant.held() == set()


async def test_what_has_changed_is_shown_with_names_and_what_is_held(tenant: Selecting) -> None:
    """Exit code 2. A name is one line of text, whatever it is made of."""
    await tenant.is_reviewed()
    tenant.change()
    done = await tenant.run("show", "--rule", "r")
    assert done.exit_code == 2, done.output
    assert f'joined\taccess package {guid("c")} ("Package b [x]\\n2")' in done.stdout
    assert f"joined\tgroup {guid('e')}, which access package {guid('b')}" in done.stdout
    assert f"held\treference on access package {guid('a')}" in done.stdout
    assert f"members of group {guid('e')}" in done.stdout


async def test_programs_read_the_same(tenant: Selecting) -> None:
    """With ids, names, what was reviewed, and every held reference with its reason."""
    await tenant.is_reviewed()
    tenant.change()
    tenant.graph.put(replace(package("b"), display_name="Other"))
    done = await tenant.run("show", "--format", "json")
    (found,) = json.loads(done.stdout)["rules"]
    assert (found["rule"], found["reviewedBy"]) == ("r", "first seen by sweep x")
    assert found["left"] == [{"id": guid("b"), "name": "Other"}]
    assert [each["id"] for each in found["joined"]] == [guid("c")]
    assert found["joinedGroups"] == []
    assert all(each["why"].endswith("--rule r") for each in found["held"])
    assert found["held"]


async def test_what_is_approved_is_held_no_more(tenant: Selecting) -> None:
    """It is shown, asked for, and stored with who has approved it."""
    await tenant.is_reviewed()
    tenant.change()
    assert (guid("a"), guid("e")) in await tenant.held()
    done = await tenant.run("approve", "--yes")
    assert done.exit_code == 0, done.output
    assert f"joined\tgroup {guid('e')}" in done.stdout
    assert "approved what rule r selects: the next sweep writes what was held" in done.stdout
    assert await tenant.held() == set()
    shown = await tenant.run("show")
    assert (shown.exit_code, "on the command line)\tnone\tnothing has changed" in shown.stdout) == (
        0,
        True,
    )
    again = await tenant.run("approve", "--yes")
    assert (again.exit_code, "nothing to approve" in again.stdout) == (0, True)


async def test_nothing_is_approved_without_a_yes(
    tenant: Selecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal another word ends it; elsewhere the command names --yes."""
    await tenant.is_reviewed()
    tenant.change()
    done = await tenant.run("approve")
    assert (done.exit_code, "--yes" in done.output) == (1, True)
    monkeypatch.setattr(asking, "is_terminal", lambda: True)
    refused = await tenant.run("approve", input="y\n")
    assert (refused.exit_code, "Approve what rule r selects now?" in refused.output) == (1, True)
    assert await tenant.held()
    assert (await tenant.run("approve", input="yes\n")).exit_code == 0
    assert await tenant.held() == set()


async def test_one_rule_is_approved_and_the_others_wait(tenant: Selecting) -> None:
    """--rule names it; one that is not in force is refused."""
    other = msgspec.structs.replace(PATTERN, id="s")
    tenant.write(PATTERN, other)
    await tenant.is_reviewed()
    tenant.change()
    assert (await tenant.run("approve", "--rule", "s", "--yes")).exit_code == 0
    shown = json.loads((await tenant.run("show", "--format", "json")).stdout)["rules"]
    assert [bool(each["joined"]) for each in shown] == [True, False]
    wrong = await tenant.run("approve", "--rule", "x", "--yes")
    assert (wrong.exit_code, "has no rule x." in wrong.output) == (1, True)


async def test_a_damaged_selection_is_shown_and_mended(tenant: Selecting) -> None:
    """`show` ends with 1 and says how; approving stores what the rule selects now."""
    (found,) = (await tenant.session.rules(tenant.folder)).rules
    row = Row(partition=PARTITION, key=selection_key(found), values={"blob": "x"})
    await tenant.storage.table(TABLE).insert(row)
    done = await tenant.run("show")
    assert (done.exit_code, "selection approve --rule r" in done.output) == (1, True)
    assert (await tenant.run("approve", "--yes")).exit_code == 0
    assert (await tenant.run("show")).exit_code == 0


async def test_what_cannot_be_read_is_not_approved(tenant: Selecting) -> None:
    """The groups of such a package stay as they were reviewed; exit code 3 says so."""
    await tenant.is_reviewed()
    tenant.graph.put(replace(package("c", "3"), display_name="Package bc"))
    read = tenant.graph.packages_by_id

    async def without_b(ids: Any) -> Any:
        tenant.graph.unreadable.add(guid("b"))
        try:
            return await read(ids)
        finally:
            tenant.graph.unreadable.clear()

    tenant.graph.packages_by_id = without_b  # type: ignore[assignment,method-assign]
    done = await tenant.run("approve", "--yes")
    assert (done.exit_code, guid("b") in done.output) == (3, True)
    tenant.graph.packages_by_id = read  # type: ignore[method-assign]
    tenant.graph.put(package("b", "2", "e"))
    assert {target for _, target in await tenant.held()} == {guid("e")}


async def test_a_package_that_left_stays_in_plans_until_that_is_approved(tenant: Selecting) -> None:
    """With PRUNE on: the plan keeps what is there and says so, and then removes it."""
    await tenant.is_reviewed()
    plan, _ = await make(tenant.session, tenant.folder, QUIET)
    await tenant.is_written(*(each.reference for each in plan.additions))
    tenant.graph.put(replace(package("b", "2"), display_name="Other"))
    plan, _ = await make(tenant.session, tenant.folder, QUIET)
    assert (plan.writes, len(plan.unchanged)) == (0, 4)
    assert any("does not fit it any more" in each.why for each in plan.not_read)
    await tenant.run("approve", "--yes")
    plan, _ = await make(tenant.session, tenant.folder, QUIET)
    assert len(plan.removals) == 4


async def test_a_plan_that_is_applied_approves_what_it_showed(tenant: Selecting) -> None:
    """What joined is approved; what left stays, for the plan removes nothing for it."""
    await tenant.is_reviewed()
    tenant.graph.put(replace(package("b", "2"), display_name="Other"))
    tenant.graph.put(replace(package("c", "3"), display_name="Package bc"))
    _, source = await make(tenant.session, tenant.folder, QUIET)
    await tenant.session.approve_selections(source.rules, source.state.granting, by="ann")
    plan, _ = await make(tenant.session, tenant.folder, QUIET)
    assert (plan.held, len(plan.additions)) == ((), 8)


async def test_applying_a_reviewed_plan_approves_what_it_showed(tenant: Selecting) -> None:
    """Only once its writes are done, and if the operator confirmed."""
    await tenant.is_reviewed()
    tenant.change()
    plan = await tenant.reviewed()
    assert (len(plan.additions), len(plan.held)) == (4, 4)
    refused = await tenant.apply()
    assert (refused.exit_code, "4 are held" in " ".join(refused.stderr.split())) == (1, True)
    assert len(await tenant.held()) == 4
    done = await tenant.apply("--yes")
    assert done.exit_code == 0, done.output
    assert await tenant.held() == set()
    again = await tenant.apply("--yes")
    assert (again.exit_code, "references to add: 4 reviewed, 8 now" in again.stderr) == (1, True)


async def test_a_tenant_that_changed_since_the_review_approves_nothing(tenant: Selecting) -> None:
    """Growth that is allowed is written, and what joined since waits on."""
    await tenant.is_reviewed()
    await tenant.reviewed()
    tenant.change()
    done = await tenant.apply("--yes", "--allow-growth", "5")
    assert done.exit_code == 0, done.output
    assert len(tenant.graph.present) == 4
    assert len(await tenant.held()) == 4


async def test_groups_that_graph_takes_for_none_are_remembered_like_others(
    tenant: Selecting,
) -> None:
    """A sweep, which cannot tell them apart, and a plan see the same change: none."""
    tenant.graph.groups = {
        guid("1"): Group(id=guid("1"), is_security_enabled=True),
        guid("2"): Group(id=guid("2"), is_security_enabled=False),
    }
    await tenant.is_reviewed()
    assert await tenant.held() == set()


async def test_the_old_way_has_nothing_to_show(tenant: Selecting) -> None:
    """SELECTION_CHANGES=write remembers nothing, and plans hold nothing."""
    await tenant.is_reviewed()
    tenant.change()
    settings = {"GRAPH_ROOT": "http://localhost:1", "SELECTION_CHANGES": "write"}
    tenant.session = replace(tenant.session, settings=read_settings(settings))
    assert await tenant.held() == set()
    done = await tenant.run("show")
    assert (done.exit_code, "SELECTION_CHANGES is write" in done.output) == (1, True)


async def test_nothing_is_approved_by_half_a_list(tenant: Selecting) -> None:
    """What is on the rest of it would be taken for what left."""
    await tenant.is_reviewed()
    tenant.change()
    listed = await tenant.graph.packages()

    async def half() -> list[AccessPackage]:
        raise UnreadableItem("the list, item 7", "no id", partial=listed[:1])

    tenant.graph.packages = half  # type: ignore[method-assign]
    done = await tenant.run("approve", "--yes")
    assert (done.exit_code, "Nothing was approved" in done.output) == (1, True)
