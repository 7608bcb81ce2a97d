"""What the root logger of Microsoft's worker gets, which on Azure goes to Application Insights."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import httpx
import pytest

from local.graph.demo import APPROVE_INVOICES, PAY_INVOICES
from local.world import HostProcess
from tests.host.client import Caller
from tests.host.conftest import Stage

pytestmark = pytest.mark.host

_ADDRESS = re.compile(r"https?://|/api/|/v1\.0/|\?\$")


def records(host: HostProcess) -> Iterator[tuple[str, str]]:
    """Each record's logger and whole line; the root has one handler, at INFO."""
    for line in host.output().splitlines():
        if line.startswith("{"):
            yield json.loads(line)["logger"], line


def of_the_worker(host: HostProcess) -> list[tuple[str, str]]:
    """All but the local host's own lines, which the worker on Azure does not write."""
    return [(name, line) for name, line in records(host) if name != "host"]


def test_no_address_and_no_object_id_reaches_the_workers_root_logger(world: Stage) -> None:
    """Over a check, a sweep and a decision: calls name persons in their addresses, logs do not."""
    host = world.start_host(LOCAL_HOST_LOG="json")
    caller = Caller(host.url)
    subjects = world.graph.tenant()["subjects"]
    persons = {each[key] for each in subjects for key in ("id", "objectId")} - {None}
    caller.check(PAY_INVOICES, APPROVE_INVOICES)
    caller.sweep(host)
    asked = {"subject": subjects[0]["objectId"], "accessPackageId": PAY_INVOICES}
    assert (
        httpx.post(f"{host.url}/api/decisions", json=asked, timeout=30).status_code
        == httpx.codes.OK
    )

    said = of_the_worker(host)
    assert any(person in str(world.graph.requests()) for person in persons)
    assert len(persons) > 20
    assert {"entra_sod"} <= {name for name, _ in said}
    assert [line for _, line in said if _ADDRESS.search(line)] == []
    assert [line for _, line in said if any(person in line for person in persons)] == []
