"""Registers the app's API in Entra, with its app roles: `entra_sod/cli/register_api.py` says how.

.venv/bin/python scripts/register_api.py [--name NAME] [--give ROLE=PRINCIPAL…] [--yes]
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from entra_sod.cli.register_api import main

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
