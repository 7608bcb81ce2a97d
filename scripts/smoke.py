"""The azd hook after deployment: lists the functions, and asks about packages that do not exist.

    .venv/bin/python scripts/smoke.py [https://APP/api]

It reads AZURE_FUNCTION_APP_URL, AZURE_FUNCTION_APP_NAME, AZURE_RESOURCE_GROUP and API_CLIENT_ID
from the environment, as azd gives them. The functions are listed by the Azure CLI, or, without it,
by the app's host with ENTRA_SOD_MASTER_KEY. The canary is sent with ENTRA_SOD_KEY or
ENTRA_SOD_TOKEN, or else with a token of the Azure CLI.

Exit code 0: nothing is wrong; a canary that was refused is said to be unknown. 1: something is.
Without the packages of this checkout it goes on in `.venv`.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import checkout

if __name__ == "__main__":
    checkout.enter()
    from entra_sod.cli.run_smoke import main

    raise SystemExit(main(sys.argv[1:]))
