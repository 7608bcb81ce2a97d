"""What `make docs` writes: whole pages, and the generated parts of pages that people write."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from local.processes import CHECKOUT
from local.reference.api_page import api_page
from local.reference.cli_page import cli_page
from local.reference.costs_page import costs_page
from local.reference.dependencies_page import dependencies_page
from local.reference.events_page import events_page
from local.reference.log_pages import log_actions_page, metrics_page
from local.reference.results_page import reasons
from local.reference.roles_page import app_roles, azure_roles
from local.reference.rules_page import rules_page
from local.reference.settings_page import settings_page
from local.reference.storage_page import storage_page
from local.reference.webhooks_page import fields, proofs

FOLDER = CHECKOUT / "docs" / "reference"
PAGES: Mapping[str, Callable[[], str]] = {
    "api.md": api_page,
    "cli.md": cli_page,
    "costs.md": costs_page,
    "dependencies.md": dependencies_page,
    "events.md": events_page,
    "log-actions.md": log_actions_page,
    "metrics.md": metrics_page,
    "rules.md": rules_page,
    "settings.md": settings_page,
    "tables-and-blobs.md": storage_page,
}
# By page, and by the name that its marks give.
PARTS: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "results.md": {"reasons": reasons},
    "roles-and-permissions.md": {"app roles": app_roles, "roles in Azure": azure_roles},
    "webhooks.md": {"fields": fields, "proofs": proofs},
}


class NoMarksError(Exception):
    """A page lacks the marks between which a part belongs."""


def pages_as_made(folder: Path = FOLDER) -> Iterator[tuple[Path, str]]:
    """Every page with the text that it has to have."""
    for name, make in PAGES.items():
        yield folder / name, make()
    for name, parts in PARTS.items():
        text = (folder / name).read_text(encoding="utf-8")
        for part, make in parts.items():
            text = with_part(text, part, make())
        yield folder / name, text


def with_part(text: str, part: str, made: str) -> str:
    """Put a part between its marks.

    Raises:
        NoMarksError: the marks are not there, once.
    """
    start, end = f"<!-- generated: {part} -->\n", "<!-- end of generated -->"
    between = re.compile(rf"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    changed, count = between.subn(lambda _: f"{start}{made}\n{end}", text)
    if count != 1:
        raise NoMarksError(f"the page needs {start.strip()} and {end} once")
    return changed


def write_pages(folder: Path = FOLDER) -> list[str]:
    """Write every page, and return the names of those that have changed."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    for path, text in pages_as_made(folder):
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path.name)
    return changed
