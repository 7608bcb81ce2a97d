"""The command `entra-sod`."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from entra_sod.cli.adopt import adopt, unadopt
from entra_sod.cli.apply import apply
from entra_sod.cli.commands import drift, plan
from entra_sod.cli.contract import connector, openapi_document
from entra_sod.cli.doctor import doctor
from entra_sod.cli.erase import erase
from entra_sod.cli.evidence import app as evidence
from entra_sod.cli.exceptions import exceptions
from entra_sod.cli.export_rules import app as export_rules
from entra_sod.cli.findings import findings
from entra_sod.cli.freeze import freeze, unfreeze
from entra_sod.cli.grant import grant
from entra_sod.cli.hook import app as hook
from entra_sod.cli.import_references import import_references
from entra_sod.cli.import_rules import app as import_rules
from entra_sod.cli.inventory import inventory
from entra_sod.cli.packages import packages
from entra_sod.cli.push import push
from entra_sod.cli.redrive import redrive
from entra_sod.cli.report import report
from entra_sod.cli.rollback import rollback
from entra_sod.cli.rule_tests import test_rules
from entra_sod.cli.schema import schema
from entra_sod.cli.selection import app as selection
from entra_sod.cli.sweep import sweep
from entra_sod.cli.validate import validate
from entra_sod.core.version import VERSION

app = typer.Typer(
    name="entra-sod",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(asked: bool) -> None:  # noqa: FBT001 - typer passes the flag's value
    if asked:
        typer.echo(f"entra-sod {VERSION}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[  # noqa: FBT002 - a flag
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Separation of duties for Microsoft Entra access packages."""


for command in (
    packages,
    inventory,
    validate,
    plan,
    apply,
    drift,
    sweep,
    findings,
    exceptions,
    report,
    doctor,
    redrive,
    grant,
    freeze,
    unfreeze,
    rollback,
    adopt,
    unadopt,
    erase,
    schema,
    connector,
):
    app.command()(command)
app.command("test")(test_rules)
app.command("openapi")(openapi_document)

rules = typer.Typer(help="The rules as a running app gets them.", no_args_is_help=True)


@rules.callback()
def _rules() -> None:
    """Keep `rules push` two words, though it is the only one."""


rules.command("push")(push)
app.add_typer(rules, name="rules")
import_rules.command("references")(import_references)
app.add_typer(import_rules, name="import")
app.add_typer(export_rules, name="export")
app.add_typer(hook, name="hook")
app.add_typer(evidence, name="evidence")
app.add_typer(selection, name="selection")

# What the SDK logs of a failure, the error says as well, in one line.
logging.getLogger("azure").setLevel(logging.CRITICAL)

if __name__ == "__main__":
    app(prog_name="entra-sod")
