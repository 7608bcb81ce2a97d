"""A sweep that an operator freezes while it writes, on a host with real storage."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.host.client import Caller
from tests.host.conftest import Stage
from tests.host.test_budget import writes

pytestmark = [pytest.mark.slow, pytest.mark.host, pytest.mark.timeout(300)]

SLOW_WRITE = {
    "kind": "delay",
    "seconds": 10,
    "match": {"method": "POST", "path_contains": "/incompatible"},
    "skip": 4,
    "times": 1,
}


def test_a_sweep_that_is_frozen_while_it_writes_goes_on_after_it(world: Stage) -> None:
    """The write under way is finished, the next is not begun, and none is made or counted twice."""
    host = world.start_host(auth=False, ENFORCEMENT="apply")
    caller, freeze = Caller(host.url), f"{host.url}/api/freeze"
    world.graph.add_faults(SLOW_WRITE)
    host.run_by_hand("start_sweep")
    wait_for_writes(world, 4)
    httpx.put(freeze, json={"reason": "an audit"}, timeout=30).raise_for_status()
    result = caller.wait(f"{host.url}/api/sweeps/latest", 100)
    stopped, done = result["stopped"], writes(world).total()
    assert (stopped["by"], stopped["frozen"]["reason"]) == ("freeze", "an audit")
    assert len(result["references"]["written"]) == done < result["referenceCounts"]["planned"]
    assert stopped["left"] == result["referenceCounts"]["planned"] - done
    httpx.delete(freeze, timeout=30).raise_for_status()
    again = caller.sweep(host)
    assert again["stopped"] is None
    assert writes(world) == {"POST": result["referenceCounts"]["planned"]}
    ready = httpx.get(f"{host.url}/api/ready", timeout=30).json()
    assert ready["writing"]["used"] == result["referenceCounts"]["planned"]


def wait_for_writes(world: Stage, number: int) -> None:
    deadline = time.monotonic() + 60
    while writes(world).total() < number:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{number} references were not written")
        time.sleep(0.1)
