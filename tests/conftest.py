"""Fixtures for every test."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, expect

from benchmarks.browser import CHROMIUM, chromium
from local.processes import Process, free_ports
from local.storage import connection_string
from tests.app import App, install_parts

_STORAGE_PORTS = 3
# How long, in milliseconds, a page may take where other tests run beside it.
_PATIENCE = 40_000

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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser of one module's own: while it runs, so does a loop, and no other can."""
    if not CHROMIUM.exists():
        pytest.skip(f"this was NOT tried in a browser: no {CHROMIUM}; run make chromium")
    expect.set_options(timeout=_PATIENCE)
    with chromium() as started:
        yield started


@pytest.fixture
def make_app() -> Iterator[type[App]]:
    """The app in memory; what was installed is taken out again after the test."""
    yield App
    install_parts()
