from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.infra.bicep import ROOT, Json, modules_of, resources_of
from tests.infra.conftest import Built

pytestmark = pytest.mark.slow

CHECKOV = ROOT / ".venv-infra" / "bin" / "checkov"
SKIPPED = re.compile(r"^  - (CKV\w*_AZURE_\d+) *(#.*)?$", flags=re.MULTILINE)


@pytest.fixture(scope="module")
def failed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The checks that fail for anything in the compiled template."""
    if not CHECKOV.exists():
        pytest.skip("no .venv-infra: `make infra` makes it; the template was not shown to checkov")
    folder = tmp_path_factory.mktemp("checkov")
    for name, template in flat(built.template).items():
        (folder / f"{name}.json").write_text(json.dumps(template), encoding="utf-8")
    report = run(folder)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["resource_count"] > 40
    return {each["check_id"] for each in report["results"]["failed_checks"]}


def test_checkov_finds_nothing_that_has_no_reason(failed: set[str]) -> None:
    """Each check that fails is listed, and each that is listed fails."""
    listed = dict(SKIPPED.findall((ROOT / "infra" / "checkov.yaml").read_text(encoding="utf-8")))
    assert failed == listed.keys()


def test_each_skipped_check_has_a_reason() -> None:
    """A sentence stands beside each."""
    listed = SKIPPED.findall((ROOT / "infra" / "checkov.yaml").read_text(encoding="utf-8"))
    assert len(listed) > 10
    assert [check for check, reason in listed if len(reason) < 15] == []


def run(folder: Path) -> Json:
    """Show templates to checkov, without asking its maker for anything."""
    command = [str(CHECKOV), "--directory", str(folder), "--framework", "arm", "--skip-download"]
    done = subprocess.run(  # noqa: S603 - our own environment's
        [*command, "--quiet", "--compact", "--output", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    report: Json = json.loads(done.stdout)
    return report


def flat(template: Json) -> dict[str, Json]:
    """A template for each module, since checkov does not look into deployments inside one.

    What main.bicep hands down from a parameter of its own has that parameter's default.
    """
    own = [each for each in resources_of(template) if "deployments" not in each["type"]]
    found = {"main": {**template, "resources": own}}
    for name, deployment in modules_of(template).items():
        inner = deployment["properties"]["template"]
        found[name] = {
            **inner,
            "parameters": _with_defaults(template, deployment),
            "resources": resources_of(inner),
        }
    return found


def _with_defaults(template: Json, deployment: Json) -> Json:
    parameters: Json = {}
    for name, each in deployment["properties"]["template"].get("parameters", {}).items():
        value = json.dumps(deployment["properties"]["parameters"].get(name))
        handed = re.fullmatch(r"\{\"value\": \"\[parameters\('(\w+)'\)\]\"\}", value)
        default = template["parameters"][handed[1]].get("defaultValue") if handed else None
        parameters[name] = each if default is None else {**each, "defaultValue": default}
    return parameters
