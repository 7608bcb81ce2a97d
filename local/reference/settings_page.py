"""docs/reference/settings.md: the app's settings, and those of a deployment."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from entra_sod.settings.descriptions import described_settings
from local.processes import CHECKOUT
from local.reference.markdown import code, page, table

_PARAMETER = re.compile(
    r"^@description\('((?:[^'\\]|\\.)*)'\)\n(?:@.*\n)*param (\w+)", re.MULTILINE
)
_TAKEN = re.compile(r"\$\{(\w+)(?:=([^}]*))?\}")

_APP = """
The app and the command line read these from the environment on first use. Every wrong setting is
named in one error: on `/api/ready`, in the status of the work that met it, and in the log. On
Azure, set them by `azd env set NAME VALUE` and `azd provision`. The deployment itself sets
`AzureWebJobsStorage__*`, `AZURE_CLIENT_ID` and `GRAPH_CREDENTIAL`; secrets such as
`WEBHOOK_SIGNING_KEYS` come from Key Vault.
"""
_DEPLOYMENT = """
Set these by `azd env set NAME VALUE` before `azd provision`. azd takes a name that its
environment does not have from your shell. azd puts values into JSON as they are: write `\\"` for
a quotation mark. `TEAMS_URL`, `TICKETS_URL` and `TELL_URL` are secrets; azd keeps them in
`.azure/`, which git ignores.
"""
_COMMAND_LINE = """
The command line reads the settings above, and these:
"""
_OF_COMMANDS = (
    ("ENTRA_SOD_KEY", "Key of the app, for commands with `--url`."),
    ("ENTRA_SOD_TOKEN", "Token of Entra for the app, in place of a key."),
    (
        "ENTRA_SOD_MASTER_KEY",
        "Master key of the Functions host, so that `doctor` can list functions.",
    ),
)


def settings_page() -> str:
    rows = [(code(name), it.meaning, it.values, it.default) for name, it in described_settings()]
    return page(
        "Settings",
        "## The app",
        _APP,
        table(("name", "meaning", "values", "default"), rows),
        "## The command line",
        _COMMAND_LINE,
        table(("name", "meaning"), ((code(name), meaning) for name, meaning in _OF_COMMANDS)),
        "## The deployment",
        _DEPLOYMENT,
        table(("name", "meaning", "default"), _deployment()),
    )


def _deployment() -> Iterator[tuple[str, str, str]]:
    template = (CHECKOUT / "infra" / "main.bicep").read_text(encoding="utf-8")
    meanings = {name: text.replace("\\'", "'") for text, name in _PARAMETER.findall(template)}
    given = json.loads((CHECKOUT / "infra/main.parameters.json").read_text(encoding="utf-8"))
    for parameter, each in given["parameters"].items():
        taken = _TAKEN.fullmatch(each["value"]) if isinstance(each["value"], str) else None
        if taken:
            default = code(taken[2]) if taken[2] else "asked for" if taken[2] is None else "none"
            yield code(taken[1]), meanings[parameter], default
