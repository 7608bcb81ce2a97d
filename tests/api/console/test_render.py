"""The console's file: nothing in it but its own script and style, and no data."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import azure.functions as func
import pytest

import tasks
from entra_sod.api.console.render import LIBRARY, SCRIPTS, policy, render
from functions.http.console import get_console
from tests.app import call


async def get(accept: str = "text/html,*/*;q=0.8") -> func.HttpResponse:
    url = "https://app.example.com/api/console"
    return await call(
        get_console, func.HttpRequest("GET", url, headers={"Accept": accept}, body=b"")
    )


def test_the_policy_allows_its_own_script_and_requests_to_the_app_alone() -> None:
    """One script and one style by hashes of what is in the file, and no other host."""
    page = render().decode()
    [script] = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    [style] = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    hashes = [
        base64.b64encode(hashlib.sha256(each.encode()).digest()).decode()
        for each in (script, style)
    ]
    assert policy().split("; ") == [
        "default-src 'none'",
        f"script-src 'sha256-{hashes[0]}'",
        f"style-src 'sha256-{hashes[1]}'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert f'http-equiv="Content-Security-Policy" content="{policy()}"' in page


async def test_the_page_may_not_be_framed_kept_or_sniffed() -> None:
    """The same policy is a header, with `frame-ancestors`."""
    answer = await get()
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert answer.headers["Content-Security-Policy"] == f"{policy()}; frame-ancestors 'none'"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_a_form_other_than_html_is_refused() -> None:
    """A program that asks for JSON is told that there is none."""
    assert (await get("application/json")).status_code == 406


@pytest.mark.parametrize("word", ["localStorage", "sessionStorage", "indexedDB", "document.cookie"])
def test_nothing_is_stored_in_the_browser(word: str) -> None:
    """No token, key or answer outlives the page."""
    assert word not in render().decode()


@pytest.mark.parametrize(
    "word", ["nnerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "Function("]
)
def test_our_scripts_make_no_markup_and_no_code_of_text(word: str) -> None:
    """What came from the tenant can become text alone."""
    for name in SCRIPTS:
        code = (LIBRARY.parent / name).read_text(encoding="utf-8")
        assert word not in code, name


def test_every_script_of_the_folder_is_in_the_page() -> None:
    """A module that is not named would never run."""
    assert {each.name for each in LIBRARY.parent.glob("*.js")} == {LIBRARY.name, *SCRIPTS}


def test_the_library_is_what_its_packages_ship() -> None:
    """The checked-in file equals the builds in node_modules; `make console` writes it."""
    modules = Path(tasks.ROOT, "node_modules")
    if not (modules / "preact").is_dir():
        pytest.skip("the console's library was NOT compared: run make setup for node_modules")
    assert LIBRARY.read_text(encoding="utf-8") == tasks.console_library(modules)
    licences = tasks.CONSOLE_LICENCES.read_text(encoding="utf-8")
    assert licences == tasks.console_licences(modules)
    assert "Permission is hereby granted" in licences
