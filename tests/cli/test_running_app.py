from __future__ import annotations

from collections.abc import Mapping

import httpx
import msgspec
import pytest

from entra_sod.cli.running_app import (
    MAX_ATTEMPTS,
    MAX_WAIT_SECONDS,
    AppError,
    EndedWork,
    checked_address,
    open_app,
)
from tests.cli.remote import (
    ADDRESS,
    FAILED,
    STARTED,
    answering,
)


async def test_the_key_goes_to_the_address_it_was_given_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is a header, never a part of the address; a Location on another host is not followed."""
    monkeypatch.setenv("ENTRA_SOD_KEY", " sesame ")
    async with open_app(f"{ADDRESS}/", lambda _: None) as app:
        assert app._http.headers["x-functions-key"] == "sesame"

    def elsewhere(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "app.example.com"
        headers = {"Location": "https://evil.example/api/sweeps/s"}
        if request.method == "POST":
            return httpx.Response(202, json=STARTED, headers=headers)
        return httpx.Response(302, headers=headers)

    asked = answering(elsewhere, "sesame")
    started = await asked.app.start_sweep()
    with pytest.raises(AppError, match="redirects"):
        await asked.app.sweep(started.id)


async def test_a_token_goes_beside_or_in_place_of_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Entra's tokens are asked for; what is no token is refused without showing it."""
    monkeypatch.setenv("ENTRA_SOD_TOKEN", "ey.token")
    async with open_app(ADDRESS, lambda _: None) as app:
        assert app._http.headers["authorization"] == "Bearer ey.token"
        assert "x-functions-key" not in app._http.headers
    monkeypatch.setenv("ENTRA_SOD_TOKEN", "sec\nret")
    with pytest.raises(AppError, match="ENTRA_SOD_TOKEN") as caught:
        async with open_app(ADDRESS, lambda _: None):
            pass
    assert "ret" not in str(caught.value).replace("secret", "")


@pytest.mark.parametrize(
    ("status", "headers", "waited"),
    [
        (429, {"Retry-After": "7"}, 7.0),
        (503, {"Retry-After": "9999"}, MAX_WAIT_SECONDS),
        (503, {}, 10.0),
        (503, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 10.0),
    ],
)
async def test_a_busy_app_is_asked_again_when_it_says_so(
    status: int, headers: Mapping[str, str], waited: float
) -> None:
    """429 and 503 are waited out by Retry-After, within reason, and the reason is told."""
    answers = [httpx.Response(status, headers=headers), httpx.Response(202, json=STARTED)]
    asked = answering(lambda _: answers.pop(0))
    assert (await asked.app.start_sweep()).id == "s"
    assert asked.clock.slept == [waited]
    assert f"the app answers {status}" in asked.told[0]


async def test_an_app_that_stays_busy_is_an_error_with_its_own_words() -> None:
    """After six answers the app's problem is what the command says."""
    problem = {"title": "The app is not set up", "detail": "RULES must name a container."}
    asked = answering(lambda _: httpx.Response(503, json=problem))
    with pytest.raises(AppError, match="not set up: RULES must name a container"):
        await asked.app.start_sweep()
    assert len(asked.clock.slept) == MAX_ATTEMPTS - 1


async def test_an_app_that_is_away_for_a_moment_is_asked_again() -> None:
    """A connection that breaks while a sweep is followed does not end the following."""
    answers: list[httpx.Response | None] = [httpx.Response(202, json=STARTED), None]

    def restarting(request: httpx.Request) -> httpx.Response:
        if answers and (answer := answers.pop(0)):
            return answer
        if not asked.clock.slept:
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(200, json=msgspec.to_builtins(FAILED))

    asked = answering(restarting)
    await asked.app.start_sweep()
    assert isinstance(await asked.app.sweep("s"), EndedWork)
    assert "does not answer: refused" in asked.told[0]


async def test_an_app_that_never_answered_is_an_error_at_once() -> None:
    """A wrong address is not asked six times over."""

    def refused(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    asked = answering(refused)
    with pytest.raises(AppError, match="Is it the app's address"):
        await asked.app.start_sweep()
    assert asked.clock.slept == []


@pytest.mark.parametrize(
    ("status", "body", "key", "words"),
    [
        (401, "", "", r"it requires a key\. Set ENTRA_SOD_KEY"),
        (401, "", "k", "it does not accept the key in ENTRA_SOD_KEY"),
        (403, "", "k", "it does not accept the key in ENTRA_SOD_KEY"),
        (404, "", "", "ends in /api"),
        (500, "oops", "", "The app answers 500."),
        (422, '{"title": "No", "detail": "not so."}', "", r"answers 422 \(No: not so\)"),
        (200, "<html>", "", "The app answers 200"),
        (202, "<html>", "", "is no entra-sod of this version"),
        (202, '{"id": 7}', "", "is no entra-sod of this version"),
    ],
)
async def test_each_refusal_says_what_to_do(status: int, body: str, key: str, words: str) -> None:
    """Key, address and version: the message names what is to be changed, and nothing secret."""
    asked = answering(lambda _: httpx.Response(status, text=body), key)
    with pytest.raises(AppError, match=words):
        await asked.app.start_sweep()


async def test_a_sweep_that_is_gone_is_told_in_the_apps_words() -> None:
    """404 and 410 of a sweep are no wrong address: the app's own detail is said."""
    problem = {"title": "No such sweep", "detail": "There is no such sweep."}
    asked = answering(lambda _: httpx.Response(404, json=problem))
    with pytest.raises(AppError, match="There is no such sweep"):
        await asked.app.sweep("s")


@pytest.mark.parametrize("url", [ADDRESS, "http://localhost:7071/api", "http://[::1]:7071/api"])
def test_safe_addresses_are_taken(url: str) -> None:
    """Https anywhere, http on this machine; a slash at the end makes no difference."""
    assert checked_address(f" {url}/ ") == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "app.example.com/api",
        "http://app.example.com/api",
        "http://127.0.0.1.evil.example/api",
        "ftp://localhost/api",
        "https://",
        "https://[::1/api",
        "https://app.example.com:99999/api",
        "https://user@app.example.com/api",
        "https://app.example.com/api?code=secret",
    ],
)
def test_an_address_that_a_key_may_not_go_to_is_refused(url: str) -> None:
    """The message never repeats the address: it may have a key in it."""
    with pytest.raises(AppError) as caught:
        checked_address(url)
    assert "secret" not in str(caught.value)
