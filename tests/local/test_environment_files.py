"""The settings of a local world, as a shell and the command line read them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from entra_sod.cli import local_world
from entra_sod.cli.__main__ import app
from entra_sod.cli.local_world import read_settings_file
from local.environment_files import as_powershell, as_shell, environment_files
from local.processes import CHECKOUT

if TYPE_CHECKING:
    from local.world import HostProcess

VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.just(" "))
SETTINGS = st.dictionaries(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True), VALUES)


class Host:
    url, master_key = "http://127.0.0.1:7071", "it's a key"


HOST = cast("HostProcess", Host())


@given(SETTINGS)
def test_what_is_written_is_read_back(settings: dict[str, str]) -> None:
    """Whatever characters a value has."""
    assert read_settings_file(as_shell(settings)) == settings


@pytest.mark.skipif(shutil.which("sh") is None, reason="there is no POSIX shell here")
def test_a_shell_reads_the_same(tmp_path: Path) -> None:
    """Quotes, blanks and `;` in a value are no syntax; the host's own keys are not in it."""
    given = {"GRAPH_ROOT": "http://x; echo 'y' $HOME", "LOCAL_HOST_MASTER_KEY": "secret"}
    with environment_files(tmp_path / ".local", given, HOST) as (shell, powershell):
        script = f". {shell}; printenv GRAPH_ROOT ENTRA_SOD_URL ENTRA_SOD_MASTER_KEY"
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)  # noqa: S603, S607
        assert "secret" not in shell.read_text() + powershell.read_text()
        assert (shell.stat().st_mode & 0o077 == 0) or os.name == "nt"
    assert done.stdout.splitlines() == [
        given["GRAPH_ROOT"],
        "http://127.0.0.1:7071/api",
        "it's a key",
    ]
    assert list((tmp_path / ".local").iterdir()) == []


def test_powershell_gets_quotes_doubled() -> None:
    """That is how it writes them within quotes."""
    assert as_powershell({"A": "it's"}) == "$env:A = 'it''s'\n"


def test_the_option_uses_the_file_of_a_folder_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands see its settings as if they had been exported."""
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local/environment.sh").write_text("export RULES=/from/the/file\n")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    monkeypatch.setenv("RULES", "before")
    done = CliRunner().invoke(app, ["--local", "plan"])
    assert "/from/the/file" in " ".join(done.output.split())


def test_without_a_local_world_the_option_says_how_to_start_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing else is done."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(local_world, "find_file", lambda _: None)
    done = CliRunner().invoke(app, ["--local", "packages"])
    assert (done.exit_code, "make run" in done.output) == (1, True)


def test_help_of_the_local_world_starts_none() -> None:
    """It says what would be started, and ends."""
    command = [sys.executable, "-m", "local", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=CHECKOUT)  # noqa: S603
    assert (done.returncode, "usage: python -m local" in done.stdout) == (0, True)
    assert ".local/environment.sh" in done.stdout
