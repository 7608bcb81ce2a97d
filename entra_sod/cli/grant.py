"""`entra-sod grant`: the roles on catalogs that the app and its Logic App need."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Annotated
from uuid import UUID

import typer

from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.operations.roles.apply import GrantOutcome, apply
from entra_sod.cli.operations.roles.client import WritableRoles, WritableRolesClient
from entra_sod.cli.operations.roles.plan import WantedRoles, plan_grants, role_for
from entra_sod.cli.show_grant import commands_for, commands_unseen, plan_lines, why_refused
from entra_sod.cli.sign_in import device_code
from entra_sod.cli.terminal import err, out
from entra_sod.core.clock import Clock, SystemClock
from entra_sod.core.errors import ConfigurationError, Forbidden, NoToken, SodError
from entra_sod.domain.enforcement.result import Enforcement
from entra_sod.domain.roles.model import CatalogRole, TokenPrincipal
from entra_sod.settings import CredentialKind, GraphSettings, read_settings
from entra_sod.settings.environment import is_loopback

# Not `type` statements: typer does not look behind them.
Catalogs = Annotated[
    str,
    typer.Option(
        "--catalogs",
        envvar="SOD_CATALOGS",
        help="Names or ids of the catalogs, separated by commas.",
    ),
]
AppPrincipal = Annotated[
    str,
    typer.Option(
        "--app", envvar="APP_IDENTITY_PRINCIPAL_ID", help="Object id of the app's identity."
    ),
]
LogicAppPrincipal = Annotated[
    str,
    typer.Option(
        "--logic-app",
        envvar="LOGIC_APP_PRINCIPAL_ID",
        help="Object id of the Logic App's identity.",
    ),
]
ReadOnly = Annotated[
    bool | None,
    typer.Option(
        "--read-only/--read-write",
        help="Give Catalog reader, or Access package manager. Default: as ENFORCEMENT needs.",
    ),
]
ConfirmGrant = Annotated[
    bool,
    typer.Option(
        "--yes", help="Give the roles. Without it, the command only shows what is missing."
    ),
]
ByDevice = Annotated[
    bool,
    typer.Option(
        "--device-code",
        help="Sign in with a code in a browser, with the permission that giving roles requires.",
    ),
]
TenantId = Annotated[
    str,
    typer.Option(
        "--tenant", envvar="AZURE_TENANT_ID", help="Tenant (id or domain) for --device-code."
    ),
]
Hook = Annotated[
    bool,
    typer.Option(
        "--hook",
        help="For a deployment hook: as --yes, but a failure is only printed, with exit code 0.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInOptions:
    """Who asks."""

    by_device: bool
    tenant_id: str


def grant(
    *,
    catalogs: Catalogs = "",
    app: AppPrincipal = "",
    logic_app: LogicAppPrincipal = "",
    read_only: ReadOnly = None,
    yes: ConfirmGrant = False,
    by_device: ByDevice = False,
    tenant: TenantId = "",
    hook: Hook = False,
) -> None:
    """Give the app and its Logic App the roles that they need on catalogs; removes none.

    Exit code 0: no role is missing. 2: roles are missing, and --yes was not given. 1: an error, or
    you may not give them; the commands for a person who may are printed. With --hook always 0.
    """
    sign_in = SignInOptions(by_device=by_device, tenant_id=tenant)
    try:
        settings = read_settings(os.environ)
        wanted = read_wanted(catalogs, app, logic_app, app_role(settings.enforcement, read_only))
        code = asyncio.run(_grant(settings.graph, wanted, sign_in, is_meant=yes or hook))
    except SodError as error:
        err.print(f"entra-sod: {error}", style="red")
        if isinstance(error, NoToken):
            err.print("Sign in with az login, or say --device-code.")
        code = ExitCode.ERROR
    raise typer.Exit(ExitCode.NOTHING if hook else code)


def app_role(enforcement: Enforcement, read_only: bool | None) -> CatalogRole:  # noqa: FBT001 - the option
    """The role that was asked for, or else the least that the setting ENFORCEMENT needs."""
    if read_only is None:
        return role_for(enforcement)
    return CatalogRole.CATALOG_READER if read_only else CatalogRole.PACKAGE_MANAGER


def read_wanted(catalogs: str, app: str, logic_app: str, role: CatalogRole) -> WantedRoles:
    """Take what was asked for.

    Raises:
        ConfigurationError: naming everything that is missing or no object id.
    """
    problems: list[str] = []
    names = [name for each in catalogs.split(",") if (name := each.strip())]
    if not names:
        problems.append(
            "SOD_CATALOGS (or --catalogs) names no catalog: azd env set SOD_CATALOGS Finance,Sales"
        )
    principal = _object_id("APP_IDENTITY_PRINCIPAL_ID (or --app)", app, problems)
    other = _object_id("LOGIC_APP_PRINCIPAL_ID (or --logic-app)", logic_app, problems, or_none=True)
    if problems:
        raise ConfigurationError(problems)
    return WantedRoles(catalogs=names, app=principal, app_role=role, logic_app=other or None)


def _object_id(name: str, text: str, problems: list[str], *, or_none: bool = False) -> str:
    if not text.strip() and or_none:
        return ""
    try:
        return str(UUID(text.strip()))
    except ValueError:
        problems.append(f"{name} must be an object id, which is a GUID.")
        return ""


async def _grant(
    settings: GraphSettings, wanted: WantedRoles, sign_in: SignInOptions, *, is_meant: bool
) -> ExitCode:
    async with _open(settings, sign_in) as roles:
        return await assign_roles(roles, wanted, settings, SystemClock(), is_meant=is_meant)


async def assign_roles(
    roles: WritableRoles,
    wanted: WantedRoles,
    settings: GraphSettings,
    clock: Clock,
    *,
    is_meant: bool,
) -> ExitCode:
    """Say what would be done, and do it where that is meant.

    Raises:
        GraphError: Graph could not be asked.
    """
    caller = await roles.caller()
    try:
        catalogs = await roles.catalogs()
        held = [
            each for _, principal, _ in wanted.roles for each in await roles.of_principal(principal)
        ]
    except Forbidden as error:
        _print_refusal(f"{error}. {why_refused(caller)}", commands_unseen(wanted, settings))
        return ExitCode.ERROR
    plan = plan_grants(wanted, catalogs, held)
    for line in plan_lines(plan):
        out.print(line, soft_wrap=True)
    if plan.missing and not is_meant:
        err.print("Nothing was given yet: say --yes.")
        return ExitCode.CHANGES
    outcome = await apply(roles, plan, clock, err.print)
    _print_outcome(outcome, caller, settings)
    is_done = not (outcome.refused or outcome.failed or plan.unknown)
    return ExitCode.NOTHING if is_done else ExitCode.ERROR


def _print_outcome(outcome: GrantOutcome, caller: TokenPrincipal, settings: GraphSettings) -> None:
    err.print(f"{len(outcome.given)} given, {len(outcome.failed)} failed")
    for each in outcome.failed:
        what = f"{each.grant.role.portal_name} on {each.grant.catalog.display_name}"
        err.print(f"failed: {what}: {each.why}", style="red")
    if outcome.refused:
        _print_refusal(why_refused(caller), commands_for(outcome.refused, settings))


def _print_refusal(why: str, commands: list[str]) -> None:
    err.print(why, style="yellow")
    err.print("An administrator gives what is missing with --device-code, or in PowerShell by:")
    for line in commands:
        out.print(line, soft_wrap=True)


@asynccontextmanager
async def _open(
    settings: GraphSettings, sign_in: SignInOptions
) -> AsyncIterator[WritableRolesClient]:
    """Ask as a person: the app's own identity has no rights to give.

    In a local world, the identity that the settings name asks.
    """
    own = None
    if sign_in.by_device:
        own = device_code(settings, err.print, sign_in.tenant_id or None)
    elif not is_loopback(settings.root):
        settings = replace(settings, credential=CredentialKind.DEFAULT)
    client = WritableRolesClient(settings, credential=own)
    try:
        yield client
    finally:
        await client.close()
