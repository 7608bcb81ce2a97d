"""The table of operations beside the functions that the worker finds."""

from __future__ import annotations

import pytest

from entra_sod.api.operations import OPERATIONS
from entra_sod.domain.callers.routes import ROUTES, Open
from local.host.indexing import index_apart

pytestmark = pytest.mark.host


def test_every_route_is_in_the_contract_and_nothing_else() -> None:
    """Function, path, methods and whether a key is wanted: as the worker's own indexing says."""
    triggers = {
        each.name: binding
        for each in index_apart()
        for binding in each.bindings
        if binding["type"] == "httpTrigger"
    }
    found = {
        (name, f"/{binding['route']}", str(method), _is_open(binding, method))
        for name, binding in triggers.items()
        for method in _methods(binding)
    }
    told = {(each.function, each.path, each.method, each.is_open) for each in OPERATIONS}
    assert found == told
    assert len(OPERATIONS) == len({each.id for each in OPERATIONS})


def _is_open(binding: dict[str, object], method: object) -> bool:
    """Whether the guard, which every route is behind, lets everybody through."""
    return isinstance(ROUTES[f"{method} {binding['route']}"], Open)


def _methods(binding: dict[str, object]) -> list[object]:
    methods = binding["methods"]
    assert isinstance(methods, list)
    return methods
