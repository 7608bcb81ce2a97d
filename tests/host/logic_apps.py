"""A client that behaves as the HTTP action of Azure Logic Apps is documented to.

It leaves out the headers that the action strips, repeats up to four times on 408, 429 and 5xx, and
takes a 202 for the beginning of its asynchronous pattern: it asks at Location, which must be
absolute, with the same headers, until the answer is something else. Only its waits are shorter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from local.graph.demo import APPROVE_INVOICES, PAY_INVOICES

RETRIES = 4
BODY = {
    "accessPackageId": PAY_INVOICES,
    "incompatibleAccessPackageId": APPROVE_INVOICES,
    "reference": "CHG-1042",
}
_STRIPPED_PREFIXES = ("accept-", "allow", "content-")
_KEPT = {"content-type", "content-disposition", "content-encoding"}
_STRIPPED = {"accept", "cookie", "expires", "host", "last-modified", "origin", "set-cookie"}
# A second of the action's is so long here.
_SECOND = 0.05


@dataclass
class HttpAction:
    """One action of a workflow.

    Attributes:
        headers: as the workflow's author set them.
        pause: called before each poll, in place of a wait of so many seconds.
        polls: how often it has asked at Location.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    pause: Callable[[float], None] = lambda seconds: time.sleep(seconds * _SECOND)
    polls: int = 0

    def run(self, url: str, body: Mapping[str, object]) -> httpx.Response:
        """POST, and poll until there is an answer that is no 202."""
        answer = self._with_retries("POST", url, body)
        while answer.status_code == httpx.codes.ACCEPTED:
            location = answer.headers["Location"]
            if not urlsplit(location).scheme:
                raise ValueError(f"Location is not absolute: {location}")
            self.pause(float(answer.headers.get("Retry-After", "20")))
            self.polls += 1
            answer = self._with_retries("GET", location, None)
        return answer

    def _with_retries(
        self, method: str, url: str, body: Mapping[str, object] | None
    ) -> httpx.Response:
        answer = self._send(method, url, body)
        for attempt in range(RETRIES):
            if not _is_passing(answer.status_code):
                break
            # The first repetition may come at once.
            self.pause(attempt * 7.5)
            answer = self._send(method, url, body)
        return answer

    def _send(self, method: str, url: str, body: Mapping[str, object] | None) -> httpx.Response:
        request = httpx.Request(method, url, headers=kept(self.headers), json=body)
        with httpx.Client(timeout=30, trust_env=False) as client:
            return client.send(request)


def kept(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that the action sends on."""
    return {
        name: value
        for name, value in headers.items()
        if name.lower() in _KEPT
        or not (name.lower() in _STRIPPED or name.lower().startswith(_STRIPPED_PREFIXES))
    }


def result_of(answer: httpx.Response) -> dict[str, Any]:
    result: dict[str, Any] = answer.raise_for_status().json()
    return result


def authored(key: str, **more: str) -> dict[str, str]:
    """Headers as a workflow's author would set them, some of which the action strips."""
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return {"x-functions-key": key, "Accept": "text/html", "Cookie": "a=b", "Origin": "x", **named}


def is_the_verdict(result: dict[str, Any]) -> bool:
    """Whether it is the answer to `BODY`: seven people of the demo both pay and approve."""
    told = (result["status"], result["outcome"], result["holderCount"], result["reference"])
    return told == ("completed", "conflict", 7, "CHG-1042")


def _is_passing(status: int) -> bool:
    return status in (408, 429) or status >= 500
