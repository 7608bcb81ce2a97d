"""`entra-sod import`: rules from what there is already, each source a command."""

from __future__ import annotations

from entra_sod.cli.import_references import import_references
from entra_sod.cli.import_rules import app

app.command("references")(import_references)
