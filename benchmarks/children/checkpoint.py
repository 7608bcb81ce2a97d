"""A child's side of a measurement: say where it is, and hold still until it was looked at."""

from __future__ import annotations

import json
import sys
from pathlib import Path

# Not from local.processes: what that imports would be measured as the app's.
APP = Path(__file__).resolve().parents[2]


def reach(name: str, **facts: object) -> None:
    """Stop at a named point, so that the parent may measure this process from outside."""
    sys.stdout.write(json.dumps({"name": name, "facts": facts}) + "\n")
    sys.stdout.flush()
    sys.stdin.readline()


def loaded(names: list[str]) -> list[str]:
    """Which of the packages this process has imported."""
    return [name for name in names if name in sys.modules]
