"""Giving roles, as azd's hook and as a person does it, on the simulated tenant."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.grant import app_role, assign_roles, read_wanted
from entra_sod.cli.operations.roles.plan import RoleGrant, WantedRoles
from entra_sod.cli.show_grant import commands_for, commands_unseen, why_refused
from entra_sod.core.errors import ConfigurationError
from entra_sod.domain.enforcement.result import Enforcement
from entra_sod.domain.entra import Catalog
from entra_sod.domain.roles.model import READ_WRITE_ALL, CatalogRole, TokenPrincipal
from entra_sod.settings import read_settings
from local.graph.authorization import (
    ACCESS_PACKAGE_MANAGER,
    ASSIGNMENT_MANAGER,
    CATALOG_OWNER,
    CATALOG_READER,
    CATALOG_SCOPE,
)
from local.graph.demo import APP_PRINCIPAL_ID, FINANCE, PROCUREMENT
from local.memory.clock import ManualClock
from local.memory.roles import MemoryRoles
from local.processes import CHECKOUT
from local.world import World
from tests.builders import guid

DEPLOYED, LOGIC_APP = guid("11"), guid("12")
SETTINGS = read_settings({}).graph


def identity(principal: str) -> dict[str, Any]:
    return {"clientId": f"c-{principal}", "principalId": principal, "displayName": "new"}


def role(definition: str, catalog_id: str, principal: str = APP_PRINCIPAL_ID) -> dict[str, str]:
    return {
        "principalId": principal,
        "roleDefinitionId": definition,
        "appScopeId": f"{CATALOG_SCOPE}{catalog_id}",
    }


@pytest.fixture(scope="module")
def started() -> Iterator[World]:
    with World(storage="UseDevelopmentStorage=true") as world:
        yield world


@pytest.fixture
def world(started: World) -> World:
    """The demo tenant; the operator owns two catalogs, and two identities have no role."""
    started.graph.reset()
    tenant = started.graph.tenant()
    tenant["identities"] += [identity(DEPLOYED), identity(LOGIC_APP)]
    started.graph.replace_tenant(tenant)
    started.graph.replace_roles(role(CATALOG_OWNER, FINANCE), role(CATALOG_OWNER, PROCUREMENT))
    return started


def run(world: World, *argv: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A program with what azd gives to its hooks."""
    of_azd = {
        "SOD_CATALOGS": "Finance, Procurement",
        "APP_IDENTITY_PRINCIPAL_ID": DEPLOYED,
        "LOGIC_APP_PRINCIPAL_ID": LOGIC_APP,
        "ENFORCEMENT": "apply",
    }
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, *argv],
        cwd="/",
        env={**os.environ, **world.environment, **of_azd, **settings, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def hook(world: World, **settings: str) -> subprocess.CompletedProcess[str]:
    return run(world, str(CHECKOUT / "scripts/grant.py"), **settings)


def given(world: World) -> set[tuple[str, str, str]]:
    """Whose, which role, and on which catalog, without those who asked."""
    return {
        (each["principalId"], each["roleDefinitionId"], each["appScopeId"].rpartition("/")[2])
        for each in world.graph.tenant()["roleAssignments"]
        if each["principalId"] != APP_PRINCIPAL_ID
    }


@pytest.mark.slow
@pytest.mark.host
def test_the_hook_gives_and_then_changes_nothing(world: World) -> None:
    """The first run says what it does and does it; the second finds all of it there."""
    first = hook(world)
    assert first.returncode == 0, first.stderr
    assert first.stdout.count("+ ") == 4
    assert given(world) == {
        (principal, definition, catalog)
        for catalog in (FINANCE, PROCUREMENT)
        for principal, definition in (
            (DEPLOYED, ACCESS_PACKAGE_MANAGER),
            (LOGIC_APP, ASSIGNMENT_MANAGER),
        )
    }
    before, posts = world.graph.tenant(), len(posted(world))
    second = hook(world)
    assert (second.returncode, "nothing to give" in second.stdout) == (0, True)
    assert (world.graph.tenant(), len(posted(world))) == (before, posts)


def posted(world: World) -> list[dict[str, Any]]:
    return [each for each in world.graph.requests() if each["method"] == "POST"]


@pytest.mark.slow
@pytest.mark.host
@pytest.mark.parametrize("enforcement", ["off", "plan"])
def test_a_deployment_that_only_reads_gets_the_readers_role(world: World, enforcement: str) -> None:
    """Without a Logic App there is one identity, and one role on each catalog."""
    done = hook(world, ENFORCEMENT=enforcement, LOGIC_APP_PRINCIPAL_ID="")
    assert done.returncode == 0, done.stderr
    assert given(world) == {
        (DEPLOYED, CATALOG_READER, catalog) for catalog in (FINANCE, PROCUREMENT)
    }


@pytest.mark.slow
@pytest.mark.host
def test_without_the_right_the_commands_are_printed_and_nothing_fails(world: World) -> None:
    """A manager sees the catalogs and may give no role on them: an administrator is told how."""
    world.graph.replace_roles(
        role(ACCESS_PACKAGE_MANAGER, FINANCE), role(CATALOG_OWNER, PROCUREMENT)
    )
    done = hook(world)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert {catalog for _, _, catalog in given(world)} == {PROCUREMENT}
    commands = [line for line in done.stdout.splitlines() if "Invoke-MgGraphRequest" in line]
    assert len(commands) == 2
    assert DEPLOYED in commands[0]
    assert ACCESS_PACKAGE_MANAGER in commands[0]
    assert LOGIC_APP in commands[1]
    assert f'$catalog = "{FINANCE}"' in done.stdout
    by_hand = run(world, "-m", "entra_sod.cli", "grant", "--yes", PYTHONPATH=str(CHECKOUT))
    assert by_hand.returncode == ExitCode.ERROR


@pytest.mark.slow
@pytest.mark.host
def test_without_any_right_the_commands_look_the_catalogs_up(world: World) -> None:
    """Who may not even list catalogs still gets commands that run as they are."""
    world.graph.replace_roles()
    done = hook(world)
    assert done.returncode == 0
    assert done.stdout.count("displayName eq ''Finance''") == 2
    assert given(world) == set()


@pytest.mark.slow
@pytest.mark.host
def test_a_principal_that_appears_late_is_waited_for(world: World) -> None:
    """The hook runs seconds after the identity was made, which Graph does not know at once."""
    known = world.graph.tenant()
    late = {
        **known,
        "identities": [each for each in known["identities"] if each["principalId"] != DEPLOYED],
    }
    world.graph.replace_tenant(late)

    def appear() -> None:
        while not posted(world):
            time.sleep(0.1)
        now = world.graph.tenant()
        world.graph.replace_tenant({**now, "identities": known["identities"]})

    tenant = threading.Thread(target=appear, daemon=True)
    tenant.start()
    done = hook(world, SOD_CATALOGS="Finance", LOGIC_APP_PRINCIPAL_ID="")
    tenant.join()
    assert done.returncode == 0
    assert given(world) == {(DEPLOYED, ACCESS_PACKAGE_MANAGER, FINANCE)}
    assert f"({DEPLOYED})" in done.stderr


@pytest.mark.slow
@pytest.mark.host
def test_a_person_sees_the_plan_before_anything_is_given(world: World) -> None:
    """Without --yes nothing is written, and the exit code says that something is to be given."""
    seen = run(world, "-m", "entra_sod.cli", "grant", PYTHONPATH=str(CHECKOUT))
    assert seen.returncode == ExitCode.CHANGES, seen.stderr
    assert seen.stdout.count("+ ") == 4
    assert (given(world), posted(world)) == (set(), [])


@pytest.mark.slow
@pytest.mark.host
def test_who_is_not_signed_in_is_told_how_to(world: World) -> None:
    """Without a token nothing is asked of Graph; the error does not name a thing unheard of."""
    grant = ("-m", "entra_sod.cli", "grant")
    seen = run(world, *grant, PYTHONPATH=str(CHECKOUT), IDENTITY_HEADER="of-another-app")
    assert (seen.returncode, seen.stdout) == (ExitCode.ERROR, "")
    assert seen.stderr.startswith("entra-sod: No token for Graph: ")
    assert seen.stderr.endswith("Sign in with az login, or say --device-code.\n")


@pytest.mark.slow
@pytest.mark.host
def test_what_azd_does_not_give_is_named(world: World) -> None:
    """All that is missing in one line, and the deployment goes on."""
    done = hook(world, SOD_CATALOGS="", APP_IDENTITY_PRINCIPAL_ID="entra-sod")
    assert done.returncode == 0
    assert "azd env set SOD_CATALOGS" in " ".join(done.stderr.split())
    assert "APP_IDENTITY_PRINCIPAL_ID" in done.stderr


def test_every_wrong_option_is_named_in_one_error() -> None:
    """No catalog, and ids that are none."""
    with pytest.raises(ConfigurationError) as caught:
        read_wanted(" , ", "", "x", CatalogRole.CATALOG_READER)
    assert len(caught.value.problems) == 3


def test_the_role_follows_the_setting_unless_told_otherwise() -> None:
    """A deployment that plans may be given the writer's role ahead, and the other way round."""
    assert app_role(Enforcement.PLAN, None) == CatalogRole.CATALOG_READER
    assert app_role(Enforcement.PLAN, read_only=False) == CatalogRole.PACKAGE_MANAGER
    assert app_role(Enforcement.APPLY, read_only=True) == CatalogRole.CATALOG_READER


def test_a_person_is_told_why_their_token_is_not_good_enough() -> None:
    """Azure CLI's token lacks the scope, whatever roles its owner has; one with it lacks a role."""
    cli = TokenPrincipal(principal_id="p", scopes=frozenset({"User.Read"}), is_person=True)
    assert "--device-code" in why_refused(cli)
    scoped = TokenPrincipal(principal_id="p", scopes=frozenset({READ_WRITE_ALL}), is_person=True)
    assert "owner of the catalog" in why_refused(scoped)
    assert "owner of the catalog" in why_refused(TokenPrincipal(principal_id="p"))


async def test_a_catalog_that_is_none_fails_a_person_and_gives_the_rest() -> None:
    """The exit code says that not all of what was asked for is done."""
    tenant = MemoryRoles([Catalog(id=FINANCE, display_name="Finance")])
    tenant.known = {DEPLOYED}
    wanted = WantedRoles(
        catalogs=["Finance", "Sales"], app=DEPLOYED, app_role=CatalogRole.CATALOG_READER
    )
    done = await assign_roles(tenant, wanted, SETTINGS, ManualClock(), is_meant=True)
    assert (done, len(tenant.held)) == (ExitCode.ERROR, 1)


def test_the_commands_are_for_the_right_cloud_and_quote_names() -> None:
    """The root of the settings' cloud, PowerShell's name of it, and an apostrophe that survives."""
    settings = read_settings({"GRAPH_CLOUD": "usgov"}).graph
    wanted = WantedRoles(catalogs=["O'Brien"], app=DEPLOYED, app_role=CatalogRole.CATALOG_READER)
    first, lookup, post = commands_unseen(wanted, settings)
    assert "-Environment USGov " in first
    assert "displayName eq ''O''''Brien''" in lookup
    assert "https://graph.microsoft.us/v1.0/roleManagement" in post
    catalog = Catalog(id=FINANCE, display_name="Finance")
    grant = RoleGrant(
        who="the app", principal_id=DEPLOYED, role=CatalogRole.CATALOG_READER, catalog=catalog
    )
    assert FINANCE in commands_for([grant], SETTINGS)[1]
