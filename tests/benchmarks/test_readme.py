"""The measured parts of the page, and the rest of it, which is written by hand."""

from pathlib import Path

import pytest

from benchmarks.catalog import BENCHMARKS
from benchmarks.readme import README, NoMarkersError, as_markdown, replaced, write
from benchmarks.report import Report, Row

PAGE = """# By hand

before
<!-- measured: speed -->
old
<!-- end of speed -->
between
<!-- measured: size -->
kept
<!-- end of size -->
after
"""

REPORT = Report(
    title="Speed",
    rows=[
        Row(what="ours", measured="1 ms", beside="2 times faster", budget="≤ 2 ms", is_met=True),
        Row(what="a | b", measured="3 ms", budget="≤ 2 ms", is_met=False),
        Row(what="theirs", measured="2 ms", beside="the same bytes"),
    ],
)


def test_what_is_written_by_hand_stays(tmp_path: Path) -> None:
    """Only the place between a benchmark's own markers changes."""
    page = tmp_path / "README.md"
    page.write_text(PAGE, encoding="utf-8")
    write(page, "speed", REPORT)
    written = page.read_text(encoding="utf-8")
    assert written.startswith(PAGE.partition("old")[0])
    assert written.endswith(PAGE.partition("old")[2])
    assert "old" not in written


def test_writing_twice_changes_nothing(tmp_path: Path) -> None:
    """The same figures make the same page."""
    page = tmp_path / "README.md"
    page.write_text(PAGE, encoding="utf-8")
    write(page, "speed", REPORT)
    once = page.read_bytes()
    write(page, "speed", REPORT)
    assert page.read_bytes() == once


def test_figures_are_taken_literally() -> None:
    r"""A backslash in a cell is no reference to a group."""
    assert r"\1" in replaced(PAGE, "speed", r"\1")


@pytest.mark.parametrize("name", ["unknown", "spee", "speed -->"])
def test_a_page_without_markers_is_refused(name: str) -> None:
    """Figures never land in the wrong place."""
    with pytest.raises(NoMarkersError, match=r"README\.md needs"):
        replaced(PAGE, name, "figures")


def test_the_table_says_met_missed_or_nothing() -> None:
    """A row without a budget has no verdict; a pipe does not end a cell."""
    lines = as_markdown(REPORT).splitlines()
    assert lines[-3] == "| ours | 1 ms | 2 times faster | ≤ 2 ms | met |"
    assert lines[-2] == r"| a \| b | 3 ms |  | ≤ 2 ms | missed |"
    assert lines[-1] == "| theirs | 2 ms | the same bytes |  |  |"


def test_the_page_has_a_place_for_every_benchmark() -> None:
    """And `make bench` will not fail after minutes."""
    page = README.read_text(encoding="utf-8")
    for name in BENCHMARKS:
        assert f"<!-- measured: {name} -->\nits rows\n" in replaced(page, name, "its rows")
        assert f"## {name}\n" in page


def test_the_page_names_no_machine() -> None:
    """It has cores, system and Python version, and nothing that identifies an owner."""
    page = README.read_text(encoding="utf-8")
    assert "/home/" not in page
    assert str(Path.home()) not in page
