"""Lets a script run from anywhere, with any Python: it goes on in this checkout's `.venv`."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_PYTHONS = (ROOT / ".venv/bin/python", ROOT / ".venv/Scripts/python.exe")


def enter() -> None:
    """Make the checkout's own modules and packages importable, or end with what is missing."""
    sys.path.insert(0, str(ROOT))
    if Path(sys.prefix) == ROOT / ".venv":
        return
    python = next((each for each in _PYTHONS if each.exists()), None)
    if python is None:
        raise SystemExit(
            f"There is no {ROOT / '.venv'}: run make .venv there, and then this again."
        )
    again = subprocess.run([python, *sys.argv], env=os.environ, check=False)  # noqa: S603 - ours
    raise SystemExit(again.returncode)
