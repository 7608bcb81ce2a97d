"""A short run of `make fuzz`."""

from __future__ import annotations

import json

import pytest

from local.processes import CHECKOUT
from local.world import World
from tests.fuzz.run import fuzz

SEED, ENOUGH = 1, 400

pytestmark = [pytest.mark.slow, pytest.mark.host, pytest.mark.timeout(300)]


def test_the_app_keeps_its_contract(azurite: str) -> None:
    """No generated request gets a 5xx, or an answer that the contract does not have."""
    paths = json.loads((CHECKOUT / "docs" / "openapi.json").read_text(encoding="utf-8"))["paths"]
    methods = {"get", "post", "put", "delete", "options"}
    operations = sum(method in methods for path in paths.values() for method in path)
    with World(storage=azurite) as world:
        rounds = list(fuzz(world, cases=1, seed=SEED, examples=5))
    assert all(each.passed for each in rounds), rounds[-1].report
    assert rounds[-1].operations == operations
    assert sum(each.cases for each in rounds) >= ENOUGH
