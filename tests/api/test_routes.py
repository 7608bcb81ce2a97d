"""The table of operations beside the functions that the worker finds."""

from __future__ import annotations

import pytest

from entra_sod.cli.operations.api.operations import OPERATIONS
from entra_sod.domain.callers.routes import ELSEWHERE, ROUTES
from local.host.indexing import index_apart

pytestmark = pytest.mark.host


def test_the_worker_finds_every_route_of_the_table_and_no_other() -> None:
    """Function, path and method: as the worker's own indexing says."""
    triggers = {
        each.name: binding
        for each in index_apart()
        for binding in each.bindings
        if binding["type"] == "httpTrigger"
    }
    found = {(name, each["route"], *_methods(each)) for name, each in triggers.items()}
    known = {(each.function, each.path, each.method) for each in ROUTES.values()}
    assert found == known | {(ELSEWHERE.function, ELSEWHERE.path)}


def test_every_route_is_in_the_contract_once() -> None:
    """No way in is undocumented, and no document tells of one that is not there."""
    assert sorted(each.route.function for each in OPERATIONS) == sorted(ROUTES)


def _methods(binding: dict[str, object]) -> list[object]:
    methods = binding.get("methods", [])
    assert isinstance(methods, list)
    return methods
