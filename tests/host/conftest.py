from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from local.world import HostProcess, World
from tests.leftovers import clear_leftovers


@pytest.fixture(scope="session")
def shared_world(azurite: str) -> Iterator[World]:
    """One simulator and one storage for all tests of this folder."""
    with World(storage=azurite) as world:
        yield world


class Stage:
    """The shared world for one test: as at the start, and its hosts end with the test."""

    def __init__(self, world: World) -> None:
        self.graph, self.storage, self.environment = world.graph, world.storage, world.environment
        self._world, self._hosts = world, ExitStack()

    def start_host(self, *, auth: bool = False, **settings: str) -> HostProcess:
        host = self._world.start_host(auth=auth, settings=settings)
        self._hosts.callback(host.kill)
        return host

    def close(self) -> None:
        self._hosts.close()


@pytest.fixture
def world(shared_world: World) -> Iterator[Stage]:
    shared_world.graph.reset()
    clear_leftovers(shared_world.storage)
    stage = Stage(shared_world)
    yield stage
    stage.close()
