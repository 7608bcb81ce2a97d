"""Fixtures for every test."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import settings

from local.processes import Process, free_ports
from local.storage import connection_string
from tests.app import App, install_parts

_STORAGE_PORTS = 3

# No test asserts a time: how long an example takes is the machine's affair.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def azurite() -> Iterator[str]:
    """The connection string of an Azurite that lives as long as the test run."""
    with _running_azurite() as connection:
        yield connection


@pytest.fixture
def new_azurite() -> Iterator[str]:
    """One of its own, for a test of names that others' tests may have written to."""
    with _running_azurite() as connection:
        yield connection


@contextmanager
def _running_azurite() -> Iterator[str]:
    port = free_ports(_STORAGE_PORTS)
    with Process([sys.executable, "-m", "local.storage", "--port", str(port)]) as storage:
        storage.wait_ready(lambda: "AzureWebJobsStorage=" in storage.output(), 60)
        yield connection_string(port)


@pytest.fixture
def make_app() -> Iterator[type[App]]:
    """The app in memory; what was installed is taken out again after the test."""
    yield App
    install_parts()
