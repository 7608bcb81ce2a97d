"""The azd hook after provisioning: gives the app its roles on the catalogs, or says who can.

    .venv/bin/python scripts/grant.py [--device-code] [any option of entra-sod grant]

It reads SOD_CATALOGS, APP_IDENTITY_PRINCIPAL_ID, LOGIC_APP_PRINCIPAL_ID and ENFORCEMENT from the
environment, as azd gives them, and never fails a deployment. Without the packages of this checkout
it goes on in `.venv`.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import checkout

if __name__ == "__main__":
    checkout.enter()
    from entra_sod.cli.__main__ import app

    app(["grant", "--hook", *sys.argv[1:]], prog_name="scripts/grant.py")
