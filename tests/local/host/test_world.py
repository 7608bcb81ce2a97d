"""The whole local world: simulator, storage and host together."""

from pathlib import Path

import httpx
import pytest

from local.world import World, printed_settings
from tests.local.host.conftest import SAMPLE_APP

pytestmark = pytest.mark.host


def test_a_world_starts_all_three(tmp_path: Path) -> None:
    """Hosts get the settings of simulator and storage, and what the test adds to them."""
    with World(WORK_QUEUE="world", SAMPLE_DIARY=str(tmp_path / "diary")) as world:
        assert world.environment["GRAPH_ROOT"] == world.graph.root
        assert world.environment["AzureWebJobsStorage"] == world.storage
        assert world.environment["IDENTITY_ENDPOINT"].startswith(world.graph.root)
        host = world.start_host(app=SAMPLE_APP, auth=True)
        assert httpx.get(f"{host.url}/api/echo/1").status_code == 401
        world.graph.behave(page_size=7)
        world.graph.reset()
        assert world.graph.requests() == []
        assert world.graph.tenant()
    assert host.returncode == 0


def test_settings_are_read_from_what_the_simulator_prints() -> None:
    """Lines of another form are left out."""
    printed = "GRAPH_ROOT=http://127.0.0.1:1/a=b\nINFO started\nURL?x=y\n"
    assert printed_settings(printed) == {"GRAPH_ROOT": "http://127.0.0.1:1/a=b"}
