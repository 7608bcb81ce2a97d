"""docs/reference/dependencies.md: every package and its reason, which stands beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from local.processes import CHECKOUT
from local.reference.markdown import page, table

_TEXT = """
Versions are locked with hashes (`requirements*.txt`, `package-lock.json`). `make lock` compiles
them from `requirements*.in` and `package.json`, which have the reasons. The report's page has no
package in it; the console's page has preact and htm.
"""
_FILES = {
    "Deployed": "requirements.in",
    "Development": "requirements-dev.in",
    "Infrastructure checks": "requirements-infra.in",
}
_LINE = re.compile(r"^([A-Za-z][^#]*?)(?:  # (.+))?$", re.MULTILINE)


def dependencies_page() -> str:
    blocks = [_TEXT]
    for title, file in _FILES.items():
        blocks += [f"## {title}", table(("package", "why"), reasons_in(file))]
    blocks += ["## From npm", table(("package", "why"), npm_reasons())]
    return page("Dependencies", *blocks)


def reasons_in(file: str) -> Iterator[tuple[str, str]]:
    """Each requirement of a file with its reason; an empty one if it has none."""
    text = (CHECKOUT / file).read_text(encoding="utf-8")
    yield from ((name.strip(), why) for name, why in _LINE.findall(text))


def npm_reasons() -> Iterator[tuple[str, str]]:
    package = json.loads((CHECKOUT / "package.json").read_text(encoding="utf-8"))
    for name in package["devDependencies"]:
        yield name, package["reasons"].get(name, "")
