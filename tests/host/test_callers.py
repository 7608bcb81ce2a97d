from __future__ import annotations

import httpx
import pytest

from tests.credentials import KEY, keys_setting, principal, with_key
from tests.host.conftest import Stage

pytestmark = pytest.mark.host


def test_tokens_and_keys_open_the_same_routes(world: Stage) -> None:
    """Through the host: a principal by its roles, a key by its digest, and 429 with Retry-After."""
    host = world.start_host(
        WEBSITE_AUTH_ENABLED="True",
        CALLER_KEYS=keys_setting(jira=KEY),
        CALLER_REQUESTS_PER_MINUTE="2",
    )
    url = f"{host.url}/api/checks"

    def post(headers: dict[str, str]) -> httpx.Response:
        return httpx.post(url, json={}, headers=headers, timeout=30, trust_env=False)

    assert post({}).status_code == 401
    assert post(with_key("guess")).headers["www-authenticate"] == "Bearer"
    assert post(principal("SoD.Read")).status_code == 403
    assert post(principal("SoD.Check")).status_code == 422
    assert [post(with_key()).status_code for _ in range(2)] == [422, 422]
    flood = post(with_key())
    assert (flood.status_code, flood.headers["content-type"]) == (429, "application/problem+json")
    assert 1 <= int(flood.headers["retry-after"]) <= 30
    assert KEY not in host.output()


def test_a_forged_principal_opens_nothing(world: Stage) -> None:
    """Without the platform its headers are untrusted; without keys no caller gets in."""
    host = world.start_host(CALLER_KEYS="")
    for headers in ({}, principal("SoD.Admin"), with_key(), with_key(host.function_key)):
        answer = httpx.get(f"{host.url}/api/ready", headers=headers, timeout=30, trust_env=False)
        assert answer.status_code == 401
    assert httpx.get(f"{host.url}/api/health", timeout=30, trust_env=False).status_code == 200
