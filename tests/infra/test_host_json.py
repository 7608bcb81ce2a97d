from __future__ import annotations

import json
import re
from importlib.metadata import packages_distributions, version
from typing import Any

import pytest
from jsonschema import Draft4Validator

from entra_sod.domain.messages import MAX_MESSAGE_BYTES
from entra_sod.settings.descriptions import DESCRIPTIONS
from tests.infra.bicep import ROOT, SHARED
from tests.infra.check import settings_read

SCHEMA = SHARED / "schemas" / "host.schema.json"
HOST: dict[str, Any] = json.loads((ROOT / "host.json").read_text())


@pytest.mark.skipif(
    not SCHEMA.exists(), reason=f"no host.json schema beside the checkout: {SCHEMA.name}"
)
def test_host_json_fits_its_schema() -> None:
    """The published schema finds nothing wrong with host.json."""
    validator = Draft4Validator(json.loads(SCHEMA.read_text()))
    assert [error.message for error in validator.iter_errors(HOST)] == []


def test_every_queue_setting_is_set_on_purpose() -> None:
    """None of the six is left to a default that depends on the machine or burns retries."""
    queues = HOST["extensions"]["queues"]
    assert queues.keys() == {
        "batchSize",
        "newBatchThreshold",
        "visibilityTimeout",
        "maxDequeueCount",
        "maxPollingInterval",
        "messageEncoding",
    }
    assert queues["visibilityTimeout"] != "00:00:00"
    assert queues["maxPollingInterval"] == "00:00:01"  # so long may a check lie on an idle queue
    assert queues["messageEncoding"] == "none"
    assert MAX_MESSAGE_BYTES == 49_152


def test_telemetry_and_time_limit_are_set() -> None:
    """OpenTelemetry is on, and a run ends well before a message becomes visible again."""
    assert HOST["telemetryMode"] == "OpenTelemetry"
    assert HOST["functionTimeout"] == "00:30:00"


def test_what_is_deployed_leaves_the_rest_out() -> None:
    """.funcignore names every folder that is not part of the app, and none that is."""
    ignored = (ROOT / ".funcignore").read_text().split()
    for folder in ("tests/", "local/", "entra_sod/cli/", "benchmarks/", "node_modules/", "docs/"):
        assert folder in ignored
    for kept in (
        "functions/",
        "entra_sod/",
        "rules/",
        "function_app.py",
        "host.json",
        "requirements.txt",
    ):
        assert kept not in ignored


def test_requirements_are_locked_with_hashes_and_pin_the_runtime() -> None:
    """Every deployed package has hashes; the worker's code on Azure is what the tests drive."""
    text = (ROOT / "requirements.txt").read_text()
    pinned = [line for line in text.splitlines() if "==" in line and not line.startswith(" ")]
    assert len(pinned) > 20
    assert text.count("--hash=") >= len(pinned)
    runtime = [line.split()[0] for line in pinned if line.startswith("azure-functions-")]
    assert runtime == [f"azure-functions-runtime=={version('azure-functions-runtime')}"]


def test_no_requirement_hides_a_folder_of_the_app() -> None:
    """Packages come before the app on Azure's sys.path: one with `functions` would hide ours."""
    text = (ROOT / "requirements.txt").read_text()
    required = set(re.findall(r"^([a-z0-9][a-z0-9._-]*)==", text, flags=re.MULTILINE))
    ours = {path.stem for path in ROOT.iterdir() if path.is_dir() or path.suffix == ".py"}
    hiding = {
        name: distributions
        for name, distributions in packages_distributions().items()
        if name in ours and required & {each.lower().replace("_", "-") for each in distributions}
    }
    assert len(required) > 20
    assert {"functions", "rules", "function_app"} <= ours
    assert hiding == {}


def test_the_described_settings_are_those_that_the_template_is_held_to() -> None:
    """Two ways to find what the code reads agree: its source, and what it asks for when run."""
    read = settings_read((ROOT / "entra_sod" / "settings" / "__init__.py").read_text())
    described = {name for name in DESCRIPTIONS if not name.startswith("AzureWebJobsStorage")}
    assert "GRAPH_REQUESTS_PER_10S" in described
    assert described == read
