from __future__ import annotations

import re
from pathlib import Path

import pytest

from local.host.indexing import index_apart

ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.host


def test_the_worker_lists_exactly_the_functions_that_the_readme_names() -> None:
    """Microsoft's own indexing finds what the README's table promises, no more and no less."""
    readme = (ROOT / "README.md").read_text()
    table = readme.split("## Functions", 1)[1].split("\n## ", 1)[0]
    promised = re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)
    assert sorted(promised) == [each.name for each in index_apart()]


def test_triggers_are_bound_as_designed() -> None:
    """Queues, schedule and connection are on the bindings by their names."""
    bindings = {each.name: each.bindings[0] for each in index_apart()}
    queues = {name: each["queueName"] for name, each in bindings.items() if "queueName" in each}
    assert queues == {
        "run_check": "conflict-checks",
        "run_sweep_pairs": "sweep-pairs",
        "deliver": "deliveries",
        "poisoned_check": "conflict-checks-poison",
        "poisoned_sweep_pairs": "sweep-pairs-poison",
        "poisoned_delivery": "deliveries-poison",
    }
    assert bindings["start_sweep"]["schedule"] == "%SWEEP_SCHEDULE%"
    assert not bindings["start_sweep"].get("runOnStartup")
    http = {name for name, each in bindings.items() if each["type"] == "httpTrigger"}
    # The app asks who calls: the host, which knows its own keys alone, is told to let all in.
    assert {bindings[name]["authLevel"] for name in http} == {"ANONYMOUS"}
