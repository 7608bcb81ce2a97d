from __future__ import annotations

import pytest

from entra_sod.cli.expected import EXPECTED
from local.host.indexing import index_apart

pytestmark = pytest.mark.host


def test_the_worker_lists_exactly_the_functions_of_this_version() -> None:
    """Microsoft's own indexing finds what the reference is made of, no more and no less."""
    assert sorted(EXPECTED) == [each.name for each in index_apart()]


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
