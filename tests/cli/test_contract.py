"""`entra-sod openapi` and `entra-sod connector`."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from entra_sod.cli.__main__ import app
from entra_sod.cli.operations.api.document import openapi


def test_openapi_prints_the_document() -> None:
    """What it prints is JSON, and what the app serves."""
    done = CliRunner().invoke(app, ["openapi"])
    assert done.exit_code == 0
    assert json.loads(done.stdout) == openapi()


def test_connector_writes_two_files_for_a_host(tmp_path: Path) -> None:
    """The folder is made where it is missing, and the definition names the host that was given."""
    folder = tmp_path / "new" / "connector"
    arguments = ["connector", "--out", str(folder), "--host", "sod.contoso.com"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert {each.name for each in folder.iterdir()} == {"apiDefinition.json", "apiProperties.json"}
    assert json.loads((folder / "apiDefinition.json").read_text())["host"] == "sod.contoso.com"
