import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette

from local.graph import Simulator, odd
from local.graph.authorization import (
    ACCESS_PACKAGE_MANAGER,
    CATALOG_OWNER,
    CATALOG_READER,
)
from local.graph.demo import APP_CLIENT_ID, FINANCE, HELPDESK_CLIENT_ID, demo_tenant
from tests.local.graph.caller import Caller, app_of, with_identity
from tests.local.graph.contract import Description

CHECKOUT = Path(__file__).parents[3]


@pytest.fixture
def app() -> Starlette:
    tenant = demo_tenant()
    with_identity(tenant, "auditor", permission="EntitlementManagement.Read.All")
    with_identity(tenant, "admin", permission="EntitlementManagement.ReadWrite.All")
    with_identity(tenant, "directory", permission="Group.Read.All")
    with_identity(tenant, "powerless")
    with_identity(tenant, "reader", role=CATALOG_READER, catalog_id=FINANCE)
    with_identity(tenant, "owner", role=CATALOG_OWNER, catalog_id=FINANCE)
    with_identity(tenant, "rooted", role=ACCESS_PACKAGE_MANAGER)
    return app_of(tenant)


@pytest.fixture
def simulator(app: Starlette) -> Simulator:
    found: Simulator = app.state.simulator
    return found


@pytest.fixture
async def graph(app: Starlette) -> AsyncIterator[Caller]:
    """Graph as the app sees it: a manager of Finance and Procurement."""
    caller = Caller(app, APP_CLIENT_ID)
    async with caller.http:
        yield caller


@pytest.fixture
async def helpdesk(app: Starlette) -> AsyncIterator[Caller]:
    caller = Caller(app, HELPDESK_CLIENT_ID)
    async with caller.http:
        yield caller


@pytest.fixture
async def auditor(app: Starlette) -> AsyncIterator[Caller]:
    """Graph for a caller that may read the whole tenant."""
    caller = Caller(app, "auditor-client")
    async with caller.http:
        yield caller


@pytest.fixture
async def admin(app: Starlette) -> AsyncIterator[Caller]:
    caller = Caller(app, "admin-client")
    async with caller.http:
        yield caller


@pytest.fixture
async def odd_graph() -> AsyncIterator[Caller]:
    """The odd tenant as the app sees it: a manager of its one catalog."""
    tenant = odd.odd_tenant()
    with_identity(tenant, "auditor", permission="EntitlementManagement.Read.All")
    with_identity(tenant, "directory", permission="Group.Read.All")
    caller = Caller(app_of(tenant), odd.APP_CLIENT_ID)
    async with caller.http:
        yield caller


@pytest.fixture(scope="session")
def served() -> Iterator[dict[str, str]]:
    """The settings that a simulator in a process of its own prints."""
    command = [sys.executable, "-m", "local.graph", "--port", "0"]
    with subprocess.Popen(  # noqa: S603  # our own interpreter and module
        command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(4)]
        yield dict(line.split("=", 1) for line in lines)
        process.terminate()


@pytest.fixture(scope="session")
def description(contract: Path) -> Description:
    return Description(contract / "openapi.yaml")


@pytest.fixture(scope="session")
def contract() -> Path:
    """The folder with what Graph documents, where it lies beside the checkout."""
    shared = Path(os.environ.get("ENTRA_SOD_SHARED", CHECKOUT.parent / "shared"))
    folder = shared / "graph-contract"
    if not folder.is_dir():
        pytest.skip(f"no contract at {folder}; ENTRA_SOD_SHARED names another place")
    return folder
