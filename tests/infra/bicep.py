"""The Bicep compiler: the one on PATH, or the one beside the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("ENTRA_SOD_SHARED", ROOT.parent / "shared"))

type Json = dict[str, Any]


@cache
def _compiler() -> str | None:
    beside = SHARED / "bicep" / "bicep"
    return shutil.which("bicep") or (str(beside) if beside.exists() else None)


def bicep(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the compiler in a folder; the test is skipped where there is none."""
    compiler = _compiler()
    if compiler is None:
        pytest.skip("no bicep on PATH or beside the checkout: nothing of infra/ is compiled")
    return subprocess.run(  # noqa: S603 - the compiler
        [compiler, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def resources_of(template: Json) -> list[Json]:
    """The resources that one template makes; it lists them or names them."""
    found = template.get("resources", [])
    listed = list(found.values()) if isinstance(found, dict) else list(found)
    return [each for each in listed if not each.get("existing")]


def modules_of(template: Json) -> dict[str, Json]:
    """The deployments inside a template by the name of the module, each with its condition."""
    return {
        _name(each): each
        for each in resources_of(template)
        if each["type"] == "Microsoft.Resources/deployments"
    }


def nested(template: Json, module: str) -> Json:
    """The template of one module."""
    found: Json = modules_of(template)[module]["properties"]["template"]
    return found


def _name(deployment: Json) -> str:
    name: str = deployment["name"]
    return name if not name.startswith("[") else "private-PART"


def compiled(folder: Path) -> Json:
    """What the compiler made of a folder's main.bicep."""
    template: Json = json.loads((folder / "infra" / "main.json").read_text(encoding="utf-8"))
    return template
