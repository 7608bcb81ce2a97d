from __future__ import annotations

import re
from pathlib import Path

from entra_sod.domain.callers.caller import AppRole
from entra_sod.domain.callers.routes import ROUTES

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "callers.md").read_text()


def rows(heading: str) -> dict[str, str]:
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", section, flags=re.MULTILINE))


def test_the_page_has_every_route_with_its_roles() -> None:
    """The table of docs/callers.md is that of the code, no more and no less."""
    said = {
        what: frozenset(re.findall(r"`(SoD\.\w+)`", words)) or words
        for what, words in rows("Routes").items()
    }
    meant = {
        str(each): each.access if isinstance(each.access, frozenset) else each.access.value
        for each in ROUTES.values()
    }
    assert said == meant


def test_the_readme_has_every_function_with_its_route() -> None:
    """The README's table names each function beside its method and path, and no other route."""
    readme = (ROOT / "README.md").read_text()
    said = re.findall(r"^\| `(\w+)` \| `([A-Z]+ /api/[^`]+)`", readme, flags=re.MULTILINE)
    assert sorted(said) == sorted(
        (each.function, f"{each.method} /api/{each.path}") for each in ROUTES.values()
    )


def test_the_page_has_every_role() -> None:
    """Each role is explained."""
    assert set(rows("Roles")) == set(AppRole)
