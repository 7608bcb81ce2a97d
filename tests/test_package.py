"""The product as a package: one version, a complete wheel, a command that needs no checkout."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

from entra_sod.cli.operations.api.document import openapi
from entra_sod.core.version import VERSION
from entra_sod.services.evidence.writer import TOOL

ROOT = Path(__file__).parent.parent
UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(UV, "build", "--quiet", "--wheel", "--no-build-isolation", "--out-dir", folder, cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


def run(*argv: str | Path, cwd: Path) -> str:
    done = subprocess.run(  # noqa: S603 - our own programs
        argv, cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_there_is_one_version() -> None:
    """Package, contract, evidence (E9), azd template and changelog name the same version."""
    template = yaml.safe_load((ROOT / "azure.yaml").read_text())["metadata"]["template"]
    changes = (ROOT / "CHANGELOG.md").read_text()
    newest = re.search(r"^## (\S+)", changes, re.MULTILINE)
    assert version("entra-sod") == VERSION
    assert openapi()["info"]["version"] == VERSION
    assert TOOL.split() == ["entra-sod", VERSION]
    assert template == f"entra-sod@{VERSION}"
    assert newest is not None
    assert newest[1] == VERSION


def test_the_wheel_has_every_file_of_the_package(wheel: Path) -> None:
    """Modules, the report's page, packs and `py.typed` are all in it, and nothing else is."""
    tracked = run(Path("git"), "ls-files", "entra_sod", "packs", cwd=ROOT).splitlines()
    tracked = [re.sub("^packs/", "entra_sod/cli/packs/", name) for name in tracked]
    with ZipFile(wheel) as archive:
        packed = [name for name in archive.namelist() if ".dist-info/" not in name]
    assert "entra_sod/py.typed" in packed
    assert sorted(packed) == sorted(tracked)


@pytest.mark.slow
def test_the_wheel_works_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    """An installed `entra-sod` checks rules, and writes its schema and its contract."""
    pinned = ROOT / "requirements-dev.txt"
    programs = tmp_path / "venv" / "bin"
    run(UV, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv", cwd=tmp_path)
    python = ("--python", programs / "python")
    run(UV, "pip", "install", "--quiet", *python, "--constraint", pinned, wheel, cwd=tmp_path)
    command = programs / "entra-sod"
    assert run(command, "--version", cwd=tmp_path) == f"entra-sod {VERSION}\n"
    run(command, "validate", ROOT / "rules", "--offline", cwd=tmp_path)  # exit code 0
    assert run(command, "schema", cwd=tmp_path) == (ROOT / "rules/schema.json").read_text()
    assert run(command, "openapi", cwd=tmp_path) == (ROOT / "docs/openapi.json").read_text()
    assert run(command, "--show-completion", "bash", cwd=tmp_path).startswith("_entra_sod")
