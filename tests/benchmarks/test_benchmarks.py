"""Every benchmark at a tiny size: that it works, never how fast."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import __main__ as command
from benchmarks import readme, terminal
from benchmarks.browser import CHROMIUM
from benchmarks.catalog import BENCHMARKS, IN_A_BROWSER
from benchmarks.report import Report, Row

# They compare the app with something else, and nothing says how far apart the two may be.
WITHOUT_BUDGET = {"cold-start"}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", BENCHMARKS)
def test_it_runs_and_holds_every_row_against_something(name: str) -> None:
    """Each row has another to compare with or a budget, and with a budget a verdict."""
    if name in IN_A_BROWSER and not CHROMIUM.exists():
        pytest.skip(f"the {name} was NOT tried in a browser: no {CHROMIUM}; run make chromium")
    report = BENCHMARKS[name](quick=True)
    assert report.rows
    for row in report.rows:
        assert row.measured
        assert row.beside or row.budget, row.what
        assert bool(row.budget) == bool(row.verdict), row.what
    assert any(row.budget for row in report.rows) or name in WITHOUT_BUDGET


def made_up(*, quick: bool = False) -> Report:
    assert quick
    return Report(title="Speed", rows=[Row(what="ours", measured="1 ms", beside="2 ms")])


def test_quick_writes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Figures without meaning stay on the terminal."""
    monkeypatch.setitem(BENCHMARKS, "decoding", made_up)
    before = readme.README.read_bytes()
    assert command.main(["--quick", "decoding"]) == 0
    assert readme.README.read_bytes() == before
    assert "ours" in capsys.readouterr().out


def test_without_a_browser_the_others_are_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It is said which were not measured, and what to run; the exit code says it, too."""
    monkeypatch.setitem(BENCHMARKS, "decoding", made_up)
    monkeypatch.setattr(command, "CHROMIUM", tmp_path / "chromium")
    assert command.main(["--quick", "report", "decoding"]) == 1
    printed = capsys.readouterr()
    assert "NOT measured: report:" in printed.err
    assert "make chromium" in printed.err
    assert "ours" in printed.out


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is measured."""
    with pytest.raises(SystemExit):
        command.main(["decodign"])
    assert "no such benchmark: decodign" in capsys.readouterr().err


def test_the_terminal_shows_text_as_it_is() -> None:
    """Brackets are no markup."""
    written = StringIO()
    report = Report(title="Speed", rows=[Row(what="[red]ours", measured="1 ms", beside="[b]")])
    terminal.show(Console(file=written, width=120), report)
    assert "[red]ours" in written.getvalue()
    assert "[b]" in written.getvalue()
