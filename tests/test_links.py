"""Every link in the docs leads somewhere: to a file of the repository, and to a heading in it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from local.processes import CHECKOUT
from local.reference.markdown import anchor

_WHERE = ("*.md", "docs/**/*.md", ".github/**/*.md", "benchmarks/*.md", "local/**/*.md")
PAGES = sorted(path for pattern in (*_WHERE, "tests/chaos/*.md") for path in CHECKOUT.glob(pattern))
_CODE = re.compile(r"^ *```.*?^ *```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+(?:\([^()]*\))?)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)


def links_of(text: str) -> list[str]:
    """The targets of a page's links and images, those in code left out."""
    # A link may have code as its text: only what is in the brackets may go.
    kept = _CODE.sub(lambda match: "x" * (len(match[0]) if "\n" not in match[0] else 0), text)
    return _LINK.findall(kept)


def anchors_of(path: Path) -> set[str]:
    """The anchors of a page's headings; a second one of the same words has a number."""
    found: dict[str, int] = {}
    anchors: set[str] = set()
    for heading in _HEADING.findall(_BLOCK.sub("", path.read_text(encoding="utf-8"))):
        name = anchor(re.sub(r"[*`]|\[([^\]]*)\]\([^)]*\)", r"\1", heading))
        count = found[name] = found.get(name, -1) + 1
        anchors.add(f"{name}-{count}" if count else name)
    return anchors


def dead_links(page: Path, root: Path) -> list[str]:
    """Links of a page that lead to no file, to no heading, or out of the repository."""
    return [
        link
        for link in links_of(page.read_text(encoding="utf-8"))
        if not re.match(r"[a-z]+:", link) and not link.startswith("../../actions/")
        if not _leads_somewhere(page, link, root)
    ]


def _leads_somewhere(page: Path, link: str, root: Path) -> bool:
    file, _, heading = link.partition("#")
    target = (page.parent / unquote(file)).resolve() if file else page
    if not target.exists() or not target.is_relative_to(root):
        return False
    return not heading or (target.suffix == ".md" and heading in anchors_of(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_no_link_is_dead(page: Path) -> None:
    """Files and headings that a page links to are there."""
    assert dead_links(page, CHECKOUT) == []


def test_dead_links_are_found(tmp_path: Path) -> None:
    """A missing file, a missing heading, and a way out of the repository; nothing in code."""
    (tmp_path / "there.md").write_text("# A `b` c\n\n## Twice\n\n## Twice\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](there.md#a-b-c) [b](there.md#twice-1) [c](https://example.com) `[d](gone.md)`\n"
        "```\n[e](gone.md)\n```\n"
        "[f](gone.md) [`g`](there.md#twice-2) ![h](gone.png) [i](../outside.md)\n"
    )
    (tmp_path.parent / "outside.md").write_text("")
    assert dead_links(page, tmp_path) == [
        "gone.md",
        "there.md#twice-2",
        "gone.png",
        "../outside.md",
    ]


def test_every_page_is_two_clicks_from_the_index() -> None:
    """docs/README.md links to each page of docs, or to a page that does."""
    index = CHECKOUT / "docs" / "README.md"
    first = reachable(index)
    second = first.union(*(reachable(page) for page in first if page.suffix == ".md"))
    pages = set((CHECKOUT / "docs").rglob("*.md"))
    assert pages - second - {index} == set()


def reachable(page: Path) -> set[Path]:
    links = (each.partition("#")[0] for each in links_of(page.read_text(encoding="utf-8")))
    return {
        (page.parent / link).resolve() for link in links if link and not re.match(r"[a-z]+:", link)
    }
