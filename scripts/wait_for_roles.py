"""The azd hook before deployment: waits until the roles that were just given are effective.

    .venv/bin/python scripts/wait_for_roles.py

It reads PACKAGE_IDENTITY_PRINCIPAL_ID, APP_IDENTITY_PRINCIPAL_ID and AZURE_SUBSCRIPTION_ID from the
environment, as azd gives them, asks the Azure CLI when the newest role was given, and waits until
that is three minutes ago. It never fails a deployment. Without the packages of this checkout it
goes on in `.venv`.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import checkout

if __name__ == "__main__":
    checkout.enter()
    from entra_sod.cli.wait_for_roles import main

    raise SystemExit(main())
