"""`python scripts/release_notes.py X.Y.Z`: prints what CHANGELOG.md says of a version."""

from __future__ import annotations

import re
import sys
from pathlib import Path

CHANGELOG = Path(__file__).resolve().parents[1] / "CHANGELOG.md"


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    notes = notes_of(arguments[0], CHANGELOG.read_text(encoding="utf-8"))
    if not notes:
        print(f"CHANGELOG.md has no section ## {arguments[0]}. Add it.", file=sys.stderr)
        return 1
    print(notes)
    return 0


def notes_of(version: str, changelog: str) -> str:
    """Return the text below a version's heading, without the heading; empty if there is none."""
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    found = [each for each in sections if each.split()[0] == version]
    return found[0].partition("\n")[2].strip() if found else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
