"""The doctor and the smoke test, as they are run against an app on the local host."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from local.graph.demo import APP_PRINCIPAL_ID, FINANCE
from local.processes import CHECKOUT
from local.world import HostProcess
from tests.cli.operations.extensions.hooked import owner_role
from tests.host.conftest import Stage

pytestmark = [pytest.mark.slow, pytest.mark.host]


def run(*argv: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, *argv],
        cwd=CHECKOUT,
        env={**os.environ, **settings, "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
    )


def smoke(host: HostProcess, key: str) -> subprocess.CompletedProcess[str]:
    return run(
        "scripts/smoke.py",
        AZURE_FUNCTION_APP_URL=host.url,
        ENTRA_SOD_KEY=host.function_key,
        ENTRA_SOD_MASTER_KEY=key,
    )


def doctor(*arguments: str, **settings: str) -> tuple[int, dict[str, str]]:
    """The exit code, and each result by what was looked at."""
    done = run("-m", "entra_sod.cli", "doctor", "--format", "json", *arguments, **settings)
    assert "Traceback" not in done.stderr, done.stderr
    diagnoses = json.loads(done.stdout)["diagnoses"]
    return done.returncode, {each["what"]: each["result"] for each in diagnoses}


def both_keys(host: HostProcess) -> dict[str, str]:
    return {"ENTRA_SOD_KEY": host.function_key, "ENTRA_SOD_MASTER_KEY": host.master_key}


def test_a_whole_deployment_passes_and_answers_honestly(world: Stage) -> None:
    """All functions are listed, and packages that do not exist are unknown, never clear."""
    host = world.start_host(auth=True, ENFORCEMENT="apply")
    done = smoke(host, host.master_key)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "canary check: ok: unknown, as it should be" in done.stdout
    assert not [each for each in world.graph.requests() if each["method"] not in {"GET", "POST"}]

    code, of_app = doctor("--url", f"{host.url}/api", **both_keys(host))
    wrong = [what for what, result in of_app.items() if result == "wrong"]
    # The demo's rules name packages of Treasury, where its app has no role: so the doctor says.
    assert (code, wrong) == (1, ["Graph: packages of the rules"])
    assert of_app["functions"] == "ok"
    _, without_master = doctor("--url", f"{host.url}/api", ENTRA_SOD_KEY=host.function_key)
    assert without_master["functions"] == "note"


def test_the_apps_own_doctor_names_the_role_that_is_missing(world: Stage) -> None:
    """From a laptop and from within: the same line, and an exit code for CI."""
    world.graph.replace_roles()
    host = world.start_host(auth=True)
    code, of_app = doctor("--url", f"{host.url}/api", ENTRA_SOD_KEY=host.function_key)
    assert (code, of_app["Graph: access packages"]) == (1, "wrong")
    code, of_laptop = doctor(**world.environment)
    assert (code, of_laptop["Graph: access packages"]) == (1, "wrong")
    assert of_laptop["storage: tables"] == "ok"


def test_an_app_that_is_not_there_or_does_not_take_the_key_fails(world: Stage) -> None:
    """One line says so; a deployment that cannot be asked is not called good."""
    code, diagnoses = doctor("--url", "http://127.0.0.1:9/api")
    assert (code, diagnoses) == (1, {"the app": "wrong"})
    host = world.start_host(auth=True)
    code, diagnoses = doctor("--url", f"{host.url}/api", ENTRA_SOD_KEY="wrong")
    assert (code, diagnoses) == (1, {"the app": "wrong"})


def test_a_laptop_with_wrong_settings_is_told_each_of_them() -> None:
    """Nothing else can be looked at then, and nothing ends in a traceback."""
    code, diagnoses = doctor(ENFORCEMENT="always", AzureWebJobsStorage="")
    assert (code, diagnoses["settings"]) == (1, "wrong")


def test_roles_of_an_owner_may_write(world: Stage) -> None:
    """The doctor finds the role that lets references be written."""
    role = owner_role(APP_PRINCIPAL_ID, owns=True)
    world.graph.replace_roles(
        {
            "principalId": role.principal_id,
            "roleDefinitionId": role.role_definition_id,
            "appScopeId": f"/AccessPackageCatalog/{FINANCE}",
        }
    )
    _, diagnoses = doctor(**{**world.environment, "ENFORCEMENT": "apply"})
    assert diagnoses["catalog Finance: write"] == "ok"
