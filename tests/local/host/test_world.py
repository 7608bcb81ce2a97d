"""The whole local world: simulator, storage and host together."""

from pathlib import Path

import httpx
import pytest
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from local.world import World, printed_settings
from tests.local.host.conftest import SAMPLE_APP

pytestmark = [pytest.mark.slow, pytest.mark.host]


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


def test_storage_keeps_over_a_restart_what_it_has_just_taken(tmp_path: Path) -> None:
    """A message and a row that were written a moment before are there again, at the same ports."""
    with World(storage_folder=tmp_path) as world:
        with QueueServiceClient.from_connection_string(world.storage) as queues:
            queues.create_queue("kept").send_message("a")
        with TableServiceClient.from_connection_string(world.storage) as tables:
            tables.create_table("kept").create_entity({"PartitionKey": "p", "RowKey": "r"})
            world.restart_storage()
            rows = list(tables.get_table_client("kept").list_entities())
        with QueueServiceClient.from_connection_string(world.storage) as queues:
            messages = queues.get_queue_client("kept").peek_messages()
    assert [row["RowKey"] for row in rows] == ["r"]
    assert [message.content for message in messages] == ["a"]


def test_storage_in_memory_is_not_restarted() -> None:
    """It would lose its data; that is said in place of it."""
    with World() as world, pytest.raises(ValueError, match="in a folder"):
        world.restart_storage()
