"""The definitions, the modules around them, and what lies beside the checkout."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from local.logic_apps.definitions import FOLDER

ROOT = Path(__file__).parents[3]
SHARED = Path(os.environ.get("ENTRA_SOD_SHARED", ROOT.parent / "shared"))
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


def documented(number: str) -> dict[str, Any]:
    """An example of the Graph contract; the test is skipped where there is none."""
    found = list((SHARED / "graph-contract" / "examples").glob(f"{number}-*.json"))
    if not found:
        pytest.skip("no graph-contract beside the checkout; ENTRA_SOD_SHARED names another place")
    content: dict[str, Any] = json.loads(found[0].read_text(encoding="utf-8"))
    return content
