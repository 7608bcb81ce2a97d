"""The GitHub action, the hooks and the pipelines: run here as a shell would run them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from entra_sod.cli.__main__ import app
from entra_sod.cli.init import TEMPLATES
from tests.adapters.graph.fixtures import Simulator, few_certificates, simulator, started_simulator
from tests.adapters.graph.tenant import APPROVE, PAY
from tests.infra.bicep import ROOT
from tests.infra.test_ways_to_azure import linted

pytestmark = pytest.mark.slow

__all__ = ["few_certificates", "simulator", "started_simulator"]

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
PINNED = re.compile(r"[\w./-]+@[0-9a-f]{40}")
AUTHOR = "github-actions[bot]"
FILES = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH")
FILTER = ".[] | select(.user.login == env.AUTHOR and (.body | startswith(env.mark))) | .id"
# Stands in for GitHub's program: the comments of one pull request, in a file.
GH = f"""#!{sys.executable}
import json, os, pathlib, sys
store = pathlib.Path(os.environ["GH_STORE"])
comments = json.loads(store.read_text())
arguments = sys.argv[1:]
assert arguments[0] == "api" and os.environ["GH_TOKEN"]
if "--paginate" in arguments:
    assert arguments[arguments.index("--jq") + 1] == {FILTER!r}, arguments
    assert arguments[2] == "repos/contoso/rules/issues/7/comments?per_page=100"
    for each in comments:
        if each["user"] == os.environ["AUTHOR"] and each["body"].startswith(os.environ["mark"]):
            print(each["id"])
    sys.exit()
method, address = arguments[arguments.index("--method") + 1 :][:2]
name, _, file = arguments[arguments.index("--field") + 1].partition("=@")
body = pathlib.Path(file).read_text()
if method == "POST":
    assert address == "repos/contoso/rules/issues/7/comments"
    comments.append({{"id": len(comments) + 1, "user": {AUTHOR!r}, "body": body}})
else:
    key = int(address.removeprefix("repos/contoso/rules/issues/comments/"))
    [found] = [each for each in comments if each["id"] == key]
    found["body"] = body
store.write_text(json.dumps(comments))
"""
TOOL = f"""#!/bin/sh
exec {sys.executable} -m entra_sod.cli "$@"
"""
# Stands in for Python while entra-sod is installed: notes the calls, and makes what pip would make.
PYTHON = """#!/bin/sh
printf '%s\\n' "$*" >> "$CALLS"
case "$*" in
  "-m venv "*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
esac
"""
CONFLICT = f"""\
version: 1
rules:
  - id: pay-and-approve
    title: Nobody both pays and approves invoices
    severity: high
    owner: ann@contoso.com
    mode: enforce
    between:
      - packages: [{{id: {PAY}}}]
      - packages: [{{id: {APPROVE}}}]
