"""Requests that no contract describes: methods, paths, encodings and headers of every kind."""

from __future__ import annotations

import random
from collections.abc import Iterator

import httpx

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "BREW")
_PATHS = (
    "", "checks", "checks/1", "decisions", "decisions/batch", "sweeps", "sweeps/latest", "findings",
    "findings/1/claims", "subscriptions", "subscriptions/1", "webhooks/jira", "packages", "report",
    "openapi.json", "health", "nothing", "checks/1/2", "%00", "checks/%f0%9f", "..%2fledger",
)  # fmt: skip
_TEXTS = ("{}", "[]", '{"accessPackageId": "Prüfung"}', '{"a": "\\ud800"}', "9" * 5_000, "NaN", "")
_ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "latin-1")
_TYPES = ("application/json", "application/json; charset=utf-16", "text/plain", "", "a" * 2_000)
_NUMBERS = ("9" * 400, "9" * 5_000, "-1", "NaN", "1e999", "0x10", "1_0", "")
_NAMES = (
    "webhook-timestamp", "webhook-id", "X-Forwarded-Host", "X-Forwarded-For", "Idempotency-Key",
    "traceparent", "X-MS-CLIENT-PRINCIPAL", "WebHook-Request-Rate", "Accept", "X-Forwarded-Proto",
)  # fmt: skip


def fuzz_oddly(url: str, key: str, *, cases: int, seed: int) -> Iterator[str]:
    """Send requests, and yield those that an error of the app's own answers."""
    choose = random.Random(seed)  # noqa: S311 - no secret is made of it
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        for _ in range(cases):
            headers = {choose.choice(_NAMES): choose.choice(_NUMBERS)}
            headers |= {"Content-Type": choose.choice(_TYPES)}
            headers |= {"x-functions-key": choose.choice((key, key, "no-key"))}
            method, path = choose.choice(_METHODS), choose.choice(_PATHS)
            body = choose.choice(_TEXTS).encode(choose.choice(_ENCODINGS), "replace")
            query = {choose.choice(("wait", "deep", "pageSize", "x")): choose.choice(_NUMBERS)}
            answer = client.request(
                method, f"/api/{path}", params=query, headers=headers, content=body
            )
            if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
                yield f"{answer.status_code}: {method} {path} {query} {headers} {body[:80]!r}"
