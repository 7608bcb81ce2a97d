"""The console: one HTML file without data, whose script asks the app's own routes. Pure."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from entra_sod.services.report.render import policy_of, shared_style

_FOLDER = Path(__file__).with_name("page")
LIBRARY = _FOLDER / "library.js"
SCRIPTS = (
    "base.js",
    "words.js",
    "session.js",
    "parts.js",
    "sign-in.js",
    "home.js",
    "subjects.js",
    "decide.js",
    "findings.js",
    "rules.js",
    "exceptions.js",
    "selections.js",
    "writing.js",
    "sweeps.js",
    "doctor.js",
    "main.js",
)


@cache
def render() -> bytes:
    """Build the page. It is the same for every caller."""
    page = (_FOLDER / "console.html").read_text(encoding="utf-8")
    page = page.replace("{{policy}}", policy()).replace("{{style}}", _style())
    return page.replace("{{script}}", _script()).encode()


def policy() -> str:
    """The Content-Security-Policy: the page's own script and style, and requests to the app."""
    return policy_of(_script(), _style(), "connect-src 'self'")


@cache
def _script() -> str:
    parts = [(_FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS]
    library = LIBRARY.read_text(encoding="utf-8")
    # The library's files look for the window as `this`, which strict code does not have.
    return library + "(() => {\n'use strict';\n" + "\n".join(parts) + "\n})();"


@cache
def _style() -> str:
    return shared_style() + (_FOLDER / "console.css").read_text(encoding="utf-8")
