"""The first example of the page, in the tenant of the local world and under its rules."""

from __future__ import annotations

import json
import re

import msgspec
import pytest

from entra_sod.bootstrap.make_engine import make_engine
from entra_sod.bootstrap.make_records import make_records
from entra_sod.core.clock import SystemClock
from entra_sod.domain.callers.identify import CallerSettings
from entra_sod.services.callers.admission import Admission
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.settings import read_settings
from entra_sod.stores.rule_files import FolderRules
from functions.http.decisions import decide
from local.graph.demo import APP_CLIENT_ID, demo_tenant
from local.memory.sender import MemorySender
from local.memory.storage import MemoryStorage
from local.processes import CHECKOUT
from tests.adapters.graph.fixtures import Connect, Simulator
from tests.app import body_of, install_parts
from tests.services.decisions.test_decisions import post


@pytest.fixture(autouse=True)
def _app_is_put_back(make_app: object) -> None:
    """What a test installs is taken out again."""


async def test_b3_the_example_is_about_a_subject_that_is_denied(
    simulator: Simulator, connect: Connect
) -> None:
    """The page's request gets the decision and the reason that the page shows."""
    page = (CHECKOUT / "docs" / "how-to" / "call-the-api.md").read_text(encoding="utf-8")
    request, *_ = re.findall(r"-d '(\{.*?\})'", page, re.DOTALL)
    shown = json.loads(re.findall(r"```json\n(.*?)```", page, re.DOTALL)[0])
    simulator.control.replace_tenant(json.loads(msgspec.json.encode(demo_tenant())))
    records, graph = (
        make_records(MemoryStorage(), SystemClock()),
        connect(AZURE_CLIENT_ID=APP_CLIENT_ID),
    )
    rules = RulesProvider(FolderRules(CHECKOUT / "rules"), graph, records.clock)
    engine = make_engine(records, graph, rules, read_settings({}), MemorySender())
    admission = Admission(CallerSettings(is_open=True), records.clock)
    install_parts(records, engine, admission=admission)
    answer = body_of(await post(json.loads(request), decide))
    assert {name: answer[name] for name in shown} == shown
    assert (shown["decision"], shown["subjectKnown"]) == ("deny", True)
