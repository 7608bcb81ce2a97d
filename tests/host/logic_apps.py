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

RETRIES = 4
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
        for attempt in range(RETRIES + 1):
            answer = self._send(method, url, body)
            if not _is_passing(answer.status_code) or attempt == RETRIES:
                break
            # The first repetition may come at once.
            self.pause(attempt * 7.5)
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


def _is_passing(status: int) -> bool:
    return status in (408, 429) or status >= 500
