from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.infra.bicep import ROOT, bicep
from tests.infra.check import problems
from tests.infra.conftest import AS_IT_IS, Built
from tests.infra.mistakes import MISTAKES
from tests.infra.resources import listed


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


@pytest.mark.slow
@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_named(planted: Built, name: str) -> None:
    """The compiler or a check says what is wrong, by its name."""
    folder = planted.folder / name
    found = planted.words_about(name)
    if (folder / "infra" / "main.json").exists():
        found += problems(folder)
    assert any(MISTAKES[name].named in each for each in found), found


def test_the_docs_list_what_is_made(built: Built) -> None:
    """The table of docs/reference/resources.md is the compiled template's."""
    page = (ROOT / "docs" / "reference" / "resources.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert rows[2:] == listed(built.template)


def test_the_docs_name_every_parameter() -> None:
    """What main.parameters.json takes from azd stands in docs/reference/settings.md."""
    taken = re.findall(r"\$\{(\w+)", (ROOT / "infra" / "main.parameters.json").read_text())
    settings = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    assert len(taken) > 30
    assert [name for name in taken if f"| `{name}` |" not in settings] == []


def test_the_docs_name_no_output_that_there_is_not(built: Built) -> None:
    """What the page reads from azd's environment is an output, or was set before."""
    text = (ROOT / "docs" / "how-to" / "deploy.md").read_text(encoding="utf-8")
    read = set(re.findall(r"azd env get-value (\w+)", text))
    assert len(read) >= 5
    assert read <= built.template["outputs"].keys() | {"AZURE_ENV_NAME"}
    scripts = set(re.findall(r"scripts/\w+\.py", text))
    assert scripts == {"scripts/register_api.py", "scripts/evidence_policy.py"}
    assert [name for name in scripts if not (ROOT / name).is_file()] == []
