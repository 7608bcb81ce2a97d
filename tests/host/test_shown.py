"""The routes for people who look things up, on a host with a tenant and real storage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from entra_sod.domain.callers.routes import ROUTES
from local.graph.demo import APPROVE_INVOICES, MAINTAIN_VENDORS
from tests.host.client import Caller
from tests.host.conftest import Stage
from tests.host.test_selections import Watched

pytestmark = [pytest.mark.slow, pytest.mark.host, pytest.mark.timeout(300)]

COOKIE = {"Cookie": "AppServiceAuthSession=x"}
PROOF = {"X-Requested-With": "entra-sod"}


class Looking:
    """A reader of a running app."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/api"

    def get(self, path: str) -> dict[str, Any]:
        answer = httpx.get(f"{self.url}/{path}", timeout=60)
        assert answer.status_code == httpx.codes.OK, (path, answer.text)
        found: dict[str, Any] = answer.json()
        return found

    def approve(self, headers: dict[str, str], **selections: str) -> httpx.Response:
        rules = [{"id": name, "selection": text} for name, text in selections.items()]
        return httpx.post(
            f"{self.url}/selections/approve", json={"rules": rules}, headers=headers, timeout=60
        )


def test_before_the_first_sweep_nothing_is_called_empty(world: Stage) -> None:
    """Subjects are not known, rules are not checked, exceptions have no packages."""
    looking = Looking(world.start_host(auth=False).url)
    answer = httpx.get(f"{looking.url}/subjects", timeout=60)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:entra-sod:problem:no-index")
    assert {each["findings"] for each in looking.get("rules")["rules"]} == {None}
    assert looking.get("exceptions")["total"] == len(looking.get("exceptions")["exceptions"])
    assert {str(each) for each in ROUTES.values()} >= set(looking.get("me")["may"])
    assert looking.get("freeze")["frozen"] is None
    assert looking.get("subscriptions")["subscriptions"] == []


def test_what_waits_is_shown_and_approved_and_written(world: Stage, tmp_path: Path) -> None:
    """A sweep, a change, the page's approval: refused without its header, then as it was shown."""
    watched = Watched(world, tmp_path)
    watched.night()
    scopes = [*watched.grants(APPROVE_INVOICES), *watched.grants(MAINTAIN_VENDORS)]
    watched.change(APPROVE_INVOICES, resourceRoleScopes=scopes)
    host = world.start_host(auth=False, **watched.settings)
    held = Caller(host.url).sweep(host)["references"]["held"]
    looking = Looking(host.url)
    [rule] = looking.get("selections")["rules"]
    assert (rule["waits"], rule["approving"]["writeCount"]) == (True, len(held))

    selections = {rule["id"]: rule["selection"]}
    refused = looking.approve(COOKIE, **selections)
    assert (refused.status_code, refused.json()["type"]) == (
        403,
        "urn:entra-sod:problem:cross-site",
    )
    stale = looking.approve({**COOKIE, **PROOF}, **{rule["id"]: "sha256:" + "0" * 64})
    assert stale.status_code == httpx.codes.CONFLICT
    approved = looking.approve({**COOKIE, **PROOF}, **selections)
    assert approved.status_code == httpx.codes.OK, approved.text

    written = Caller(host.url).sweep(host)["references"]["written"]
    assert len(written) == len(held)
    [after] = looking.get("rules")["rules"]
    assert (after["enforcement"]["state"], after["enforcement"]["missing"]) == ("both-ways", 0)


def test_a_subject_of_the_list_is_shown_whole(world: Stage) -> None:
    """Each that a search finds, by either id, with findings that the list of findings has."""
    host = world.start_host(auth=False)
    Caller(host.url).sweep(host)
    looking = Looking(host.url)
    page = looking.get("subjects?limit=1000")
    assert page["subjects"]
    for each in page["subjects"]:
        found = looking.get(f"subjects/{each['objectId'] or each['subjectId']}")
        assert len(found["holds"]) >= each["packages"]
        standing = [one for one in found["findings"] if one["state"] not in {"resolved", "on-hold"}]
        assert len(standing) == each["findings"]
        assert each in looking.get(f"subjects?search={each['subjectId']}")["subjects"]
