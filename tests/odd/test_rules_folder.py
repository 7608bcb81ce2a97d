"""Commands on a folder of rules: which one they take, and rules that enforce nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.cli.__main__ import app as entra_sod
from entra_sod.domain.rules.language import References
from local.graph import odd_packages as packages
from tests.odd.setup import Commands, OddApp, between

pytestmark = pytest.mark.slow

PAYERS, APPROVERS = packages.GRANTS_PAYERS, packages.GRANTS_APPROVERS
NO_GROUP = between(
    packages.GRANTS_APP_ROLE, packages.GRANTS_SITE_ROLE, references=References.GROUPS
)


@pytest.fixture(autouse=True)
def _nothing_waits(waits: list[float], make_app: object) -> None:
    """Retries are counted, not waited for, and the app is put back."""


def test_d7_the_setting_names_the_folder(commands: Commands, tmp_path: Path) -> None:
    """RULES is read where --rules is not said, and the folder is told."""
    commands.write(between(PAYERS, APPROVERS))
    environment = {**commands.environment, "RULES": str(tmp_path)}
    done = CliRunner().invoke(entra_sod, ["plan", "--format", "json"], env=environment)
    assert f"rules: {tmp_path}" in done.stderr.replace("\n", "")
    assert PAYERS in done.stdout


def test_d8_a_plan_knows_its_folder(commands: Commands, tmp_path: Path) -> None:
    """Apply reads the rules that the plan was made of."""
    commands.write(between(PAYERS, APPROVERS))
    kept = tmp_path / "plan.json"
    commands.run("plan", "--out", str(kept))
    assert json.loads(kept.read_text())["rulesFolder"] == str(tmp_path)
    arguments = ["apply", str(kept), "--dry-run"]
    done = CliRunner().invoke(entra_sod, arguments, env=commands.environment)
    assert (done.exit_code, "stale" in done.output) == (0, False)


def test_d8_a_folder_that_is_gone_is_named(commands: Commands, tmp_path: Path) -> None:
    """If a plan is used elsewhere, the error says to name the folder."""
    commands.write(between(PAYERS, APPROVERS))
    kept = tmp_path / "plan.json"
    folder = tmp_path / "rules"
    folder.mkdir()
    (tmp_path / "rules.yaml").rename(folder / "rules.yaml")
    arguments = ["plan", "--rules", str(folder), "--out", str(kept)]
    CliRunner().invoke(entra_sod, arguments, env=commands.environment)
    folder.rename(tmp_path / "elsewhere")
    done = CliRunner().invoke(entra_sod, ["apply", str(kept)], env=commands.environment)
    assert done.exit_code == 1
    assert str(folder) in done.output.replace("\n", "")
    assert "--rules" in done.output


def test_a6_validate_warns_of_a_rule_that_enforces_nothing(commands: Commands) -> None:
    """With the tenant; a rule whose sides grant a group is none."""
    commands.write(NO_GROUP, between(PAYERS, APPROVERS, "pay", references=References.GROUPS))
    done = commands.run("validate")
    assert done.stdout.count("warning: rules.0.references enforces nothing") == 1
    assert done.stdout.count("enforces nothing") == 1
    assert done.exit_code == 0


async def test_a6_a_sweep_tells_of_a_rule_that_enforces_nothing(client: GraphClient) -> None:
    """In its result, and so in the report."""
    answer = await OddApp(client, NO_GROUP).swept()
    (gap,) = [each for each in answer["coverage"]["skipped"] if each["what"] == "enforcing rule r"]
    assert gap["why"].startswith("enforces nothing: references are to groups only")
