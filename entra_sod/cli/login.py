"""`entra-sod login`, `logout` and `whoami`: who asks Graph from this machine."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer

from entra_sod.cli.session import credential_source, open_graph
from entra_sod.cli.sign_in import (
    GRAPH_TOOLS,
    LoginOptions,
    SignInFile,
    scopes_for,
    sign_in,
)
from entra_sod.cli.terminal import err, out, shown
from entra_sod.core.errors import SodError
from entra_sod.domain.roles.model import TokenPrincipal
from entra_sod.settings import read_settings

# Not `type` statements: typer does not look behind them.
LoginTenant = Annotated[
    str, typer.Option("--tenant", envvar="AZURE_TENANT_ID", help="Id or domain of the tenant.")
]
LoginByDevice = Annotated[
    bool,
    typer.Option(
        "--device-code", help="Show a code that you enter in a browser, also on another machine."
    ),
]
LoginClient = Annotated[
    str,
    typer.Option(
        "--client-id",
        help="Client id of your own public client. Default: Microsoft Graph Command Line Tools.",
    ),
]
LoginMayWrite = Annotated[
    bool,
    typer.Option(
        "--read-write", help="Also ask for permission to write, which apply and rollback need."
    ),
]
LoginPlainFile = Annotated[
    bool,
    typer.Option(
        "--plain-file",
        help="Keep tokens in a file that only you can read, if the system has no secret store.",
    ),
]


def login(
    *,
    tenant: LoginTenant = "",
    by_device: LoginByDevice = False,
    client_id: LoginClient = GRAPH_TOOLS,
    may_write: LoginMayWrite = False,
    in_plain_file: LoginPlainFile = False,
) -> None:
    """Sign in to Microsoft Graph, and stay signed in on this machine.

    Asks for EntitlementManagement.Read.All, or with --read-write for ReadWrite.All: what you may do
    is what your roles allow. The Azure CLI's own sign-in is refused for entitlement management. The
    app's storage is reached by the sign-in of `az login`.

    Exit code 0: signed in. 1: not signed in; the message says what to do.
    """
    try:
        settings = read_settings(os.environ).graph
        options = LoginOptions(
            authority=settings.authority,
            tenant=tenant.strip(),
            client_id=client_id.strip(),
            scopes=scopes_for(settings, may_write=may_write),
            by_device=by_device,
            in_plain_file=in_plain_file,
        )
        signed_in = sign_in(options, err.print)
        SignInFile().write(signed_in)
    except SodError as error:
        err.print(f"entra-sod: {error}", style="red")
        raise typer.Exit(1) from error
    (scope,) = signed_in.options.scopes
    out.print(
        f"signed in as {shown(signed_in.username)} in tenant {shown(signed_in.tenant_id)}, "
        f"with {scope.rpartition('/')[2]}"
    )


def logout() -> None:
    """Sign out on this machine.

    Microsoft's tokens stay in the system's store until they expire. entra-sod does not use them.
    """
    file = SignInFile()
    signed_in = file.read()
    file.delete()
    out.print(f"signed out {shown(signed_in.username)}" if signed_in else "you were not signed in")


def whoami() -> None:
    """Show the identity that commands use for Graph, with its tenant and its permissions.

    Exit code 0: shown. 1: you are not signed in, or there is no token.
    """
    try:
        principal = asyncio.run(_principal())
    except SodError as error:
        err.print(f"entra-sod: {error}", style="red")
        raise typer.Exit(1) from error
    settings = read_settings(os.environ).graph
    allowed = sorted(principal.permissions | principal.scopes)
    kind = "person" if principal.is_person else "application"
    for name, value in (
        ("name", principal.name or "not said by the token"),
        ("kind", kind),
        ("object id", principal.principal_id or "not said by the token"),
        ("tenant", principal.tenant_id or "not said by the token"),
        ("permissions", ", ".join(allowed) or "none in the token; roles in catalogs count"),
        ("signed in by", credential_source(os.environ, settings)),
        ("Graph", settings.root),
    ):
        out.print(f"{name + ':':<13} {shown(value, 400)}", soft_wrap=True)


async def _principal() -> TokenPrincipal:
    graph = open_graph(os.environ, read_settings(os.environ).graph)
    try:
        return await graph.caller()
    finally:
        await graph.close()
