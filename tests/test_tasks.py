"""The runner that stands in for make, as it behaves on Windows and elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

import tasks
from local import processes, world

WINDOWS = PureWindowsPath(r"C:\entra-sod\.venv")
POSIX = PurePosixPath("/entra-sod/.venv")


def test_programs_of_an_environment_are_where_each_system_has_them() -> None:
    """`Scripts` and `.exe` on Windows, `bin` elsewhere."""
    assert str(tasks.program(WINDOWS, "python", "nt")) == r"C:\entra-sod\.venv\Scripts\python.exe"
    assert str(tasks.program(POSIX, "python", "posix")) == "/entra-sod/.venv/bin/python"


@pytest.mark.parametrize("task", ["demo", "run", "test", "test-all", "check"])
def test_a_task_needs_no_shell_and_no_posix_program(task: str) -> None:
    """On Windows each command is a program of the environment or Node, with arguments as a list."""
    for command in tasks.commands_of(task, "nt", WINDOWS):
        assert command[0] == "node" or command[0].startswith("C:\\entra-sod\\.venv\\Scripts\\")
        assert not {"sh", "make", "|", "&&"} & set(command)


def test_make_calls_the_same_runner() -> None:
    """There is one description of each task; a dry run of make shows who has it."""
    done = subprocess.run(
        ["make", "-n", "-o", ".venv", "-o", "node_modules", "demo", "run", "test", "check"],  # noqa: S607
        cwd=tasks.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.findall(r"tasks\.py (\S+)", done.stdout) == ["demo", "run", "test", "check"]


def test_a_folder_that_could_not_be_made_is_taken_away(tmp_path: Path) -> None:
    """The next try begins anew, and this one ends with what failed."""
    made = tmp_path / "made"
    make = [sys.executable, "-c", f"import pathlib; pathlib.Path({str(made)!r}).mkdir()"]
    tasks.or_remove(made, make)
    assert made.is_dir()
    with pytest.raises(SystemExit, match="made could not be made"):
        tasks.or_remove(made, [sys.executable, "-c", "raise SystemExit(1)"])
    assert not made.exists()


def test_an_unknown_task_is_answered_with_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    """And an exit code that is an error."""
    assert tasks.main(["dmeo"]) == 2
    assert "uv run tasks.py demo" in capsys.readouterr().out


def test_a_hook_ends_as_its_script_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """So azd learns of a smoke test that failed, and stops."""
    monkeypatch.setattr(tasks, "make_venv", lambda: None)
    monkeypatch.setattr(tasks, "run", lambda command: len(Path(command[1]).stem))
    assert tasks.main(["hook", "smoke"]) == len("smoke")


def test_on_windows_a_tree_of_processes_ends_by_taskkill(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no process groups and no SIGKILL; nor does a program become another one there."""
    run: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda argv, **_: run.append(argv))
    processes.end_tree(17, "nt")
    assert run == [["taskkill", "/F", "/T", "/PID", "17"]]
    assert processes.tied(["node", "x.js"], "nt") == ["node", "x.js"]
    assert processes.tied(["node", "x.js"], "posix")[-2:] == ["node", "x.js"]


def test_text_has_the_same_line_ends_on_every_system() -> None:
    """A shell script with CRLF does not run, and a rules file would hash otherwise."""
    attributes = (tasks.ROOT / ".gitattributes").read_text(encoding="utf-8")
    assert "* text=auto eol=lf" in attributes
    kept = subprocess.run(
        ["git", "ls-files", "--eol", "*.sh", "*.ps1", "*.py", "*.yaml"],  # noqa: S607
        cwd=tasks.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line for line in kept.stdout.splitlines() if line.startswith("i/crlf")] == []


def test_core_tools_can_take_the_place_of_the_local_host(tmp_path: Path) -> None:
    """The pipeline tells the demo's story on the host that Microsoft gives to developers."""
    func = tmp_path / "func"
    func.write_text(f"#!{sys.executable}\nimport os, sys\nprint(sys.argv[1:], os.getcwd())\n")
    func.chmod(0o755)
    keys = {"LOCAL_HOST_FUNCTION_KEY": "f", "LOCAL_HOST_MASTER_KEY": "m"}
    environment = {**os.environ, **keys, world.CORE_TOOLS: str(func)}
    with world.HostProcess(environment, port=7071, auth=False, app=tmp_path, log=None) as host:
        assert host.wait() == 0
        assert host.output() == f"['start', '--port', '7071'] {tmp_path}\n"
