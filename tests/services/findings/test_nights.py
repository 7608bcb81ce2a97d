"""Ten nights in which everything happens: the life of every finding is the one it ought to be."""

from __future__ import annotations

from typing import Any

import azure.functions as func
import pytest

from functions.http.findings import get_finding, list_findings
from tests.app import App, body_of, call
from tests.builders import guid
from tests.services.findings.nights import (
    PACKAGES,
    PEOPLE,
    Expected,
    Key,
    live_through,
    make,
    replay,
    story,
)

URL = "https://app.example.com/api/findings"


async def told() -> list[dict[str, Any]]:
    """Every finding, as callers get it."""
    params = {"pageSize": "1000"}
    listed = await call(list_findings, func.HttpRequest("GET", URL, params=params, body=b""))
    found = []
    for each in body_of(listed)["findings"]:
        name = each["id"]
        request = func.HttpRequest("GET", f"{URL}/{name}", route_params={"id": name}, body=b"")
        found.append(body_of(await call(get_finding, request)))
    return found


def key_of(finding: dict[str, Any]) -> Key:
    names = {guid(name): name for name in PACKAGES}
    people = {guid(who): who for who in PEOPLE}
    packages = frozenset(names[each] for each in finding["pair"])
    pair = packages if len(packages) == 2 else frozenset[str]()
    return finding["rule"], pair, people[finding["subjectId"]]


def life_of(finding: dict[str, Any]) -> Expected:
    """A finding's life, without the warnings, which change no state."""
    steps = [
        (each["at"], each["from"], each["to"], each["by"])
        for each in finding["history"]
        if each["from"] != each["to"]
    ]
    return Expected(
        state=finding["state"], first=finding["firstSeen"], last=finding["lastSeen"], steps=steps
    )


@pytest.mark.parametrize("seed", range(8))
async def test_ten_nights_are_lived_as_an_independent_replay_has_them(
    make_app: type[App], seed: int
) -> None:
    """Finding by finding: its states, when each began, by what, and when it was seen."""
    nights = story(seed)
    await live_through(make(make_app), nights)
    expected = replay(nights)
    for life in expected.values():
        life.was_excepted = False
    assert {key_of(each): life_of(each) for each in await told()} == expected


async def test_the_nights_have_everything(make_app: type[App]) -> None:
    """The stories are worth telling: each state is reached, workers die, and much returns."""
    nights = [story(seed) for seed in range(8)]
    lives = [life for each in nights for life in replay(each).values()]
    steps = {(was, now) for life in lives for _, was, now, _ in life.steps}
    assert {life.state for life in lives} == {
        *("open", "excepted", "exception-expired", "resolving", "resolved", "on-hold")
    }
    assert steps >= {
        ("resolved", "open"),
        ("excepted", "exception-expired"),
        ("on-hold", "open"),
        ("resolving", "open"),
    }
    assert sum(night.dies is not None for each in nights for night in each) > 8
    assert make_app is App
