from __future__ import annotations

import re
from pathlib import Path

from entra_sod.domain.callers.caller import Role
from entra_sod.domain.callers.routes import ROUTES

PAGE = (Path(__file__).parent.parent.parent / "docs" / "callers.md").read_text()


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
        what: access if isinstance(access, frozenset) else access.value
        for what, access in ROUTES.items()
    }
    assert said == meant


def test_the_page_has_every_role() -> None:
    """Each role is explained."""
    assert set(rows("Roles")) == set(Role)
