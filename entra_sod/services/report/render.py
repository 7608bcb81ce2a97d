"""A view as one HTML file that needs no network and runs no script but its own. Pure."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from entra_sod.services.report.page_data import embedded
from entra_sod.services.report.view import ReportView

_FOLDER = Path(__file__).with_name("page")
_SCRIPTS = (
    "base.js",
    "words.js",
    "model.js",
    "links.js",
    "take.js",
    "people.js",
    "matrix.js",
    "matrix-words.js",
    "matrix-keys.js",
    "matrix-map.js",
    "found-only.js",
    "toxic.js",
    "groups.js",
    "findings.js",
    "rules.js",
    "changes.js",
    "verdict.js",
    "steps.js",
    "sections.js",
    "print.js",
    "main.js",
)
_STYLES = ("page.css", "verdict.css", "matrix.css", "narrow.css", "print.css")


def render(view: ReportView) -> bytes:
    """Build the page. Texts from the tenant are data in it, and never markup."""
    before, after = _shell()
    return b"".join((before, embedded(view), after))


def policy() -> str:
    """The Content-Security-Policy of the page: its own script and style, and nothing else."""
    return policy_of(_script(), _style())


def policy_of(script: str, style: str, *more: str) -> str:
    """A policy that allows one inline script and one inline style, and what `more` says."""
    allowed = (
        "default-src 'none'",
        f"script-src '{_hash(script)}'",
        f"style-src '{_hash(style)}'",
        *more,
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(allowed)


def shared_style() -> str:
    """What all pages of the project look like."""
    return (_FOLDER / _STYLES[0]).read_text(encoding="utf-8")


@cache
def _shell() -> tuple[bytes, bytes]:
    page = (_FOLDER / "page.html").read_text(encoding="utf-8")
    page = page.replace("{{policy}}", policy()).replace("{{style}}", _style())
    page = page.replace("{{script}}", _script())
    before, after = page.encode().split(b"{{data}}")
    return before, after


@cache
def _script() -> str:
    parts = [(_FOLDER / name).read_text(encoding="utf-8") for name in _SCRIPTS]
    return "'use strict';\n(() => {\n" + "\n".join(parts) + "\n})();"


@cache
def _style() -> str:
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in _STYLES)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
