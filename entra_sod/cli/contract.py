"""`entra-sod openapi` and `connector`: the contract, for programs and for makers of flows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from entra_sod.cli.operations.api.document import openapi
from entra_sod.cli.operations.connector import EXAMPLE_HOST, api_definition, api_properties


def openapi_document() -> None:
    """Print the app's contract as OpenAPI 3.1, as `/api/openapi.json` returns it."""
    typer.echo(as_text(openapi()), nl=False)


def connector(
    folder: Annotated[
        Path, typer.Option("--out", help="Folder for the two files.", file_okay=False)
    ],
    host: Annotated[str, typer.Option(help="The app's host name.")] = EXAMPLE_HOST,
) -> None:
    """Write a custom connector's apiDefinition.json and apiProperties.json for your app."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in connector_files(host).items():
        (folder / name).write_text(document, encoding="utf-8")


def connector_files(host: str = EXAMPLE_HOST) -> dict[str, str]:
    """The connector's files by their names."""
    return {
        "apiDefinition.json": as_text(api_definition(host)),
        "apiProperties.json": as_text(api_properties()),
    }


def as_text(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
