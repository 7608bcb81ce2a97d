"""`entra-sod inventory`: the references in a tenant that no rule names."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from entra_sod.core.errors import Forbidden
from entra_sod.domain.entra import Group
from entra_sod.domain.rules.language import Mode, References, Rule
from entra_sod.ports.storage import Row
from entra_sod.stores.ledger import WriteOrigin
from tests.builders import guid, rule, side
from tests.cli.rolling_back import to_group, to_package
from tests.cli.way_in import WayIn, named

BOTH = {to_package("a", "b"), to_package("b", "a")}
ONE = to_package("a", "d")
GROUP = to_group("d", "1")
NO_RULES = "rules (there is no folder of rules)"


def tenant_with(folder: Path, *rules: Rule) -> WayIn:
    made = WayIn(folder, [named("a", "2"), named("b"), named("c"), named("d")], *rules)
    made.graph.present |= {*BOTH, ONE, GROUP}
    return made


async def test_without_rules_every_reference_is_listed(tmp_path: Path) -> None:
    """With names where they are known, the ways, and who made it; exit code 2."""
    tenant = tenant_with(tmp_path)
    await tenant.is_written(to_package("b", "a"))
    done = await tenant.run("inventory")
    assert done.exit_code == 2
    a, b, d, one = (guid(each) for each in "abd1")
    assert done.stdout.splitlines() == [
        "on package\tkept away\tkind\tways\tmade by\ton id\tkept away id",
        f"Approve invoices\tPay invoices\tpackage\tboth ways\tpeople\t{a}\t{b}",
        f"Approve invoices\tApprove orders\tpackage\tone way\tpeople\t{a}\t{d}",
        f"Pay invoices\tApprove invoices\tpackage\tboth ways\tthis app\t{b}\t{a}",
        f"Approve orders\t{one}\tgroup\tgroup\tpeople\t{d}\t{one}",
    ]
    assert done.stderr.splitlines() == [
        f"4 references on 4 access packages: 0 named by {NO_RULES}, 4 by no rule",
        "To make rules of them that only record: entra-sod import references",
    ]


async def test_what_was_adopted_is_still_made_by_people(tmp_path: Path) -> None:
    """The app owns it, and did not make it; an unconfirmed write is not the app's."""
    tenant = tenant_with(tmp_path)
    origin = WriteOrigin(run_id="adopt-1", rule_ids=("r",), rules_hash="hash")
    assert await tenant.ledger.take_over(ONE, origin)
    assert not await tenant.ledger.take_over(ONE, origin)
    sweep = WriteOrigin(run_id="sweep-1", rule_ids=("r",), rules_hash="hash")
    await tenant.ledger.intend(to_package("a", "b"), sweep)
    done = await tenant.run("inventory", "--format", "json")
    made = {
        (each["on"], each["target"]): each["madeBy"]
        for each in json.loads(done.stdout)["references"]
    }
    assert made[guid("a"), guid("d")] == "people, adopted"
    assert made[guid("a"), guid("b")] == "people"


async def test_a_row_of_the_ledger_that_is_damaged_is_said(tmp_path: Path) -> None:
    """Who made its reference is not known."""
    tenant = tenant_with(tmp_path)
    table = tenant.storage.table("ledger")
    await table.insert(Row(partition=guid("a"), key="nonsense", values={}))
    done = await tenant.run("inventory")
    assert done.exit_code == 3
    assert f"not known: row {guid('a')} nonsense of the ledger" in done.stderr


async def test_names_of_groups_are_shown_where_they_may_be_read(tmp_path: Path) -> None:
    """That takes a permission of the directory."""
    tenant = tenant_with(tmp_path)
    group = Group(id=guid("1"), is_security_enabled=True, display_name="Auditors")
    tenant.graph.groups = {guid("1"): group}
    done = await tenant.run("inventory")
    assert (
        f"Approve orders\tAuditors\tgroup\tgroup\tpeople\t{guid('d')}\t{guid('1')}" in done.stdout
    )