"""


@dataclass
class Runner:
    """Runs the steps of the action in a folder, as GitHub's runner does.

    Attributes:
        ran: the names of the steps that ran.
        outputs: of steps, by their ids.
        log: what the steps printed.
    """

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    event: str = "pull_request"
    ran: list[str] = field(default_factory=list)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    log: str = ""
    code: int = 0

    def run(self, *names: str) -> int:
        """Run the steps of these names, or all but those that install, until one fails."""
        for step in STEPS:
            is_wanted = (
                step.get("name") in names if names else "Install" not in str(step.get("name"))
            )
            if is_wanted and "run" in step and self._is_due(step):
                self._run(step)
                if self.code:
                    break
        return self.code

    def _is_due(self, step: Mapping[str, Any]) -> bool:
        return bool(self.value(step["if"])) if "if" in step else True

    def value(self, expression: str) -> object:
        """What an expression of GitHub comes to; it knows what the action uses and no more."""
        found = re.fullmatch(r"(.+?) (&&|\|\|) (.+)", expression)
        if found:
            one, other = self.value(found[1]), self.value(found[3])
            return (one and other) if found[2] == "&&" else (one or other)
        if found := re.fullmatch(r"(\S+) (==|!=) (\S+)", expression):
            return (self.value(found[1]) == self.value(found[3])) is (found[2] == "==")
        if expression.startswith("'"):
            return expression.strip("'")
        match expression.split("."):
            case ["inputs", name]:
                default = str(ACTION["inputs"][name].get("default", ""))
                return self.inputs.get(name, self.filled(default))
            case ["steps", step, "outputs", name]:
                return self.outputs.get(step, {}).get(name, "")
            case _:
                return self._of_github()[expression]

    def _of_github(self) -> Mapping[str, str]:
        return {
            "github.action_path": str(ROOT),
            "github.token": "token",
            "github.event_name": self.event,
            "github.repository": "contoso/rules",
            "github.event.pull_request.number": "7",
        }

    def filled(self, text: str) -> str:
        return re.sub(r"\$\{\{ (.+?) \}\}", lambda found: str(self.value(found[1])), text)

    def _run(self, step: Mapping[str, Any]) -> None:
        assert step["shell"] == "bash"
        temporary = self.folder / "temporary"
        temporary.mkdir(exist_ok=True)
        files = {
            name: temporary / name
            for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH")
        }
        files["GITHUB_OUTPUT"].write_text("")
        given = {name: self.filled(str(text)) for name, text in step.get("env", {}).items()}
        environment = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "RUNNER_TEMP": str(temporary),
            "GH_STORE": str(self.folder / "comments.json"),
            "CALLS": str(self.folder / "calls"),
            **{name: str(path) for name, path in files.items()},
            **self.settings,
            **given,
        }
        done = subprocess.run(  # noqa: S603 - the action's own steps
            ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        self.ran.append(step["name"])
        self.log += done.stdout + done.stderr
        self.code = done.returncode
        said = files["GITHUB_OUTPUT"].read_text().splitlines()
        self.outputs[step.get("id", "")] = dict(line.split("=", 1) for line in said)

    def comments(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((self.folder / "comments.json").read_text())
        return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of rules as `init` writes it, and the programs of the runner."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in {"gh": GH, "entra-sod": TOOL}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    (programs / "python").symlink_to(sys.executable)
    (tmp_path / "comments.json").write_text("[]")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["init", "new", "--offline", "--ci", "none"])
    assert done.exit_code == 0
    (tmp_path / "new" / "rules").rename(tmp_path / "rules")
    return tmp_path


def on_tenant(folder: Path, simulator: Simulator, **inputs: str) -> Runner:
    """A run that may read the simulated tenant; the sign-in is that of its managed identity."""
    settings = {**simulator.settings, "ACTIONS_ID_TOKEN_REQUEST_URL": "http://localhost"}
    return Runner(folder, settings, {"client-id": "c", "tenant-id": "t", **inputs})


def test_each_step_is_bash_and_each_action_is_pinned() -> None:
    """No step holds an expression: what a repository names reaches a shell as a variable only."""
    for step in STEPS:
        assert ("run" in step) is not ("uses" in step)
        assert "${{" not in step.get("run", "")
        if "uses" in step:
            assert PINNED.fullmatch(step["uses"])
        else:
            subprocess.run(["/bin/bash", "-n", "-c", step["run"]], check=True)  # noqa: S603


def test_what_the_action_says_of_itself_is_whole() -> None:
    """Each input has a description and is used; each output is one of a step."""
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    for name, each in ACTION["inputs"].items():
        assert each["description"]
        assert f"inputs.{name}" in text
    used = set(re.findall(r"inputs\.([\w-]+)", text))
    assert used == set(ACTION["inputs"])
    ids = {step["id"] for step in STEPS if "id" in step}
    for each in ACTION["outputs"].values():
        assert each["description"]
        assert set(re.findall(r"steps\.(\w+)\.", each["value"])) <= ids


def test_without_a_client_nothing_of_a_tenant_is_read(folder: Path) -> None:
    """The first push: form, rules and tests are checked; there is no plan and no comment."""
    runner = Runner(folder)
    assert runner.run() == 0, runner.log
    assert runner.ran == [
        "See whether a tenant can be read",
        "Check the form of the files",
        "Validate the rules",
        "Test the rules",
    ]
    assert json.loads(Path(runner.outputs["validate"]["sarif"]).read_text())["version"] == "2.1.0"
    assert Path(runner.outputs["test"]["junit"]).read_text().startswith("<?xml")
    assert runner.comments() == []
    assert runner.value(ACTION["outputs"]["outcome"]["value"][4:-3]) == "skipped"


def test_without_a_token_it_says_what_is_missing(folder: Path) -> None:
    """A pull request of a fork: the rules are checked, and the warning names the permission."""
    runner = Runner(folder, inputs={"client-id": "c"})
    assert runner.run() == 0
    assert "::warning::This run gets no OIDC token" in runner.log
    assert "id-token: write" in runner.log
    assert "Plan" not in runner.ran


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        (
            "rules.yaml",
            "rules: []",
            "rules:   []",
            "::error::Files are not in their canonical form",
        ),
        ("rules.yaml", "rules: []", "rules: 7", "::error file=rules/rules.yaml,line="),
        ("tests/rules.yaml", "decision: allow", "decision: deny", "expected deny for Ann"),
    ],
)
def test_what_is_wrong_fails_the_run(
    folder: Path, file: str, old: str, new: str, words: str
) -> None:
    """And is named with its place."""
    path = folder / "rules" / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    runner = Runner(folder)
    assert runner.run() != 0
    assert words in runner.log


@pytest.mark.slow
def test_a_plan_is_one_comment_that_is_brought_up_to_date(
    folder: Path, simulator: Simulator
) -> None:
    """The second run changes the comment of the first; comments of others stay."""
    stranger = {"id": 1, "user": "mallory", "body": "<!-- entra-sod plan cnVsZXM= -->\nmine"}
    (folder / "comments.json").write_text(json.dumps([stranger]))
    runner = on_tenant(folder, simulator)
    assert runner.run() == 0, runner.log
    assert runner.outputs["plan"]["outcome"] == "none"
    (folder / "rules" / "rules.yaml").write_text(CONFLICT)
    second = on_tenant(folder, simulator)
    assert second.run() == 0, second.log
    assert second.outputs["plan"]["outcome"] == "changes"
    assert json.loads(Path(second.outputs["plan"]["plan"]).read_text())["version"] == 1
    first, ours = second.comments()
    assert first == stranger
    assert ours["body"].startswith("<!-- entra-sod plan cnVsZXM= -->\n### entra-sod plan\n")
    assert "pay\\-and\\-approve" in ours["body"]
    summary = (folder / "temporary" / "GITHUB_STEP_SUMMARY").read_text()
    assert ours["body"].partition("\n")[2] in summary


@pytest.mark.slow
def test_rules_of_two_folders_have_a_comment_each(folder: Path, simulator: Simulator) -> None:
    """The mark has the folder, whatever its name is."""
    other = "r --> `x`"
    (folder / other).mkdir()
    (folder / other / "rules.yaml").write_text(CONFLICT)
    assert on_tenant(folder, simulator).run() == 0
    runner = on_tenant(folder, simulator, rules=other, tests="")
    assert runner.run() == 0, runner.log
    assert len(runner.comments()) == 2
    assert runner.comments()[1]["body"].count("-->") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("inputs", "event", "commented"),
    [
        ({}, "pull_request", 1),
        ({}, "push", 0),
        ({"comment": "false"}, "pull_request", 0),
        ({"plan": "false"}, "pull_request", 0),
    ],
)
def test_a_comment_is_for_pull_requests_that_want_one(
    folder: Path, simulator: Simulator, inputs: Mapping[str, str], event: str, commented: int
) -> None:
    """A push has the plan in its summary alone."""
    runner = on_tenant(folder, simulator, **inputs)
    runner.event = event
    assert runner.run() == 0, runner.log
    assert len(runner.comments()) == commented


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strict", "code", "by", "words"),
    [
        ("false", 0, "id: ", "- **not known**: access package"),
        ("true", 3, "name: ", "Not known: the tenant could not be read"),
    ],
)
def test_gaps_are_told_and_fail_if_they_shall(
    folder: Path, strict: str, code: int, by: str, words: str
) -> None:
    """A tenant that cannot be read is never an empty plan."""
    (folder / "rules" / "rules.yaml").write_text(CONFLICT.replace("{id: ", f"{{{by}"))
    settings = {
        "GRAPH_ROOT": "http://127.0.0.1:9",
        "ACTIONS_ID_TOKEN_REQUEST_URL": "http://localhost",
        "IDENTITY_ENDPOINT": "http://127.0.0.1:9/msi/token",
        "IDENTITY_HEADER": "h",
    }
    inputs = {"client-id": "c", "fail-on-gaps": strict, "tests": ""}
    runner = Runner(folder, settings, inputs)
    assert runner.run() == code, runner.log
    assert "::warning::not known: " in runner.log
    assert runner.outputs["plan"]["outcome"] == "gaps"
    assert words in runner.comments()[0]["body"]


def test_it_installs_itself_with_the_versions_that_were_tested(folder: Path) -> None:
    """From its own checkout, into an environment of its own, whose programs come first."""
    python = folder / "bin" / "python"
    python.unlink()
    python.write_text(PYTHON)
    python.chmod(0o755)
    runner = Runner(folder)
    assert runner.run("Install entra-sod") == 0, runner.log
    made, installed = (folder / "calls").read_text().splitlines()
    assert made == f"-m venv {folder}/temporary/entra-sod"
    assert installed.endswith(f" --constraint {folder}/temporary/constraints.txt {ROOT}")
    assert (
        folder / "temporary" / "GITHUB_PATH"
    ).read_text() == f"{folder}/temporary/entra-sod/bin\n"
    constraints = (folder / "temporary" / "constraints.txt").read_text()
    assert re.search(r"^msgspec==[\d.]+$", constraints, re.MULTILINE)
    assert "--hash" not in constraints
    assert "\\" not in constraints


def test_the_workflow_of_a_new_repository_is_valid(tmp_path: Path) -> None:
    """Actionlint finds nothing in it, and its inputs are inputs of the action."""
    text = (TEMPLATES / "github.yml").read_text(encoding="utf-8")
    path = tmp_path / "rules.yml"
    path.write_text(text.replace("@SOURCE@", "contoso/entra-sod@v1"))
    assert [each for each in linted(path) if '"vars"' not in each] == []
    steps = yaml.safe_load(path.read_text())["jobs"]["rules"]["steps"]
    assert PINNED.fullmatch(steps[0]["uses"])
    assert set(steps[1]["with"]) <= set(ACTION["inputs"])


def test_the_hooks_are_commands_of_ours() -> None:
    """Those for pre-commit, and those that a new repository has: the same three."""
    ours = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    text = (TEMPLATES / "pre-commit-config.yaml").read_text(encoding="utf-8")
    [local] = yaml.safe_load(text)["repos"]
    assert [each["id"] for each in ours] == [each["id"] for each in local["hooks"]]
    for hook in [*ours, *local["hooks"]]:
        assert {"id", "name", "entry", "language", "files"} <= hook.keys()
        assert re.match(hook["files"], "rules/tests/finance.yaml")
        assert not re.match(hook["files"], "docs/rules/x.yaml")


def command_of(hook: Mapping[str, Any], files: Sequence[str]) -> list[str]:
    """What pre-commit would run."""
    given = files if hook.get("pass_filenames", True) else []
    return [*hook["entry"].split()[1:], *hook.get("args", ()), *given]


@pytest.mark.parametrize("name", [".pre-commit-hooks.yaml", "template"])
def test_the_hooks_pass_in_a_new_repository(folder: Path, name: str) -> None:
    """And fail if there is a mistake."""
    if name == "template":
        text = (TEMPLATES / "pre-commit-config.yaml").read_text(encoding="utf-8")
        hooks = yaml.safe_load(text)["repos"][0]["hooks"]
    else:
        hooks = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    files = ["rules/rules.yaml", "rules/tests/rules.yaml"]
    commands = [command_of(each, files) for each in hooks]
    assert [CliRunner().invoke(app, each).exit_code for each in commands] == [0, 0, 0]
    (folder / "rules" / "rules.yaml").write_text("version: 1\nrules: [\n")
    assert [CliRunner().invoke(app, each).exit_code for each in commands] == [1, 1, 1]


def test_the_pipeline_of_azure_is_bash() -> None:
    """Its scripts parse, and its plan knows the exit codes of the command."""
    text = (TEMPLATES / "azure-pipelines.yml").read_text(encoding="utf-8")
    steps = yaml.safe_load(text)["steps"]
    scripts = [each["script"] for each in steps if "script" in each]
    [planned] = [value for each in steps for key, value in each.items() if key.startswith("${{")]
    scripts.append(planned[0]["inputs"]["inlineScript"])
    for script in scripts:
        subprocess.run(["/bin/bash", "-n", "-c", script], check=True)  # noqa: S603
    assert all(f"{code}) " in scripts[-1] for code in (0, 2, 3))
