"""What keeps the project the same from change to change: words, release notes, forms at GitHub."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from entra_sod.core.version import VERSION
from local.processes import CHECKOUT

WORDS = CHECKOUT / "scripts" / "check_words.py"
NOTES = CHECKOUT / "scripts" / "release_notes.py"


def run(script: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own scripts
        [sys.executable, script, *arguments], capture_output=True, text=True, check=False
    )


def test_no_word_to_avoid_is_left() -> None:
    """Where pyproject.toml says to look there is none; `make check` runs the same."""
    done = run(WORDS)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("The app tells whoever calls.", "whoever"),
        ("SOMEBODY else wrote it", "SOMEBODY"),
        ("what\n# came back", None),
        ("what came\nback", "what came\nback"),
        ("MOST_PAGES = 3", "MOST_"),
        ("_LARGEST_PAGE = 3", "_LARGEST_"),
        ("RuleForm.AT_MOST_SIDES", None),
        ("Nobody both pays and approves", None),
        ("nobody both pays", "nobody"),
        ("a nobody-like thing", None),
    ],
)
def test_a_word_is_found_where_it_stands_by_itself(
    tmp_path: Path, line: str, word: str | None
) -> None:
    """In any case, over a line break, at the beginning of a name; not in what may stand."""
    page = tmp_path / "page.md"
    page.write_text(f"first line\n{line}\n", encoding="utf-8")
    done = run(WORDS, page)
    assert done.returncode == (1 if word else 0)
    if word:
        assert f"{page}:2: {word}: write " in done.stdout


def test_a_path_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    """A folder that was renamed would otherwise be looked at no more."""
    done = run(WORDS, tmp_path / "gone")
    assert done.returncode == 1
    assert "does not exist: correct [tool.words]" in done.stderr


def test_release_notes_are_the_section_of_the_changelog() -> None:
    """Of this version all of it, without the heading; of an unknown one an error."""
    text = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")
    done = run(NOTES, VERSION)
    assert done.returncode == 0
    assert done.stdout.strip() in text
    assert done.stdout.startswith("### ")
    assert run(NOTES, "9.9.9").returncode == 1
    assert run(NOTES).returncode == 2


def test_the_forms_for_issues_are_complete() -> None:
    """Each has a name, a description and fields; ids are unique, and something is required."""
    folder = CHECKOUT / ".github" / "ISSUE_TEMPLATE"
    forms = [path for path in folder.glob("*.yml") if path.name != "config.yml"]
    assert len(forms) == 2
    for path in forms:
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert form["name"]
        assert form["description"]
        fields = [each for each in form["body"] if each["type"] != "markdown"]
        assert len({each["id"] for each in fields}) == len(fields)
        assert any(each.get("validations", {}).get("required") for each in fields)


def test_dependabot_looks_at_every_lock_file() -> None:
    settings = yaml.safe_load((CHECKOUT / ".github/dependabot.yml").read_text(encoding="utf-8"))
    looked_at = {each["package-ecosystem"] for each in settings["updates"]}
    assert looked_at == {"pip", "npm", "github-actions"}


def test_hooks_before_a_commit_run_programs_that_there_are() -> None:
    """Their commands are those of `make check`, with the locked versions of .venv."""
    text = (CHECKOUT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    hooks = [hook for repo in yaml.safe_load(text)["repos"] for hook in repo["hooks"]]
    assert len({each["id"] for each in hooks}) == len(hooks) >= 4
    scripts = re.findall(r"scripts/\w+\.py", text)
    assert scripts
    assert [name for name in scripts if not (CHECKOUT / name).is_file()] == []


def test_readme_is_short_and_says_first_what_was_not_tried() -> None:
    """At most 900 words, and on the first screen that it was not run on Azure."""
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert len(text.split()) <= 900
    assert "Not yet run on Azure" in "\n".join(text.splitlines()[:15])


def test_reasons_of_npm_packages_are_of_packages_that_there_are() -> None:
    package = json.loads((CHECKOUT / "package.json").read_text(encoding="utf-8"))
    assert package["reasons"].keys() == package["devDependencies"].keys()