@pytest.mark.parametrize("mode", list(Mode))
async def test_what_a_rule_of_any_mode_names_is_left_out(mode: Mode, tmp_path: Path) -> None:
    """Both directions, whichever references it asks for."""
    apart = rule("ab", side("a"), side("b"), mode=mode, references=References.GROUPS)
    auditors = rule("d1", side("d"), side("", ["1"]), mode=mode)
    folder = tmp_path / "rules"
    folder.mkdir()
    done = await tenant_with(folder, apart, auditors).run("inventory", "--format", "json")
    assert done.exit_code == 2
    [left] = json.loads(done.stdout)["references"]
    assert left == {
        "on": guid("a"),
        "onName": "Approve invoices",
        "kind": "package",
        "target": guid("d"),
        "targetName": "Approve orders",
        "ways": "one way",
        "madeBy": "people",
    }


async def test_the_groups_of_a_rules_package_are_named_by_it(tmp_path: Path) -> None:
    """The rule would hold the group that one side grants against the other side."""
    folder = tmp_path / "rules"
    folder.mkdir()
    tenant = tenant_with(folder, rule("ad", side("a"), side("bd")))
    tenant.graph.present = {to_group("d", "2")}
    done = await tenant.run("inventory")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == (
        "1 reference on 4 access packages: 1 named by the rules in rules, 0 by no rule\n"
    )


async def test_a_package_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """Its own references are not listed, and whether it refers back is not known."""
    tenant = tenant_with(tmp_path)
    await tenant.is_written(to_package("b", "a"))
    tenant.graph.unreadable.add(guid("b"))
    done = await tenant.run("inventory", "--format", "json")
    view = json.loads(done.stdout)
    assert done.exit_code == 3
    assert [each["what"] for each in view["notRead"]] == [f"access package {guid('b')}"]
    ways = {(each["on"], each["target"]): each["ways"] for each in view["references"]}
    assert ways[guid("a"), guid("b")] == "not known"
    assert (guid("b"), guid("a")) not in ways


async def test_a_group_that_an_unread_package_may_grant_is_said(tmp_path: Path) -> None:
    """The rule may name the reference, because its other side may grant the group."""
    folder = tmp_path / "rules"
    folder.mkdir()
    tenant = tenant_with(folder, rule("bd", side("b"), side("d")))
    tenant.graph.unreadable.add(guid("b"))
    done = await tenant.run("inventory")
    assert done.exit_code == 3
    assert "not known: whether a rule names the groups on access package" in done.stderr


async def test_a_list_that_is_refused_is_exit_code_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is listed, and nothing is called named."""
    tenant = tenant_with(tmp_path)

    async def refuse() -> None:
        raise Forbidden("no role", status=403)

    monkeypatch.setattr(tenant.graph, "packages", refuse)
    done = await tenant.run("inventory")
    assert (done.exit_code, done.stdout, done.stderr.strip()) == (3, "", "entra-sod: no role")


async def test_an_empty_list_is_exit_code_3(tmp_path: Path) -> None:
    """An identity without any role sees no package, which proves nothing."""
    tenant = tenant_with(tmp_path)
    tenant.graph.unreadable |= {guid(each) for each in "abcd"}
    done = await tenant.run("inventory")
    assert (done.exit_code, done.stdout) == (3, "")
    assert "Fix: give it Catalog reader" in done.stderr


async def test_without_storage_the_maker_of_a_reference_is_unknown(tmp_path: Path) -> None:
    """It is not called made by people."""
    tenant = tenant_with(tmp_path)
    tenant.session = replace(tenant.session, storage=None)
    done = await tenant.run("inventory", "--format", "json")
    assert {each["madeBy"] for each in json.loads(done.stdout)["references"]} == {"not known"}
    assert "AzureWebJobsStorage is not set" in done.stderr
