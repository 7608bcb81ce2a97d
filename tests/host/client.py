"""A caller of the running app, as a ticketing system or a Logic App would be one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import httpx

ENDED_WITHIN_SECONDS = 60


@dataclass(frozen=True)
class Caller:
    """Asks a host by HTTP; a host that is away for a moment is asked again."""

    url: str

    def start(self, first: str, second: str, **fields: str) -> str:
        """Post a check and return the address of its answer."""
        body = {"accessPackageId": first, "incompatibleAccessPackageId": second, **fields}
        answer = httpx.post(f"{self.url}/api/checks", json=body, timeout=30)
        answer.raise_for_status()
        location: str = answer.headers["Location"]
        return location

    def check(self, first: str, second: str, **fields: str) -> dict[str, Any]:
        return self.wait(self.start(first, second, **fields))

    def wait(self, location: str, seconds: float = ENDED_WITHIN_SECONDS) -> dict[str, Any]:
        """Poll until the answer is no longer 202."""
        deadline = time.monotonic() + seconds
        answer = httpx.get(location, timeout=30)
        while answer.status_code == httpx.codes.ACCEPTED:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{location} did not end in {seconds} s: {answer.text}")
            time.sleep(0.1)
            answer = httpx.get(location, timeout=30)
        result: dict[str, Any] = answer.raise_for_status().json()
        return result

    def sweep(self, host: Any) -> dict[str, Any]:
        """Run the timer by hand and wait for its sweep."""
        before = httpx.get(f"{self.url}/api/sweeps/latest", timeout=30)
        known = before.json().get("id") if before.is_success else None
        host.run_by_hand("start_sweep")
        deadline = time.monotonic() + ENDED_WITHIN_SECONDS
        while time.monotonic() < deadline:
            answer = httpx.get(f"{self.url}/api/sweeps/latest", timeout=30)
            if answer.status_code == httpx.codes.OK and answer.json()["id"] != known:
                result: dict[str, Any] = answer.json()
                return result
            time.sleep(0.1)
        raise TimeoutError("the sweep did not end")
