"""The command `entra-sod`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Annotated

import typer

from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.lazy_group import LazyCommand, lazy_group
from entra_sod.core.version import VERSION

_HERE = "entra_sod.cli"

# By what a person wants to do. The texts fit a terminal of 80 columns.
COMMANDS: dict[str, Sequence[LazyCommand]] = {
    "Write rules": (
        LazyCommand("init", f"{_HERE}.init:init", "Start a folder of rules, with its checks."),
        LazyCommand("validate", f"{_HERE}.validate:validate", "Check rules files."),
        LazyCommand("test", f"{_HERE}.rule_tests:test_rules", "Run the tests of rules."),
        LazyCommand("fmt", f"{_HERE}.fmt:fmt", "Format rules files."),
        LazyCommand("import", f"{_HERE}.imports:app", "Import rules from a matrix or a tenant."),
        LazyCommand("export", f"{_HERE}.export_rules:app", "Export rules as a matrix."),
        LazyCommand(
            "exceptions", f"{_HERE}.exceptions:exceptions", "List exceptions that end soon."
        ),
        LazyCommand("schema", f"{_HERE}.schema:schema", "Print the JSON Schema of rules files."),
        LazyCommand("rules", f"{_HERE}.rules:app", "Show what rules select; upload rules."),
    ),
    "Sign in": (
        LazyCommand("login", f"{_HERE}.login:login", "Sign in to Graph, on your own machine."),
        LazyCommand("logout", f"{_HERE}.login:logout", "Sign out on this machine."),
        LazyCommand("whoami", f"{_HERE}.login:whoami", "Show the identity that reads Graph."),
    ),
    "See": (
        LazyCommand("plan", f"{_HERE}.commands:plan", "Preview the references to write."),
        LazyCommand("drift", f"{_HERE}.commands:drift", "Compare the tenant with the rules."),
        LazyCommand("packages", f"{_HERE}.packages:packages", "List access packages."),
        LazyCommand(
            "inventory",
            f"{_HERE}.inventory:inventory",
            "List incompatibilities that no rule names.",
        ),
        LazyCommand("decide", f"{_HERE}.decide:decide", "Decide whether a subject may get access."),
        LazyCommand(
            "findings", f"{_HERE}.findings:findings", "List the conflicts that were found."
        ),
        LazyCommand("explain", f"{_HERE}.explain:explain", "Show one finding with its history."),
        LazyCommand("grants", f"{_HERE}.grants:grants", "Show what access packages grant."),
        LazyCommand("report", f"{_HERE}.report:report", "Write the newest sweep as one page."),
        LazyCommand("selection", f"{_HERE}.selection:app", "Review and approve what rules select."),
        LazyCommand("evidence", f"{_HERE}.evidence:app", "Verify that evidence is unchanged."),
    ),
    "Change the tenant": (
        LazyCommand("apply", f"{_HERE}.apply:apply", "Write a plan that was reviewed."),
        LazyCommand("adopt", f"{_HERE}.adopt:adopt", "Take over references that people made."),
        LazyCommand("unadopt", f"{_HERE}.adopt:unadopt", "Give adopted references back to people."),
        LazyCommand(
            "rollback", f"{_HERE}.rollback:rollback", "Remove references that the app wrote."
        ),
        LazyCommand("freeze", f"{_HERE}.freeze:freeze", "Stop all writes of references."),
        LazyCommand("unfreeze", f"{_HERE}.freeze:unfreeze", "Allow writing again."),
    ),
    "Operate the app": (
        LazyCommand("sweep", f"{_HERE}.sweep:sweep", "Start a sweep, and wait for its result."),
        LazyCommand("doctor", f"{_HERE}.doctor:doctor", "Find what is wrong, and say what to do."),
        LazyCommand("grant", f"{_HERE}.grant:grant", "Give the app its roles on catalogs."),
        LazyCommand("hook", f"{_HERE}.hook:app", "Make Entra ask the app at each request."),
        LazyCommand("redrive", f"{_HERE}.redrive:redrive", "Retry messages that failed."),
        LazyCommand("erase", f"{_HERE}.erase:erase", "Remove the data of one person."),
        LazyCommand("openapi", f"{_HERE}.contract:openapi_document", "Print the API as OpenAPI."),
        LazyCommand("connector", f"{_HERE}.contract:connector", "Write a custom connector."),
    ),
}

app = typer.Typer(
    name="entra-sod",
    cls=lazy_group(COMMANDS),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(asked: bool) -> None:  # noqa: FBT001 - typer passes the flag's value
    if asked:
        typer.echo(f"entra-sod {VERSION}")
        raise typer.Exit


def _use_local_world(asked: bool) -> None:  # noqa: FBT001 - typer passes the flag's value
    if asked:
        from entra_sod.cli.local_world import use_local_world

        use_local_world()


@app.callback()
def _options(
    local: Annotated[  # noqa: FBT002 - a flag
        bool,
        typer.Option(
            "--local",
            help="Use the settings of the local world that `make run` started.",
            callback=_use_local_world,
        ),
    ] = False,
    version: Annotated[  # noqa: FBT002 - a flag
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Separation of duties for Microsoft Entra access packages."""


# A wrong option is an error as any other: 2 says that something was found.
# Typer gives no other way to its own error of which this one is a kind.
typer.BadParameter.__mro__[1].exit_code = int(ExitCode.ERROR)  # type: ignore[attr-defined]

# What the SDK logs of a failure, the error says as well, in one line.
logging.getLogger("azure").setLevel(logging.CRITICAL)

if __name__ == "__main__":
    app(prog_name="entra-sod")
