from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.infra.bicep import ROOT, bicep
from tests.infra.check import problems
from tests.infra.conftest import AS_IT_IS, Built
from tests.infra.mistakes import MISTAKES


def test_the_infrastructure_compiles_without_a_word(built: Built) -> None:
    """No error and no warning; the compiler runs its linter with every build."""
    assert built.said == []


def test_every_file_is_formatted(tmp_path: Path) -> None:
    """The formatter would change nothing."""
    shutil.copytree(ROOT / "infra", tmp_path / "infra")
    bicep("format", "--pattern", "infra/**/*.bicep", folder=tmp_path)
    names = [path.relative_to(tmp_path) for path in tmp_path.rglob("*.bicep")]
    assert len(names) > 10
    changed = [name for name in names if (tmp_path / name).read_text() != (ROOT / name).read_text()]
    assert changed == []


def test_the_deployment_is_as_it_has_to_be(built: Built) -> None:
    """No check finds anything."""
    assert problems(built.folder / AS_IT_IS) == []


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_named(planted: Built, name: str) -> None:
    """The compiler or a check says what is wrong, by its name."""
    folder = planted.folder / name
    found = planted.words_about(name)
    if (folder / "infra" / "main.json").exists():
        found += problems(folder)
    assert any(MISTAKES[name].named in each for each in found), found
